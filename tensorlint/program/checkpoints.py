"""How a project reads back what ``torch.save`` wrote, found in its text."""

from __future__ import annotations

import re
from functools import lru_cache

from tensorlint.program.mentions import mentions_in

_LOAD = re.compile(r"\b(?:torch|th|pt|T)\.load\(")
#: What makes ``torch.load`` take any pickle, as it did before torch 2.6.
_ANY_PICKLE = re.compile(r"weights_only\s*=\s*False|\bpickle_module\b")
#: Arguments that are longer are not looked through.
_LONGEST = 400


@lru_cache(maxsize=4)
def loads_in(project: str) -> frozenset[bool]:
    """Whether the calls of ``torch.load`` in a project take any pickle: True for those that do, False for others."""
    mentions = mentions_in(project)
    # Who allows classes in checkpoints has seen to it.
    found = {True} if mentions.called.keys() & {"add_safe_globals", "safe_globals"} else set[bool]()
    for path in mentions.called.get("load", ()):
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                text = file.read()
        except OSError:
            continue
        found.update(
            bool(_ANY_PICKLE.search(_arguments(text[match.end() : match.end() + _LONGEST])))
            for match in _LOAD.finditer(text)
        )
    return frozenset(found)


def _arguments(text: str) -> str:
    """``text`` up to where the bracket closes in front of it."""
    depth = 1
    for index, character in enumerate(text):
        depth += (character in "([{") - (character in ")]}")
        if not depth:
            return text[:index]
    return text
