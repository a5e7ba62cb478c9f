"""Paths: taken apart by tests, and joined where they meet."""

from __future__ import annotations

from collections.abc import Sequence as Nodes
from dataclasses import replace

import libcst as cst

from tensorlint.flow.domain.facts import Fact, Truth
from tensorlint.flow.domain.inside import is_unusual, is_usual
from tensorlint.flow.domain.tensors import Provenance
from tensorlint.flow.domain.values import Foreign, Scalar, Sequence, Unknown, Value
from tensorlint.flow.hanging import hung, part, where_available
from tensorlint.flow.kinds import answer, is_for_good
from tensorlint.flow.machine import Machine
from tensorlint.flow.models.items import element_of
from tensorlint.flow.scene import EVERY
from tensorlint.flow.state import GRAD_OFF, Environment, Frame, differing
from tensorlint.flow.tree import bound_in, children, dotted_name

_COMPOUND = frozenset(
    {
        cst.If,
        cst.Else,
        cst.For,
        cst.While,
        cst.With,
        cst.Try,
        cst.Finally,
        cst.ExceptHandler,
        cst.IndentedBlock,
        cst.SimpleStatementLine,
        cst.Return,
        cst.Assign,
        cst.IfExp,
    }
)
#: Stands for a part of a subject, which has no name of its own to narrow.
_PART = cst.Ellipsis()


