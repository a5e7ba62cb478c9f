"""Dtypes, by the names that torch and NumPy print."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NoReturn, final

from tensorlint.knowledge.row import DTYPES, NUMPY_DTYPES

#: What NumPy has no dtype for.
_WITHOUT_NUMPY = ("bfloat16", "float8_", "quint", "qint", "complex32")


@final
class Dtype:
    """What is known of a dtype. There is one object for each name, so that ``is`` compares them.

    ``unsure``: one of several that a program chooses from, as far as is seen. ``UNKNOWN_DTYPE`` alone is false, so that
    ``asked or held`` reads as it is meant.
    """

    __slots__ = (
        *("name", "unsure", "sure", "is_integral", "is_integer", "is_float", "is_floating", "is_complex"),
        *("is_quantized", "without_numpy", "of_numpy", "swapped"),
    )

    #: Empty where it has none that can be read.
    name: str
    unsure: bool
    #: Whether it has a name and is no other.
    sure: bool
    #: Integers and booleans: tensors of these never need a gradient.
    is_integral: bool
    is_integer: bool
    #: Called a float: not bfloat16.
    is_float: bool
    #: As torch says so, complex left out.
    is_floating: bool
    is_complex: bool
    is_quantized: bool
    #: Whether NumPy has no such dtype, so that an export raises.
    without_numpy: bool
    #: Whether torch has none, or computes hardly anything with it.
    of_numpy: bool
    #: In the other order of bytes.
    swapped: bool

    def __new__(cls, name: str = "", unsure: bool = False) -> Dtype:
        known = _INTERNED.get((name, unsure))
        return known if known is not None else _INTERNED.setdefault((name, unsure), cls._made(name, unsure))

    @classmethod
    def _made(cls, name: str, unsure: bool) -> Dtype:
        made = super().__new__(cls)
        for attribute, value in {
            "name": name,
            "unsure": unsure,
            "sure": bool(name) and not unsure,
            "is_integral": name.startswith(("int", "uint", "bool")),
            "is_integer": name.startswith(("int", "uint")),
            "is_float": name.startswith("float"),
            "is_floating": name.startswith(("float", "bfloat")),
            "is_complex": name.startswith("complex"),
            "is_quantized": name.startswith(("quint", "qint")),
            "without_numpy": name.startswith(_WITHOUT_NUMPY),
            "of_numpy": name in NUMPY_DTYPES,
            "swapped": name.startswith(">"),
        }.items():
            object.__setattr__(made, attribute, value)
        return made

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a dtype is frozen: its {name} cannot be set")

    def __reduce__(self) -> tuple[type[Dtype], tuple[str, bool]]:
        return Dtype, (self.name, self.unsure)

    def __bool__(self) -> bool:
        return self is not UNKNOWN_DTYPE

    def __str__(self) -> str:
        return f"perhaps {self.name or 'another'}" if self.unsure else self.name or "unknown"

    def __repr__(self) -> str:
        return f"<Dtype {self}>"

    @property
    def named(self) -> Dtype:
        """The same where it has a name; what cannot be read is not known."""
        return self if self.name else UNKNOWN_DTYPE

    def joined(self, other: Dtype) -> Dtype:
        """The dtype after either of two paths."""
        if self is other:
            return self
        odd = min((each.name for each in (self, other) if each.without_numpy), default="")
        return Dtype(odd, unsure=True) if odd else UNKNOWN_DTYPE

    def weakened(self) -> Dtype:
        """The dtype after passing through code that was not seen."""
        return self.joined(UNKNOWN_DTYPE)


_INTERNED: dict[tuple[str, bool], Dtype] = {}

#: Nothing is said of it.
UNKNOWN_DTYPE = Dtype()
#: The program says one that cannot be read: another one than before, as far as memory goes.
OTHER_DTYPE = Dtype(unsure=True)

BOOL = Dtype("bool")
UINT8 = Dtype("uint8")
INT32 = Dtype("int32")
INT64 = Dtype("int64")
FLOAT16 = Dtype("float16")
BFLOAT16 = Dtype("bfloat16")
FLOAT32 = Dtype("float32")
FLOAT64 = Dtype("float64")
COMPLEX64 = Dtype("complex64")
COMPLEX128 = Dtype("complex128")
OBJECT = Dtype("object")


#: ``">f4"``: numbers whose bytes stand the other way round than on most machines.
_OTHER_ORDER = re.compile(r">[iufc](2|4|8|16)")


@lru_cache(maxsize=1024)
def printed_as(name: str) -> Dtype:
    """The dtype that torch or NumPy prints so; ``UNKNOWN_DTYPE`` where none is, as for the rules of ``knowledge``."""
    known = name in DTYPES or name in NUMPY_DTYPES or name == "object" or name.startswith(_WITHOUT_NUMPY)
    return Dtype(name) if known or _OTHER_ORDER.fullmatch(name) else UNKNOWN_DTYPE


def each_named(text: str) -> frozenset[Dtype]:
    """The dtypes of these names, with blanks between them."""
    return frozenset(map(Dtype, text.split()))
