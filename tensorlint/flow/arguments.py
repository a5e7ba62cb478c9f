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
    printed_as,
)
from tensorlint.flow.domain.inside import leaves
from tensorlint.flow.domain.promotion import of_arrays, of_joined_tensors
from tensorlint.flow.domain.tensors import Array
from tensorlint.flow.domain.values import Scalar, Symbol, Unknown, Value
from tensorlint.flow.dtypes import dtype_of


def keyword(arguments: tuple[Argument, ...], name: str) -> Value | None:
    return next((argument.value for argument in arguments if argument.keyword == name), None)


def given(arguments: tuple[Argument, ...], position: int, name: str) -> Argument | None:
    """The argument at a place, or by its keyword; the caller makes sure that none is starred."""
    plain = [argument for argument in arguments if not argument.keyword]
    if position < len(plain):
        return plain[position]
    return next((argument for argument in arguments if argument.keyword == name), None)


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
    if "complex" in kinds and kinds <= {"int", "float", "complex"}:
        return COMPLEX128 if array else COMPLEX64
    each = [_dtype_in(part, array=array) for part in parts]
    if each and all(each) and (BOOL not in each or set(each) == {BOOL}):
        return of_arrays(each) if array else of_joined_tensors(each)
    arrays = {part.dtype for part in parts if isinstance(part, Array)}
    if arrays and all(dtype.is_integral for dtype in arrays) and all(_may_hold_integers(part) for part in parts):
        # What is joined with integers is integers or becomes float64; which, the other parts decide.
        surely = kinds <= {"", "int"} and all(not isinstance(part, Unknown) for part in parts)
        return Dtype("int64", unsure=not surely)
    return UNKNOWN_DTYPE


def _dtype_in(part: Value, *, array: bool) -> Dtype:
    """What a number, or an array, in a list says of the dtype that is made of the list."""
    match part:
        case Scalar(kind="int"):
            return INT64
        case Scalar(kind="float"):
            return FLOAT64 if array else FLOAT32
        case Scalar(kind="bool"):
            return BOOL
        case Scalar(kind=kind) if kind.startswith("np."):
            return printed_as(kind.removeprefix("np."))
        case Array(dtype=dtype) if (part.sure or part.picked) and not dtype.swapped:
            return dtype
        case _:
            return UNKNOWN_DTYPE


def _may_hold_integers(part: Value) -> bool:
    return isinstance(part, (Array, Unknown)) or (isinstance(part, Scalar) and part.kind == "int")
