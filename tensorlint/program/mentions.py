"""Which files of a project call or define something by a name, found in their text, so that hardly any is parsed."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from types import MappingProxyType

#: A project that is larger is not searched: it may be no project, but a directory that holds everything.
_MAX_ENTRIES = 500_000
_MAX_BYTES = 200_000_000
#: A file that is longer was generated.
_MAX_FILE = 1_000_000
#: Directories in which other people's code lies.
_FOREIGN = frozenset({"node_modules", "site-packages", "__pycache__"})
#: A name before a bracket, and what defines it there.
_CALLED = re.compile(rb"(\bdef |\bclass )?\b([A-Za-z_]\w*)\(")


@dataclass(frozen=True, slots=True)
class Mentions:
    """By each name the files, sorted, in which something of this name is called, and in which one is defined."""

    called: Mapping[str, tuple[str, ...]]
    defined: Mapping[str, tuple[str, ...]]

    def is_nearest(self, name: str, definition: str, caller: str) -> bool:
        """Whether no other file that defines ``name`` is nearer to the file ``caller`` than ``definition`` is.

        Where copies of a program lie beside each other, each calls its own.
        """
        shared = _shared(definition, caller)
        return all(_shared(other, caller) <= shared for other in self.defined.get(name, ()))


@lru_cache(maxsize=4)
def mentions_in(project: str) -> Mentions:
    """What the files of a project mention; nothing where it is too large to be searched."""
    called: dict[str, set[str]] = {}
    defined: dict[str, set[str]] = {}
    size = 0
    for path in _programs_below(project) or ():
        try:
            if os.path.getsize(path) > _MAX_FILE:
                continue
            with open(path, "rb") as file:
                data = file.read()
        except OSError:
            continue
        size += len(data)
        if size > _MAX_BYTES:
            return Mentions({}, {})
        for definition, name in set(_CALLED.findall(data)):
            (defined if definition else called).setdefault(name.decode(), set()).add(path)
    return Mentions(_sorted(called), _sorted(defined))


def _sorted(found: Mapping[str, set[str]]) -> Mapping[str, tuple[str, ...]]:
    return MappingProxyType({name: tuple(sorted(paths)) for name, paths in found.items()})


def _shared(one: str, other: str) -> int:
    """How many directories two files have in common."""
    pairs = zip(one.split(os.sep)[:-1], other.split(os.sep)[:-1], strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _programs_below(directory: str) -> list[str] | None:
    """The programs of a project; None where there is more in it than a project has."""
    found: list[str] = []
    pending, seen = [directory], 0
    while pending:
        current = pending.pop()
        try:
            with os.scandir(current) as scan:
                entries = list(scan)
        except OSError:
            continue
        seen += len(entries)
        if seen > _MAX_ENTRIES:
            return None
        if any(entry.name == "pyvenv.cfg" for entry in entries):
            continue
        for entry in entries:
            if entry.name.endswith(".py"):
                # A pipe of that name would never be read to its end.
                if entry.is_file():
                    found.append(entry.path)
            elif not (entry.name.startswith(".") or entry.name in _FOREIGN) and entry.is_dir(follow_symlinks=False):
                pending.append(entry.path)
    return found
