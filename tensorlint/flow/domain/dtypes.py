"""Dtypes by name, as torch and NumPy print them; ``float32?`` is one of several that a program chooses from."""

from __future__ import annotations

#: What NumPy has no dtype for.
_WITHOUT_NUMPY = ("bfloat16", "float8_", "quint", "qint", "complex32")


def without_numpy(dtype: str) -> bool:
    return dtype.startswith(_WITHOUT_NUMPY)


def is_integral(dtype: str) -> bool:
    """Whether tensors of this dtype never need a gradient."""
    return dtype.startswith(("int", "uint", "bool"))


def joined_dtype(left: str, right: str) -> str:
    """The dtype after either of two paths."""
    if left == right:
        return left
    odd = min(filter(without_numpy, (left.rstrip("?"), right.rstrip("?"))), default="")
    return f"{odd}?" if odd else ""


def unsure_dtype(dtype: str) -> str:
    """The dtype after passing through code that was not seen."""
    return joined_dtype(dtype, "")
