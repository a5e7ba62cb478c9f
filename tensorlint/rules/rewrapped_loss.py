from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Repair, replace, source_of
from tensorlint.flow.events import MethodCall
from tensorlint.policy import ExportStyle
from tensorlint.rules.base import Draft, Note, Rule
from tensorlint.rules.lost_graph import lost_graph
from tensorlint.rules.wording import history_of_cut, spell

if TYPE_CHECKING:
    import libcst as cst


class RewrappedLoss(Rule):
    """A loss that is made a new tensor before `.backward()` has lost its graph: no parameter gets a gradient.

    ## What it does
    Reports `torch.tensor(loss, requires_grad=True)`, `Variable(loss.data, requires_grad=True)`,
    `loss.detach().requires_grad_()`, `loss.requires_grad = True` and the like where `.backward()` is called on the
    result; and where it is called on what was computed with the result alone, if that is made of values that had a
    graph, be it by way of NumPy, and nobody asks for its gradient or optimizes it.

    ## Why is this bad
    `torch.tensor` copies numbers; the new tensor is a leaf that nothing computed. `.backward()` raises no longer, which
    is what `requires_grad=True` was written for, and reaches nothing: every `.grad` before it stays `None`, the
    optimizer steps over all parameters, and the model never learns.

    ## Example
    ```python
    import torch

    model = torch.nn.Linear(3, 1)
    losses = [model(torch.ones(3)).pow(2).mean() for _ in range(4)]
    loss = torch.tensor(losses, requires_grad=True).mean()
    loss.backward()
    print(model.weight.grad)  # None
    ```

    ## Use instead
    ```python
    import torch

    model = torch.nn.Linear(3, 1)
    losses = [model(torch.ones(3)).pow(2).mean() for _ in range(4)]
    loss = torch.stack(losses).mean()
    loss.backward()
    print(model.weight.grad)
    ```

    ## Fix safety
    Unsafe: the model is trained then, which is what the line is there for, and it did not do so before. What `.data` or
    `.detach()` leaves behind in the call itself is taken as it is. Where the loss came out of NumPy or out of `.item()`
    there is no fix by itself: it has to be computed with torch.

    ## References
    - torch documentation, `torch.tensor`: it detaches and copies its data; measured on torch 2.13.0
    - nyukat/breast_cancer_classifier#56: predictions averaged with NumPy
    """

    code = "TBX501"
    name = "rewrapped-loss"
    clues = (screen.CUT, *screen.BOUNDARY)
    fix = Applicability.UNSAFE
    shown = Certainty.CERTAIN

    def on_method_call(self, event: MethodCall) -> Iterator[Draft]:
        lost = lost_graph(event)
        if lost is None or lost.leaf is None or lost.element is not None:
            return
        made = event.scene.node(lost.leaf.site)
        if made is None:
            return
        surely = lost.leaf.of_graph and lost.leaf.steps < 2
        yield Draft(
            made,
            f"{_makes_leaf(made)}: `.backward()` reaches nothing that was computed before, and no "
            "parameter gets a gradient",
            Certainty.CERTAIN if surely else Certainty.LIKELY,
            "use the loss itself; `torch.stack(losses)` for a list of them",
            (*history_of_cut(lost.cut), Note(event.scene.at(event.node), "differentiated here")),
            repair=partial(_repair, made, lost.leaf.given, event.scene.node(lost.cut.site)),
        )


def _makes_leaf(made: cst.CSTNode) -> str:
    import libcst

    if isinstance(made, libcst.Attribute):
        return f"`{spell(made)} = True` raises for what has a graph, and makes a leaf of what has none"
    return f"`{spell(made)}` is a new leaf"


def _repair(made: cst.CSTNode, given: str, cut: cst.CSTNode | None, style: ExportStyle) -> Repair | None:
    """Take the loss as it is; what was a list is stacked."""
    import libcst

    match made:
        case libcst.Call(func=libcst.Attribute(value=data, attr=libcst.Name("requires_grad_"))):
            module, given = data, ""
        case libcst.Call(func=libcst.Attribute(value=module), args=[libcst.Arg(value=data, star=""), *_]):
            pass
        case _:
            return None
    match data:
        case libcst.Attribute(value=kept, attr=libcst.Name("data")) if data is cut:
            data = kept
        case libcst.Call(func=libcst.Attribute(value=kept, attr=libcst.Name("detach"))) if data is cut:
            data = kept
        case _ if cut is not None or not given:
            return None
    reason = "gradients reach the parameters then"
    if given == "tensors":
        text = f"{source_of(module)}.stack({source_of(data)})"
    elif isinstance(data, (libcst.Name, libcst.Attribute, libcst.Call, libcst.Subscript)):
        text = source_of(data)
    else:
        text = f"({source_of(data)})"
    return Repair(f"write `{text}`", (replace(made, text),), Applicability.UNSAFE, reason)
