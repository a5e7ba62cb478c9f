"""What is kept: in containers, under keys, in queues; and the buffer that is kept time and again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import libcst as cst

from tensorlint.flow import events, object_events
from tensorlint.flow.domain.facts import Truth
from tensorlint.flow.domain.inside import leaves, storages_of
from tensorlint.flow.domain.memory import NO_STORAGE, Adding, Container, How, Mutation, Storages
from tensorlint.flow.domain.site import Site
from tensorlint.flow.domain.tensors import Array, Provenance, Tensor
from tensorlint.flow.domain.values import DeviceValue, Dictionary, Scalar, Sequence, Symbol, Unknown, Value
from tensorlint.flow.graphs import root_name
from tensorlint.flow.learned import Kept
from tensorlint.flow.memory import Memory
from tensorlint.flow.proofs import ALLOCATING, buffer_of, is_handed_out, is_kept_each_round
from tensorlint.flow.state import Frame, Loop, Stored
from tensorlint.flow.tree import dotted_name, leaves_loop
from tensorlint.knowledge import names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tensorlint.flow.defined import FunctionInfo


class Keeping(Memory):
    """Who holds on to a value beyond the statement that made it."""

    def keep(self, value: Value) -> None:
        """Remember, in the first pass, that something holds on to ``value``."""
        if self.learning:
            self.lessons.kept_allocations |= {
                storage.site for leaf in leaves(value) for storage in storages_of(leaf) if storage.site is not None
            }

    def keep_under(self, key: Value, value: Value) -> None:
        """Remember, in the first pass, what is stored under a literal key."""
        if not (self.learning and isinstance(key, Scalar) and isinstance(key.literal, str)):
            return
        if isinstance(value, (Tensor, Unknown)):
            kept = Kept(value.device, value.grad, isinstance(value, Tensor))
            known = self.lessons.kept_under.get(key.literal)
            self.lessons.kept_under[key.literal] = kept if known is None else known.joined(kept)

    def found_under(self, key: Value, value: Unknown) -> Unknown:
        """``value`` was read from under a key: what this file always brings to the CPU, or detaches, before keeping
        it there, it finds so in the dictionaries that are handed to it, too."""
        kept = (
            self.lessons.kept_under.get(key.literal)
            if isinstance(key, Scalar) and isinstance(key.literal, str)
            else None
        )
        if kept is None:
            return value
        if value.device.truth is Truth.UNKNOWN and kept.device.truth is Truth.NO and kept.device.site is not None:
            value = replace(value, device=kept.device)
        if value.grad.truth is Truth.UNKNOWN and kept.grad.truth is Truth.NO and kept.sure:
            value = replace(value, grad=kept.grad)
        return value

    def store(
        self,
        frame: Frame,
        node: cst.CSTNode,
        value: Value,
        container: Container,
        target: str,
        born: int = 0,
        written: cst.BaseExpression | None = None,
    ) -> None:
        """A value is kept in something that outlives the statement. ``written`` is the expression that is the value."""
        if container is not Container.COMPREHENSION:
            self.hand_on(frame, node, value)
        if container is not Container.YIELD:
            self.keep(value)
        if container is Container.APPEND and written is not None and self.learning and isinstance(value, Sequence):
            self.lessons.handed_lists.add((root_name(written), target))
        if container is Container.APPEND and written is not None:
            self.accumulate(frame, node, written, value, target, Adding.APPEND)
        for leaf in leaves(value):
            if isinstance(leaf, (Tensor, Array, Dictionary)):
                again = _update_of(leaf, node, frame) if isinstance(leaf, Dictionary) else None
                training = again or self.lessons.training or self._called_back(frame)
                self.emit(
                    frame,
                    events.Store,
                    node,
                    value=leaf,
                    container=container,
                    target=target,
                    training=training,
                    followed=again is not None,
                    restored=target in self.lessons.restored,
                    set_back=isinstance(leaf, Dictionary) and self._is_set_back(frame, node, leaf, target),
                )
                for loop in frame.loops:
                    if born <= loop.start:
                        frame.env.stored |= {id(node)}
                        loop.stored.append((node, leaf, container, part_spelled(written, value, leaf)))

    def _is_set_back(self, frame: Frame, node: cst.CSTNode, state: Dictionary, target: str) -> bool:
        """Whether a ``state_dict()`` that an object keeps is loaded into the model that it was asked of.

        Of the same class, which binds the model in one place: another one would be set to what this one had. Where a
        loop is around, it may be left there, with nothing trained afterwards.
        """
        owner, _, name = state.asked_of.rpartition(".")
        if not owner or owner != frame.self_name or frame.cls is None or frame.loops:
            return False
        binding = [method for method in frame.cls.methods.values() if name in method.attributes]
        return len(binding) < 2 and set_back(self.at(node), state.asked_of, target) in self.lessons.restored

    def _called_back(self, frame: Frame) -> Mutation | None:
        """For a method that a trainer calls between its steps."""
        if frame.function is None or not isinstance(frame.function.node, cst.FunctionDef):
            return None
        if not names.CALLBACK.match(frame.function.name):
            return None
        return Mutation(self.at(frame.function.node.name), How.UPDATE, "called between the steps of a training")

    def settle_devices(self, info: FunctionInfo, frame: Frame) -> None:
        """A device that a test chose, each of two places binding an attribute to one, is that of the paths together.

        Only where no other method binds it: which of two comes last is not known.
        """
        cls = frame.cls
        if cls is None or info.cls is not cls or (self.teaching is not None and cls is not self.teaching):
            return
        others = {name for method in cls.methods.values() if method is not info for name in method.attributes}
        for name in info.attributes - others:
            left = frame.env.bindings.get(f"{frame.self_name}.{name}")
            if isinstance(left, DeviceValue) and isinstance(self.lessons.attributes(cls.site).get(name), DeviceValue):
                self.lessons.keep_attribute(cls.site, name, left)

    def queue_up(self, frame: Frame, node: cst.CSTNode, value: Value, written: cst.BaseExpression) -> None:
        """``value`` is put into a queue, from where somebody takes it some time later."""
        for leaf in leaves(value):
            if isinstance(leaf, Array) and leaf.storages and not leaf.picked and not leaf.sliced:
                expression = part_spelled(written, value, leaf)
                if expression is not None:
                    frame.env.queued[self.at(node)] = leaf, expression

    def stored_buffers(self, loop: Loop, frame: Frame) -> None:
        self.reused_buffers(loop.stored, loop.start, loop.written, frame, loop)

    def reused_buffers(
        self,
        stored: list[Stored],
        start: int,
        written: Mapping[int, Site],
        frame: Frame,
        loop: Loop | None = None,
    ) -> None:
        """What is stored time and again, was allocated before the first time and is written each time."""
        seen: set[int] = set()
        # Another one each time.
        each = NO_STORAGE if loop is None else loop.each
        for node, value, container, expression in stored:
            storages: Storages = getattr(value, "storages", NO_STORAGE)
            if len(storages) != 1 or storages <= each or id(node) in seen or getattr(value, "picked", False):
                continue
            if isinstance(value, Tensor) and value.source is Provenance.ELEMENT:
                # Of a container that was not seen: another one each time.
                continue
            (storage,) = storages
            if storage.allocated <= start and storage.serial in written:
                seen.add(id(node))
                self.emit(
                    frame,
                    object_events.BufferStored,
                    node,
                    value=value,
                    container=container,
                    storage=storage,
                    expression=expression,
                    write=written[storage.serial],
                    kept=container is not Container.YIELD or storage.site in self.lessons.kept_allocations,
                    proven=self._is_proven(node, value, expression, written[storage.serial], frame, loop),
                )

    def _is_proven(
        self,
        node: cst.CSTNode,
        value: Value,
        expression: cst.CSTNode | None,
        written: Site,
        frame: Frame,
        loop: Loop | None,
    ) -> bool:
        """Whether the function, or the class, alone shows that one buffer is written and stored time and again."""
        write = self.sites.node(written)
        if self.learning or frame.quiet or expression is None or write is None:
            return False
        if not isinstance(value, (Tensor, Array)) or not value.sure or value.sliced:
            return False

        def allocates(made: cst.BaseExpression) -> bool:
            head, _, rest = dotted_name(made.func if isinstance(made, cst.Call) else made).partition(".")
            found = frame.env.lookup(head)
            return isinstance(found, Symbol) and f"{found.path}.{rest}".rstrip(".") in ALLOCATING

        scope = self.module if frame.function is None else frame.function.node
        if loop is not None and scope is not None:
            return is_kept_each_round(scope, loop.node, node, expression, write, allocates)
        method, cls = frame.function, frame.cls
        if method is None or cls is None:
            return False
        name = buffer_of(expression).removeprefix(f"{frame.self_name}.")
        binding = [each for each in cls.methods.values() if name in each.attributes]
        if len(binding) != 1 or binding[0].name != "__init__":
            return False
        return is_handed_out(binding[0].node, method.node, expression, write, allocates)


def set_back(site: Site, model: str, state: str) -> str:
    """What ``model.load_state_dict(state)`` is remembered as: attributes mean the same in one class."""
    return f"{site.definition.partition('.')[0]}: {model} <- {state}"


def part_spelled(written: cst.BaseExpression | None, value: Value, leaf: Value) -> cst.BaseExpression | None:
    """The expression that is ``leaf``, when ``written`` is, or is a display that holds it."""
    if written is None or value is leaf:
        return written
    match written, value:
        case ((cst.Tuple() | cst.List()), Sequence(items=items)) if items is not None:
            for element, item in zip(written.elements, items, strict=False):
                if isinstance(element, cst.Element) and any(each is leaf for each in leaves(item)):
                    return part_spelled(element.value, item, leaf)
        case cst.Dict(), Dictionary(entries=entries):
            for entry in written.elements:
                if isinstance(entry, cst.DictElement) and isinstance(entry.key, cst.SimpleString):
                    held = entries.get(entry.key.evaluated_value)
                    if held is not None and any(each is leaf for each in leaves(held)):
                        return part_spelled(entry.value, held, leaf)
    return None


def _update_of(state: Dictionary, node: cst.CSTNode, frame: Frame) -> Mutation | None:
    """What updates the parameters in a ``state_dict()`` in each iteration of a loop around, which goes on after it."""
    if not state.state_dict:
        return None
    for loop in frame.loops:
        for mutation, updated in loop.updates:
            # Objects of one class have their storages in common.
            told = bool(state.of and mutation.modules)
            known = state.of in mutation.modules if told else bool(state.storages & updated)
            if known and not leaves_loop(node, loop.node):
                return mutation
    return None
