from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Builder, Repair, add_argument, append, replace, source_of
from tensorlint.flow.call import Argument
from tensorlint.flow.domain.tensors import Tensor
from tensorlint.flow.events import NumpyCall
from tensorlint.flow.scene import Spelling
from tensorlint.knowledge import SILENTLY_WRONG
from tensorlint.policy import ExportStyle
from tensorlint.rules.base import Draft, Rule
from tensorlint.rules.export_risk import export_risk
from tensorlint.rules.wording import history, spell, spell_with, where_from

if TYPE_CHECKING:
    import libcst as cst

_INSTEAD = {
    "nonzero": "torch.nonzero(..., as_tuple=True)",
    "argwhere": "torch.argwhere(...)",
    "size": ".numel()",
    "signbit": "torch.signbit(...)",
}
#: Where torch calls it something else. ``torch.equal`` is one bool for two whole tensors.
_TORCH_NAMES = {"equal": "eq", "not_equal": "ne"}
_REASON = "the result becomes the one that was meant, which is another one"
_WRONG = {
    "nonzero": "one tensor of index rows, not a tuple of index arrays",
    "argwhere": "a transposed result of shape (ndim, n)",
    "size": "the bound method `Tensor.size`, not a number",
}


class NumpyPredicateOnTensor(Rule):
    """A NumPy predicate on a tensor returns something else than on an array, without an error.

    ## What it does
    Reports `np.isnan`, `np.isinf`, `np.isfinite`, `np.logical_*`, comparisons such as `np.greater`, and
    `np.nonzero`, `np.argwhere`, `np.size` when they are given a torch tensor.

    ## Why is this bad
    The bool-valued ufuncs come back as a *uint8 tensor*: `~` turns its 0 and 1 into 255 and 254, and as a mask
    that selects every element. `np.nonzero` gives index rows instead of a tuple, `np.argwhere` is transposed,
    `np.size` is a bound method. On a GPU the same lines raise TypeError. Where only the truth of a predicate is asked
    for (`if np.isnan(t).any()`), uint8 is as good as bool: then only a tensor is reported that NumPy cannot read.

    ## Example
    ```python
    import numpy as np
    import torch

    t = torch.tensor([1.0, float("nan"), 3.0])
    clean = t[~np.isnan(t)]  # keeps the nan
    ```

    ## Use instead
    ```python
    import torch

    t = torch.tensor([1.0, float("nan"), 3.0])
    clean = t[~torch.isnan(t)]
    ```

    ## Fix safety
    Unsafe: the result changes, to the one that was meant: a bool tensor, a tuple of indices, a number. A call with
    keywords such as `where=` is left to its author.

    ## References
    - measured on torch 1.13.1, 2.2.2, 2.13.0 with NumPy 1.24 to 2.4
    """

    code = "TBX103"
    name = "numpy-predicate-on-tensor"
    clues = screen.BOUNDARY
    shown = Certainty.CERTAIN
    fix = Applicability.UNSAFE

    def on_numpy_call(self, event: NumpyCall) -> Iterator[Draft]:
        if event.name not in SILENTLY_WRONG:
            return
        operand = next((argument for argument in event.arguments if isinstance(argument.value, Tensor)), None)
        if operand is None or not isinstance(operand.value, Tensor) or not operand.value.sure:
            return
        if event.name not in _WRONG and (_is_only_asked(event.uses) or _is_asked_later(event.asked_later)):
            yield from _exported(event, operand)
            return
        if any(use.startswith("numpy.") for use in event.uses[:1]):
            # Which raises for what this gives: TBX109.
            return
        if event.name == "argwhere" and event.uses[:1] in {("flatten",), ("ravel",), ("squeeze",), ("item",)}:
            # Only what has one dimension, or one element, is asked so: rows and columns are the same numbers.
            return
        if "shape" in event.asked_later:
            # What torch gives has a shape, the tuple that NumPy gives has none.
            return
        if event.name == "nonzero" and event.asked_later == {""}:
            # Nobody takes the tuple apart that NumPy would give: what torch gives may be what was wanted.
            return
        wrong = _WRONG.get(event.name, "a uint8 tensor, which `~` and masks misread")
        instead = _INSTEAD.get(event.name, f"torch.{event.name}(...)")
        harmed = not operand.value.source and _does_harm(event)
        yield Draft(
            event.node,
            f"`np.{event.name}` of the tensor `{spell(operand.node)}` gives {wrong}",
            Certainty.CERTAIN if harmed else Certainty.LIKELY,
            f"use `{instead}`",
            where_from(operand.value),
            repair=_repair(event, operand),
        )


