"""The files of a program around the one that is judged, each interpreted as far as somebody asks.

What is known of them is a function of the program alone: neither of the file that asked, nor of what was asked before.
Hence nothing of the run that asks is at hand while a statement or a class of another file is interpreted, and what
asks for each other is a matter of its own (``circles``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import libcst as cst

from tensorlint.contents import source_of
from tensorlint.findings import Span
from tensorlint.flow.callers import Callers
from tensorlint.flow.circles import Answer, Circles, Task
from tensorlint.flow.core import FIRST_SERIAL, MAX_DEPTH
from tensorlint.flow.domain.elsewhere import elsewhere
from tensorlint.flow.domain.facts import Fact, Truth
from tensorlint.flow.domain.inside import storages_of
from tensorlint.flow.domain.lattice import fingerprint, join
from tensorlint.flow.domain.memory import NO_STORAGE, Owner, Storage, Storages
from tensorlint.flow.domain.site import Site
from tensorlint.flow.domain.values import UNKNOWN, Symbol, Value
from tensorlint.flow.state import Environment, Frame
from tensorlint.flow.summary import Summary
from tensorlint.flow.unit import AROUND, Names, Unit
from tensorlint.nesting import check_nesting
from tensorlint.program.dependencies import Dependencies, Dependency, depend, recording, use
from tensorlint.program.layout import absolute, locate_in, search_path, text_of
from tensorlint.source import SourceError, read_bytes

if TYPE_CHECKING:
    from tensorlint.flow.defined import ClassInfo, FunctionInfo
    from tensorlint.flow.interpreter import Interpreter

#: What stands in a function that does anything that is asked for. A short one may hand on to such.
_TELLING = re.compile(
    r"\b(?:torch|np|numpy|F|nn)\.|\.(?:cpu|cuda|to|numpy|detach|item|half|float|double|forward)\(|no_grad|requires_grad"
    r"|\bdevice\b\s*[=)]|\w*(?:[Tt]ensor|[Nn]et|[Mm]odel|_array)\("
)
_SHORT = 5
#: What a place is called that only the caller knows.
_NUMBERED = "@caller"
#: Files longer than this were generated; a name that more statements than this bind may be anything.
_MAX_BYTES = 1_000_000
_MAX_BINDINGS = 8
#: How deep calls are followed that begin in another file.
_MAX_DEPTH = 2
#: Names that import names in turn are followed this far.
_MAX_IMPORTS = 16


@dataclass(slots=True)
class World:
    """The program around the files that are judged by one process."""

    units: dict[str, Unit | None] = field(default_factory=dict)
    functions: dict[Site, FunctionInfo] = field(default_factory=dict)
    classes: dict[Site, ClassInfo] = field(default_factory=dict)
    #: The interpreter that asks.
    machine: Interpreter = field(init=False)
    #: Objects of these files are told apart from those of a judged file, and are older.
    serial: int = 0
    #: How many bytes of them were read; one that was parsed counts like several.
    size: int = 0
    #: By a dotted name, and the directories into which who imports it looks.
    _places: dict[tuple[str, tuple[str, ...]], tuple[tuple[Unit, str] | None, Dependencies]] = field(
        default_factory=dict
    )
    _texts: dict[str, Dependency] = field(default_factory=dict)
    _telling: dict[Site, bool] = field(default_factory=dict)
    _learned: set[Site] = field(default_factory=set)
    _calls: dict[tuple[object, ...], Summary | None] = field(default_factory=dict)
    circles: Circles = field(default_factory=Circles)
    callers: Callers = field(init=False)

    def __post_init__(self) -> None:
        self.callers = Callers(self)

    def resolve(self, path: str, importer: str, depth: int = _MAX_IMPORTS) -> Value | None:
        """What the program binds by this dotted name, for the file ``importer``; None where that is not seen."""
        key = (path, search_path(importer))
        if key not in self._places:
            with recording(Dependencies()) as found_by:
                self._places[key] = self._place_of(*key), found_by
        place, found_by = self._places[key]
        use(found_by)
        value = None if place is None else place[0].frame.env.lookup(place[1])
        if not isinstance(value, Symbol):
            return value
        assert place is not None
        further = self.resolve(value.path, place[0].path, depth - 1) if value.path != path and depth else None
        # What leads out of the program is known by its name: ``import numpy as np`` in the file that is asked.
        return value if further is None and value.path != path else further

    def _place_of(self, path: str, directories: tuple[str, ...]) -> tuple[Unit, str] | None:
        """The file that a dotted name leads to for who looks into these directories, and the name in it."""
        found = locate_in(path, directories)
        if found is None:
            return None
        rest = found.rest
        if not rest and "." in path:
            # A package may bind the name of one of its modules to something in it.
            package, _, name = path.rpartition(".")
            around = locate_in(package, directories)
            unit = None if around is None or around.rest else self.unit(around.path)
            if unit is None or name not in unit.index.bound:
                return None
            rest = (name,)
        else:
            unit = self.unit(found.path)
        return None if unit is None or len(rest) != 1 else (unit, rest[0])

    def unit(self, path: str) -> Unit | None:
        """The file at ``path``; None where it cannot be read as a program."""
        if path not in self.units:
            self.units[path] = self._read(path)
        depend(self._texts[path])
        return self.units[path]

    def _read(self, path: str) -> Unit | None:
        self._texts[path] = text_of(path, None)
        try:
            data = read_bytes(path)
            self._texts[path] = text_of(path, data)
            if len(data) > _MAX_BYTES:
                return None
            source = source_of(path, data)
            check_nesting(source)
        except SourceError:
            return None
        if source.language != "python":
            return None
        self.size += len(data)
        return Unit(path, source, self)

    def bind(self, unit: Unit, name: str, names: Names) -> None:
        """Interpret the statements of ``unit`` that bind ``name``, and keep what only they bind.

        All that they bind is one question: while it is answered none of these names is bound but by them.
        """
        together = unit.index.together.get(unit.index.bound.get(name, ()), (name,))
        key = (unit.path, together[0])
        if self.circles.ask(key, key) is not Answer.KEPT or names.is_known(name):
            return

        def work() -> None:
            found = dict(self._bound_by(unit, name))
            names.put([(each, found.get(each)) for each in together])

        self.circles.settle(Task(key, key, work, lambda: names.take(together), names.put))

    def _bound_by(self, unit: Unit, name: str) -> list[tuple[str, Value]]:
        """What the statements that bind ``name`` bind, and nothing else does."""
        places = unit.index.bound.get(name, ())
        if len(places) > _MAX_BINDINGS:
            return []
        if not places:
            found = self._after_stars(unit, name, 0)
            return [] if found is None else [(name, found)]
        machine = self.machine
        with self.apart(unit):
            frame = Frame(Environment(unit.frame.env, Fact(Truth.YES)))
            for lines in places:
                for statement in unit.statements(lines, name):
                    # The body of a class says what its instances keep.
                    machine.learning = isinstance(statement, cst.ClassDef)
                    machine.execute([statement], frame)
        # Another name of them may be bound by further statements, too.
        kept = [(bound, value) for bound, value in frame.env.items() if unit.index.bound.get(bound) == places]
        return [(bound, self._after_stars(unit, bound, places[-1].last, value) or value) for bound, value in kept]

    def _after_stars(self, unit: Unit, name: str, row: int, before: Value | None = None) -> Value | None:
        """What the module binds ``name`` to that is ``before`` in this row, after each ``import *`` below it."""
        stars = [
            (absolute(unit.path, star.level, star.module) if star.level else star.module, star.sure)
            for star in unit.index.stars
            if star.lines.first > row
        ]
        return self.starred(stars, name, unit.path, before)

    def starred(
        self, stars: Sequence[tuple[str, bool]], name: str, importer: str, before: Value | None = None
    ) -> Value | None:
        """What ``name`` is that was ``before``, after ``import *`` from these modules, each with whether that is sure.

        The last one that has it counts. None where none is seen to have it, and nothing was before.
        """
        found: Value | None = None
        for module, sure in reversed(stars):
            given = self._given(module, name, importer)
            if given is not None:
                found = given if found is None else join(given, found)
                if sure:
                    return found
        return before if found is None else found if before is None else join(before, found)

    def _given(self, module: str, name: str, importer: str) -> Value | None:
        """What ``import *`` from a module binds ``name`` to for the file ``importer``; None where it does not."""
        place = locate_in(module, search_path(importer))
        unit = None if place is None or place.rest else self.unit(place.path)
        if unit is None or not unit.index.gives(name):
            return None
        found = self.resolve(f"{module}.{name}", importer)
        if isinstance(found, Symbol) and (held := self._place_of(found.path, search_path(importer))) is not None:
            # It has it from ``importer`` in turn.
            return None if held[0].path == importer and held[1] == name else found
        return UNKNOWN if found is None and name in unit.index.bound else found

    def learn(self, cls: ClassInfo) -> None:
        """Have the methods of a class interpreted, once, for what they leave on ``self``."""
        site, unit, machine = cls.site, cls.unit, self.machine
        if self.circles.ask(site, site) is not Answer.KEPT or site in self._learned:
            return
        assert unit is not None

        def work() -> None:
            with self.apart(unit):
                machine.learning, machine.teaching = True, cls
                machine.roots([method for method in cls.methods.values() if unit.keeps(method.found)])
            self._learned.add(site)

        def take() -> Mapping[str, Value]:
            self._learned.discard(site)
            return cls.take()

        def put(attributes: Mapping[str, Value]) -> None:
            self._learned.add(site)
            cls.put(attributes)

        self.circles.settle(Task(site, site, work, take, put))

    def call(self, info: FunctionInfo, receiver: Value | None, passed: dict[str, Value], mode: Fact) -> Summary | None:
        """What a call of a function of another file does, where that is the same whoever calls it.

        None where it is not: it is given something that only the caller knows, or changes what was there before.
        """
        machine = self.machine
        assert info.unit is not None
        if info.nested or mode.site is not None or machine.default_device.site is not None:
            return None
        places: dict[Site, Site] = {}
        given: dict[str, Value] = {}
        for name, value in sorted(passed.items()):
            told = self._elsewhere(value, places)
            if told is None:
                return None
            given[name] = told
        owner = None if receiver is None else self._elsewhere(receiver, places)
        if (owner is None) is not (receiver is None):
            return None
        followed = machine.followed + len(machine.active) if machine.serial < FIRST_SERIAL else MAX_DEPTH - _MAX_DEPTH
        key = (
            info.site,
            followed,
            mode.truth,
            machine.autocast,
            machine.default_device.truth,
            tuple((name, fingerprint(value)) for name, value in given.items()),
            None if owner is None else fingerprint(owner),
        )
        if self.circles.ask(key, info.site) is Answer.NONE:
            return Summary(UNKNOWN)
        if key in self._calls:
            return _named_back(self._calls[key], places)
        unit = info.unit
        autocast, default_device = machine.autocast, machine.default_device

        def work() -> None:
            with self.apart(unit):
                machine.followed, machine.autocast, machine.default_device = followed, autocast, default_device
                frame = Frame(Environment(grad_mode=mode))
                summary: Summary | None = machine.followed_into(info, owner, given, frame)
            handed_in = NO_STORAGE.union(*map(storages_of, given.values()), storages_of(owner) if owner else ())
            if summary is not None and (summary.tells_of(handed_in) or storages_of(summary.result) & handed_in):
                summary = None
            self._calls[key] = summary

        def put(summary: Summary | None) -> None:
            self._calls[key] = summary

        self.circles.settle(Task(key, info.site, work, lambda: self._calls.pop(key), put))
        return _named_back(self._calls[key], places)

    def tells(self, info: FunctionInfo) -> bool:
        """Whether following a function of another file can show anything."""
        told = self._telling.get(info.site)
        if told is None:
            assert info.unit is not None
            text = info.unit.text(info.found)
            told = text is None or len(text) <= _SHORT or any(map(_TELLING.search, text))
            self._telling[info.site] = told
        return told

    def _elsewhere(self, value: Value, places: dict[Site, Site]) -> Value | None:
        """``value`` without the places of the file it comes from, which are numbered in ``places``."""

        def place(site: Site) -> Site:
            if site.file.startswith(AROUND):
                return site
            return places.setdefault(site, Site("", len(places), _NUMBERED))

        return elsewhere(value, self.fresh, place)

    def fresh(self) -> tuple[Storages, int]:
        """A storage, and the identity of what lies in it."""
        machine = self.machine
        if machine.serial < FIRST_SERIAL:
            return machine.storage(), machine.serial
        self.serial += 1
        return frozenset({Storage(self.serial, Owner.FRESH, None)}), self.serial

    @contextmanager
    def apart(self, unit: Unit) -> Iterator[None]:
        """The interpreter as it begins, over ``unit``: nothing of what it is doing now is at hand."""
        machine = self.machine
        kept = machine.set_aside(self.serial)
        try:
            with machine.visiting(unit, apart=True):
                yield
        finally:
            self.serial = machine.take_up(kept)

    def place(self, site: Site) -> tuple[str, Span] | None:
        """Where a site of one of these files stands."""
        unit = self.units.get(site.file.removeprefix(AROUND)) if site.file.startswith(AROUND) else None
        span = None if unit is None else unit.span(site)
        return None if unit is None or span is None else (unit.path, unit.source.in_file(span))


def _named_back(summary: Summary | None, places: dict[Site, Site]) -> Summary | None:
    """What a call does, with the places of the caller in place of their numbers."""
    if summary is None or not places:
        return summary
    back = {number: site for site, number in places.items()}
    return summary.placed(lambda site: back.get(site, site))
