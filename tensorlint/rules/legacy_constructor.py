from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Builder, Repair, add_argument, replace
from tensorlint.flow.events import Argument, Spelling, TorchCall
from tensorlint.flow.values import Array, Scalar, Sequence, Truth, Unknown, Value
from tensorlint.policy import ExportStyle
from tensorlint.rules import mending
from tensorlint.rules.base import Draft, Rule
from tensorlint.rules.wording import spell

if TYPE_CHECKING:
    import libcst as cst

#: Names of sizes: ``torch.Tensor(hidden_size)`` allocates.
SIZE_NAME = re.compile(
    r"(^|[._])(n|k|num|size|shape|dims?|ndim|channels?|features?|planes|hidden|units|length|len|count|width|height|heads|classes|embed|embedding_dim)(_\w+)?$"
    r"|(_size|_dim|_channels|_features|_planes|_units|_len|_num)$",
    re.IGNORECASE,
)
#: Casts that make the way through float32 a detour.
_CASTS = frozenset({"long", "int", "short", "char", "byte", "bool", "double"})
_CONSTRUCTORS = {"Tensor": "float32", "FloatTensor": "float32", "HalfTensor": "float16"}


class LegacyConstructorCast(Rule):
    """`torch.Tensor(data)` makes float32 of whatever the data holds.

    ## What it does
    Reports the legacy constructors `torch.Tensor`, `torch.FloatTensor` and `torch.HalfTensor` on arrays and
    sequences that are not known to hold floats of that dtype already.

    ## Why is this bad
    Integers above 2**24 and float64 values silently lose digits, booleans and indices become floats, and a
    float32 array is *not* copied but aliased, so that the same line shares memory or not depending on the dtype
    of its input.

    ## Example
    ```python
    import numpy as np
    import torch

    ids = np.array([16777217])
    print(torch.Tensor(ids))  # 16777216.
    ```

    ## Use instead
    ```python
    import numpy as np
    import torch

    ids = np.array([16777217])
    print(torch.as_tensor(ids))
    ```
    `torch.as_tensor(x, dtype=torch.float32)` says the same as `torch.Tensor(x)` for an array, in values and in
    aliasing.

    ## Limits
    Lists of float literals are left alone: there the result is what the source says.

    ## Fix safety
    `torch.as_tensor(x, dtype=torch.float32)` is safe for arrays and for lists of numbers: same values, same dtype, same
    aliasing (measured). It is unsafe where `x` may be something else, as an integer would be a size, and in a file that
    sets the default dtype or device. Where a cast follows at once, as in `torch.Tensor(ids).long()`, the fix is
    `torch.tensor(ids).long()`, which is unsafe, as large integers keep their value then.

    ## References
    - pytorch/pytorch#34758, #64138; measured on torch 1.13.1, 2.2.2 and 2.13.0
    """

    code = "TBX201"
    name = "legacy-constructor-cast"
    fix = Applicability.SAFE

    def on_torch_call(self, event: TorchCall) -> Iterator[Draft]:
        target = _CONSTRUCTORS.get(event.name)
        if target is None or sum(not argument.keyword for argument in event.arguments) != 1:
            return
        data = event.positional()
        if data is None:
            return
        if isinstance(data.value, Unknown) and (SIZE_NAME.search(spell(data.node)) or event.consumer.endswith("_")):
            # The size of a buffer, by its name or by what is done with it at once: TBX202 looks after those.
            return
        content = _content(data.value, target)
        if content is None:
            return
        certainty, what = content
        yield Draft(
            event.node,
            f"`torch.{event.name}` makes {target} of `{spell(data.node)}`, {what}",
            certainty,
            f"say what is meant: `torch.as_tensor(..., dtype=torch.{target})`, "
            "or `torch.as_tensor(...)` to keep the dtype",
            repair=_repair(event, data, target),
        )


