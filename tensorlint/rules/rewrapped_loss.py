from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Repair, replace, source_of
from tensorlint.flow.domain.facts import Truth
from tensorlint.flow.domain.values import Tensor
from tensorlint.flow.events import MethodCall
from tensorlint.policy import ExportStyle
from tensorlint.rules.base import Draft, Note, Rule
from tensorlint.rules.wording import spell

if TYPE_CHECKING:
    import libcst as cst


class RewrappedLoss(Rule):
    """A loss that is made a new tensor before `.backward()` has lost its graph: no parameter gets a gradient.

    ## What it does
    Reports `torch.tensor(loss, requires_grad=True)`, `torch.tensor(losses).requires_grad_()` and the like where
    `.backward()` is called on the result, or on the sum or mean of one that is made of values that need a gradient.

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
    Unsafe: the model is trained then, which is what the line is there for, and it did not do so before. Where the loss
    came out of NumPy or out of `.item()` there is no fix by itself: it has to be computed with torch.

    ## References
    - torch documentation, `torch.tensor`: it detaches and copies its data; measured on torch 2.13.0
    """

    code = "TBX501"
    name = "rewrapped-loss"
    clues = (screen.REWRAPPED, *screen.BOUNDARY)
    fix = Applicability.UNSAFE

    def on_method_call(self, event: MethodCall) -> Iterator[Draft]:
        value = event.value
        if event.name != "backward" or not isinstance(value, Tensor) or value.rewrapped is None:
            return
        made = event.scene.node(value.rewrapped.site)
        if made is None or value.grad.truth is not Truth.YES:
            return
        yield Draft(
            made,
            f"`{spell(made)}` is a new leaf: `.backward()` reaches nothing that was computed before, and no parameter "
            "gets a gradient",
            Certainty.CERTAIN if value.rewrapped.of_graph else Certainty.LIKELY,
            "use the loss itself; `torch.stack(losses)` for a list of them",
            (Note(event.scene.at(event.node), "differentiated here"),),
            repair=partial(_repair, made, value.rewrapped.given) if value.rewrapped.given else None,
        )


def _repair(made: cst.CSTNode, given: str, style: ExportStyle) -> Repair | None:
    """Take the loss as it is; what was a list is stacked."""
    import libcst

    match made:
        case libcst.Call(func=libcst.Attribute(value=module), args=[libcst.Arg(value=data, star=""), *_]):
            pass
        case _:
            return None
    reason = "gradients reach the parameters then"
    if given == "tensors":
        text = f"{source_of(module)}.stack({source_of(data)})"
    elif isinstance(data, (libcst.Name, libcst.Attribute, libcst.Call, libcst.Subscript)):
        text = source_of(data)
    else:
        text = f"({source_of(data)})"
    return Repair(f"write `{text}`", (replace(made, text),), Applicability.UNSAFE, reason)