class Branches(Machine):
    def split(self, name: str, test: cst.BaseExpression, rest: Nodes[cst.CSTNode], frame: Frame) -> None:
        """``is_array = isinstance(x, np.ndarray)``, tested again and again: what one answer did holds at the next."""
        frame.splits += 1
        before, paths = frame.env, []
        for holds in (True, False):
            frame.env, frame.alive = before.copy(), True
            self.narrow(test, frame, holds=holds)
            frame.env.bind(name, Scalar(kind="bool", literal=holds, known=True))
            self.execute(rest, frame)
            paths.append((frame.env, frame.alive))
        merge(self, frame, *paths)

    def _if(self, node: cst.If, frame: Frame) -> None:
        self.note_test(node.test, node)
        mode = frame.env.grad_mode
        self._branches(node, frame)
        if self._switch(mode) is not None:
            # What a branch knew of gradients, by its test, is not known behind it.
            frame.env.grad_mode = mode

    def _branches(self, node: cst.If, frame: Frame) -> None:
        test = answer(self, node.test, frame)
        if not isinstance(test, Scalar):
            # It may ask a tensor, and wait for it.
            frame.uploads.clear()
        before, default_device, returned = frame.env, self.default_device, len(frame.returned)
        frame.env = before.copy()
        self.narrow(node.test, frame, holds=True)
        self._switched(node.test, frame, holds=True)
        reachable = not (isinstance(test, Scalar) and test.known and test.literal is False)
        if reachable:
            self.execute(node.body.body, frame)
        if dotted_name(node.test).split(".")[-1] == "TYPE_CHECKING":
            self.lessons.typing_only |= {
                name for name, value in frame.env.bindings.items() if before.bindings.get(name) != value
            }
        taken = (frame.env, frame.alive and reachable)
        if reachable and not frame.alive:
            part(frame, node, test, returned)
        if isinstance(test, Scalar) and test.known and test.literal is True and is_for_good(node.test, frame):
            frame.env, frame.alive = taken
            return
        there, self.default_device = self.default_device, default_device
        frame.env, frame.alive = before.copy(), True
        self.narrow(node.test, frame, holds=False)
        self._switched(node.test, frame, holds=False)
        if isinstance(node.orelse, cst.If):
            self._if(node.orelse, frame)
        elif node.orelse is not None:
            self.execute(node.orelse.body.body, frame)
        if taken[1] and frame.alive:
            one, other = taken[0].bindings, frame.env.bindings
            self.lessons.imported_on_one_path |= {
                name for name in self.lessons.imported if (name in one) is not (name in other)
            }
        if taken[1] and is_usual(test):
            # Both were followed, so that what is wrong in either is seen; what comes after follows the usual one.
            frame.env, frame.alive = taken
            self.default_device = there
            return
        left = (frame.env, frame.alive)
        if left[1] and is_unusual(test):
            return
        merge(self, frame, taken, left)
        if taken[1] and left[1]:
            self.default_device = _either_default(test, there, self.default_device)
            self._hang(node.test, test, before, taken[0], left[0], frame)
        elif taken[1]:
            self.default_device = there

    def _hang(
        self,
        test: cst.BaseExpression,
        answered: Value,
        before: Environment,
        taken: Environment,
        left: Environment,
        frame: Frame,
    ) -> None:
        """``if cuda: x = x.cuda()``: whether x is off the CPU hangs on the flag, which may be asked again."""
        for path in differing(taken.bindings, left.bindings):
            value = frame.env.bindings[path]
            first, second = taken.lookup(path), left.lookup(path)
            if first is not second and first is not None and second is not None:
                joined = hung(self, value, test, answered, frame, before.lookup(path), first, second)
                frame.env.bindings[path] = where_available(joined, answered, first, second)

    def _switch(self, mode: Fact) -> cst.BaseExpression | None:
        """What ``with torch.set_grad_enabled(...)`` asks, where the answer is left to the run."""
        undecided = mode.truth in {Truth.UNKNOWN, Truth.MAYBE}
        asked = self.sites.node(mode.site) if undecided else None
        return asked.args[0].value if isinstance(asked, cst.Call) and asked.args else None

    def _switched(self, test: cst.BaseExpression, frame: Frame, *, holds: bool) -> None:
        """Under ``set_grad_enabled(train)``, ``if train`` tells whether gradients are on."""
        switch = self._switch(frame.env.grad_mode)
        if switch is None:
            return
        if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
            test, holds = test.expression, not holds
        match test:
            case cst.Comparison(comparisons=[cst.ComparisonTarget(cst.NotEqual(), other)]):
                holds = not holds
                test = test.with_changes(comparisons=[cst.ComparisonTarget(cst.Equal(), other)])
        if test.deep_equals(switch):
            frame.env.grad_mode = replace(frame.env.grad_mode, truth=Truth.YES) if holds else GRAD_OFF
        elif holds and _excludes(test, switch):
            frame.env.grad_mode = GRAD_OFF

    def _match(self, node: cst.Match, frame: Frame) -> None:
        subject = self.evaluate(node.subject, frame)
        before = frame.env
        paths: list[tuple[Environment, bool]] = []
        exhaustive = False
        for case in node.cases:
            frame.env, frame.alive = before.copy(), True
            self._bind_pattern(case.pattern, subject, node.subject, frame)
            if case.guard is not None:
                self.evaluate(case.guard, frame)
                self.narrow(case.guard, frame, holds=True)
            self.execute(case.body.body, frame)
            paths.append((frame.env, frame.alive))
            exhaustive |= case.guard is None and isinstance(case.pattern, cst.MatchAs) and case.pattern.pattern is None
        if not exhaustive:
            paths.append((before, True))
        merge(self, frame, *paths)

    def _bind_pattern(self, pattern: cst.MatchPattern, subject: Value, node: cst.BaseExpression, frame: Frame) -> None:
        """Bind what ``pattern`` captures; ``node`` spells the subject."""
        match pattern:
            case cst.MatchAs(pattern=None, name=cst.Name(value=name)):
                frame.env.bind(name, subject)
            case cst.MatchAs(pattern=inner, name=alias) if inner is not None:
                self._bind_pattern(inner, subject, node, frame)
                if alias is not None:
                    frame.env.bind(alias.value, self.current(node, frame))
            case cst.MatchClass(cls=cls):
                self.narrow_class(node, cls, frame, holds=True)
            case cst.MatchSequence(patterns=patterns):
                items = subject.items if isinstance(subject, Sequence) else None
                for position, part in enumerate(patterns):
                    if isinstance(part, cst.MatchSequenceElement):
                        known = items is not None and position < len(items)
                        item = items[position] if items and known else element_of(self, subject, node, frame)
                        self._bind_pattern(part.value, item, _PART, frame)
            case _:
                for name in bound_in(pattern):
                    frame.env.bind(name, Unknown(source=Provenance.ELEMENT))

    def _try(self, node: cst.Try | cst.TryStar, frame: Frame) -> None:
        before = frame.env.copy()
        frame.handlers.append(_handled(node))
        self.execute(node.body.body, frame)
        frame.handlers.pop()
        if frame.alive and node.orelse is not None:
            self.execute(node.orelse.body.body, frame)
        body = (frame.env, frame.alive)
        # The exception may come from anywhere in the body.
        raised = before.joined(frame.env, lambda path: self.lookup(path, frame)) if frame.alive else before
        paths = [body]
        for handler in node.handlers:
            frame.env, frame.alive = raised.copy(), True
            if handler.name is not None and isinstance(handler.name.name, cst.Name):
                frame.env.bind(handler.name.name.value, Foreign())
            self.execute(handler.body.body, frame)
            paths.append((frame.env, frame.alive))
        merge(self, frame, *paths)
        if node.finalbody is not None:
            alive, frame.alive = frame.alive, True
            self.execute(node.finalbody.body.body, frame)
            frame.alive = alive and frame.alive


