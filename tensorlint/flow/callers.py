"""Who calls the functions of a file from elsewhere in the program, with what, and under which grad mode."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tensorlint.flow.domain.elsewhere import elsewhere
from tensorlint.flow.domain.facts import Fact, Truth
from tensorlint.flow.domain.inside import settled, with_facts
from tensorlint.flow.domain.values import UNKNOWN, ClassObject, Function, Value
from tensorlint.flow.learned import FunctionLesson
from tensorlint.flow.state import Environment, Frame
from tensorlint.program.dependencies import Dependencies, recording, use
from tensorlint.program.layout import project
from tensorlint.program.mentions import mentions_in

if TYPE_CHECKING:
    from tensorlint.flow.defined import FunctionInfo
    from tensorlint.flow.domain.site import Site
    from tensorlint.flow.interpreter import Interpreter
    from tensorlint.flow.unit import Unit
    from tensorlint.flow.world import World
    from tensorlint.program.index import Lines

#: Callers are asked for, and theirs in turn, this far.
_MAX_DEPTH = 2
#: What more than this many functions call by its name is called for too much to be told.
_MAX_CALLERS = 16
#: What is called in more files than this is called everywhere.
_MAX_FILES = 64
#: What is called where networks are to compute in float64.
_DOUBLE = ("set_default_dtype", "set_default_tensor_type", "double")
_NOBODY = FunctionLesson()
_IMPORTING = re.compile(r"^[ \t]*(?:import|from)[ \t](.*)$", re.MULTILINE)
_WORD = re.compile(r"\w+")


@dataclass(slots=True)
class Hearing:
    """The calls that a function was heard to make."""

    #: What functions that are seen are given, by where they stand.
    lessons: dict[Site, FunctionLesson] = field(default_factory=dict)
    #: The grad modes in which something of unknown class is asked for a method, by its name.
    modes: dict[str, Fact] = field(default_factory=dict)

    def called(self, site: Site, passed: Mapping[str, Value], grad_mode: Fact) -> None:
        self.lessons[site] = self.lessons.get(site, _NOBODY).called(passed, grad_mode)

    def named(self, name: str, grad_mode: Fact) -> None:
        self.modes[name] = self.modes.get(name, grad_mode).joined(grad_mode)


@dataclass(slots=True)
class Callers:
    """The callers that were looked for, in one program."""

    world: World
    _known: dict[tuple[str, str, int], tuple[FunctionLesson, Dependencies]] = field(default_factory=dict)
    _hearings: dict[tuple[str, Lines, str, int], tuple[Hearing, Dependencies]] = field(default_factory=dict)

    def of_file(self, machine: Interpreter) -> dict[Site, FunctionLesson]:
        """What other files tell of the functions of the judged one, where what was learned of it lacks that."""
        own = {info.site.definition: info for info in machine.functions.values()}
        told: dict[Site, FunctionLesson] = {}
        for definition, depth in _asked_for(machine, own).items():
            info = own[definition]
            lesson = self._heard(machine.file_path, definition, depth, apart_from=machine.file_path)
            for above in info.overridden:
                if above.unit is not None:
                    lesson = lesson.joined(self.lesson(above.unit.path, above.site.definition, depth))
            if lesson != _NOBODY:
                told[info.site] = lesson
        return told

    def lesson(self, path: str, definition: str, depth: int) -> FunctionLesson:
        """How the functions of a program call the one that is defined in a file at the top, or in a class there."""
        key = (path, definition, depth)
        if key not in self._known:
            with recording(Dependencies()) as found_by:
                self._known[key] = self._heard(path, definition, depth), found_by
        lesson, found_by = self._known[key]
        use(found_by)
        return lesson

    def make_and_call(self, cls: str, path: str, method: str) -> bool:
        """Whether a file that makes objects of a class of the file at ``path`` calls a method of this name, too.

        On what is not asked, nor in files that define such a class themselves.
        """
        own = self.world.unit(path)
        mentions = mentions_in(project(path))
        making, calling = (mentions.callers(name, _MAX_FILES) for name in (cls, method))
        if making is None or calling is None:
            return True
        for file in sorted({*making} & {*calling} - {*mentions.definers(cls)}):
            unit = self.world.unit(file)
            if unit is None or (unit.file.is_test and not (own is not None and own.file.is_test)):
                continue
            if mentions.is_nearest(cls, path, file):
                return True
        return False

    def compute_in_double(self, path: str) -> bool:
        """Whether a file that imports the one at ``path``, or is imported by it, casts to float64 or has it as default.

        Tests that do so do it for themselves.
        """
        own = self.world.unit(path)
        mentions = mentions_in(project(path))
        found = [mentions.callers(name, _MAX_FILES) for name in _DOUBLE]
        if own is None:
            return False
        if None in found:
            return True
        for file in sorted({file for files in found if files is not None for file in files} - {path}):
            unit = self.world.unit(file)
            if unit is None or (unit.file.is_test and not own.file.is_test):
                continue
            if _imports(unit, own) or _imports(own, unit):
                return True
        return False

    def _heard(self, path: str, definition: str, depth: int, apart_from: str = "") -> FunctionLesson:
        """The same, unless one file is left out, which the first pass has heard already."""
        unit = self.world.unit(path)
        info = None if unit is None else self._function(unit, definition)
        if unit is None or info is None:
            return _NOBODY
        name = info.name if info.name != "__init__" or info.cls is None else info.cls.name
        found: list[tuple[Unit, Lines, str, bool]] = []
        mentions = mentions_in(project(path))
        files = mentions.callers(name, _MAX_CALLERS)
        if files is None:
            return _NOBODY
        for file in files:
            caller = None if file == apart_from else self.world.unit(file)
            if caller is None or (caller.file.is_test and not unit.file.is_test):
                continue
            found += [(caller, *place, others) for place, others in caller.calling(name).items()]
            if len(found) > _MAX_CALLERS:
                return _NOBODY
        lesson = _NOBODY
        for caller, lines, method, others in found:
            if not others and caller is not unit:
                continue
            heard = self._hearing(caller, lines, method, depth)
            if info.site in heard.lessons:
                lesson = lesson.joined(heard.lessons[info.site])
            if info.name in heard.modes and mentions.is_nearest(info.name, path, caller.path):
                lesson = lesson.joined(FunctionLesson(grad_mode=heard.modes[info.name], others=True))
        return lesson if lesson is _NOBODY else self._portable(lesson)

    def _hearing(self, unit: Unit, lines: Lines, method: str, depth: int) -> Hearing:
        """The calls that a statement, a function or a method of a class makes."""
        key = (unit.path, lines, method, depth)
        if key not in self._hearings:
            with recording(Dependencies()) as found_by:
                self._hearings[key] = self._heard_of(unit, lines, method, depth), found_by
        hearing, found_by = self._hearings[key]
        use(found_by)
        return hearing

    def _heard_of(self, unit: Unit, lines: Lines, method: str, depth: int) -> Hearing:
        """The same, by interpreting it. What its own parameters hold is asked of its callers, while depth is left."""
        hearing = Hearing()
        machine = self.world.machine
        with self.world.apart(unit):
            # So that nothing is said of it.
            machine.learning = True
            frame = Frame(Environment(unit.frame.env, Fact(Truth.YES)))
            machine.hearing = hearing
            name = next((name for place, name in unit.index.statements if place == lines), "")
            for statement in unit.statements(lines, name):
                machine.execute([statement], frame)
            functions = [info for info in machine.pending if not method or info.name == method]
            if depth > 1:
                machine.told = {
                    info.site: self.lesson(unit.path, info.site.definition, depth - 1) for info in functions
                }
            machine.roots(functions)
        return hearing

    def _function(self, unit: Unit, definition: str) -> FunctionInfo | None:
        """The function of this name, if that is what the module binds, or the class of it has."""
        machine = self.world.machine
        owner, _, name = definition.rpartition(".")
        value = unit.frame.env.lookup(owner or name)
        match value:
            case Function(definition=site) if not owner:
                return machine.function_at(site)
            case ClassObject(definition=site) if owner and (cls := machine.class_at(site)) is not None:
                return cls.methods.get(name)
            case _:
                return None

    def _portable(self, lesson: FunctionLesson) -> FunctionLesson:
        """What was heard, in terms that mean the same elsewhere, and no surer than it is: there may be more callers."""
        passed = {}
        for name, value in sorted(lesson.arguments.items()):
            told = elsewhere(with_facts(settled(value), Fact.weakened), self.world.fresh, lambda site: site)
            passed[name] = UNKNOWN if told is None else told
        return replace(lesson, arguments=passed)


def _imports(one: Unit, other: Unit) -> bool:
    """Whether a file names another, or what it lies in, where it imports something."""
    directory, name = os.path.split(os.path.abspath(other.path))
    lines = _IMPORTING.findall(one.source.program)
    return not {name.removesuffix(".py"), os.path.basename(directory)}.isdisjoint(_WORD.findall(" ".join(lines)))


def _asked_for(machine: Interpreter, own: Mapping[str, FunctionInfo]) -> dict[str, int]:
    """The functions of the judged file of which to ask who calls them, with how far to ask on."""
    asked: dict[str, int] = {}
    for wanting in sorted(machine.wanting):
        for definition in _with_initializer(wanting, own):
            asked[definition] = _MAX_DEPTH
    for definition in list(asked):
        above = [each.site.definition for each in own[definition].overridden if each.unit is None]
        for called in (definition, *above):
            if called != definition:
                asked.setdefault(called, _MAX_DEPTH)
            for caller in sorted(machine.called_by.get(called, ())):
                for around in _with_initializer(caller, own):
                    asked.setdefault(around, _MAX_DEPTH - 1)
    return asked


def _with_initializer(definition: str, own: Mapping[str, FunctionInfo]) -> list[str]:
    """The function around a definition that stands at the top, or in a class there, and the ``__init__`` beside it."""
    first, _, rest = definition.partition(".")
    if first in own:
        return [first]
    method = f"{first}.{rest.partition('.')[0]}"
    initializer = f"{first}.__init__"
    return [each for each in dict.fromkeys((method, initializer)) if each in own]
