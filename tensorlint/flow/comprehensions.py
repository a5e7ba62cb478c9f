"""Comprehensions and generator expressions: loops of one expression."""

from __future__ import annotations

from functools import partial

import libcst as cst

from tensorlint.flow import events
from tensorlint.flow.call import Argument
from tensorlint.flow.domain.inside import storages_of
from tensorlint.flow.domain.lattice import join
from tensorlint.flow.domain.memory import Container
from tensorlint.flow.domain.tensors import Tensor
from tensorlint.flow.domain.values import Dictionary, Sequence, Value
from tensorlint.flow.machine import Machine
from tensorlint.flow.models.hashing import is_row
from tensorlint.flow.models.items import element_of, rows_of
from tensorlint.flow.state import Frame, Loop


class Comprehensions(Machine):
    def comprehension(self, node: cst.ListComp | cst.SetComp | cst.GeneratorExp | cst.DictComp, frame: Frame) -> Value:
        outer = frame.env
        frame.env = outer.copy()
        loop = Loop(self.serial, node)
        frame.loops.append(loop)
        self._clauses(node.for_in, frame)
        if isinstance(node, cst.DictComp):
            key = self.evaluate(node.key, frame)
            self._note_member(Argument(node.key, key), frame)
            element = self.evaluate(node.value, frame)
            made: Value = Dictionary(
                element=element, storages=storages_of(element), born=self.next_serial(), oid=self.serial
            )
        else:
            kind = {cst.ListComp: "list", cst.SetComp: "set"}.get(type(node), "generator")
            element = self.evaluate(node.elt, frame)
            if kind == "set":
                self._note_member(Argument(node.elt, element), frame)
            self.store(frame, node.elt, element, Container.COMPREHENSION, "", written=node.elt)
            made = Sequence(kind=kind, element=element, born=self.next_serial(), oid=self.serial)
        frame.loops.pop()
        self.stored_buffers(loop, frame)
        outer.stored |= frame.env.stored
        inner, frame.env = frame.env.changed, outer
        for oid, (before, now) in inner.items():
            known = outer.changed.get(oid, (before, before))[1]
            if now is not known:
                # It may have been skipped by a condition, or made no round.
                outer.change(before, partial(join, now))
        return made

    def _note_member(self, member: Argument, frame: Frame) -> None:
        """Tell of a tensor in a set, or as a key, that a comprehension makes."""
        if isinstance(member.value, Tensor) and is_row(self, member, frame):
            self.emit(frame, events.Hashed, member.node, how="member", tensor=member)

    def _clauses(self, clause: cst.CompFor, frame: Frame) -> None:
        iterable = self.evaluate(clause.iter, frame)
        self.note_exported(Argument(clause.iter, iterable))
        frame.loops[-1].rows |= rows_of(self, clause.target, clause.iter, iterable, frame)
        self.assign(clause.target, element_of(self, iterable, clause.iter, frame), frame)
        for condition in clause.ifs:
            self.note_test(condition.test, condition)
            self.evaluate(condition.test, frame)
            self.narrow(condition.test, frame, holds=True)
        if clause.inner_for_in is not None:
            self._clauses(clause.inner_for_in, frame)
