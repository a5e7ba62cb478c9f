"""What every part of the interpreter stands on: counters, places, names, and the way to the rules."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from tensorlint.flow import events, object_events
from tensorlint.flow.domain.dtypes import UNKNOWN_DTYPE
from tensorlint.flow.domain.facts import NO_FACT, Fact, Truth
from tensorlint.flow.domain.memory import Owner, Storage, Storages
from tensorlint.flow.domain.site import Site
from tensorlint.flow.domain.tensors import Array, Tensor
from tensorlint.flow.domain.values import ClassObject, Instance, Module, Symbol, Unknown, Value
from tensorlint.flow.learned import Lessons
from tensorlint.flow.scene import FileFacts, Scene, Spelling
from tensorlint.flow.state import Environment, Frame, View
from tensorlint.flow.tree import Sites, binds_after
from tensorlint.program.layout import project
from tensorlint.program.mentions import mentions_in

if TYPE_CHECKING:
    import libcst as cst

    from tensorlint.flow.callers import Hearing
    from tensorlint.flow.defined import ClassInfo, FunctionInfo
    from tensorlint.flow.details import Tracing
    from tensorlint.flow.learned import FunctionLesson
    from tensorlint.flow.summary import Reads, Remembered
    from tensorlint.flow.unit import Unit
    from tensorlint.flow.world import World

#: Calls of functions of the file are followed this deep, and this often in one file.
MAX_DEPTH = 3
MAX_APPLICATIONS = 4_000

#: What a loader asks of a dataset.
HOST_METHODS = frozenset({"__getitem__", "__getitems__"})
#: Where those of a judged file begin that stands in a program.
FIRST_SERIAL = 1 << 40
#: What belongs to the work at hand.
_PASSING = (
    "serial",
    "applications",
    "memo",
    "reading",
    "active",
    "pending",
    "queued",
    "consumers",
    "default_device",
    "autocast",
    "teaching",
    "followed",
    "asks_around",
    "told",
    "hearing",
    "tracing",
)

#: Events about what something is, not about where it lies.
_OF_KINDS = frozenset(
    {
        events.ArrayMeetsTensor,
        events.MeetsFloat,
        events.FloatsIntoIntegers,
        events.IntegersOperated,
        events.NotOnArray,
        events.TensorIndex,
    }
)


def _came_in(detail: object) -> bool:
    """Whether a value, or that of an argument, is memory that a function was handed."""
    value = getattr(detail, "value", detail)
    return isinstance(value, (Tensor, Array)) and any(each.owner is Owner.ARGUMENT for each in value.storages)


class Core:
    """State of one run over one file."""

    def __init__(self, file: FileFacts, emit: Callable[[events.Event], None], world: World | None = None) -> None:
        self.file = file
        #: The program around this file, and the file of it that is being interpreted, where it is not this one.
        self.world = world
        self.file_path = os.path.abspath(file.path)
        self.unit: Unit | None = None
        #: The one class of that file whose attributes are being learned.
        self.teaching: ClassInfo | None = None
        self._emit = emit
        #: What the program around holds is older than anything in here.
        self.serial = 0 if world is None else FIRST_SERIAL
        #: The first pass learns (attributes, call sites); only the second one speaks.
        self.learning = True
        self.lessons = Lessons()
        self.applications = 0
        self.module: cst.Module | None = None
        self.sites = Sites(None)
        self.module_frame = Frame(Environment(grad_mode=Fact(Truth.YES)))
        self.functions: dict[Site, FunctionInfo] = {}
        self.classes: dict[Site, ClassInfo] = {}
        self.pending: list[FunctionInfo] = []
        self.queued: set[int] = set()
        self.memo: dict[object, Remembered] = {}
        #: What the functions that are being followed read of the scopes around them, the innermost last.
        self.reading: list[Reads] = []
        self.active: list[FunctionInfo] = []
        #: How deep the call stands that is being followed apart from its caller.
        self.followed = 0
        #: Whether what functions of other files return can matter to what is being interpreted.
        self.asks_around = True
        #: How functions of other files are called, for those that are interpreted for their calls; and what is
        #: listened for meanwhile.
        self.told: Mapping[Site, FunctionLesson] = {}
        self.hearing: Hearing | None = None
        #: The functions of the judged file that are called by others of it, with these; and those in which something is
        #: exported of which more would be known if their callers were, by the names of their definitions.
        self.called_by: dict[str, set[str]] = {}
        self.wanting: set[str] = set()
        #: What classes kept before an object was made, until one of their methods is interpreted on its own.
        self.kept_before: dict[Site, Mapping[str, Value] | None] = {}
        #: What names of the module held when it called a function, by where that stands.
        self.met: dict[Site, dict[str, Value]] = {}
        #: What stands around an export, by the identity of the call node.
        self.consumers: dict[int, tuple[str, cst.CSTNode]] = {}
        #: Where tensors are created when nothing is said.
        self.default_device: Fact = NO_FACT
        #: The dtype that networks compute in around here; empty outside ``torch.autocast``.
        self.autocast = UNKNOWN_DTYPE
        #: How the network that is followed is recorded, where one is.
        self.tracing: Tracing | None = None
        #: What was allocated up to here was allocated by the module itself.
        self.module_serial = 0
        self.attribute_storages: dict[tuple[int, str], Storages] = {}
        #: How a tensor that looks into another one was made, by its ``oid``: an index, a call of ``expand``.
        self.views: dict[int, View] = {}
        #: The modules all of whose names the file imports, each with whether it always does.
        self.stars: list[tuple[str, bool]] = []
        self._home: tuple[Any, ...] | None = None

    # The files around this one.

    @contextmanager
    def visiting(self, unit: Unit | None, *, apart: bool = False) -> Iterator[None]:
        """Interpret a definition of another file, which teaches nothing of this one.

        ``apart`` from what was learned so far, even where it is the same file.
        """
        if unit is self.unit and not apart:
            yield
            return
        kept = self.unit, self.file, self.sites, self.lessons, self.module_frame, self.learning
        if unit is None:
            # A function of the judged file that was handed to one of another file.
            self.unit, self.file, self.sites, self.lessons, self.module_frame, self.learning = self._home or kept
        else:
            if self.unit is None:
                self._home = kept
            lessons = Lessons()
            lessons.classes = unit.lessons.classes
            self.unit, self.file, self.sites, self.lessons = unit, unit.file, unit.sites, lessons
            self.module_frame, self.learning = unit.frame, False
        try:
            yield
        finally:
            hanging = self.lessons.hanging and not apart
            self.unit, self.file, self.sites, self.lessons, self.module_frame, self.learning = kept
            self.lessons.hanging |= hanging

    def set_aside(self, serial: int) -> tuple[Any, ...]:
        """Let go of all that is being done, for what does not depend on it. Takes the first serial to be given."""
        kept = tuple(getattr(self, name) for name in _PASSING)
        self.serial = serial
        self.applications, self.memo, self.reading, self.active = 0, {}, [], []
        self.pending, self.queued = [], set()
        self.consumers, self.default_device, self.autocast = {}, NO_FACT, UNKNOWN_DTYPE
        self.teaching, self.followed, self.asks_around = None, 0, True
        self.told, self.hearing, self.tracing = {}, None, None
        return kept

    def take_up(self, kept: tuple[Any, ...]) -> int:
        """Go on with what was set aside; returns the last serial that was given meanwhile."""
        serial = self.serial
        for name, value in zip(_PASSING, kept, strict=True):
            setattr(self, name, value)
        return serial

    @property
    def traces_run(self) -> bool:
        """Whether a run of the network that is followed is recorded."""
        return self.tracing is not None and not self.tracing.reads_code

    def function_at(self, site: Site) -> FunctionInfo | None:
        """The function that is defined there; None where it was not seen."""
        found = self.functions.get(site)
        return self.world.functions.get(site) if found is None and self.world is not None else found

    def class_at(self, site: Site) -> ClassInfo | None:
        """The class that is defined there; None where it was not seen."""
        found = self.classes.get(site)
        return self.world.classes.get(site) if found is None and self.world is not None else found

    def bound_around(self, path: str) -> Value | None:
        """What the program binds by a dotted name; None where no file of it is seen to."""
        if self.world is None:
            return None
        return self.world.resolve(path, self.file_path if self.unit is None else self.unit.path)

    def starred(self, name: str, stars: Sequence[tuple[str, bool]], before: Value | None = None) -> Value | None:
        """What a name of the judged file is after these ``import *`` that was ``before``; None if nothing is seen."""
        if self.world is None or self.unit is not None or not stars:
            return before
        return self.world.starred(stars, name, self.file_path, before)

    def is_defined_around(self, name: str) -> bool:
        """Whether any file of the program defines a function, method or class of this name."""
        return self.world is not None and bool(mentions_in(project(self.file_path)).definers(name))

    def loads_around(self) -> frozenset[bool]:
        """How the program reads checkpoints: whether its calls of ``torch.load`` take any pickle."""
        return frozenset() if self.world is None else mentions_in(project(self.file_path)).loads()

    def around(self, symbol: Symbol) -> Value:
        """What the program binds by a dotted name, or else the name itself."""
        found = self.bound_around(symbol.path)
        return symbol if found is None else found

    def seen(self, info: FunctionInfo) -> FunctionInfo:
        """Remember a function by where it stands."""
        info.unit = self.unit
        if self.unit is None:
            self.functions[info.site] = info
        else:
            info.lessons = self.unit.lessons
            self.unit.world.functions[info.site] = info
        return info

    def seen_class(self, info: ClassInfo) -> ClassInfo:
        """Remember a class by where it stands."""
        info.unit = self.unit
        if self.unit is None:
            self.classes[info.site] = info
        else:
            info.lessons = self.unit.lessons
            self.unit.world.classes[info.site] = info
        return info

    def keeps_for_now(self, cls: ClassInfo) -> bool:
        """Whether what an object of a class keeps as it is made is kept for now: its methods have not said it yet."""
        if self.kept_before.setdefault(cls.site, self.lessons.attributes(cls.site)) is None:
            return False
        for parent in cls.parents:
            self.keeps_for_now(parent)
        return True

    def keeps_by_itself(self, cls: ClassInfo) -> None:
        """From now on the methods of a class say what its objects keep."""
        before = self.kept_before.get(cls.site)
        if before is not None:
            self.lessons.put_attributes(cls.site, before)
        self.kept_before[cls.site] = None

    def lesson_of(self, info: FunctionInfo) -> FunctionLesson:
        """How a function is called, as far as that was seen, also by who calls what it overrides."""
        lesson = self.told.get(info.site, info.lesson)
        for overridden in info.overridden:
            lesson = lesson.joined(self.told.get(overridden.site, overridden.lesson))
        return lesson

    def queue(self, info: FunctionInfo) -> None:
        """Have a function interpreted on its own, once in each pass."""
        if id(info) not in self.queued:
            self.queued.add(id(info))
            self.pending.append(info)

    @property
    def module_env(self) -> Environment:
        """What the module binds, by now: branches replace the environment of a frame."""
        return self.module_frame.env

    def at(self, node: cst.CSTNode) -> Site:
        """Where ``node`` stands, for what outlives the syntax tree."""
        return self.sites.of(node)

    def cls(self, value: Module | Instance | ClassObject) -> ClassInfo | None:
        """The class of an object, or the class itself; None where it was not seen."""
        site = value.definition if isinstance(value, ClassObject) else value.cls
        return None if site is None else self.class_at(site)

    def next_serial(self) -> int:
        self.serial += 1
        return self.serial

    def storage(self, owner: Owner = Owner.FRESH, node: cst.CSTNode | None = None) -> Storages:
        return frozenset({Storage(self.next_serial(), owner, None if node is None else self.at(node))})

    def emit(self, frame: Frame, make: type[events.Event], node: cst.CSTNode, **details: Any) -> None:
        if frame.quiet or self.unit is not None:
            # What another file does is said when that one is judged.
            return
        if not self.learning:
            self._emit(make(node, self.scene(frame), **details))
        elif frame.function is not None:
            self._want_callers(frame, frame.function, make, details)

    def _want_callers(
        self, frame: Frame, function: FunctionInfo, make: type[events.Event], details: Mapping[str, Any]
    ) -> None:
        """Remember a function whose callers may know more of what crosses the boundary in it."""
        if make is events.Export and isinstance(details["value"], (Tensor, Unknown)):
            exported = details["value"]
            may_need_grad = exported.grad.truth is not Truth.NO and frame.env.grad_mode.truth is not Truth.NO
            wanted = exported.device.truth is Truth.UNKNOWN or may_need_grad
        elif make is object_events.DeepCopy:
            wanted = frame.env.grad_mode.truth is not Truth.NO
        elif make in {events.NumpyCall, events.LibraryCall} or (
            make is events.TorchCall and details["name"].endswith("Tensor")
        ):
            # What is made an array, or a tensor of another dtype.
            wanted = any(isinstance(each.value, Unknown) and each.value.storages for each in details["arguments"])
        else:
            # What a dtype or a kind makes raise, where it came by a parameter.
            wanted = make in _OF_KINDS and any(map(_came_in, details.values()))
        if wanted:
            self.wanting.add(function.site.definition)

    def emit_at(self, frame: Frame, make: type[events.Event], site: Site, **details: Any) -> None:
        """The same of a place that was passed before; what is in another file is spoken of there."""
        node = self.sites.node(site)
        if node is not None:
            self.emit(frame, make, node, **details)

    def scene(self, frame: Frame) -> Scene:
        name = frame.function.name if frame.function is not None else ""
        return Scene(
            file=self.file,
            function=name,
            class_name=frame.cls.name if frame.cls is not None else "",
            grad_mode=frame.env.grad_mode,
            host_only=frame.host_only,
            item_of_dataset=name in HOST_METHODS and frame.cls is not None and frame.cls.is_dataset,
            in_loop=bool(frame.loops),
            is_test=self.file.is_test or name.startswith("test_"),
            handlers=frozenset().union(*frame.handlers),
            other_framework=frame.env.other_framework,
            spelling=partial(self.spelling, frame),
            sites=self.sites,
            around=self.module if frame.function is None else frame.function.node,
            written_exports=self.lessons.written_exports,
            exports_taken_back=self.lessons.exports_taken_back,
        )

    def spelling(self, frame: Frame, path: str, at: cst.CSTNode | None = None) -> Spelling | None:
        """How the program writes ``path`` here, or ``at`` an earlier place, e.g. ``th.isnan`` for ``torch.isnan``.

        Only names that an import binds: they mean the same wherever the import came first.
        """
        module, _, rest = path.partition(".")
        if module == "builtins":
            taken = frame.env.lookup(rest) is not None or self._is_local(rest, frame)
            return None if taken else Spelling(rest)
        for name, value in frame.env.visible():
            if not isinstance(value, Symbol) or name not in self.lessons.imported:
                continue
            if name in self.lessons.typing_only or name in self.lessons.imported_on_one_path:
                continue
            if value.path in {path, module} and not self._is_local(name, frame) and self._came_by(name, frame, at):
                return Spelling(name if value.path == path or not rest else f"{name}.{rest}")
        if self.lessons.imported_star or (
            frame.env.lookup(module) is not None and module not in self.lessons.typing_only
        ):
            return None
        usable = not self._is_local(module, frame) and self._came_by(module, frame, at)
        return Spelling(path, needs=module) if usable else None

    def _came_by(self, name: str, frame: Frame, at: cst.CSTNode | None) -> bool:
        """Whether no import that makes ``name`` local to the function, or binds it in the module, is still to come."""
        if at is not None:
            body = self.module if frame.function is None else frame.function.node
            return body is None or not binds_after(body, name, at)
        return frame.function is None or name in frame.env.bindings or name not in frame.function.imported_names

    @staticmethod
    def _is_local(name: str, frame: Frame) -> bool:
        """Whether the function makes ``name`` one of its own somewhere, by other means than an import."""
        return frame.function is not None and name in frame.function.local_names

    def symbol(self, value: Value | None) -> str:
        """The dotted path of an imported thing, ``Class`` for one of this file, or an empty string."""
        match value:
            case Symbol():
                return value.path
            case ClassObject():
                cls = self.cls(value)
                return cls.name if cls is not None else ""
            case _:
                return ""
