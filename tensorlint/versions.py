"""Releases of torch and NumPy."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Versions:
    """The releases of torch and NumPy on which what a rule says happens: from, and below; empty for no bound.

    What ``tensorlint verify`` showed on those releases belongs here (the evidence of the rule's page); of releases that
    no Python of today runs, what their notes say.
    """

    torch_from: str = ""
    torch_below: str = ""
    numpy_from: str = ""
    numpy_below: str = ""

    def cover(self, torch: str | None, numpy: str | None) -> bool:
        """Whether the rule speaks for a program that is meant for these releases; None is any release."""
        return _within(torch, self.torch_from, self.torch_below) and _within(numpy, self.numpy_from, self.numpy_below)


def _within(version: str | None, start: str, end: str) -> bool:
    if version is None:
        return True
    return not (start and release(version) < release(start)) and not (end and release(version) >= release(end))


def release(version: str) -> tuple[int, ...]:
    """The numbers of a release, which can be compared."""
    return tuple(int(part) for part in version.split("."))
