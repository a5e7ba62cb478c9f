from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Repair
from tensorlint.flow.events import Argument, ItemWrite, NumpyCall, Scene
from tensorlint.flow.values import Sequence, Tensor, Value, leaves
from tensorlint.knowledge import EXPORTS, SILENTLY_WRONG
from tensorlint.knowledge.numpy_functions import EXPORTS_OF_LIST, EXPORTS_OF_LIST_UNCHANGED, EXPORTS_UNCHANGED
from tensorlint.policy import ExportStyle
from tensorlint.rules import mending
from tensorlint.rules.base import Draft, Rule
from tensorlint.rules.wording import Risk, export_risk, history, spell

if TYPE_CHECKING:
    import libcst as cst


class ImplicitExport(Rule):
    """A tensor handed to a NumPy function is exported without a word, and that fails like `.numpy()`.

    ## What it does
    Reports a tensor that is or may be off the CPU, or that needs a gradient, where it is passed to a NumPy
    function or assigned into an array.

    ## Why is this bad
    NumPy asks the tensor for `__array__`, which is `.numpy()` under another name: it works for a plain CPU
    tensor and raises TypeError for one on a GPU and RuntimeError for one that needs a gradient.

    ## Example
    ```python
    import numpy as np
    import torch

    weights = torch.nn.Linear(3, 1).weight
    print(np.linalg.norm(weights))
    ```

    ## Use instead
    ```python
    import numpy as np
    import torch

    weights = torch.nn.Linear(3, 1).weight
    print(np.linalg.norm(weights.detach().cpu().numpy()))
    ```

    ## Fix safety
    Safe for the functions that were measured to give the same for the array as for the tensor. Unsafe for the others:
    `np.exp` of a tensor is a tensor, of an array an array.

    ## References
    - torch documentation, `Tensor.numpy`; pytorch/pytorch#136264; measured on torch 1.13.1, 2.2.2 and 2.13.0
    """

    code = "TBX105"
    name = "implicit-export"
    fix = Applicability.SAFE

    def on_numpy_call(self, event: NumpyCall) -> Iterator[Draft]:
        if event.name not in SILENTLY_WRONG:
            for argument in event.arguments:
                if event.name not in (EXPORTS_OF_LIST if isinstance(argument.value, Sequence) else EXPORTS):
                    continue
                alike = EXPORTS_OF_LIST_UNCHANGED if isinstance(argument.value, Sequence) else EXPORTS_UNCHANGED
                draft = _draft(argument, event.node, event.scene, f"`np.{event.name}`", unchanged=event.name in alike)
                if draft is not None:
                    yield draft
                    return

    def on_item_write(self, event: ItemWrite) -> Iterator[Draft]:
        how = "assigning it into an array"
        draft = _draft(event.value, event.node, event.scene, how, unchanged=True)
        if draft is not None:
            yield draft


def _draft(argument: Argument, node: cst.CSTNode, scene: Scene, how: str, *, unchanged: bool) -> Draft | None:
    tensors = [leaf for leaf in leaves(argument.value) if isinstance(leaf, Tensor)]
    judged = [(tensor, risk) for tensor in tensors if (risk := export_risk(tensor, scene, presume=False)) is not None]
    worst: tuple[Tensor, Risk] | None = max(judged, key=lambda pair: pair[1].surest or 0, default=None)
    if worst is None or worst[1].surest is None:
        return None
    tensor, risk = worst
    surest = risk.surest or Certainty.POSSIBLE
    reasons = []
    if risk.device is not None and risk.device >= surest:
        reasons.append("is off the CPU" if risk.device is Certainty.CERTAIN else "may be off the CPU")
    if risk.grad is not None and risk.grad >= surest:
        reasons.append("needs a gradient")
    subject = "a tensor" if argument.node is node else f"`{spell(argument.node)}`"
    message = f"{how} exports {subject} to NumPy, which raises as it {' and '.join(reasons)}"
    return Draft(
        node,
        message,
        surest,
        f"pass `{risk.calls()}.numpy()` of it",
        history(tensor.device, tensor.grad),
        repair=None if argument.node is node else partial(_repair, argument, risk, unchanged),
    )


def _repair(argument: Argument, risk: Risk, unchanged: bool, style: ExportStyle) -> Repair | None:
    tensors = [] if argument.star else _tensors(argument.node, argument.value)
    if not tensors:
        return None
    changes = tuple(change for tensor in tensors for change in mending.bring_home(tensor, risk, ".numpy()", style))
    message = "pass `.numpy(force=True)` of it" if style == "force" else f"pass `{risk.calls()}.numpy()` of it"
    if unchanged:
        return Repair(message, changes)
    return Repair(message, changes, Applicability.UNSAFE, "the result becomes an array where it was a tensor")


def _tensors(node: cst.BaseExpression, value: Value) -> list[cst.BaseExpression]:
    """The expressions that are tensors: the argument itself, or what is written in a list of them."""
    import libcst

    match node, value:
        case _, Tensor():
            return [node]
        case ((libcst.List() | libcst.Tuple()), Sequence(items=items)) if items is not None:
            elements = [element.value for element in node.elements if isinstance(element, libcst.Element)]
            if len(elements) != len(items):
                return []
            return [tensor for pair in zip(elements, items, strict=True) for tensor in _tensors(*pair)]
        case libcst.ListComp(), Sequence() if isinstance(value.any_element(), Tensor):
            return [node.elt]
        case _:
            return []