def _does_harm(event: NumpyCall) -> bool:
    """Whether what is done with the result shows that it is not what it would be of an array."""
    match event.name:
        case "size":
            return True
        case "nonzero":
            return "[]" in event.asked_later
        case _:
            return event.name not in _WRONG and "~" in (*event.uses, *event.asked_later)


def _is_only_asked(uses: tuple[str, ...]) -> bool:
    """Whether only the truth or the number of what holds is used: a uint8 tensor tells that as well as a bool array."""
    match uses:
        case ("any" | "all", "~", *_):
            return False
        case ("any" | "all" | "sum" | "item" | "test" | "bool" | "int" | "float", *_):
            return True
        case _:
            return False


def _is_asked_later(asked: frozenset[str]) -> bool:
    """The same for a result that has a name."""
    return bool(asked) and asked <= {"any", "all", "sum", "item"}


def _exported(event: NumpyCall, operand: Argument) -> Iterator[Draft]:
    """The answer is right where there is one: NumPy cannot read every tensor."""
    assert isinstance(operand.value, Tensor)
    risk = export_risk(operand.value, event.scene, presume=False)
    if risk is None or risk.surest is None:
        return
    reasons = (("is on a GPU", risk.device), ("needs a gradient", risk.grad))
    named = " or ".join(reason for reason, certainty in reasons if certainty == risk.surest)
    yield Draft(
        event.node,
        f"`np.{event.name}` exports the tensor `{spell(operand.node)}` to NumPy, which raises when it {named}",
        risk.surest,
        f"use `torch.{event.name}(...)`",
        history(operand.value.device, operand.value.grad),
        repair=_repair(event, operand),
    )


def _repair(event: NumpyCall, operand: Argument) -> Builder | None:
    """Only what torch has under a name of its own, and takes the same operands for."""
    import libcst

    if any(argument.keyword or argument.star for argument in event.arguments):
        return None
    assert isinstance(event.node, libcst.Call)
    call = event.node
    if event.name == "size":
        return partial(_numel, call, operand) if len(event.arguments) == 1 else None
    name = _TORCH_NAMES.get(event.name, event.name)
    only_tensors = event.name.startswith("logical_") or len(event.arguments) == 1
    if only_tensors and not all(isinstance(each.value, Tensor) and each.value.sure for each in event.arguments):
        return None
    spelling = event.scene.spelling(f"torch.{name}")
    return None if spelling is None else partial(_in_torch, call, event.name, spelling)


def _numel(call: cst.Call, operand: Argument, style: ExportStyle) -> Repair:
    inner = append(operand.node, ".numel()")
    text = f"{inner.before}{source_of(operand.node)}{inner.after}"
    return Repair(
        f"write `{spell_with(operand.node, '.numel()')}`", (replace(call, text),), Applicability.UNSAFE, _REASON
    )


def _in_torch(call: cst.Call, name: str, spelling: Spelling, style: ExportStyle) -> Repair:
    changes = [replace(call.func, spelling.text)]
    if name == "nonzero":
        changes.append(add_argument(call, "as_tuple=True"))
    return Repair(f"use `{spelling.text}`", tuple(changes), Applicability.UNSAFE, _REASON, spelling.imports)
