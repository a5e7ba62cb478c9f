"""Tensors as members of sets and keys of dictionaries, where they are hashed by identity."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from tensorlint.flow import events
from tensorlint.flow.call import Argument, Call
from tensorlint.flow.domain.tensors import Tensor
from tensorlint.flow.domain.values import UNKNOWN, Dictionary, Sequence, Symbol, Unknown, Value
from tensorlint.flow.machine import Machine
from tensorlint.flow.models.registry import function
from tensorlint.flow.state import Frame
from tensorlint.flow.tree import dotted_name, walk_scope

#: Classes of dictionaries whose objects are not followed.
_MAPPINGS = frozenset({"collections.defaultdict", "collections.Counter", "collections.OrderedDict"})


@function("collections.Counter", "builtins.dict.fromkeys")
def counted(machine: Machine, path: str, call: Call) -> Value | None:
    hash_elements(machine, path.removeprefix("collections.").removeprefix("builtins."), call)
    return None


def hash_elements(machine: Machine, name: str, call: Call) -> None:
    """``set(t)``: each element of a tensor is hashed."""
    if isinstance(call.first, Tensor):
        machine.emit(
            call.frame, events.Hashed, call.node, how=name, tensor=Argument(call.arguments[0].node, call.first)
        )


def hash_key(machine: Machine, node: cst.CSTNode, owner: Argument, key: Argument, how: str, frame: Frame) -> None:
    """``d[y]``, ``y in seen``: a tensor is looked for, which is a new object each time."""
    if isinstance(key.value, Tensor) and _is_hashed(machine, owner, frame) and is_row(machine, key, frame):
        machine.emit(frame, events.Hashed, node, how=how, tensor=key)


def is_row(machine: Machine, key: Argument, frame: Frame) -> bool:
    """Whether this is an element that a tensor was asked for by an index or in a loop: a new object each time."""
    match key.node, key.value:
        case cst.Subscript(value=inner), Tensor():
            return _is_tensor(machine, inner, frame)
        case cst.Name(value=name), Tensor(picked=True):
            clauses = (clause for loop in reversed(frame.loops) for clause in _clauses(loop.node))
            source = next((found for clause in clauses if (found := _gives(*clause, name)) is not None), None)
            return source is not None and _is_tensor(machine, source, frame)
        case _:
            return False


def _is_tensor(machine: Machine, node: cst.BaseExpression, frame: Frame) -> bool:
    value = machine.silently(node, frame)
    return isinstance(value, Tensor) and value.sure


def _clauses(loop: cst.CSTNode) -> Iterator[tuple[cst.BaseExpression, cst.BaseExpression]]:
    """The targets of a loop or comprehension, and what each goes over."""
    if isinstance(loop, cst.For):
        yield loop.target, loop.iter
    clause = getattr(loop, "for_in", None)
    while isinstance(clause, cst.CompFor):
        yield clause.target, clause.iter
        clause = clause.inner_for_in


def _gives(target: cst.BaseExpression, source: cst.BaseExpression, name: str) -> cst.BaseExpression | None:
    """What ``name`` is an element of, in a loop of ``target`` over ``source``."""
    match target, source:
        case cst.Name(value=bound), _ if bound == name:
            return source
        case cst.Tuple(elements=elements), cst.Call(func=cst.Name(value="zip"), args=arguments):
            pairs = zip(elements, arguments, strict=False)
        case cst.Tuple(elements=[_, *elements]), cst.Call(func=cst.Name(value="enumerate"), args=[argument, *_]):
            pairs = zip(elements, [argument], strict=False)
        case _:
            return None
    found = (_gives(each.value, argument.value, name) for each, argument in pairs)
    return next((each for each in found if each is not None), None)


def _is_hashed(machine: Machine, owner: Argument, frame: Frame) -> bool:
    match owner.value:
        case Dictionary() | Sequence(kind="set"):
            return True
        case Unknown():
            return _made_mapping(machine, dotted_name(owner.node), frame)
        case _:
            return False


def _made_mapping(machine: Machine, path: str, frame: Frame) -> bool:
    """Whether all that the function or the module binds to ``path`` are such dictionaries."""
    for scope in (frame.function.node if frame.function is not None else None, machine.module):
        made = [
            node.value
            for node in (walk_scope(scope) if scope is not None and path else ())
            if isinstance(node, cst.Assign) and any(dotted_name(each.target) == path for each in node.targets)
        ]
        if made:
            return all(isinstance(value, cst.Call) and _is_mapping(machine, value.func, frame) for value in made)
    return False


def _is_mapping(machine: Machine, func: cst.BaseExpression, frame: Frame) -> bool:
    # Classes have names; anything else may ask for an element of the same thing again.
    cls = machine.current(func, frame) if dotted_name(func) else UNKNOWN
    return isinstance(cls, Symbol) and cls.path in _MAPPINGS