def _repair(event: TorchCall, data: Argument, target: str) -> Builder | None:
    import libcst

    call = event.node
    assert isinstance(call, libcst.Call)
    detour = event.consumer in _CASTS and _same_for(data.value)
    # The same for a list, and what people write for one; for what comes out of a detour, as that was a copy, too.
    wanted = "tensor" if detour or isinstance(data.value, Sequence) else "as_tensor"
    function, dtype = (mending.beside(call.func, event.scene, f"torch.{name}") for name in (wanted, target))
    if function is None or dtype is None or len(event.arguments) != 1 or data.star:
        return None
    if detour:
        return partial(_without_detour, call, function, event.consumer)
    reason = ""
    if not _same_for(data.value):
        is_list = isinstance(data.value, Sequence)
        reason = "its elements may be anything" if is_list else "an integer would be a size, and is a number then"
    elif event.scene.file.sets_defaults:
        reason = "this file sets the default dtype or device"
    return partial(_spelled_out, call, function, dtype, reason)


def _same_for(value: Value) -> bool:
    """Whether both spellings are known to make the same tensor of it: arrays, and lists of numbers or arrays."""
    match value:
        case Array(sure=sure):
            return sure
        case Sequence(kind="list" | "tuple", items=items) if items is not None:
            return all(isinstance(item, Scalar) or _same_for(item) for item in items)
        case Sequence(kind="list"):
            element = value.any_element()
            return isinstance(element, Scalar) or _same_for(element)
        case _:
            return False


def _without_detour(call: cst.Call, function: Spelling, cast: str, style: ExportStyle) -> Repair:
    return Repair(
        f"use `{function.text}(...).{cast}()`",
        (replace(call.func, function.text),),
        Applicability.UNSAFE,
        "what the legacy dtype cannot hold keeps its value",
        function.imports,
    )


def _spelled_out(call: cst.Call, function: Spelling, dtype: Spelling, reason: str, style: ExportStyle) -> Repair:
    return Repair(
        f"use `{function.text}(..., dtype={dtype.text})`",
        (replace(call.func, function.text), add_argument(call, f"dtype={dtype.text}")),
        Applicability.UNSAFE if reason else Applicability.SAFE,
        reason,
        function.imports,
    )


def _content(value: Value, target: str) -> tuple[Certainty, str] | None:
    """How sure it is that something else than ``target`` goes in, and what; None when there is nothing to say."""
    match value:
        case Array(zero_dim=True):
            return None
        case Array(dtype=dtype) if dtype in {target, "float32"}:
            return None
        case Array(dtype=dtype) if dtype and dtype != "?":
            return Certainty.CERTAIN, f"which holds {dtype}"
        case Array():
            return Certainty.LIKELY, "whatever dtype the array has"
        case Unknown(tensor=tensor) if tensor is not Truth.NO or value.source == "mixed":
            return Certainty.LIKELY, "whatever it holds"
        case Sequence(kind="loader" | "generator" | "view"):
            return None
        case Sequence(items=()):
            return None
        case Sequence():
            return _elements(value, target)
        case _:
            return None


def _elements(value: Sequence, target: str) -> tuple[Certainty, str] | None:
    found = [_element(item, target) for item in (value.items if value.items is not None else (value.any_element(),))]
    if any(item == "float" for item in found):
        # One float literal among the numbers says that floats are meant.
        return None
    if found and all(item in {"int", "bool"} for item in found):
        what = "bools" if "int" not in found else "integers" if "bool" not in found else "integers and bools"
        return Certainty.CERTAIN, f"a {value.kind} of {what}"
    if all(item is None for item in found):
        return None
    return Certainty.LIKELY, "whatever its elements are"


def _element(value: Value, target: str) -> str | None:
    match value:
        case Scalar(kind="float" | "np.float32" | "np.float64"):
            return "float"
        case Scalar(kind="bool"):
            return "bool"
        case Scalar(kind="int" | "np.int64"):
            return "int"
        case Scalar(kind="str" | "None"):
            return None
        case Sequence():
            inner = [
                _element(item, target) for item in (value.items if value.items is not None else (value.any_element(),))
            ]
            if "float" in inner:
                return "float"
            if not inner or not all(item in {"int", "bool"} for item in inner):
                return "other"
            return "int" if "int" in inner else "bool"
        case Array(dtype=dtype) if dtype == target:
            return "float"
        case _:
            return "other"
