from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Builder, Repair, append, replace, source_of
from tensorlint.flow.events import Argument, NumpyCall
from tensorlint.flow.values import Tensor
from tensorlint.knowledge import REDUCTIONS_RAISE
from tensorlint.policy import ExportStyle
from tensorlint.rules.base import Draft, Rule
from tensorlint.rules.wording import spell

if TYPE_CHECKING:
    import libcst as cst

#: The method that computes the same, where it is not called the same. NumPy divides by n, torch by n - 1.
_METHODS = {"std": "std(correction=0)", "var": "var(correction=0)", "amax": "max()", "amin": "min()"}


class NumpyReduction(Rule):
    """`np.sum`, `np.mean`, `np.max` and their like raise on every tensor.

    ## What it does
    Reports `np.sum`, `np.prod`, `np.mean`, `np.std`, `np.var`, `np.min`, `np.max`, `np.amin`, `np.amax`, `np.any` and
    `np.all` with a tensor as the first argument.

    ## Why is this bad
    NumPy hands these on to the method of that name with NumPy's arguments, which torch does not take: `TypeError: sum()
    got an unexpected keyword argument 'axis'`, on the CPU, too. What works on an array breaks when the value becomes
    a tensor.

    ## Example
    ```python
    import numpy as np
    import torch

    scores = torch.rand(3, 4)
    print(np.mean(scores, axis=0))
    ```

    ## Use instead
    ```python
    import torch

    scores = torch.rand(3, 4)
    print(scores.mean(dim=0))
    ```
    The method gives a tensor. For `np.std` and `np.var` it is `.std(correction=0)` and `.var(correction=0)`, as torch
    divides by n - 1 unless told otherwise. `np.median`, `np.nansum` and most other functions convert the tensor first,
    which is TBX105. On a *list* of tensors the reductions work as far as that conversion does.

    ## Fix safety
    Unsafe: the result is a tensor, not a NumPy number. Only offered for the tensor as the one argument, and for
    `np.mean` where the dtype is known to be floating, as torch has no mean of integers. `correction=0` needs
    torch 2.0.

    ## References
    - pytorch/pytorch#50010; measured on torch 2.13.0 with NumPy 2.4.6
    """

    code = "TBX109"
    name = "numpy-reduction"
    fix = Applicability.UNSAFE

    def on_numpy_call(self, event: NumpyCall) -> Iterator[Draft]:
        if event.name not in REDUCTIONS_RAISE or event.scene.caught:
            return
        operand = event.positional() or event.keyword("a")
        if operand is None or not isinstance(operand.value, Tensor) or not operand.value.sure:
            return
        method = _METHODS.get(event.name, f"{event.name}()")
        yield Draft(
            event.node,
            f"`np.{event.name}` raises TypeError on every tensor, and `{spell(operand.node)}` is one",
            # Where only an annotation says so, a caller may still pass an array.
            Certainty.LIKELY if operand.value.source == "parameter" else Certainty.CERTAIN,
            f"use `.{method}` of the tensor",
            repair=_repair(event, operand, method),
        )


def _repair(event: NumpyCall, operand: Argument, method: str) -> Builder | None:
    """For the tensor alone: torch takes other keywords, and gives a tuple for ``.max(dim)``."""
    dtype = operand.value.dtype if isinstance(operand.value, Tensor) else ""
    if len(event.arguments) != 1 or operand.star or (method == "mean()" and not dtype.startswith(("float", "bfloat"))):
        return None
    return partial(_method, event.node, operand.node, method)


def _method(call: cst.CSTNode, tensor: cst.BaseExpression, method: str, style: ExportStyle) -> Repair:
    change = append(tensor, f".{method}")
    text = f"{change.before}{source_of(tensor)}{change.after}"
    return Repair(f"write `{text}`", (replace(call, text),), Applicability.UNSAFE, "the result is a tensor")