def _either_default(answered: Value, there: Fact, here: Fact) -> Fact:
    """Where tensors are made when nothing is said, after ``if cuda: torch.set_default_device("cuda")``."""
    if there == here:
        return here
    joined = where_available(Unknown(device=there.joined(here)), answered, Unknown(device=there), Unknown(device=here))
    return joined.device if isinstance(joined, Unknown) else there.joined(here)


def _excludes(test: cst.BaseExpression, other: cst.BaseExpression) -> bool:
    """Whether ``phase == "val"`` and ``phase == "train"`` cannot both hold."""
    match test, other:
        case (
            cst.Comparison(left=left, comparisons=[cst.ComparisonTarget(cst.Equal(), cst.SimpleString() as asked)]),
            cst.Comparison(left=same, comparisons=[cst.ComparisonTarget(cst.Equal(), cst.SimpleString() as wanted)]),
        ):
            return left.deep_equals(same) and asked.evaluated_value != wanted.evaluated_value
    return False


def asked_again(
    statement: cst.CSTNode, body: Nodes[cst.CSTNode], position: int
) -> tuple[str, cst.BaseExpression] | None:
    """The flag that ``statement`` sets, by name and test, where the rest of its block asks for it."""
    flag = _flag(statement)
    if flag is None:
        return None
    name, test = flag
    # What a call found is worth a second run of the rest only where it is asked for more than once.
    needed = 2 if type(test) is cst.Call else 1
    return flag if sum(_tests_of(name, later) for later in body[position + 1 :]) >= needed else None


def _flag(statement: cst.CSTNode) -> tuple[str, cst.BaseExpression] | None:
    """The name and the test of ``name = isinstance(...)``, ``name = x.is_cuda`` and the like."""
    if type(statement) is not cst.SimpleStatementLine or len(statement.body) != 1:
        return None
    (line,) = statement.body
    if type(line) is not cst.Assign or len(line.targets) != 1 or type(line.targets[0].target) is not cst.Name:
        return None
    test = line.value
    told = type(test) is cst.Call and dotted_name(test.func).split(".")[-1] in {"isinstance", "is_tensor"}
    told |= type(test) is cst.Attribute and test.attr.value in {"is_cuda", "requires_grad"}
    return (line.targets[0].target.value, test) if told else None


def _tests_of(name: str, statement: cst.CSTNode) -> int:
    """How many ``if`` statements and conditional expressions at hand ask for the flag ``name``; functions apart."""
    kind = type(statement)
    if kind is cst.FunctionDef or kind is cst.ClassDef or kind is cst.Lambda:
        return 0
    asked = kind in (cst.If, cst.IfExp) and _asks_for(name, statement.test)  # type: ignore[attr-defined]
    blocks = kind in _COMPOUND
    inner = children(statement) if blocks else ()
    return asked + sum(_tests_of(name, child) for child in inner)


def _asks_for(name: str, test: cst.CSTNode) -> bool:
    if type(test) is cst.UnaryOperation:
        return _asks_for(name, test.expression)
    return type(test) is cst.Name and test.value == name


def _handled(node: cst.Try | cst.TryStar) -> frozenset[str]:
    """The exceptions that a ``try`` is there for. Whatever is raised only means one of them in one statement."""
    named = frozenset().union(*map(_caught_by, node.handlers))
    broad = any(_caught_by(handler) <= {"Exception", "BaseException"} for handler in node.handlers)
    return named | {EVERY} if broad and len(node.body.body) == 1 else named


def _caught_by(handler: cst.ExceptHandler | cst.ExceptStarHandler) -> frozenset[str]:
    caught = handler.type
    named = (
        [element.value for element in caught.elements]
        if isinstance(caught, cst.Tuple)
        else [caught]
        if caught is not None
        else []
    )
    return frozenset(name.value for name in named if isinstance(name, cst.Name))


def merge(machine: Machine, frame: Frame, *paths: tuple[Environment, bool]) -> None:
    alive = [env for env, arrives in paths if arrives]
    if not alive:
        frame.alive = False
        return
    merged = alive[0]
    for env in alive[1:]:
        merged = merged.joined(env, lambda path: machine.lookup(path, frame))
    frame.env, frame.alive = merged, True
