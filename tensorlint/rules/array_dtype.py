from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Builder, Repair, append
from tensorlint.flow.domain.dtypes import INT32, INT64, Dtype, each_named
from tensorlint.flow.domain.tensors import Array, Tensor
from tensorlint.flow.events import MethodCall, TorchCall
from tensorlint.flow.scene import Scene, Spelling
from tensorlint.knowledge.row import names
from tensorlint.policy import ExportStyle
from tensorlint.rules.base import Draft, Note, Rule
from tensorlint.rules.wording import spell

if TYPE_CHECKING:
    import libcst as cst

_UNSIGNED = each_named("uint16 uint32 uint64")
#: Methods that torch 2.13.0 does not implement for them (measured): sums, divisions, views and casts work.
_NOT_IMPLEMENTED = names(
    "min max amax amin argmax argmin median mode abs neg clamp clamp_ clip add add_ sub sub_ gt ge lt le masked_fill "
    "masked_fill_ nonzero count_nonzero topk gather bincount std var norm mean"
)
#: The next wider dtype that torch computes with.
_SIGNED = {Dtype("uint16"): INT32, Dtype("uint32"): INT64}
_DATES = each_named("datetime64 timedelta64")
_EXTENDED = each_named("longdouble float128")
_INTO_TORCH = frozenset({"from_numpy", "as_tensor", "asarray", "tensor"})


class ArrayDtypeTorchLacks(Rule):
    """An array of a dtype that torch does not have, or cannot compute with, goes to torch.

    ## What it does
    Reports tensors of uint16, uint32 and uint64 arrays that are asked for what torch does not implement for them, and
    arrays in another byte order, of dates and of extended precision that are handed to torch.

    ## Why is this bad
    Since torch 2.3 `torch.from_numpy` takes an image of uint16, and the first `.min()` raises `NotImplementedError:
    "min_all" not implemented for 'UInt16'`; before, it raised at once. Other byte orders raise `ValueError`, dates and
    long doubles `TypeError`.

    ## Example
    ```python
    import numpy as np
    import torch

    depth = torch.from_numpy(np.zeros((4, 4), dtype=np.uint16))
    print(depth.max())
    ```

    ## Use instead
    ```python
    import numpy as np
    import torch

    depth = torch.from_numpy(np.zeros((4, 4), dtype=np.uint16).astype(np.int32))
    print(depth.max())
    ```

    ## Fix safety
    Unsafe: the tensor has another dtype, int32 for uint16 and int64 for uint32, and no longer shares memory with the
    array. Other dtypes have no fix.

    ## References
    - TorchIO-project/torchio#764, pytorch/pytorch#33831; measured on torch 2.13.0
    """

    code = "TBX214"
    name = "array-dtype-torch-lacks"
    clues = screen.BOUNDARY
    fix = Applicability.UNSAFE

    def on_method_call(self, event: MethodCall) -> Iterator[Draft]:
        value = event.value
        if not isinstance(value, Tensor) or value.dtype not in _UNSIGNED or event.name not in _NOT_IMPLEMENTED:
            return
        made = event.scene.node(value.alias)
        used = Note(event.scene.at(event.node), f"`.{event.name}()` is not implemented for it")
        what = spell(event.receiver) if made is None else spell(made)
        yield Draft(
            event.node if made is None else made,
            f"torch cannot compute `.{event.name}()` of `{what}`, which is {value.dtype}: NotImplementedError",
            Certainty.CERTAIN,
            "cast the array first: `astype(np.int32)`, or `astype(np.float32)`",
            () if made is None else (used,),
            mend=made,
            repair=None if made is None else _signed(event.scene, made, value.dtype),
        )

    def on_torch_call(self, event: TorchCall) -> Iterator[Draft]:
        data = event.positional()
        if event.name not in _INTO_TORCH or data is None or not isinstance(data.value, Array) or event.scene.caught:
            return
        why = _why(data.value.dtype)
        if why:
            yield Draft(
                event.node,
                f"torch has no tensor for `{spell(data.node)}`: {why}",
                Certainty.CERTAIN,
                "cast the array first, by `astype(...)` to a dtype that torch has",
            )


def _why(dtype: Dtype) -> str:
    if dtype.name.startswith((">i", ">u", ">f")):
        return "another byte order raises ValueError"
    if dtype in _DATES:
        return "dates raise TypeError"
    return "extended precision raises TypeError" if dtype in _EXTENDED else ""


def _signed(scene: Scene, call: cst.CSTNode, dtype: Dtype) -> Builder | None:
    """``torch.from_numpy(a)`` of an array that is cast to a dtype with a sign that holds all its numbers."""
    import libcst

    wider = _SIGNED.get(dtype)
    spelling = scene.spelling(f"numpy.{wider}") if wider else None
    match call:
        case libcst.Call(args=[libcst.Arg(keyword=None, star="", value=array)]) if spelling is not None:
            return partial(_cast, array, spelling)
        case _:
            return None


def _cast(array: cst.BaseExpression, spelling: Spelling, style: ExportStyle) -> Repair:
    text = f".astype({spelling.text})"
    reason = "the tensor has another dtype, and memory of its own"
    return Repair(f"append `{text}`", (append(array, text),), Applicability.UNSAFE, reason, spelling.imports)
