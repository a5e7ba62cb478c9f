"""The legacy constructors of tensors, and the calls that say the same."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from tensorlint.findings import Applicability
from tensorlint.fix.repair import Builder, Repair, add_argument, replace
from tensorlint.flow.call import Argument
from tensorlint.flow.domain.dtypes import BFLOAT16, BOOL, FLOAT16, FLOAT32, FLOAT64, INT32, INT64, UINT8, Dtype
from tensorlint.flow.domain.lattice import any_element
from tensorlint.flow.domain.tensors import Array
from tensorlint.flow.domain.values import Scalar, Sequence, Value
from tensorlint.flow.events import NarrowedUse, TorchCall
from tensorlint.flow.scene import Scene, Spelling
from tensorlint.policy import ExportStyle
from tensorlint.rules import mending

if TYPE_CHECKING:
    import libcst as cst

#: What each of them makes.
DTYPES = {
    "Tensor": FLOAT32,
    "FloatTensor": FLOAT32,
    "DoubleTensor": FLOAT64,
    "HalfTensor": FLOAT16,
    "LongTensor": INT64,
    "IntTensor": INT32,
    "ShortTensor": Dtype("int16"),
    "CharTensor": Dtype("int8"),
    "ByteTensor": UINT8,
    "BoolTensor": BOOL,
    "BFloat16Tensor": BFLOAT16,
}


def spelled_out(event: TorchCall, data: Argument) -> Builder | None:
    """``torch.as_tensor(data, dtype=...)``: what the constructor does, said. None where it cannot be written.

    Equal in values, dtype and aliasing (measured on torch 1.13.1, 2.2.2 and 2.13.0), so safe, for arrays and for lists
    of numbers; unsafe where the data may be something else.
    """
    import libcst

    call = event.node
    assert isinstance(call, libcst.Call)
    # The same for a list, and what people write for one.
    wanted = "tensor" if isinstance(data.value, Sequence) else "as_tensor"
    function, dtype = (mending.beside(call.func, event.scene, f"torch.{name}") for name in (wanted, DTYPES[event.name]))
    if function is None or dtype is None or len(event.arguments) != 1 or data.star:
        return None
    return partial(_spelled_out, call, function, dtype, _doubt(data.value, event.scene))


def _doubt(value: Value, scene: Scene) -> str:
    if not same_for(value):
        is_list = isinstance(value, Sequence)
        return "its elements may be anything" if is_list else "an integer would be a size, and is a number then"
    return "this file sets the default dtype or device" if scene.file.sets_defaults else ""


def same_for(value: Value) -> bool:
    """Whether both spellings are known to make the same tensor of it: arrays, and lists of numbers or arrays."""
    match value:
        case Array(sure=sure):
            return sure
        case Sequence(kind="list" | "tuple", items=items) if items is not None:
            return all(isinstance(item, Scalar) or same_for(item) for item in items)
        case Sequence(kind="list"):
            element = any_element(value)
            return isinstance(element, Scalar) or same_for(element)
        case _:
            return False


def _spelled_out(call: cst.Call, function: Spelling, dtype: Spelling, reason: str, style: ExportStyle) -> Repair:
    return Repair(
        f"use `{function.text}(..., dtype={dtype.text})`",
        (replace(call.func, function.text), add_argument(call, f"dtype={dtype.text}")),
        Applicability.UNSAFE if reason else Applicability.SAFE,
        reason,
        function.imports,
    )


def kept_as_given(event: NarrowedUse | TorchCall) -> Builder | None:
    """For a constructor of one value, whose dtype it is to keep."""
    import libcst

    match event.node:
        case libcst.Call(func=func, args=[libcst.Arg(keyword=None, star="")]):
            function = mending.beside(func, event.scene, "torch.tensor")
            return None if function is None else partial(kept_values, event.node, function, "")
        case _:
            return None


def kept_values(call: cst.Call, function: Spelling, cast: str, style: ExportStyle) -> Repair:
    """``torch.tensor(data)``, with a ``cast`` behind it."""
    return Repair(
        f"use `{function.text}(...){cast}`",
        (replace(call.func, function.text),),
        Applicability.UNSAFE,
        "what the legacy dtype cannot hold keeps its value",
        function.imports,
    )


def numbers_spelled(node: cst.CSTNode) -> Iterator[int | float]:
    """The numbers that the program spells in a list, and in the lists in it."""
    import libcst

    match node:
        case libcst.List(elements=elements) | libcst.Tuple(elements=elements):
            for element in elements:
                yield from numbers_spelled(element.value)
        case libcst.UnaryOperation(operator=libcst.Minus(), expression=libcst.Integer() | libcst.Float() as number):
            yield -number.evaluated_value
        case libcst.Integer() | libcst.Float():
            yield node.evaluated_value
