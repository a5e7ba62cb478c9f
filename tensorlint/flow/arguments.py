"""What the arguments of a call say: keywords by name, dtypes, and the dtype that plain data will get."""

from __future__ import annotations

from tensorlint.flow.call import Argument
from tensorlint.flow.domain.dtypes import (
    BOOL,
    COMPLEX64,
    COMPLEX128,
    FLOAT32,
    FLOAT64,
    INT64,
    OTHER_DTYPE,
    UNKNOWN_DTYPE,
    Dtype,
)
from tensorlint.flow.domain.inside import leaves
from tensorlint.flow.domain.tensors import Array
from tensorlint.flow.domain.values import Scalar, Symbol, Unknown, Value
from tensorlint.flow.dtypes import dtype_of


def keyword(arguments: tuple[Argument, ...], name: str) -> Value | None:
    return next((argument.value for argument in arguments if argument.keyword == name), None)


def dtype_argument(arguments: tuple[Argument, ...]) -> Dtype:
    for argument in arguments:
        if argument.keyword == "dtype":
            # An unreadable dtype is still a dtype: nothing is kept.
            return dtype_of(argument.value) or OTHER_DTYPE
    for argument in arguments:
        value = argument.value
        # ``x.type("torch.LongTensor")``; any other string is no dtype here.
        spelled = isinstance(value, Scalar) and isinstance(value.literal, str) and value.literal.startswith("torch.")
        if not argument.keyword and (isinstance(value, Symbol) or spelled) and dtype_of(value):
            return dtype_of(value)
    return UNKNOWN_DTYPE


def dtype_of_data(data: Value, *, array: bool = False) -> Dtype:
    """The dtype a list or number gives: NumPy makes float64 of Python floats, torch its default float."""
    parts = list(leaves(data))
    kinds = {leaf.kind if isinstance(leaf, Scalar) else "" for leaf in parts}
    if kinds and kinds <= {"int"}:
        return INT64
    if "complex" in kinds and kinds <= {"int", "float", "complex"}:
        return COMPLEX128 if array else COMPLEX64
    if kinds and kinds <= {"int", "float"}:
        return FLOAT64 if array else FLOAT32
    if kinds == {"bool"}:
        return BOOL
    arrays = {part.dtype for part in parts if isinstance(part, Array)}
    if arrays and all(dtype.is_integral for dtype in arrays) and all(_may_hold_integers(part) for part in parts):
        # What is joined with integers is integers or becomes float64; which, the other parts decide.
        surely = kinds <= {"", "int"} and all(not isinstance(part, Unknown) for part in parts)
        return Dtype("int64", unsure=not surely)
    return UNKNOWN_DTYPE


def _may_hold_integers(part: Value) -> bool:
    return isinstance(part, (Array, Unknown)) or (isinstance(part, Scalar) and part.kind == "int")
