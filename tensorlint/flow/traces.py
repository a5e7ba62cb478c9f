"""What leaves torch while a network is traced, and whether it has a part in what a function returns, by its text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import libcst as cst

from tensorlint.flow.details import Escape
from tensorlint.flow.tree import children, contains, dotted_name, parameters_of, walk_scope

#: What is asked of a tensor, or of a class, that tells nothing of its numbers.
_OF_FORM = frozenset(
    {
        *("shape", "size", "ndim", "dim", "ndimension", "numel", "nelement", "stride", "dtype", "device", "layout"),
        *("is_cuda", "requires_grad", "is_contiguous", "element_size", "itemsize", "nbytes", "data_ptr", "get_device"),
        *("zeros_like", "ones_like", "empty_like", "full_like", "rand_like", "randn_like", "randint_like"),
        *("new_zeros", "new_ones", "new_empty", "new_full", "new_tensor", "type", "__class__", "training"),
    }
)
_OF_OBJECTS = frozenset({"len", "isinstance", "type", "id", "hasattr", "callable"})
#: Tests whose answer is known while a network is traced.
_DECIDED = frozenset({"training", "is_tracing", "is_scripting", "is_in_onnx_export", "is_exporting", "is_compiling"})
_LEAVES = (cst.Return, cst.Raise, cst.Break, cst.Continue)


@dataclass(frozen=True)
class Step:
    """Names are bound or changed, or something is returned: then there are none."""

    names: frozenset[str]
    #: All that has a part in it; behind the value, what says how often the loops around run.
    parts: tuple[cst.CSTNode, ...]
    #: Whether what the names held before is gone.
    anew: bool = False

    @cached_property
    def reads(self) -> frozenset[str]:
        return frozenset(name for part in self.parts for name in reads(part))


class Flow:
    """What a function computes of what it is given, and what of that it returns, by the names in its text."""

    def __init__(self, function: cst.FunctionDef | cst.Lambda) -> None:
        self.function = function
        self.parameters = {each.name.value for each in parameters_of(function)} - {"self", "cls"}
        #: In the order of the text.
        self.steps: list[Step] = []
        self._read(function.body, (), sure=True)

    def _read(self, node: cst.CSTNode, rounds: tuple[cst.CSTNode, ...], *, sure: bool) -> None:
        inside = rounds
        if isinstance(node, (cst.FunctionDef, cst.ClassDef, cst.Lambda)):
            return
        if isinstance(node, (cst.For, cst.While)):
            inside = (*rounds, node.iter if isinstance(node, cst.For) else node.test)
        looped = isinstance(node, (cst.For, cst.CompFor))
        if looped:
            self._step(node, rounds, sure=sure)
        below = sure and not isinstance(node, (cst.If, cst.For, cst.While, cst.Try, cst.Match))
        for child in children(node):
            self._read(child, inside, sure=below)
        if not looped:
            # What an expression binds on the way is bound before what is made of it.
            self._step(node, rounds, sure=sure)

    def _step(self, node: cst.CSTNode, rounds: tuple[cst.CSTNode, ...], *, sure: bool) -> None:
        match node:
            case cst.Return(value=value) | cst.Yield(value=value) if value is not None:
                self.steps.append(Step(frozenset(), (value, *rounds)))
            case cst.Assign(targets=targets, value=value):
                self._make([target.target for target in targets], value, rounds, anew=sure)
            case cst.AnnAssign(target=target, value=value) if value is not None:
                self._make([target], value, rounds, anew=sure)
            case cst.AugAssign(target=target, value=value) | cst.NamedExpr(target=target, value=value):
                self._make([target], value, rounds)
            case cst.For(target=target, iter=value) | cst.CompFor(target=target, iter=value):
                self._make([target], value, rounds)
            case cst.Expr(value=cst.Call(func=cst.Attribute(value=receiver), args=arguments)):
                # ``out.append(x)`` and ``x.mul_(y)`` change what they are called on.
                for argument in arguments:
                    self._make([receiver], argument.value, rounds)
            case cst.BaseExpression() if isinstance(self.function, cst.Lambda) and node is self.function.body:
                self.steps.append(Step(frozenset(), (node,)))
            case _:
                pass

    def _make(
        self,
        targets: list[cst.BaseExpression],
        value: cst.CSTNode,
        rounds: tuple[cst.CSTNode, ...],
        *,
        anew: bool = False,
    ) -> None:
        names = frozenset(name for target in targets for name in _bound(target))
        whole = all(isinstance(target, (cst.Name, cst.Tuple, cst.List)) for target in targets)
        self.steps.append(Step(names, (value, *rounds), anew=anew and whole))

    def parameters_behind(self, sources: tuple[cst.CSTNode, ...], node: cst.CSTNode) -> frozenset[str]:
        """The parameters that ``sources`` are computed of, which stand in ``node``."""
        found: set[str] = set()
        names = frozenset(name for source in sources for name in reads(source))
        waiting = [(position, name) for position in self._steps_with(node) for name in names]
        seen = set(waiting)
        while waiting:
            position, name = waiting.pop()
            for before, step in self._steps_before(position):
                if name in step.names:
                    more = {(before, each) for each in step.reads} - seen
                    seen |= more
                    waiting += more
                    if step.anew and before < position and name not in step.reads:
                        break
            else:
                found |= {name} & self.parameters
        return frozenset(found)

    def returns(self, node: cst.CSTNode) -> bool:
        """Whether ``node`` has a part in what is returned."""
        waiting = self._steps_with(node)
        seen = set(waiting)
        while waiting:
            position = waiting.pop()
            if not self.steps[position].names:
                return True
            for name in self.steps[position].names:
                for behind, step in self._steps_behind(position):
                    if name in step.reads and behind not in seen:
                        seen.add(behind)
                        waiting.append(behind)
                    if step.anew and behind > position and name in step.names and name not in step.reads:
                        break
        return False

    def _steps_with(self, node: cst.CSTNode) -> list[int]:
        return [
            position for position, step in enumerate(self.steps) if any(_carries(part, node) for part in step.parts)
        ]

    def _steps_before(self, position: int) -> Iterator[tuple[int, Step]]:
        """The steps that may come before one, the nearest first; in loops those that stand behind it, too."""
        if self._is_repeated(position):
            yield from ((each, step) for each, step in enumerate(self.steps) if each >= position)
        yield from ((each, self.steps[each]) for each in range(position - 1, -1, -1))

    def _steps_behind(self, position: int) -> Iterator[tuple[int, Step]]:
        if self._is_repeated(position):
            yield from ((each, step) for each, step in enumerate(self.steps) if each <= position)
        yield from ((each, step) for each, step in enumerate(self.steps) if each > position)

    def _is_repeated(self, position: int) -> bool:
        return len(self.steps[position].parts) > 1

    def comes_by(self, node: cst.CSTNode) -> bool:
        """Whether every run that is traced comes by ``node``, as far as is seen."""
        for each in walk_scope(self.function):
            if each is node:
                return True
            if isinstance(each, _LEAVES) and not contains(each, node):
                return False
            match each:
                case cst.If(test=test) | cst.IfExp(test=test) if not _is_decided(test):
                    if not contains(test, node) and contains(each, node):
                        return False
                case cst.Try() | cst.While() | cst.Match() | cst.BooleanOperation() | cst.Assert():
                    if contains(each, node):
                        return False
        return isinstance(self.function, cst.Lambda)


def escaped(function: cst.FunctionDef | cst.Lambda, escapes: list[Escape], *, every: bool) -> tuple[Escape, ...]:
    """Those that are computed of what the function is given, and have a part in what it returns; or ``every`` one."""
    flow, found = Flow(function), dict[Escape, None]()
    for escape in escapes:
        parameters = flow.parameters_behind(escape.sources, escape.node)
        if every or (parameters and flow.returns(escape.node)):
            sure = escape.sure and flow.comes_by(escape.node)
            found.setdefault(replace(escape, sure=sure, parameters=parameters))
    return tuple(found)


def handed_on(
    escapes: tuple[Escape, ...], node: cst.CSTNode, given: Mapping[str, cst.CSTNode], *, every: bool
) -> Iterator[Escape]:
    """The same in the function that calls at ``node``, with ``given`` for the parameters."""
    for escape in escapes:
        sources = tuple(given[name] for name in sorted(escape.parameters) if name in given)
        if every or sources:
            yield replace(escape, node=node, sources=sources, parameters=frozenset())


def reads(node: cst.CSTNode) -> Iterator[str]:
    """The names whose numbers have a part in ``node``, ``self.name`` as one."""
    for part in _parts(node):
        match part:
            case cst.Attribute(value=cst.Name(value="self"), attr=attribute):
                yield f"self.{attribute.value}"
            case cst.Name(value=name):
                yield name


def _parts(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """``node`` and what is below it, without what only asks for the form of something."""
    yield node
    match node:
        case cst.Attribute(attr=attribute) if attribute.value in _OF_FORM:
            return
        case cst.Attribute(value=inner):
            yield from _parts(inner)
        case cst.Call(func=cst.Attribute(attr=method)) if method.value in _OF_FORM:
            return
        case cst.Call(func=cst.Name(value=name)) if name in _OF_OBJECTS:
            return
        case cst.Call(func=cst.Name(), args=arguments):
            for argument in arguments:
                yield from _parts(argument)
        case cst.Arg(value=inner):
            yield from _parts(inner)
        case cst.Lambda():
            return
        case _:
            for child in children(node):
                yield from _parts(child)


def _carries(whole: cst.CSTNode, node: cst.CSTNode) -> bool:
    return any(part is node for part in _parts(whole))


def _bound(target: cst.CSTNode) -> Iterator[str]:
    match target:
        case cst.Name(value=name):
            yield name
        case cst.Attribute(value=cst.Name(value="self"), attr=attribute):
            yield f"self.{attribute.value}"
        case cst.Attribute(value=inner) | cst.Subscript(value=inner) | cst.Call(func=inner):
            yield from _bound(inner)
        case cst.Tuple() | cst.List() | cst.Element() | cst.StarredElement():
            for child in children(target):
                yield from _bound(child)
        case _:
            pass


def _is_decided(test: cst.BaseExpression) -> bool:
    """``self.training``, ``not torch.jit.is_tracing()``: what is not taken was not followed."""
    if isinstance(test, cst.UnaryOperation):
        return _is_decided(test.expression)
    asked = dotted_name(test.func if isinstance(test, cst.Call) else test)
    return asked.split(".")[-1] in _DECIDED
