"""The names of dtypes, however a program spells them."""

from __future__ import annotations

from tensorlint.flow.domain.dtypes import UNKNOWN_DTYPE, Dtype, printed_as
from tensorlint.flow.domain.values import Scalar, Symbol, Value


def dtype_of(value: Value) -> Dtype:
    """``FLOAT32`` for ``torch.float32``, ``np.float32`` or ``"float32"``; not known when it is none of these."""
    match value:
        case Symbol(path=path) if path.startswith("torch."):
            name = path.split(".")[-1]
        case Symbol(path=path) if path.startswith("numpy."):
            # NumPy 1 spelled Python's own types this way.
            name = {"float": "float64", "int": "int64"}.get(path.split(".")[-1], path.split(".")[-1])
        case Symbol(path="builtins.float"):
            name = "float64"
        case Symbol(path="builtins.int"):
            name = "int64"
        case Symbol(path="builtins.bool"):
            name = "bool"
        case Symbol(path="builtins.object"):
            name = "object"
        case Scalar(literal=Dtype() as dtype):
            return dtype if dtype.without_numpy else printed_as(dtype.name) if dtype.sure else UNKNOWN_DTYPE
        case Scalar(kind="str", literal=str(text)) if text.startswith("torch."):
            name = text.removeprefix("torch.").removeprefix("cuda.")
        case Scalar(kind="str", literal=str(text)):
            name = text.lstrip("<=|")
            name = _SPELLED.get(name, name)
        case _:
            return UNKNOWN_DTYPE
    return printed_as(_ALIASES.get(name, name).partition("[")[0])


def dtypes_compared(left: Value, right: Value) -> set[Dtype]:
    """The dtypes that are compared, where both are known: ``x.dtype == torch.float32``."""
    dtypes = {dtype_of(left), dtype_of(right)}
    asked = any(isinstance(side, Scalar) and isinstance(side.literal, Dtype) for side in (left, right))
    return dtypes if asked and all(dtype.sure for dtype in dtypes) else set()


#: How NumPy spells its dtypes in strings, on a machine whose bytes begin with the lowest (measured on NumPy 2.4.6).
_SPELLED = {
    spelling: name
    for name, spellings in {
        "float16": "e f2 half",
        "float32": "f f4 single",
        "float64": "d f8 float double",
        "int8": "b i1",
        "int16": "h i2",
        "int32": "i i4 intc",
        "int64": "q i8 int intp",
        "uint8": "B u1",
        "uint16": "H u2",
        "uint32": "I u4",
        "uint64": "Q u8 uint",
        "complex64": "F c8",
        "complex128": "D c16 complex",
        "bool": "? b1",
        "object": "O",
    }.items()
    for spelling in spellings.split()
}

_ALIASES = {
    "float": "float32",
    "double": "float64",
    "half": "float16",
    "long": "int64",
    "int": "int32",
    "short": "int16",
    "single": "float32",
    "cfloat": "complex64",
    "cdouble": "complex128",
    "float_": "float64",
    "int_": "int64",
    "bool_": "bool",
    "object_": "object",
    "FloatTensor": "float32",
    "LongTensor": "int64",
    "DoubleTensor": "float64",
    "HalfTensor": "float16",
    "IntTensor": "int32",
    "ShortTensor": "int16",
    "CharTensor": "int8",
    "ByteTensor": "uint8",
    "BoolTensor": "bool",
}
