"""What a loop differentiates, found in its text: the names that a backward pass in it goes through."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence

import libcst as cst

from tensorlint.flow.domain.memory import Adding
from tensorlint.flow.tree import children, contains, dotted_name, names_in, parameters_of, walk_scope
from tensorlint.knowledge.names import ROUNDS

#: ``loss.backward()``, ``accelerator.backward(loss)``, ``self.manual_backward(loss)``.
_BACKWARD = frozenset({"backward", "manual_backward"})
#: What may end a block before its end.
_LEAVES = (cst.Return, cst.Continue, cst.Break, cst.Yield)
#: A function that waits for an accelerator.
_WAITS = re.compile(r"sync|wait|barrier", re.IGNORECASE)
#: What is not handed on by what it is a part of: a method of ``self`` is no part of the graph.
_NO_GRAPH = frozenset({"self", "cls", "torch", "nn", "F"})
#: What leaves the graph of a tensor behind, or asks for something else than its numbers.
_CUTS = frozenset(
    [
        "detach",
        "data",
        "item",
        "tolist",
        "numpy",
        "shape",
        "size",
        "dtype",
        "device",
        "argmax",
        "argmin",
        "grad",
        "requires_grad",
        "backward",
        "zero_grad",
    ]
)
#: A loop of so many rounds is a long one.
_MANY = 1_000


class Differentiated:
    """The names that backward passes in a loop go through, and those that each iteration binds anew."""

    def __init__(self, loop: cst.CSTNode) -> None:
        self.names: set[str] = set()
        self.bound: set[str] = set()
        made: list[tuple[set[str], frozenset[str]]] = []
        self._branches: list[cst.If] = []
        #: Whether each iteration makes a backward pass, and none is cut short.
        self._steps = _steps(loop)
        for node in walk_scope(loop.body if isinstance(loop, (cst.For, cst.While)) else loop):
            match node:
                case cst.Call(func=cst.Attribute(value=receiver, attr=cst.Name(value=name))) if name in _BACKWARD:
                    self.names |= names_in(receiver).union(*(names_in(argument.value) for argument in node.args))
                case cst.Assign(targets=targets, value=value):
                    names = {name for target in targets for name in _names(target.target)}
                    made.append((names, names_in(value)))
                    self.bound |= names - names_in(value)
                case cst.AnnAssign(target=target, value=value) if value is not None:
                    made.append((set(_names(target)), names_in(value)))
                    self.bound |= set(_names(target))
                case cst.AugAssign(target=target, value=value):
                    made.append((set(_names(target)), names_in(value)))
                case cst.If():
                    self._branches.append(node)
                case _:
                    pass
        if isinstance(loop, cst.For):
            self.bound |= set(_names(loop.target))
        if self.names:
            before = -1
            while before != len(self.names):
                before = len(self.names)
                for names, parts in made:
                    if names & self.names:
                        self.names |= parts
        self.names -= _NO_GRAPH

    def each_time(self, node: cst.CSTNode) -> bool:
        """Whether the loop makes backward passes and reaches ``node`` in every iteration, as far as is seen."""
        return self._steps and not any(contains(branch, node) for branch in self._branches)

    def keeps(self, target: str, operand: cst.BaseExpression) -> bool:
        """Whether ``operand`` is of the graph of an iteration, and what it is added to, of all of them."""
        root = target.partition(".")[0]
        outlives = bool(target) and target not in self.names and not {root, target} & self.bound
        return outlives and bool(names_in(operand) & self.names)


def added_up(function: cst.FunctionDef | cst.Lambda) -> dict[str, Adding]:
    """The parameters that a method adds, as they are given or times others, to what it keeps on its object, and how."""
    own = [parameter.name.value for parameter in parameters_of(function)]
    found: dict[str, Adding] = {}
    for node in walk_scope(function.body):
        match node:
            case cst.AugAssign(
                target=cst.Attribute(value=cst.Name(value=owner)), operator=cst.AddAssign(), value=added
            ):
                how = Adding.SUM
            case cst.Call(
                func=cst.Attribute(value=cst.Attribute(value=cst.Name(value=owner)), attr=cst.Name(value="append")),
                args=[cst.Arg(value=added)],
            ):
                how = Adding.APPEND
            case _:
                continue
        if own and owner == own[0]:
            found |= dict.fromkeys(names_in(added) & {*own[1:]} if _is_arithmetic(added) else (), how)
    return found


def _is_arithmetic(node: cst.BaseExpression) -> bool:
    match node:
        case cst.BinaryOperation(left=left, right=right):
            return _is_arithmetic(left) and _is_arithmetic(right)
        case _:
            return isinstance(node, (cst.Name, cst.BaseNumber))


def always_differentiates(body: Sequence[cst.CSTNode]) -> bool:
    """Whether a backward pass stands in ``body`` that is reached whatever is asked on the way to it."""
    for position, statement in enumerate(body):
        match statement:
            case cst.SimpleStatementLine(body=parts):
                found = any(_is_backward(part.value) for part in parts if isinstance(part, cst.Expr))
            case cst.For(body=inner) | cst.While(body=inner) | cst.With(body=inner):
                found = always_differentiates(inner.body)
            case _:
                found = False
        if found:
            return not any(isinstance(each, _LEAVES) for before in body[:position] for each in walk_scope(before))
    return False


def _is_backward(node: cst.BaseExpression) -> bool:
    match node:
        case cst.Call(func=cst.Attribute(attr=cst.Name(value=name))):
            return name in _BACKWARD
    return False


def _steps(loop: cst.CSTNode) -> bool:
    """Whether a backward pass stands in a loop itself, and no ``continue`` does."""
    found = list(_in_loop(loop.body if isinstance(loop, (cst.For, cst.While)) else loop))
    calls = [
        node.func.attr.value for node in found if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute)
    ]
    return bool(_BACKWARD.intersection(calls)) and not any(isinstance(node, cst.Continue) for node in found)


def _in_loop(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """What stands below ``node`` and in no loop or function below it."""
    for child in children(node):
        if not isinstance(child, (cst.For, cst.While, cst.FunctionDef, cst.Lambda)):
            yield child
            yield from _in_loop(child)


def counted_up_to(loop: cst.For) -> cst.Name | cst.Integer | None:
    """What ``for ... in range(...)`` counts up to, where it is a name or a number, and need not be worked out."""
    match loop.iter:
        case cst.Call(func=cst.Name(value="range"), args=[cst.Arg(value=end)] | [_, cst.Arg(value=end)]):
            return end if isinstance(end, (cst.Name, cst.Integer)) else None
        case _:
            return None


def runs_long(loop: cst.CSTNode, rounds: int | None = None) -> bool:
    """Whether a loop is one of many rounds: by their number, where the program says it, or by what it goes over.

    That is an epoch, not a few agents.
    """
    if rounds is not None:
        return rounds >= _MANY
    match loop:
        case cst.While():
            return True
        case cst.For(iter=source):
            return any(
                isinstance(node, cst.Name) and ROUNDS.search(node.value) for node in (source, *walk_scope(source))
            )
        case _:
            return False


def accumulates_long(loops: Sequence[tuple[cst.CSTNode, int | None]], target: str) -> bool:
    """Whether one of these loops, outermost first, has many rounds in which ``target`` is not bound anew.

    The number of its rounds stands beside each, where that is known.
    """
    root = target.partition(".")[0]
    for loop, rounds in reversed(loops):
        if any(isinstance(node, cst.Assign) and root in _names_made(node) for node in walk_scope(loop)):
            return False
        if runs_long(loop, rounds):
            return True
    return False


def _names_made(node: cst.Assign) -> set[str]:
    """What is bound anew: ``total = total + loss`` goes on with what there was."""
    return {name for target in node.targets for name in _names(target.target)} - names_in(node.value)


def goes_into_backward(scope: cst.CSTNode, node: cst.CSTNode) -> bool:
    """Whether a backward pass goes through what ``node`` gives, in its statement or in those behind it in its block."""
    return _backward_through(scope, node, names_in) is not None


def backward_behind(scope: cst.CSTNode, node: cst.CSTNode) -> cst.Call | None:
    """The same pass, where no name on the way to it stands for what was cut off the graph."""
    return _backward_through(scope, node, _names_in_graph)


def _backward_through(
    scope: cst.CSTNode, node: cst.CSTNode, names_of: Callable[[cst.CSTNode], Collection[str]]
) -> cst.Call | None:
    block: Sequence[cst.CSTNode] = ()
    for each in (scope, *walk_scope(scope)):
        if isinstance(each, (cst.Module, cst.IndentedBlock)) and contains(each, node):
            block = each.body
    first = next((index for index, statement in enumerate(block) if contains(statement, node)), len(block))
    names: set[str] = set()
    for statement in block[first:]:
        for each in (statement, *walk_scope(statement)):
            match each:
                case cst.Call(func=cst.Attribute(value=receiver, attr=cst.Name(value=name))) if name in _BACKWARD:
                    parts = [receiver, *(argument.value for argument in each.args)]
                    if any(names.intersection(names_of(part)) or contains(part, node) for part in parts):
                        return each
                case cst.Assign(targets=targets, value=value):
                    bound = {name for target in targets for name in _names(target.target)}
                    holds = bool(names.intersection(names_of(value))) or contains(value, node)
                    names = names | bound if holds else names - bound
                case cst.AugAssign(target=target, value=value) if names.intersection(names_of(value)) or contains(
                    value, node
                ):
                    names |= set(_names(target))
                case _:
                    pass
    return None


def _names_in_graph(node: cst.CSTNode) -> set[str]:
    """The names in an expression, but those whose graph it leaves behind: ``x`` of ``x.detach()``."""
    match node:
        case cst.Attribute(attr=cst.Name(value=name)) if name in _CUTS:
            return set()
        case cst.Name() | cst.Attribute() if name := dotted_name(node):
            root, *path = name.split(".")
            return set() if _CUTS.intersection(path) else {name, root}
        case _:
            return set().union(*map(_names_in_graph, children(node)))


def waits(node: cst.CSTNode) -> bool:
    """Whether a call waits for an accelerator: ``torch.cuda.synchronize()``, ``event.wait()``."""
    match node:
        case cst.Call(func=cst.Attribute(attr=cst.Name(value=name)) | cst.Name(value=name)):
            return bool(_WAITS.search(name))
        case _:
            return False


def waits_behind(scope: cst.CSTNode, node: cst.CSTNode) -> bool:
    """Whether something in ``scope`` that stands behind ``node`` waits for an accelerator."""
    behind = False
    for each in walk_scope(scope):
        behind |= each is node
        if behind and waits(each):
            return True
    return False


def root_name(node: cst.CSTNode) -> str:
    """What the innermost part of a target is called: ``history`` of ``history["loss"].append(x)``."""
    match node:
        case cst.Name() | cst.Attribute() if name := dotted_name(node):
            return name
        case cst.Call(func=cst.Attribute(value=inner)) | cst.Attribute(value=inner) | cst.Subscript(value=inner):
            return root_name(inner)
        case _:
            return ""


def _names(target: cst.CSTNode) -> Iterator[str]:
    match target:
        case cst.Name() | cst.Attribute():
            yield dotted_name(target)
        case cst.Tuple() | cst.List():
            for element in target.elements:
                yield from _names(element.value)
        case cst.Subscript():
            yield from _names(target.value)
        case _:
            pass
