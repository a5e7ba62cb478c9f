"""What functions read of the scopes around them, and leave there: closures, ``global`` and ``nonlocal``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from tensorlint.flow.domain.values import ClassObject, Dictionary, Function, Partial, Sequence, Symbol, Value
from tensorlint.flow.machine import Machine
from tensorlint.flow.state import Environment, Frame
from tensorlint.flow.summary import Reads

if TYPE_CHECKING:
    from tensorlint.flow.defined import FunctionInfo


class Closures(Machine):
    def read_around(self, info: FunctionInfo, frame: Frame) -> Reads:
        """What a function reads of the scopes around it which may be something else at the next call."""
        around = self.scope_of(info)
        found = ((name, frame.env.rebound.get(name) or around.lookup(name)) for name in info.outer_names)
        return {
            (info.site, name): (info, value)
            for name, value in found
            if value is not None and not isinstance(value, (Symbol, ClassObject))
        }

    def reads_the_same(self, reads: Reads, frame: Frame) -> bool:
        """Whether the scopes around hold what they did when a call was followed."""
        return all(
            (frame.env.rebound.get(name) or self.scope_of(info).lookup(name)) is value
            for (_, name), (info, value) in reads.items()
        )

    def scope_of(self, info: FunctionInfo) -> Environment:
        """The scope that a function is defined in, as it is by now."""
        scope = info.enclosing.env if info.enclosing is not None else info.closure
        return scope if scope is not None else self.module_env

    @contextmanager
    def enclosed(self, info: FunctionInfo, captured: tuple[tuple[str, Value], ...]) -> Iterator[None]:
        """Have ``info`` read what it took along, in place of what its last definition is surrounded by."""
        if not captured:
            yield
            return
        kept = info.enclosing, info.closure
        with self.visiting(info.unit):
            info.enclosing, info.closure = None, Environment(self.module_env)
        for name, value in captured:
            info.closure.bind(name, value)
        try:
            yield
        finally:
            info.enclosing, info.closure = kept

    def taken_along(self, value: Value, frame: Frame) -> Value:
        """What leaves the call in ``frame``: functions that were defined in it keep what they read of it."""
        match value:
            case Function(definition=site) if (info := self.function_at(site)) is not None and info.enclosing is frame:
                held = frame.env.bindings
                captured = tuple((name, held[name]) for name in sorted(info.outer_names & held.keys()))
                return replace(value, captured=captured)
            case Partial():
                return replace(value, function=self.taken_along(value.function, frame))
            case Sequence(items=tuple(items)):
                return replace(value, items=tuple(self.taken_along(item, frame) for item in items))
            case Dictionary(entries=entries) if entries:
                return replace(value, entries={key: self.taken_along(item, frame) for key, item in entries.items()})
        return value

    def bound_by_call(self, name: str, value: Value, info: FunctionInfo, frame: Frame) -> None:
        """A call of ``info`` bound a name of a scope around it."""
        scope = info.enclosing
        while scope is not None and scope is not frame:
            scope = scope.function.enclosing if scope.function is not None else None
        if frame.function is None or (scope is frame and name in frame.env.bindings and name not in frame.globals):
            frame.env.bind(name, value)
        else:
            frame.env.bind_around(name, value)
