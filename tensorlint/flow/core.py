"""What every part of the interpreter stands on: counters, places, names, and the way to the rules."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from tensorlint.flow import events
from tensorlint.flow.domain.facts import NO_FACT, Fact, Truth
from tensorlint.flow.domain.memory import Owner, Storage, Storages
from tensorlint.flow.domain.site import Site
from tensorlint.flow.domain.values import ClassObject, Instance, Module, Symbol, Value
from tensorlint.flow.learned import Lessons
from tensorlint.flow.state import Environment, Frame
from tensorlint.flow.tree import Sites, binds_after

if TYPE_CHECKING:
    import libcst as cst

    from tensorlint.flow.defined import ClassInfo, FunctionInfo
    from tensorlint.flow.summary import Summary

#: Calls of functions of the file are followed this deep, and this often in one file.
MAX_DEPTH = 3
MAX_APPLICATIONS = 4_000


class Core:
    """State of one run over one file."""

    def __init__(self, file: events.FileFacts, emit: Callable[[events.Event], None]) -> None:
        self.file = file
        self._emit = emit
        self.serial = 0
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
        self.memo: dict[object, Summary] = {}
        self.active: list[FunctionInfo] = []
        #: What stands around an export, by the identity of the call node.
        self.consumers: dict[int, tuple[str, cst.CSTNode]] = {}
        #: Where tensors are created when nothing is said.
        self.default_device: Fact = NO_FACT
        #: The dtype that networks compute in around here; empty outside ``torch.autocast``.
        self.autocast = ""
        #: What was allocated up to here was allocated by the module itself.
        self.module_serial = 0
        self.attribute_storages: dict[tuple[int, str], Storages] = {}

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
        return None if site is None else self.classes.get(site)

    def next_serial(self) -> int:
        self.serial += 1
        return self.serial

    def storage(self, owner: Owner = Owner.FRESH, node: cst.CSTNode | None = None) -> Storages:
        return frozenset({Storage(self.next_serial(), owner, None if node is None else self.at(node))})

    def emit(self, frame: Frame, make: type[events.Event], node: cst.CSTNode, **details: Any) -> None:
        if self.learning or frame.quiet:
            return
        self._emit(make(node, self.scene(frame), **details))

    def emit_at(self, frame: Frame, make: type[events.Event], site: Site, **details: Any) -> None:
        """The same of a place that was passed before; what is in another file is spoken of there."""
        node = self.sites.node(site)
        if node is not None:
            self.emit(frame, make, node, **details)

    def scene(self, frame: Frame) -> events.Scene:
        name = frame.function.name if frame.function is not None else ""
        return events.Scene(
            file=self.file,
            function=name,
            class_name=frame.cls.name if frame.cls is not None else "",
            grad_mode=frame.env.grad_mode,
            host_only=frame.host_only,
            in_loop=bool(frame.loops),
            is_test=self.file.is_test or name.startswith("test_"),
            caught=frame.catching > 0,
            other_framework=frame.env.other_framework,
            spelling=partial(self.spelling, frame),
            sites=self.sites,
            written_exports=self.lessons.written_exports,
            exports_taken_back=self.lessons.exports_taken_back,
        )

    def spelling(self, frame: Frame, path: str, at: cst.CSTNode | None = None) -> events.Spelling | None:
        """How the program writes ``path`` here, or ``at`` an earlier place, e.g. ``th.isnan`` for ``torch.isnan``.

        Only names that an import binds: they mean the same wherever the import came first.
        """
        module, _, rest = path.partition(".")
        if module == "builtins":
            taken = frame.env.lookup(rest) is not None or self._is_local(rest, frame)
            return None if taken else events.Spelling(rest)
        for name, value in frame.env.visible():
            if not isinstance(value, Symbol) or name not in self.lessons.imported:
                continue
            if name in self.lessons.typing_only or name in self.lessons.imported_on_one_path:
                continue
            if value.path in {path, module} and not self._is_local(name, frame) and self._came_by(name, frame, at):
                return events.Spelling(name if value.path == path or not rest else f"{name}.{rest}")
        if self.lessons.imported_star or (
            frame.env.lookup(module) is not None and module not in self.lessons.typing_only
        ):
            return None
        usable = not self._is_local(module, frame) and self._came_by(module, frame, at)
        return events.Spelling(path, needs=module) if usable else None

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
