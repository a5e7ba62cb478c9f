"""Which files of a project call or define something by a name, found in their text, so that hardly any is parsed.

All files are indexed together, by name, which an archive may keep. Files that have changed since are asked one by one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import takewhile
from typing import Any

from tensorlint.program.archive import archive
from tensorlint.program.checkpoints import ALLOWING, loads_in
from tensorlint.program.dependencies import Dependency, depend
from tensorlint.program.layout import digest_of, is_marked, is_root

#: A project that is larger is not searched: it may be no project, but a directory that holds everything.
_MAX_ENTRIES = 500_000
_MAX_BYTES = 200_000_000
#: A file that is longer was generated.
_MAX_FILE = 1_000_000
#: When more files than this have changed since they were indexed together, all are indexed anew.
_MAX_CHANGED = 100
#: A notebook is searched as it is: what it shows of outputs may name more than it calls.
_PROGRAMS = (".py", ".ipynb")
#: Directories in which other people's code lies.
_FOREIGN = frozenset({"node_modules", "site-packages", "__pycache__"})
#: A name before a bracket, and what defines it there.
_CALLED = re.compile(rb"(\bdef |\bclass )?\b([A-Za-z_]\w*)\(")
#: Under what other name something is imported: what goes by that one is called by both.
_ALIAS = re.compile(rb"\b([A-Za-z_]\w*)[ \t]+as[ \t]+([A-Za-z_]\w*)")

#: By what name calls of ``torch.load`` are found, for those that take any pickle and for others.
_LOADS = {True: "torch.load of any", False: "torch.load of data"}

#: The questions that are asked of mentions, as they are called in dependencies.
CALLED, DEFINED, LOADS = "called", "defined", "loads"
QUESTIONS = frozenset({CALLED, DEFINED, LOADS})


@dataclass(frozen=True, slots=True)
class Words:
    """What stands in one file: names that are called, and names that are defined."""

    called: frozenset[str] = frozenset()
    defined: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Indexed:
    """Files that were indexed together: what stands for their texts, and who mentions a name, by numbers of files."""

    paths: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    called: Mapping[str, str] = field(default_factory=dict)
    defined: Mapping[str, str] = field(default_factory=dict)

    def files(self, how: str, name: str) -> list[str]:
        numbers = (self.called if how == CALLED else self.defined).get(name, "")
        return [self.paths[int(number)] for number in numbers.split()]


@dataclass(frozen=True, slots=True)
class Mentions:
    """By each name the files in which something of this name is called, and in which one is defined."""

    project: str
    #: What stands for all the files and their texts.
    state: str = ""
    indexed: Indexed = field(default_factory=Indexed)
    #: Files that are not what they were when they were indexed, and what stands in them now.
    changed: Mapping[str, Words] = field(default_factory=dict)

    def callers(self, name: str, at_most: int) -> tuple[str, ...] | None:
        """The files in which something of this name is called, sorted; None where there are more than that."""
        found = self.files(CALLED, name)
        told = None if len(found) > at_most else found
        depend(Dependency(CALLED, f"{at_most} {name} {self.project}", _told(told)))
        return told

    def definers(self, name: str) -> tuple[str, ...]:
        """The files in which something of this name is defined, sorted."""
        found = self.files(DEFINED, name)
        depend(Dependency(DEFINED, f"0 {name} {self.project}", _told(found)))
        return found

    def is_nearest(self, name: str, definition: str, caller: str) -> bool:
        """Whether no other file that defines ``name`` is nearer to the file ``caller`` than ``definition`` is.

        Where copies of a program lie beside each other, each calls its own.
        """
        shared = _shared(definition, caller)
        return all(_shared(other, caller) <= shared for other in self.definers(name))

    def loads(self) -> frozenset[bool]:
        """Whether the calls of ``torch.load`` take any pickle: True for those that do, False for others."""
        found = {kind for kind, name in _LOADS.items() if self.files(CALLED, name)}
        # Who allows classes in checkpoints has seen to it.
        if any(self.files(CALLED, name) for name in ALLOWING):
            found.add(True)
        depend(Dependency(LOADS, self.project, _listed(found)))
        return frozenset(found)

    def files(self, how: str, name: str) -> tuple[str, ...]:
        """The files in which a name is called, or defined, sorted."""
        found = [path for path in self.indexed.files(how, name) if path not in self.changed]
        for path, words in self.changed.items():
            if name in (words.called if how == CALLED else words.defined):
                found.append(path)
        return tuple(sorted(found))

    def answer(self, kind: str, about: str) -> str:
        """What the answer is today to a question that something depends on."""
        if kind == LOADS:
            return _listed(self.loads())
        limit, name, _ = about.split(" ", 2)
        found = self.files(kind, name)
        return _told(None if kind == CALLED and len(found) > int(limit) else found)


def project_of(kind: str, about: str) -> str:
    """The project whose mentions such a question is about."""
    return about if kind == LOADS else about.split(" ", 2)[2]


def _told(files: tuple[str, ...] | None) -> str:
    return "many" if files is None else digest_of(os.fsencode("\n".join(files)))


def _listed(loads: Iterable[bool]) -> str:
    return " ".join(sorted(map(str, loads)))


@lru_cache(maxsize=4)
def mentions_in(project: str) -> Mentions:
    """What the files of a project mention; nothing where it is too large to be searched."""
    digests = _digests(project)
    state = digest_of(os.fsencode("\n".join(f"{path} {digest}" for path, digest in digests.items())))
    name = f"mentions-{digest_of(os.fsencode(project))}"
    indexed = _from_json(archive().load(name))
    known = dict(zip(indexed.paths, indexed.digests, strict=True))
    changed = [path for path, digest in digests.items() if known.get(path) != digest]
    gone = [path for path in known if path not in digests]
    if len(changed) + len(gone) > _MAX_CHANGED or (changed and not known):
        indexed = _index(digests)
        archive().save(name, _to_json(indexed))
        return Mentions(project, state, indexed)
    words = {path: words_in(archive().read(path) or b"") for path in changed}
    return Mentions(project, state, indexed, words | dict.fromkeys(gone, Words()))


def state_of(project: str) -> str:
    """``Mentions.state`` of a project, for which nothing is indexed."""
    return digest_of(os.fsencode("\n".join(f"{path} {digest}" for path, digest in _digests(project).items())))


def forget() -> None:
    """Have files looked for anew."""
    mentions_in.cache_clear()
    _digests.cache_clear()


@lru_cache(maxsize=4)
def _digests(project: str) -> Mapping[str, str]:
    """What stands for the texts of the programs of a project; nothing where it is too large."""
    digests: dict[str, str] = {}
    size = 0
    for path in sorted(_programs_below(project) or ()):
        length = archive().size(path)
        if length > _MAX_FILE:
            continue
        size += length
        if size > _MAX_BYTES:
            return {}
        if digest := archive().digest(path):
            digests[path] = digest
    return digests


def _index(digests: Mapping[str, str]) -> Indexed:
    called: dict[str, list[str]] = {}
    defined: dict[str, list[str]] = {}
    for number, path in enumerate(digests):
        words = words_in(archive().read(path) or b"")
        for found, by_name in ((words.called, called), (words.defined, defined)):
            for name in found:
                by_name.setdefault(name, []).append(str(number))
    texts = ({name: " ".join(numbers) for name, numbers in by_name.items()} for by_name in (called, defined))
    return Indexed(tuple(digests), tuple(digests.values()), *texts)


def words_in(data: bytes) -> Words:
    """What is called, and what is defined, in the text of a file."""
    called: set[str] = set()
    defined: set[str] = set()
    for definition, name in set(_CALLED.findall(data)):
        (defined if definition else called).add(name.decode())
    called.update([name.decode() for name, alias in set(_ALIAS.findall(data)) if alias.decode() in called])
    if "load" in called:
        called.update(_LOADS[kind] for kind in loads_in(data.decode("utf-8", "replace")))
    return Words(frozenset(called), frozenset(defined))


def names_of(name: str, text: str) -> tuple[str, ...]:
    """What something of this name is called in the text of a file: that, and what it is imported as."""
    aliases = re.findall(rf"\b{name}[ \t]+as[ \t]+([A-Za-z_]\w*)", text)
    return tuple(dict.fromkeys([name, *aliases]))


def _to_json(indexed: Indexed) -> dict[str, Any]:
    return {name: getattr(indexed, name) for name in ("paths", "digests", "called", "defined")}


def _from_json(value: Any) -> Indexed:
    try:
        indexed = Indexed(tuple(value["paths"]), tuple(value["digests"]), dict(value["called"]), dict(value["defined"]))
    except (TypeError, KeyError, ValueError):
        return Indexed()
    return indexed if len(indexed.paths) == len(indexed.digests) else Indexed()


def _shared(one: str, other: str) -> int:
    """How many directories two files have in common."""
    pairs = zip(one.split(os.sep)[:-1], other.split(os.sep)[:-1], strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _programs_below(directory: str) -> list[str] | None:
    """The programs of a project; None where there is more in it than a project has."""
    if is_root(directory) and not is_marked(directory):
        return None
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
            try:
                if entry.name.endswith(_PROGRAMS):
                    # A pipe of that name would never be read to its end.
                    if entry.is_file():
                        found.append(entry.path)
                elif not (entry.name.startswith(".") or entry.name in _FOREIGN) and entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)
            except OSError:  # such as a link that leads back to itself
                continue
    return found
