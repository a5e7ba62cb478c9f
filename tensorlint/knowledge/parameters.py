"""Which parameters the functions of the other tables have, and in which order: ``parameters.txt``, a line a signature.

``torch.Tensor.to(dtype, non_blocking, copy)`` is one of several lines of that name. The receiver of a method is left out,
defaults are; names behind ``*`` are given by name alone. Written by ``tools/measure_knowledge.py --parameters``, from the
signatures that torch and NumPy say they have; ``tensorlint.verify.knowledge`` calls the functions by these names.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class Signature:
    """``rest`` takes whatever is given by its place behind ``positional``; empty where nothing more is taken."""

    positional: tuple[str, ...]
    rest: str = ""
    by_name: frozenset[str] = frozenset()

    @classmethod
    def read(cls, text: str) -> Signature:
        """That of ``"input, dim, *, out"``."""
        before, star, behind = text.partition("*")
        first, *more = [name.strip() for name in behind.split(",")]
        positional = tuple(name.strip() for name in before.split(",") if name.strip())
        return cls(positional, first if star else "", frozenset(filter(None, more)))

    def __str__(self) -> str:
        star = [f"*{self.rest}"] if self.rest or self.by_name else []
        return ", ".join([*self.positional, *star, *sorted(self.by_name)])

    def name(self, place: int) -> str | None:
        """The name of the parameter for the argument at a place; None where there is none."""
        return self.positional[place] if place < len(self.positional) else self.rest or None

    def takes(self, name: str) -> bool:
        """Whether a parameter can be given by this name."""
        return name in self.by_name or name in self.positional


@cache
def signatures(path: str) -> tuple[Signature, ...]:
    """Those of what this dotted path is the name of (``torch.reshape``, ``numpy.ndarray.sum``); empty if not known."""
    return tuple(map(Signature.read, written().get(path, ())))


@cache
def written() -> Mapping[str, tuple[str, ...]]:
    """What is in the parentheses of the lines of ``parameters.txt``, by what stands before them."""
    found: dict[str, tuple[str, ...]] = {}
    for line in (pkgutil.get_data(__name__, "parameters.txt") or b"").decode("ascii").splitlines():
        path, _, inside = line.removesuffix(")").partition("(")
        found[path] = (*found.get(path, ()), inside)
    return found
