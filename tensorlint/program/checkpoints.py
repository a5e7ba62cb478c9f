"""How a program reads back what ``torch.save`` wrote, found in its text."""

from __future__ import annotations

import re

_LOAD = re.compile(r"\b(?:torch|th|pt|T)\.load\(")
#: What makes ``torch.load`` take any pickle, as it did before torch 2.6.
_ANY_PICKLE = re.compile(r"weights_only\s*=\s*False|\bpickle_module\b")
#: Arguments that are longer are not looked through.
_LONGEST = 400
#: Who calls one of these allows classes in checkpoints.
ALLOWING = ("add_safe_globals", "safe_globals")


def loads_in(text: str) -> frozenset[bool]:
    """Whether the calls of ``torch.load`` in a program take any pickle: True for those that do, False for others."""
    calls = (_arguments(text[match.end() : match.end() + _LONGEST]) for match in _LOAD.finditer(text))
    return frozenset(bool(_ANY_PICKLE.search(arguments)) for arguments in calls)


def _arguments(text: str) -> str:
    """``text`` up to where the bracket closes in front of it."""
    depth = 1
    for index, character in enumerate(text):
        depth += (character in "([{") - (character in ")]}")
        if not depth:
            return text[:index]
    return text
