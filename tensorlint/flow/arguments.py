"""What the arguments of a call say: keywords by name, dtypes, and the dtype that plain data will get."""

from __future__ import annotations

from tensorlint.flow.dtypes import dtype_name
from tensorlint.flow.events import Argument
from tensorlint.flow.values import (
    Scalar,
    Symbol,
    Value,
    leaves,
)


def keyword(arguments: tuple[Argument, ...], name: str) -> Value | None:
    return next((argument.value for argument in arguments if argument.keyword == name), None)


def dtype_argument(arguments: tuple[Argument, ...]) -> str:
    for argument in arguments:
        if argument.keyword == "dtype":
            # An unreadable dtype is still a dtype: nothing is kept.
            return dtype_name(argument.value) or "?"
    for argument in arguments:
        value = argument.value
        # ``x.type("torch.LongTensor")``; any other string is no dtype here.
        spelled = isinstance(value, Scalar) and isinstance(value.literal, str) and value.literal.startswith("torch.")
        if not argument.keyword and (isinstance(value, Symbol) or spelled) and dtype_name(value):
            return dtype_name(value)
    return ""


def dtype_of_data(data: Value, *, array: bool = False) -> str:
    """The dtype a list or number gives: NumPy makes float64 of Python floats, torch its default float."""
    kinds = {leaf.kind if isinstance(leaf, Scalar) else "" for leaf in leaves(data)}
    if kinds and kinds <= {"int"}:
        return "int64"
    if kinds and kinds <= {"int", "float"}:
        return "float64" if array else "float32"
    if kinds == {"bool"}:
        return "bool"
    return ""
