"""Which dtype comes out where several meet, as torch and NumPy decide it (measured on 2.13.0 and 2.4.6).

Complex and quantized numbers, dates and the other order of bytes are left out: of these nothing is said.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import reduce

from tensorlint.flow.domain.dtypes import FLOAT32, FLOAT64, UNKNOWN_DTYPE, Dtype

_NUMBER = re.compile(r"(bool|uint|int|float|bfloat)(\d*)")
_CATEGORIES = {"bool": 0, "uint": 1, "int": 1, "float": 2, "bfloat": 2}


def of_tensors(left: Dtype, right: Dtype) -> Dtype:
    """The dtype of an operator between two tensors, of which each may have dimensions or none.

    A float decides over an integer and that over a bool. Of two of a category that with dimensions does, which is not
    known.
    """
    if left is right:
        return left
    one, other = _parts(left), _parts(right)
    if one is None or other is None or _CATEGORIES[one[0]] == _CATEGORIES[other[0]]:
        return UNKNOWN_DTYPE
    return left if _CATEGORIES[one[0]] > _CATEGORIES[other[0]] else right


def of_joined_tensors(dtypes: Iterable[Dtype]) -> Dtype:
    """The dtype of tensors that are concatenated or stacked: ``torch.promote_types`` of all of them."""
    return _of_all(dtypes, _promote_types)


def of_arrays(dtypes: Iterable[Dtype]) -> Dtype:
    """The dtype of arrays that are computed with each other, or joined: ``np.promote_types`` of all of them."""
    return _of_all(dtypes, _promote_arrays)


def _of_all(dtypes: Iterable[Dtype], both: Callable[[Dtype, Dtype], Dtype]) -> Dtype:
    several = list(dict.fromkeys(dtypes))
    return reduce(both, several) if several else UNKNOWN_DTYPE


def _parts(dtype: Dtype) -> tuple[str, int] | None:
    """``("float", 32)``; None for what is not known for sure, and for other kinds of numbers."""
    found = _NUMBER.fullmatch(dtype.name) if dtype.sure else None
    return None if found is None else (found[1], int(found[2] or 8))


def _promote_types(left: Dtype, right: Dtype) -> Dtype:
    one, other = _parts(left), _parts(right)
    if left is right or one is None or other is None or left.of_numpy or right.of_numpy:
        return left if left is right else UNKNOWN_DTYPE
    if _CATEGORIES[one[0]] != _CATEGORIES[other[0]]:
        return of_tensors(left, right)
    if _CATEGORIES[one[0]] == 1:
        return _promote_integers(one, other)
    # Of the two with 16 bits none holds the other.
    return FLOAT32 if one[1] == other[1] else max((left, right), key=lambda each: (_parts(each) or ("", 0))[1])


def _promote_arrays(left: Dtype, right: Dtype) -> Dtype:
    one, other = _parts(left), _parts(right)
    if left is right or one is None or other is None or "bfloat" in {one[0], other[0]}:
        return left if left is right else UNKNOWN_DTYPE
    if "bool" in {one[0], other[0]}:
        return right if one[0] == "bool" else left
    if "float" not in {one[0], other[0]}:
        return _promote_integers(one, other)
    # A float holds the integers of half its bits.
    bits = max(size if kind == "float" else min(2 * size, 64) for kind, size in (one, other))
    return Dtype(f"float{bits}")


def _promote_integers(one: tuple[str, int], other: tuple[str, int]) -> Dtype:
    if one[0] == other[0]:
        return Dtype(f"{one[0]}{max(one[1], other[1])}")
    unsigned, signed = (one[1], other[1]) if one[0] == "uint" else (other[1], one[1])
    bits = signed if signed > unsigned else 2 * unsigned
    return FLOAT64 if bits > 64 else Dtype(f"int{bits}")
