"""Statements: executed in order on an environment; branches join, loops run to a small fixpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Sequence as Nodes
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import libcst as cst

from tensorlint.flow import events
from tensorlint.flow.annotations import value_of
from tensorlint.flow.call import Argument
from tensorlint.flow.domain.facts import NO_FACT, Fact, Truth
from tensorlint.flow.domain.inside import as_trainable, is_usual, leaves, storages_of
from tensorlint.flow.domain.lattice import any_element, join
from tensorlint.flow.domain.memory import NO_STORAGE, gradients_of
from tensorlint.flow.domain.values import (
    MAYBE_GRAD,
    NONE,
    PARAMETER_OF_MODULE,
    UNKNOWN,
    Array,
    ClassObject,
    DeviceValue,
    Dictionary,
    Foreign,
    Function,
    Module,
    Origin,
    Scalar,
    Sequence,
    Symbol,
    Tensor,
    Unknown,
    Value,
)
from tensorlint.flow.expressions import FLOATS
from tensorlint.flow.hanging import hung
from tensorlint.flow.index import ClassInfo, FunctionInfo, dotted_name, names_in
from tensorlint.flow.machine import Machine, declared_value
from tensorlint.flow.memory import of_no_model, part_spelled, without_aliases
from tensorlint.flow.models.arithmetic import combine
from tensorlint.flow.models.items import element_of, index_value
from tensorlint.flow.models.tensors import set_grad
from tensorlint.flow.models.torch_functions import AUTOCAST
from tensorlint.flow.state import GRAD_OFF, Environment, Frame, Loop
from tensorlint.flow.tree import children

#: How often in one call the rest of a block is followed twice, once for each answer to a test.
_MAX_SPLITS = 2
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
_GRAD_CONTEXTS = {"torch.no_grad()": GRAD_OFF, "torch.enable_grad()": Fact(Truth.YES)}


class Statements(Machine):
    def execute(self, body: Nodes[cst.CSTNode], frame: Frame) -> None:
        for position, statement in enumerate(body):
            if not frame.alive:
                return
            handler = _HANDLERS.get(type(statement))
            if handler is not None:
                handler(self, statement, frame)
            flag = _flag(statement)
            if flag is not None and frame.splits < _MAX_SPLITS:
                rest = body[position + 1 :]
                if sum(_tests_of(flag[0], later) for later in rest) > (type(flag[1]) is cst.Call):
                    self._split(*flag, rest, frame)
                    return

    def _split(self, name: str, test: cst.BaseExpression, rest: Nodes[cst.CSTNode], frame: Frame) -> None:
        """``is_array = isinstance(x, np.ndarray)``, tested again and again: what one answer did holds at the next."""
        frame.splits += 1
        before, paths = frame.env, []
        for holds in (True, False):
            frame.env, frame.alive = before.copy(), True
            self.narrow(test, frame, holds=holds)
            frame.env.bind(name, Scalar(kind="bool", literal=holds, known=True))
            self.execute(rest, frame)
            paths.append((frame.env, frame.alive))
        self._merge(frame, *paths)

    def _line(self, node: cst.SimpleStatementLine | cst.SimpleStatementSuite, frame: Frame) -> None:
        self.execute(node.body, frame)

    def _block(self, node: cst.BaseSuite, frame: Frame) -> None:
        self.execute(node.body, frame)

    # Simple statements.

    def _expression(self, node: cst.Expr, frame: Frame) -> None:
        if type(node.value) is cst.SimpleString:
            return
        self.bare_call = node.value
        self.evaluate(node.value, frame)
        self.bare_call = None

    def _assignment(self, node: cst.Assign, frame: Frame) -> None:
        match node:
            case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=name))], value=cst.Call()):
                self.named_call = node.value, name
        value = self.evaluate(node.value, frame)
        for target in node.targets:
            self.assigned = node.value if len(node.targets) == 1 else None
            self.assign(target.target, value, frame)
        self.assigned = None

    def _annotated(self, node: cst.AnnAssign, frame: Frame) -> None:
        declared = value_of(node.annotation.annotation, lambda inner: self.resolve(inner, frame))
        value = self.evaluate(node.value, frame) if node.value is not None else UNKNOWN
        if declared is not None and isinstance(value, Unknown):
            value = declared_value(declared, value)
        if node.value is not None or (declared is not None and dotted_name(node.target) not in frame.env.bindings):
            self.assign(node.target, value, frame)

    def _augmented(self, node: cst.AugAssign, frame: Frame) -> None:
        current = self.evaluate(node.target, frame)
        operand = self.evaluate(node.value, frame)
        path = dotted_name(node.target)
        if isinstance(current, Tensor) and isinstance(operand, Array):
            # ``t -= array`` is answered by a new tensor: nothing is written in place.
            self.assign(node.target, combine(self, current, operand, node, frame), frame)
            return
        if isinstance(current, Array) or (isinstance(current, (Tensor, Unknown)) and current.storages):
            self.write(frame, node, current, path or dotted_name(_base(node.target)), "augmented")
        if isinstance(current, (Tensor, Array)):
            combined = combine(self, current, operand, node, frame)
            if isinstance(current, Tensor) and isinstance(combined, Tensor):
                changed = replace(current, grad=combined.grad, device=combined.device)
                if path:
                    self._keep_stale(path, changed, frame)
            elif isinstance(combined, Tensor):
                self.assign(node.target, combined, frame)
            return
        combined = combine(self, current, operand, node, frame)
        if isinstance(current, Unknown) and isinstance(combined, Unknown):
            combined = replace(combined, storages=current.storages)
        self.assign(node.target, combined, frame)

    @staticmethod
    def _keep_stale(path: str, value: Value, frame: Frame) -> None:
        stale = frame.env.stale.get(path)
        frame.env.bind(path, value)
        if stale is not None:
            frame.env.stale[path] = stale

    def _return(self, node: cst.Return, frame: Frame) -> None:
        value = self.evaluate(node.value, frame) if node.value is not None else NONE
        self.hand_on(frame, node, value)
        if node.value is not None and frame.depth == 0:
            for leaf in leaves(value):
                if not isinstance(leaf, (Tensor, Array)):
                    continue
                part = part_spelled(node.value, value, leaf)
                frame.handed_out.append((part or node.value, leaf, "return", part))
        frame.returned.append(value)
        frame.exits.append(frame.env.changed)
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

    def _delete(self, node: cst.Del, frame: Frame) -> None:
        targets = (
            [element.value for element in node.target.elements] if isinstance(node.target, cst.Tuple) else [node.target]
        )
        for target in targets:
            frame.env.unbind(dotted_name(target))

    def _assert(self, node: cst.Assert, frame: Frame) -> None:
        self.note_test(node.test, node)
        self.evaluate(node.test, frame)
        self.narrow(node.test, frame, holds=True)

    def _global(self, node: cst.Global, frame: Frame) -> None:
        frame.globals.update(item.name.value for item in node.names)

    def _nonlocal(self, node: cst.Nonlocal, frame: Frame) -> None:
        frame.nonlocals.update(item.name.value for item in node.names)

    # Imports.

    def _import_statement(self, node: cst.Import, frame: Frame) -> None:
        for alias in node.names:
            path = dotted_name(alias.name)
            if alias.asname is not None and isinstance(alias.asname.name, cst.Name):
                self._bind_import(alias.asname.name.value, path, frame)
            else:
                top = path.split(".")[0]
                self._bind_import(top, top, frame)

    def _import_from(self, node: cst.ImportFrom, frame: Frame) -> None:
        base = dotted_name(node.module) if node.module is not None else ""
        if node.relative:
            base = f".{base}"
        if isinstance(node.names, cst.ImportStar):
            self.lessons.imported_star = True
            return
        for alias in node.names:
            name = dotted_name(alias.name)
            bound = (
                alias.asname.name.value
                if alias.asname is not None and isinstance(alias.asname.name, cst.Name)
                else name
            )
            self._bind_import(bound, f"{base}.{name}", frame)

    def _bind_import(self, name: str, path: str, frame: Frame) -> None:
        frame.env.bind(name, Scalar(kind="float", known=True) if path in FLOATS else Symbol(path=path))
        self.lessons.imported.add(name)
        if frame.function is None:
            self.lessons.typing_only.discard(name)
            self.lessons.imported_on_one_path.discard(name)

    # Assignment targets.

    def assign(self, target: cst.CSTNode, value: Value, frame: Frame) -> None:
        match target:
            case cst.Name(value=name):
                if name in frame.globals:
                    self.module_env.bind(name, value)
                elif name in frame.nonlocals:
                    frame.env.bind_around(name, value)
                self._let_go(name, value, frame)
                frame.env.bind(name, value)
            case cst.Tuple() | cst.List():
                self._unpack(target, value, frame)
            case cst.StarredElement(value=inner):
                self.assign(inner, Sequence(element=value), frame)
            case cst.Attribute():
                self._assign_attribute(target, value, frame)
            case cst.Subscript():
                self._assign_item(target, value, frame)

    def _let_go(self, path: str, value: Value, frame: Frame) -> None:
        """Where ``path`` is another model or leaf from here on, nobody trains the one it was before."""
        held = frame.env.bindings.get(path) if self.lessons.snapshots else None
        if not isinstance(held, (Tensor, Module, Unknown)) or not isinstance(value, (Tensor, Module, Unknown)):
            return
        if self.assigned is None or path.partition(".")[0] in names_in(self.assigned):
            # ``model = DataParallel(model)``
            return
        gradients = gradients_of(held.storages) if isinstance(held, Tensor) else NO_STORAGE
        for name, kept in list(frame.env.items()):
            if isinstance(kept, (Dictionary, Sequence, Tensor, Array)):
                let = without_aliases(kept, gradients) if gradients else of_no_model(kept, path)
                frame.env.bindings[name] = let

    def _rebound(self, parameter: Tensor, frame: Frame) -> None:
        """Every parameter of a model got other memory: what was kept of it before stays as it is."""
        for name, kept in list(frame.env.items()):
            if isinstance(kept, (Dictionary, Sequence, Array)) and storages_of(kept) & parameter.storages:
                if isinstance(kept, Array) and kept.alias is not None:
                    self.lessons.exports_taken_back.add(kept.alias)
                frame.env.bindings[name] = without_aliases(of_no_model(kept), parameter.storages)

    def _unpack(self, target: cst.Tuple | cst.List, value: Value, frame: Frame) -> None:
        elements = target.elements
        self.assigned = None
        starred = any(isinstance(element, cst.StarredElement) for element in elements)
        if (
            isinstance(value, Sequence)
            and value.items is not None
            and not starred
            and len(value.items) == len(elements)
        ):
            for element, item in zip(elements, value.items, strict=True):
                self.assign(element.value, item, frame)
            return
        if isinstance(value, Sequence) and value.kind != "loader" and value.items is None and value.element is None:
            value = UNKNOWN
        each = element_of(self, value, target, frame)
        for element in elements:
            item = (
                Sequence(element=each)
                if isinstance(element, cst.StarredElement)
                else self._part_of(each, element.value)
            )
            self.assign(element.value, item, frame)

    def _part_of(self, value: Value, name: cst.BaseExpression) -> Value:
        """One of the values that a tuple is unpacked into: an object of its own, known by its name from here on."""
        if isinstance(value, Unknown):
            value = replace(value, origin=Origin(self.at(name), "unpacked here"))
            if self.at(name) in self.lessons.differentiated and value.grad.truth is Truth.UNKNOWN:
                value = replace(value, grad=Fact(Truth.MAYBE, self.at(name), "`.backward()` goes through it"))
            elif self.at(name) not in self.lessons.differentiated and value.grad.truth is Truth.MAYBE:
                # Of several outputs of a network, some are what it was given.
                value = replace(value, grad=replace(value.grad, truth=Truth.UNKNOWN))
        return replace(value, oid=self.next_serial()) if isinstance(value, (Tensor, Array, Unknown)) else value

    def _assign_attribute(self, target: cst.Attribute, value: Value, frame: Frame) -> None:
        name = target.attr.value
        owner = self.evaluate(target.value, frame)
        if name == "requires_grad" and isinstance(owner, (Tensor, Unknown)):
            grad = Fact(Truth.MAYBE, self.at(target), "may need a gradient from here on")
            if isinstance(value, Scalar) and value.known:
                grad = (
                    Fact(Truth.YES, self.at(target), "needs a gradient from here on")
                    if value.literal is True
                    else NO_FACT
                )
            set_grad(self, owner, grad, frame)
            return
        if name in {"data", "grad"} and isinstance(owner, Tensor):
            if name == "data" and owner.source == PARAMETER_OF_MODULE:
                self._rebound(owner, frame)
            if name == "grad":
                self.release_gradients(frame, gradients_of(owner.storages))
            return
        path = dotted_name(target)
        if not path:
            return
        if isinstance(owner, Module) and owner.trainable is not Truth.YES and self.trainable(value) is Truth.YES:
            # ``model.fc = nn.Linear(...)``: a new head on a frozen model. What it had before stays frozen.
            frame.env.change(owner, lambda held: as_trainable(held, Truth.YES))
        frame.env.bind(path, value)
        head, _, attribute = path.partition(".")
        if head == frame.self_name and frame.self_name and "." not in attribute and frame.cls is not None:
            if self.learning:
                self.record_attribute(frame.cls, attribute, value)
            self.store(frame, target, value, "attribute", path)

    def _assign_item(self, target: cst.Subscript, value: Value, frame: Frame) -> None:
        owner = self.evaluate(target.value, frame)
        indices = [index_value(self, element.slice, frame) for element in target.slice]
        path = dotted_name(target.value)
        if indices and isinstance(owner, (Dictionary, Unknown)):
            self.keep_under(indices[0], value)
        match owner:
            case Tensor() | Array() | Unknown():
                whole = all(_is_everything(element.slice) for element in target.slice)
                if owner.storages or isinstance(owner, Array):
                    filled = whole and not getattr(owner, "sliced", False)
                    self.write(frame, target, owner, path or dotted_name(_base(target)), "fill" if filled else "item")
                if isinstance(owner, Array) and not (owner.dtype == "object" and not _takes_part(target)):
                    # (An element of an object array holds the tensor itself.)
                    argument = Argument(self.assigned or target, value)
                    objects = not owner.dtype and not _takes_part(target)
                    self.emit(frame, events.ItemWrite, target, target=owner, value=argument, objects=objects)
                if isinstance(owner, Tensor) and isinstance(value, Tensor) and value.grad.truth > owner.grad.truth:
                    set_grad(self, owner, self.result_grad(value.grad, frame), frame)
                if isinstance(owner, Unknown) and not _takes_part(target):
                    self.store(frame, target, value, "slot", path, written=self.assigned)
            case Dictionary():
                key = indices[0] if indices else UNKNOWN
                if isinstance(key, Scalar) and key.known:
                    grown = replace(owner, entries={**owner.entries, key.literal: value})
                elif isinstance(owner.element, Unknown):
                    # One more among entries that were not seen says nothing of the others.
                    grown = owner
                else:
                    grown = replace(owner, element=join(owner.element, value) if owner.element is not None else value)
                frame.env.change(owner, lambda held: grown)
                self.store(frame, target, value, "item", path, owner.born, self.assigned)
            case Sequence():
                contents = join(any_element(owner), value) if owner.items != () else value
                frame.env.change(owner, lambda held: replace(owner, items=None, element=contents))
                self.store(frame, target, value, "item", path, owner.born, self.assigned)

    # Branches.

    def _if(self, node: cst.If, frame: Frame) -> None:
        self.note_test(node.test, node)
        mode = frame.env.grad_mode
        self._branches(node, frame)
        if self._switch(mode) is not None:
            # What a branch knew of gradients, by its test, is not known behind it.
            frame.env.grad_mode = mode

    def _branches(self, node: cst.If, frame: Frame) -> None:
        test = self.evaluate(node.test, frame)
        before = frame.env
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
        if isinstance(test, Scalar) and test.known and test.literal is True and type(node.test) is not cst.Attribute:
            frame.env, frame.alive = taken
            return
        frame.env, frame.alive = before.copy(), True
        self.narrow(node.test, frame, holds=False)
        self._switched(node.test, frame, holds=False)
        if isinstance(node.orelse, cst.If):
            self._if(node.orelse, frame)
        elif node.orelse is not None:
            self.execute(node.orelse.body.body, frame)
        if taken[1] and frame.alive:
            one_path = taken[0].bindings.keys() ^ frame.env.bindings.keys()
            self.lessons.imported_on_one_path |= one_path & self.lessons.imported
        if taken[1] and is_usual(test):
            # Both were followed, so that what is wrong in either is seen; what comes after follows the usual one.
            frame.env, frame.alive = taken
            return
        left = (frame.env, frame.alive)
        self._merge(frame, taken, left)
        if taken[1] and left[1]:
            self._hang(node.test, before, taken[0], left[0], frame)

    def _hang(
        self, test: cst.BaseExpression, before: Environment, taken: Environment, left: Environment, frame: Frame
    ) -> None:
        """``if cuda: x = x.cuda()``: whether x is off the CPU hangs on the flag, which may be asked again."""
        for path, value in list(frame.env.items()):
            first, second = taken.lookup(path), left.lookup(path)
            if first is not second and first is not None and second is not None:
                frame.env.bindings[path] = hung(self, value, test, before.lookup(path), first, second)

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

    def _merge(self, frame: Frame, *paths: tuple[Environment, bool]) -> None:
        alive = [env for env, arrives in paths if arrives]
        if not alive:
            frame.alive = False
            return
        merged = alive[0]
        for env in alive[1:]:
            merged = merged.joined(env, lambda path: self.lookup(path, frame))
        frame.env, frame.alive = merged, True

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
        self._merge(frame, *paths)

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
                pass

    def _try(self, node: cst.Try | cst.TryStar, frame: Frame) -> None:
        before = frame.env.copy()
        catching = any(_catches_export(handler) for handler in node.handlers)
        frame.catching += catching
        self.execute(node.body.body, frame)
        frame.catching -= catching
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
        self._merge(frame, *paths)
        if node.finalbody is not None:
            alive, frame.alive = frame.alive, True
            self.execute(node.finalbody.body.body, frame)
            frame.alive = alive and frame.alive

    # Loops.

    def _for(self, node: cst.For, frame: Frame) -> None:
        iterable = self.evaluate(node.iter, frame)

        def enter() -> None:
            self.assign(node.target, element_of(self, iterable, node.iter, frame), frame)

        # A model has parameters: what is done to each of them is done.
        each = list(leaves(iterable)) if isinstance(iterable, Sequence) else []
        entered = any(isinstance(leaf, Tensor) and leaf.source == PARAMETER_OF_MODULE for leaf in each)
        entered |= isinstance(iterable, Sequence) and bool(iterable.items)
        self._loop(node, enter, frame, endless=False, entered=entered)

    def _while(self, node: cst.While, frame: Frame) -> None:
        self.note_test(node.test, node)

        def enter() -> None:
            self.evaluate(node.test, frame)
            self.narrow(node.test, frame, holds=True)

        endless = isinstance(node.test, cst.Name) and node.test.value == "True"
        self._loop(node, enter, frame, endless=endless)

    def _loop(
        self,
        node: cst.For | cst.While,
        enter: Callable[[], None],
        frame: Frame,
        *,
        endless: bool,
        entered: bool = False,
    ) -> None:
        """Once in silence to learn what an iteration hands to the next, once more to speak."""
        before, quiet = frame.env, frame.quiet
        loop = Loop(self.serial, node)
        silent = quiet or self.learning
        # Nobody hears a silent pass: what one iteration leaves, joined with what was before, is enough.
        rounds = 1 if silent else 2
        carried: Environment | None = None
        for remaining in reversed(range(rounds)):
            frame.quiet = quiet or remaining > 0
            frame.env = (
                before.copy() if carried is None else before.joined(carried, lambda path: self.lookup(path, frame))
            )
            frame.alive = True
            loop.breaks.clear()
            loop.continues.clear()
            loop.stored.clear()
            frame.loops.append(loop)
            enter()
            self.execute(node.body.body, frame)
            frame.loops.pop()
            self._merge(frame, (frame.env, frame.alive), *((env, True) for env in loop.continues))
            carried = frame.env if frame.alive else None
        frame.quiet = quiet
        self.stored_buffers(loop, frame)
        skipped = None if entered and carried is not None else before
        ended = [(env, True) for env in (carried, skipped) if env is not None and not endless]
        frame.alive = True
        self._merge(frame, *ended, *((env, True) for env in loop.breaks))
        if node.orelse is not None and frame.alive:
            self.execute(node.orelse.body.body, frame)

    # With.

    def _with(self, node: cst.With, frame: Frame) -> None:
        mode = frame.env.grad_mode
        device, autocast = self.default_device, self.autocast
        for item in node.items:
            value = self.evaluate(item.item, frame)
            self._enter_context(value, item.item, frame)
            if item.asname is not None:
                held = Foreign() if isinstance(value, (Symbol, Scalar)) else value
                self.assign(item.asname.name, held, frame)
        self.execute(node.body.body, frame)
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
            case Symbol(path=path) if path.startswith(AUTOCAST):
                self.autocast = path.removeprefix(AUTOCAST)
            case Unknown() | Foreign():
                called = node.func if isinstance(node, cst.Call) else node
                name = dotted_name(called).split(".")[-1]
                if any(word in name for word in ("no_grad", "inference_mode", "eval_mode", "evaluate_mode")):
                    frame.env.grad_mode = GRAD_OFF
                elif isinstance(node, cst.IfExp) or "grad" in name:
                    frame.env.grad_mode = Fact(Truth.UNKNOWN)
            case _:
                pass

    # Definitions.

    def _function(self, node: cst.FunctionDef, frame: Frame) -> None:
        site = self.at(node)
        info = self.functions.get(site)
        if info is None:
            info = self.functions[site] = FunctionInfo(node, node.name.value, site, self.lessons)
        # What stands behind the ``def`` is visible in there, too, and branches replace the environment of a frame.
        info.enclosing = frame if frame.function is not None else None
        if frame.depth == 0:
            self.queue(info)
        for decorator in node.decorators:
            self.evaluate(decorator.decorator, frame)
        frame.env.bind(node.name.value, Function(definition=site))

    def _class(self, node: cst.ClassDef, frame: Frame) -> None:
        site = self.at(node)
        info = self.classes.get(site)
        if info is None:
            info = self.classes[site] = ClassInfo(node, node.name.value, site, self.lessons)
            info.serial = self.lessons.class_serial(site, self.next_serial())
        bases = [self.evaluate(base.value, frame) for base in node.bases if base.star == ""]
        parents = [self.cls(base) for base in bases if isinstance(base, ClassObject) and base.definition != site]
        info.parents = tuple(parent for parent in parents if parent is not None)
        spelled = [dotted_name(base.value) for base in node.bases]
        info.bases = tuple(
            base.path if isinstance(base, Symbol) else name
            for base, name in zip(bases, spelled, strict=False)
            if not isinstance(base, ClassObject)
        )
        frame.env.bind(node.name.value, ClassObject(definition=site))
        self._class_body(info, frame)

    def _class_body(self, info: ClassInfo, frame: Frame) -> None:
        outer = frame.env
        frame.env = Environment(outer, outer.grad_mode)
        for statement in info.node.body.body:
            if isinstance(statement, cst.FunctionDef):
                site = self.at(statement)
                method = self.functions.get(site)
                if method is None:
                    method = self.functions[site] = FunctionInfo(
                        statement, statement.name.value, site, self.lessons, info
                    )
                method.closure = outer if frame.function is not None else None
                info.methods.setdefault(method.name, method)
                if frame.depth == 0:
                    self.queue(method)
            else:
                self.execute([statement], frame)
                self._declare_fields(statement, info, frame)
        if self.learning:
            for name, value in frame.env.bindings.items():
                told = not isinstance(value, Unknown) or value.source
                if told and name not in info.declared and name not in info.attributes:
                    self.lessons.keep_attribute(info.site, name, value)
        frame.env = outer

    def _declare_fields(self, statement: cst.CSTNode, info: ClassInfo, frame: Frame) -> None:
        """``image: np.ndarray`` in the body of a class, with or without a default: what its instances keep there."""
        for line in statement.body if isinstance(statement, cst.SimpleStatementLine) else ():
            if isinstance(line, cst.AnnAssign) and isinstance(line.target, cst.Name):
                declared = value_of(line.annotation.annotation, lambda node: self.resolve(node, frame))
                if declared is not None:
                    info.declared[line.target.value] = declared


def _excludes(test: cst.BaseExpression, other: cst.BaseExpression) -> bool:
    """Whether ``phase == "val"`` and ``phase == "train"`` cannot both hold."""
    match test, other:
        case (
            cst.Comparison(left=left, comparisons=[cst.ComparisonTarget(cst.Equal(), cst.SimpleString() as asked)]),
            cst.Comparison(left=same, comparisons=[cst.ComparisonTarget(cst.Equal(), cst.SimpleString() as wanted)]),
        ):
            return left.deep_equals(same) and asked.evaluated_value != wanted.evaluated_value
    return False


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


def _catches_export(handler: cst.ExceptHandler | cst.ExceptStarHandler) -> bool:
    """Whether a handler is there for what ``.numpy()`` raises, by name."""
    caught = handler.type
    named = (
        [element.value for element in caught.elements]
        if isinstance(caught, cst.Tuple)
        else [caught]
        if caught is not None
        else []
    )
    return any(isinstance(name, cst.Name) and name.value in {"TypeError", "RuntimeError"} for name in named)


def _base(node: cst.CSTNode) -> cst.CSTNode:
    while isinstance(node, (cst.Subscript, cst.Call)):
        node = node.value if isinstance(node, cst.Subscript) else node.func
    return node


def _takes_part(target: cst.Subscript) -> bool:
    """Whether an index holds a slice, so that several elements are meant."""
    return any(isinstance(element.slice, cst.Slice) for element in target.slice)


def _is_everything(node: cst.BaseSlice) -> bool:
    """``[:]`` or ``[...]``."""
    if isinstance(node, cst.Slice):
        return node.lower is None and node.upper is None and node.step is None
    return isinstance(node, cst.Index) and isinstance(node.value, cst.Ellipsis)


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
