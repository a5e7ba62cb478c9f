"""What the arguments of a call say: which parameters they are for, dtypes, and the dtype that plain data will get."""

from __future__ import annotations

from dataclasses import replace

from tensorlint.flow.call import Argument, Call
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
from tensorlint.flow.domain.tensors import Array, Tensor
from tensorlint.flow.domain.values import DeviceValue, Scalar, Symbol, Unknown, Value, is_dtype, is_none
from tensorlint.flow.dtypes import dtype_of
from tensorlint.knowledge.parameters import Signature, signatures
from tensorlint.knowledge.row import names

#: Parameters that take one kind of value only, wherever torch has them beside others in the same place.
_TAKES = {
    "dtype": names("dtype str"),
    "device": names("device str int"),
    "other": names("tensor int float bool"),
    **dict.fromkeys(("non_blocking", "copy", "keepdim", "unbiased"), names("bool")),
    **dict.fromkeys(("size", "dim"), names("int")),
}


def bound(call: Call, path: str) -> Call:
    """The same call, each argument with the parameter of ``path`` that it is for, as far as that is known.

    Behind ``*arguments`` of whatever number nothing is known by its place. Of several signatures those that fit speak,
    where they agree.
    """
    starred = next((i for i, argument in enumerate(call.arguments) if argument.star), len(call.arguments))
    plain = [argument for argument in call.arguments[:starred] if not argument.keyword]
    given = {argument.keyword for argument in call.arguments if argument.keyword}
    fit = [each for each in signatures(path) if all(map(each.takes, given)) and _takes(each, plain)]
    arguments = []
    for i, argument in enumerate(call.arguments):
        if argument.keyword:
            places = {each.positional.index(argument.keyword) for each in fit if argument.keyword in each.positional}
            argument = replace(argument, place=places.pop() if len(places) == 1 else None)
        elif i < starred:
            called = {each.name(i) or "" for each in fit}
            argument = replace(argument, place=i, parameter=called.pop() if len(called) == 1 else "")
        arguments.append(argument)
    return replace(call, arguments=tuple(arguments))


def _takes(signature: Signature, plain: list[Argument]) -> bool:
    """Whether these arguments, given by their places, may be for the parameters of a signature."""
    for place, argument in enumerate(plain):
        name, kind = signature.name(place), _kind(argument.value)
        if name is None or (kind and kind not in _TAKES.get(name, (kind,))):
            return False
    return True


def _kind(value: Value) -> str:
    """What there is to know of a value to tell which parameter it is for; empty where it may be for any."""
    match value:
        case DeviceValue():
            return "device"
        case Tensor():
            return "tensor"
        case Scalar(kind="int" | "float" | "bool" | "str" as kind):
            return kind
        case Scalar() | Symbol() if is_dtype(value) or dtype_of(value):
            return "dtype"
        case _:
            return ""


def keyword(arguments: tuple[Argument, ...], name: str) -> Value | None:
    return next((argument.value for argument in arguments if argument.name == name), None)


def given(arguments: tuple[Argument, ...], position: int, name: str) -> Argument | None:
    """The argument at a place, or by its keyword; the caller makes sure that none is starred."""
    plain = [argument for argument in arguments if not argument.keyword]
    if position < len(plain):
        return plain[position]
    return next((argument for argument in arguments if argument.keyword == name), None)


def dtype_argument(arguments: tuple[Argument, ...]) -> Dtype:
    for argument in arguments:
        if argument.name == "dtype" and not is_none(argument.value):
            # An unreadable dtype is still a dtype: nothing is kept.
            return dtype_of(argument.value) or OTHER_DTYPE
    for argument in arguments:
        value = argument.value
        # ``x.type("torch.LongTensor")``; any other string is no dtype here.
        spelled = isinstance(value, Scalar) and isinstance(value.literal, str) and value.literal.startswith("torch.")
        if not argument.name and (isinstance(value, Symbol) or spelled) and dtype_of(value):
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
