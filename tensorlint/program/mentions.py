"""Which files of a project call, define or name something by a name, found in their text, so that hardly any is parsed.

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
from tensorlint.program.lookups import lookups_in

#: A project that is larger is not searched: it may be no project, but a directory that holds everything.
_MAX_ENTRIES = 500_000
_MAX_BYTES = 200_000_000
#: A file that is longer was generated.
_MAX_FILE = 1_000_000
#: When more files than this have changed since they were indexed together, all are indexed anew.
_MAX_CHANGED = 100
#: A notebook is searched as it is: what it shows of outputs may name more than it calls.
_PROGRAMS = (".py", ".ipynb")
#: What configures, starts or describes programs, and may name what is in them. JSON is not: there may be a file of it
#: for each picture of a data set.
_TEXTS = (".cfg", ".gin", ".ini", ".md", ".rst", ".sh", ".toml", ".yaml", ".yml")
#: Directories in which other people's code lies.
_FOREIGN = frozenset({"node_modules", "site-packages", "__pycache__"})
#: A name before a bracket, and what defines it there.
_CALLED = re.compile(rb"(\bdef |\bclass )?\b([A-Za-z_]\w*)\(")
#: Under what other name something is imported: what goes by that one is called by both.
_ALIAS = re.compile(rb"\b([A-Za-z_]\w*)[ \t]+as[ \t]+([A-Za-z_]\w*)")

#: By what name that is found by which something is looked up by a name that only a run knows.
_LOOKUP = "({})"

#: By what name calls of ``torch.load`` are found, for those that take any pickle and for others.
_LOADS = {True: "torch.load of any", False: "torch.load of data"}

#: The questions that are asked of mentions, as they are called in dependencies.
CALLED, DEFINED, LOADS, NAMED = "called", "defined", "loads", "named"
QUESTIONS = frozenset({CALLED, DEFINED, LOADS, NAMED})


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
    #: All of them, and other texts that may name what is in them, sorted.
    texts: tuple[str, ...] = ()

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

    def naming(self, name: str) -> tuple[str, ...] | None:
        """The files in whose text this word stands, whatever it means there; None where there is more than one."""
        told = self._naming(name)
        depend(Dependency(NAMED, f"1 {name} {self.project}", _told(told)))
        return told

    def look_up(self, what: str) -> bool:
        """Whether a file looks something of this kind (``lookups``) up by a name that only a run knows."""
        return self.callers(_LOOKUP.format(what), 0) is None

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
        if kind == NAMED:
            return _told(self._naming(name))
        found = self.files(kind, name)
        return _told(None if kind == CALLED and len(found) > int(limit) else found)

    def _naming(self, name: str) -> tuple[str, ...] | None:
        # Most of what is named anywhere is called somewhere, which is known without reading a file.
        if len({*self.files(CALLED, name), *self.files(DEFINED, name)}) > 1:
            return None
        word = re.compile(rb"\b%s\b" % re.escape(name.encode()))
        found: list[str] = []
        for path in self.texts:
            if word.search(archive().read(path) or b""):
                found.append(path)
                if len(found) > 1:
                    return None
        return tuple(found)


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
    files = _files(project)
    digests, texts = files.programs, tuple(sorted([*files.programs, *files.others]))
    name = f"mentions-{digest_of(os.fsencode(project))}"
    indexed = _from_json(archive().load(name))
    known = dict(zip(indexed.paths, indexed.digests, strict=True))
    changed = [path for path, digest in digests.items() if known.get(path) != digest]
    gone = [path for path in known if path not in digests]
    if len(changed) + len(gone) > _MAX_CHANGED or (changed and not known):
        indexed = _index(digests)
        archive().save(name, _to_json(indexed))
        return Mentions(project, files.state, indexed, texts=texts)
    words = {path: words_in(archive().read(path) or b"") for path in changed}
    return Mentions(project, files.state, indexed, words | dict.fromkeys(gone, Words()), texts)


def state_of(project: str) -> str:
    """``Mentions.state`` of a project, for which nothing is indexed."""
    return _files(project).state


def forget() -> None:
    """Have files looked for anew."""
    mentions_in.cache_clear()
    _files.cache_clear()


@dataclass(frozen=True, slots=True)
class _Files:
    """The programs of a project and other texts in it, by path with what stands for the text of each."""

    programs: Mapping[str, str] = field(default_factory=dict)
    others: Mapping[str, str] = field(default_factory=dict)

    @property
    def state(self) -> str:
        """What stands for all of them."""
        return digest_of(os.fsencode("\n".join(f"{path} {digest}" for path, digest in self._all)))

    @property
    def _all(self) -> list[tuple[str, str]]:
        return [*self.programs.items(), *self.others.items()]


@lru_cache(maxsize=4)
def _files(project: str) -> _Files:
    """The texts of a project; nothing where it is too large."""
    programs: dict[str, str] = {}
    others: dict[str, str] = {}
    size = 0
    for path in sorted(_texts_below(project) or ()):
        size += archive().size(path)
        if size > _MAX_BYTES:
            return _Files()
        if digest := archive().digest(path):
            (programs if path.endswith(_PROGRAMS) else others)[path] = digest
    return _Files(programs, others)


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
    called.update(map(_LOOKUP.format, lookups_in(data)))
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


def _texts_below(directory: str) -> list[str] | None:
    """The programs of a project and other texts; None where there is more in it than a project has."""
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
                if entry.name.endswith(_PROGRAMS + _TEXTS):
                    # A pipe of that name would never be read to its end.
                    if entry.is_file() and entry.stat().st_size <= _MAX_FILE:
                        found.append(entry.path)
                elif not (entry.name.startswith(".") or entry.name in _FOREIGN) and entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)
            except OSError:  # such as a link that leads back to itself
                continue
    return found
