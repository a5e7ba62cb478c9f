from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Repair, append, replace, source_of
from tensorlint.flow.call import Argument
from tensorlint.flow.domain.dtypes import Dtype
from tensorlint.flow.domain.tensors import Provenance, Tensor
from tensorlint.flow.domain.values import Scalar
from tensorlint.flow.events import NumpyCall
from tensorlint.knowledge import REDUCTIONS_RAISE
from tensorlint.policy import ExportStyle
from tensorlint.rules.base import Draft, Rule
from tensorlint.rules.wording import spell, where_from

if TYPE_CHECKING:
    import libcst as cst

#: NumPy divides by n, torch by n - 1.
_ARGUMENTS = {"std": "correction=0", "var": "correction=0"}
#: ``.max(dim)`` gives the places, too.
_ALONG_AXIS = {"max": "amax", "min": "amin"}
#: What torch computes in floating dtypes only.
_OF_FLOATS = frozenset({"mean", "std", "var"})

#: What a parameter is declared to be, and what calls of this file were seen to pass.
_BY_SOURCE: Mapping[Provenance | None, Certainty] = {
    Provenance.PARAMETER: Certainty.POSSIBLE,
    Provenance.ARGUMENT: Certainty.LIKELY,
}


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
    divides by n - 1 unless told otherwise. torch has no mean or deviation of bools and integers: there it is
    `.float().mean()`. `np.median`, `np.nansum` and most other functions convert the tensor first, which is TBX105. On a
    *list* of tensors the reductions work as far as that conversion does.

    ## Fix safety
    Unsafe: the result is a tensor, not a NumPy number. Only offered for the tensor alone, or with one axis. `.float()`
    goes before a mean or a deviation unless the dtype is known to be floating: of integers NumPy computes in float64,
    and a tensor that turns out to be of another floating dtype becomes float32. `correction=0` needs torch 2.0.

    ## References
    - pytorch/pytorch#50010; measured on torch 2.13.0 with NumPy 2.4.6
    """

    code = "TBX109"
    name = "numpy-reduction"
    clues = screen.BOUNDARY
    fix = Applicability.UNSAFE

    def on_numpy_call(self, event: NumpyCall) -> Iterator[Draft]:
        if event.name not in REDUCTIONS_RAISE or event.scene.caught:
            return
        operand = event.positional() or event.keyword("a")
        if operand is None or not isinstance(operand.value, Tensor) or not operand.value.sure:
            return
        axis = event.keyword("axis") or event.positional(1)
        method = _method(event.name, operand.value.dtype, axis)
        understood = len(event.arguments) == (1 if axis is None else 2) and not operand.star
        ordered = event.name not in {"max", "min", "amax", "amin"} or not operand.value.dtype.is_complex
        single = axis is None or (isinstance(axis.value, Scalar) and axis.value.kind == "int")
        yield Draft(
            event.node,
            f"`np.{event.name}` raises TypeError on every tensor, and `{spell(operand.node)}` is one",
            # Where only an annotation says so, that the program works says that it is wrong: callers pass arrays.
            _BY_SOURCE.get(operand.value.source, Certainty.CERTAIN),
            f"use `.{method}` of the tensor",
            where_from(operand.value),
            repair=partial(_repair, event.node, operand, method) if understood and ordered and single else None,
        )


def _method(name: str, dtype: Dtype, axis: Argument | None) -> str:
    """What computes the same of the tensor."""
    name = name.removeprefix("a") if name in {"amax", "amin"} else name
    arguments = [_ARGUMENTS[name]] if name in _ARGUMENTS else []
    if axis is not None:
        arguments.insert(0, f"dim={source_of(axis.node)}")
        name = _ALONG_AXIS.get(name, name)
    cast = "float()." if name in _OF_FLOATS and not (dtype.is_floating or dtype.is_complex) else ""
    return f"{cast}{name}({', '.join(arguments)})"


def _repair(call: cst.CSTNode, operand: Argument, method: str, style: ExportStyle) -> Repair:
    change = append(operand.node, f".{method}")
    text = f"{change.before}{source_of(operand.node)}{change.after}"
    reason = "the result is a tensor"
    if method.startswith("float()"):
        dtype = isinstance(operand.value, Tensor) and operand.value.dtype
        reason += ", of float32" if dtype else ", of float32 as the dtype is not known"
    return Repair(f"write `{text}`", (replace(call, text),), Applicability.UNSAFE, reason)
