"""Loops, run to a small fixpoint, and ``with``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import libcst as cst

from tensorlint.flow.branches import merge
from tensorlint.flow.domain.facts import Fact, Truth
from tensorlint.flow.domain.inside import parameters_in
from tensorlint.flow.domain.memory import gradients_of
from tensorlint.flow.domain.tensors import Tensor
from tensorlint.flow.domain.values import (
    MAYBE_GRAD,
    DeviceValue,
    Foreign,
    Scalar,
    Sequence,
    Symbol,
    Unknown,
    Value,
)
from tensorlint.flow.graphs import counted_up_to
from tensorlint.flow.machine import Machine
from tensorlint.flow.models.autocast import set_by
from tensorlint.flow.models.items import element_of, rows_of
from tensorlint.flow.scene import EVERY, RAISED_BY_EXPORTS
from tensorlint.flow.state import GRAD_OFF, Environment, Frame, Loop
from tensorlint.flow.tree import dotted_name

#: Context managers for what is raised on purpose, or does not matter.
_EXPECT_ERRORS = frozenset({"raises", "assertRaises", "assertRaisesRegex", "suppress"})
_GRAD_CONTEXTS = {"torch.no_grad()": GRAD_OFF, "torch.enable_grad()": Fact(Truth.YES)}


class Loops(Machine):
    def _for(self, node: cst.For, frame: Frame) -> None:
        iterable = self.evaluate(node.iter, frame)

        def enter() -> None:
            self.let_go_each(node.target, frame)
            self.assign(node.target, element_of(self, iterable, node.iter, frame), frame)

        each = parameters_in(iterable)
        # A model has parameters: what is done to each of them is done.
        entered = bool(each) or (isinstance(iterable, Sequence) and bool(iterable.items))
        rows = rows_of(self, node.target, node.iter, iterable, frame)
        rounds = self._rounds(node, frame)
        loop = Loop(self.serial, node, rounds=rounds, rows=rows, each=each | gradients_of(each))
        self._loop(node, loop, enter, frame, endless=False, entered=entered)

    def _rounds(self, node: cst.For, frame: Frame) -> int | None:
        """The number that ``range`` counts up to, where the program says it."""
        end = counted_up_to(node)
        value = None if end is None else self.current(end, frame)
        return value.literal if isinstance(value, Scalar) and isinstance(value.literal, int) else None

    def _while(self, node: cst.While, frame: Frame) -> None:
        self.note_test(node.test, node)

        def enter() -> None:
            if not isinstance(self.evaluate(node.test, frame), Scalar):
                frame.uploads.clear()
            self.narrow(node.test, frame, holds=True)

        endless = isinstance(node.test, cst.Name) and node.test.value == "True"
        self._loop(node, Loop(self.serial, node), enter, frame, endless=endless)

    def _loop(
        self,
        node: cst.For | cst.While,
        loop: Loop,
        enter: Callable[[], None],
        frame: Frame,
        *,
        endless: bool,
        entered: bool = False,
    ) -> None:
        """Once in silence to learn what an iteration hands to the next, once more to speak."""
        before, quiet = frame.env, frame.quiet
        silent = quiet or self.learning
        # Nobody hears a silent pass: what one iteration leaves, joined with what was before, is enough.
        rounds = 1 if silent else 2
        carried: Environment | None = None
        for remaining in reversed(range(rounds)):
            frame.quiet = quiet or remaining > 0
            frame.env = (
                before.copy() if carried is None else before.joined(carried, lambda path: self.lookup(path, frame))
            )
            _left_as_found(before, frame.env)
            frame.alive = True
            loop.breaks.clear()
            loop.continues.clear()
            loop.stored.clear()
            frame.loops.append(loop)
            enter()
            self.execute(node.body.body, frame)
            frame.loops.pop()
            merge(self, frame, (frame.env, frame.alive), *((env, True) for env in loop.continues))
            carried = frame.env if frame.alive else None
        frame.quiet = quiet
        # What is stored on the way out is stored once.
        again = carried.stored if carried is not None else frozenset()
        loop.stored[:] = [entry for entry in loop.stored if id(entry[0]) in again]
        self.stored_buffers(loop, frame)
        skipped = None if entered and carried is not None else before
        if skipped is not None and carried is not None and isinstance(node, cst.For):
            skipped = _begun(skipped, carried)
        ended = [(env, True) for env in (carried, skipped) if env is not None and not endless]
        frame.alive = True
        merge(self, frame, *ended)
        if node.orelse is not None and frame.alive:
            # Not after ``break``.
            self.execute(node.orelse.body.body, frame)
        merge(self, frame, (frame.env, frame.alive), *((env, True) for env in loop.breaks))

    def _with(self, node: cst.With, frame: Frame) -> None:
        mode = frame.env.grad_mode
        device, autocast = self.default_device, self.autocast
        for item in node.items:
            value = self.evaluate(item.item, frame)
            self._enter_context(value, item.item, frame)
            if item.asname is not None:
                held = Foreign() if isinstance(value, (Symbol, Scalar)) else value
                self.assign(item.asname.name, held, frame)
        left = [exits for loop in frame.loops[-1:] for exits in (loop.breaks, loop.continues)]
        known = [len(exits) for exits in left]
        expected = any(_expects_error(item.item) for item in node.items)
        frame.handlers.append(RAISED_BY_EXPORTS | {EVERY} if expected else frozenset())
        self.execute(node.body.body, frame)
        frame.handlers.pop()
        for env in (env for exits, count in zip(left, known, strict=True) for env in exits[count:]):
            env.grad_mode = mode
        frame.env.grad_mode = mode
        self.default_device, self.autocast = device, autocast

    def _enter_context(self, value: Value, node: cst.BaseExpression, frame: Frame) -> None:
        match value:
            case Symbol(path=path) if path == MAYBE_GRAD:
                # Where ``.backward()`` is called under it, it is switched on at least once.
                truth = Truth.MAYBE if self.at(node) in self.lessons.differentiated else Truth.UNKNOWN
                frame.env.grad_mode = Fact(truth, self.at(node), "gradients are switched on here when training")
            case Symbol(path=path) if path in _GRAD_CONTEXTS:
                frame.env.grad_mode = _GRAD_CONTEXTS[path]
            case DeviceValue(fact=fact):
                self.default_device = replace(
                    fact, site=self.at(node), reason=fact.reason or "made on the device set here"
                )
            case Symbol() if (dtype := set_by(value)) is not None:
                self.autocast = dtype
            case Unknown() | Foreign():
                called = node.func if isinstance(node, cst.Call) else node
                name = dotted_name(called).split(".")[-1]
                if any(word in name for word in ("no_grad", "inference_mode", "eval_mode", "evaluate_mode")):
                    frame.env.grad_mode = GRAD_OFF
                elif isinstance(node, cst.IfExp) or "grad" in name:
                    frame.env.grad_mode = Fact(Truth.UNKNOWN)
            case _:
                pass


def _left_as_found(before: Environment, inside: Environment) -> None:
    """Memory that nobody wrote before a loop is read as it was found by the first round, whatever the others hold."""
    for path, value in before.items():
        held = inside.bindings.get(path)
        if isinstance(value, Tensor) and value.unset is not None and isinstance(held, Tensor) and held.unset is None:
            inside.bindings[path] = replace(held, unset=value.unset)


def _begun(before: Environment, after: Environment) -> Environment:
    """What is there where a loop had no round, but for numbers that each round adds a tensor to: there are rounds."""
    sums = {
        name: value
        for name, value in after.bindings.items()
        if isinstance(value, Tensor)
        and isinstance(start := before.bindings.get(name), Scalar)
        and start.known
        and type(start.literal) in {int, float}
    }
    if not sums:
        return before
    begun = before.copy()
    for name, value in sums.items():
        begun.bind(name, value)
    return begun


def _expects_error(item: cst.BaseExpression) -> bool:
    """``with pytest.raises(...)`` and its relatives: what raises in there is meant to, or is let go."""
    return isinstance(item, cst.Call) and dotted_name(item.func).split(".")[-1] in _EXPECT_ERRORS
