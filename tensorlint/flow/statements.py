"""Statements: executed in order on an environment; branches join, loops run to a small fixpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Sequence as Nodes
from types import MappingProxyType
from typing import Any

import libcst as cst

from tensorlint.flow.assignments import Assignments
from tensorlint.flow.branches import Branches, asked_again
from tensorlint.flow.definitions import Definitions
from tensorlint.flow.domain.inside import leaves
from tensorlint.flow.domain.memory import Container
from tensorlint.flow.domain.tensors import Array, Tensor
from tensorlint.flow.domain.values import NONE, Scalar
from tensorlint.flow.keeping import part_spelled
from tensorlint.flow.loops import Loops
from tensorlint.flow.state import Frame

#: How often in one call the rest of a block is followed twice, once for each answer to a test.
_MAX_SPLITS = 2


class Statements(Assignments, Branches, Loops, Definitions):
    def execute(self, body: Nodes[cst.CSTNode], frame: Frame) -> None:
        for position, statement in enumerate(body):
            if not frame.alive:
                return
            handler = _HANDLERS.get(type(statement))
            if handler is not None:
                handler(self, statement, frame)
            flag = asked_again(statement, body, position) if frame.splits < _MAX_SPLITS else None
            if flag is not None:
                self.split(*flag, body[position + 1 :], frame)
                return

    def _line(self, node: cst.SimpleStatementLine | cst.SimpleStatementSuite, frame: Frame) -> None:
        self.execute(node.body, frame)

    def _block(self, node: cst.BaseSuite, frame: Frame) -> None:
        self.execute(node.body, frame)

    # Simple statements.

    def _expression(self, node: cst.Expr, frame: Frame) -> None:
        if type(node.value) is cst.SimpleString:
            return
        frame.bare_call = node.value
        self.evaluate(node.value, frame)
        frame.bare_call = None

    def _return(self, node: cst.Return, frame: Frame) -> None:
        value = self.evaluate(node.value, frame) if node.value is not None else NONE
        self.hand_on(frame, node, value)
        if node.value is not None and frame.depth == 0:
            for leaf in leaves(value):
                if not isinstance(leaf, (Tensor, Array)):
                    continue
                part = part_spelled(node.value, value, leaf)
                frame.handed_out.append((part or node.value, leaf, Container.RETURN, part))
        frame.returned.append(value)
        frame.exits.append((frame.env.changed, frame.env.rebound))
        frame.alive = False

    def _raise(self, node: cst.Raise, frame: Frame) -> None:
        if node.exc is not None:
            self.evaluate(node.exc, frame)
        frame.alive = False

    def _break(self, node: cst.Break, frame: Frame) -> None:
        if frame.loops:
            frame.loops[-1].breaks.append(frame.env)
        frame.alive = False

    def _continue(self, node: cst.Continue, frame: Frame) -> None:
        if frame.loops:
            frame.loops[-1].continues.append(frame.env)
        frame.alive = False

    def _assert(self, node: cst.Assert, frame: Frame) -> None:
        self.note_test(node.test, node)
        test = self.evaluate(node.test, frame)
        if isinstance(test, Scalar) and test.known and test.literal is False:
            # ``assert False, "not yet"`` is a way to raise.
            frame.alive = False
        self.narrow(node.test, frame, holds=True)

    def _global(self, node: cst.Global, frame: Frame) -> None:
        frame.globals.update(item.name.value for item in node.names)

    def _nonlocal(self, node: cst.Nonlocal, frame: Frame) -> None:
        frame.nonlocals.update(item.name.value for item in node.names)


Handler = Callable[[Any, Any, Frame], None]
_HANDLERS: Mapping[type[cst.CSTNode], Handler] = MappingProxyType(
    {
        cst.SimpleStatementLine: Statements._line,
        cst.SimpleStatementSuite: Statements._line,
        cst.IndentedBlock: Statements._block,
        cst.Expr: Statements._expression,
        cst.Assign: Statements._assignment,
        cst.AnnAssign: Statements._annotated,
        cst.AugAssign: Statements._augmented,
        cst.Return: Statements._return,
        cst.Raise: Statements._raise,
        cst.Break: Statements._break,
        cst.Continue: Statements._continue,
        cst.Del: Statements._delete,
        cst.Assert: Statements._assert,
        cst.Global: Statements._global,
        cst.Nonlocal: Statements._nonlocal,
        cst.Import: Statements._import_statement,
        cst.ImportFrom: Statements._import_from,
        cst.If: Statements._if,
        cst.Match: Statements._match,
        cst.Try: Statements._try,
        cst.TryStar: Statements._try,
        cst.For: Statements._for,
        cst.While: Statements._while,
        cst.With: Statements._with,
        cst.FunctionDef: Statements._function,
        cst.ClassDef: Statements._class,
    }
)
