"""Python's own functions."""

from __future__ import annotations

from dataclasses import replace

import libcst as cst

from tensorlint.flow.call import Argument, Call
from tensorlint.flow.details import Leaving
from tensorlint.flow.domain.dtypes import BOOL, INT64
from tensorlint.flow.domain.inside import leaves
from tensorlint.flow.domain.lattice import any_element, join_all
from tensorlint.flow.domain.memory import Owner
from tensorlint.flow.domain.tensors import Array, Provenance, Tensor
from tensorlint.flow.domain.values import (
    NONE,
    PLAIN,
    UNKNOWN,
    Dictionary,
    Scalar,
    Sequence,
    Symbol,
    Value,
)
from tensorlint.flow.kinds import TENSOR_TESTS, is_among, paths_of
from tensorlint.flow.machine import Machine
from tensorlint.flow.models.arithmetic import combine
from tensorlint.flow.models.given_weights import note_given
from tensorlint.flow.models.hashing import hash_elements
from tensorlint.flow.models.items import element_of, one_of
from tensorlint.flow.models.registry import function
from tensorlint.knowledge import NOT_ON_ARRAYS


@function(*(f"builtins.{name}" for name in ("float", "int", "str", "hash", "id", "ord", "repr")))
@function("builtins.issubclass", "builtins.callable")
def number(machine: Machine, path: str, call: Call) -> Value:
    name = path.removeprefix("builtins.")
    if name in {"float", "int"} and call.first is not None:
        machine.ask(call.frame, call.node, call.first)
        machine.escape(call.frame, call.node, call.first, Leaving.NUMBER, call.arguments[0].node)
    return Scalar(kind=name)


@function("builtins.len")
def length(machine: Machine, path: str, call: Call) -> Value:
    return Scalar(kind="int", counts=True)


@function("builtins.bool", "builtins.any", "builtins.all")
def answer(machine: Machine, path: str, call: Call) -> Value:
    if path == "builtins.bool" and call.first is not None:
        machine.ask(call.frame, call.node, call.first)
    return Scalar(kind="bool")


@function("builtins.hasattr")
def has_attribute(machine: Machine, path: str, call: Call) -> Value:
    """Of an array that was made in sight it is known what it lacks."""
    match [argument.value for argument in call.arguments]:
        case [Array(sure=True, storages=storages), Scalar(literal=str(name))] if (
            storages and all(storage.owner is Owner.FRESH for storage in storages) and name in NOT_ON_ARRAYS
        ):
            return Scalar(kind="bool", literal=False, known=True)
        case _:
            return Scalar(kind="bool")


@function("builtins.isinstance")
def is_instance(machine: Machine, path: str, call: Call) -> Value:
    """What a test of it is answered, so that a flag may keep that."""
    match [argument.value for argument in call.arguments]:
        case [Sequence() as value, classes]:
            return is_container(value, classes)
        case [value, classes] if (told := is_among(value, paths_of(classes))) is not None:
            return Scalar(kind="bool", literal=told, known=True)
        case _:
            return Scalar(kind="bool")


@function(*TENSOR_TESTS)
def is_tensor(machine: Machine, path: str, call: Call) -> Value:
    told = is_among(call.first, ("torch.Tensor",))
    return Scalar(kind="bool", literal=told, known=told is not None)


@function(*(f"builtins.{name}" for name in ("list", "tuple", "set", "sorted", "reversed", "iter", "frozenset")))
def listed(machine: Machine, path: str, call: Call) -> Value:
    """A container of the elements of another: what is known item by item stays so in a list or a tuple."""
    name, first = path.removeprefix("builtins."), call.first
    if name in {"set", "frozenset"}:
        hash_elements(machine, name, call)
    kind = name if name in {"list", "tuple", "set"} else "list"
    if first is None:
        return Sequence(kind=kind, items=(), born=machine.next_serial(), oid=machine.serial)
    if isinstance(first, Sequence) and first.items is not None and name in {"list", "tuple"}:
        return replace(first, kind=kind, born=machine.next_serial(), oid=machine.serial)
    element = _each(machine, call)
    if isinstance(element, Tensor) and element.source is Provenance.STATE_DICT and isinstance(first, Sequence):
        # Who lists the tensors themselves, and no copies of them, wants to reach them.
        element = replace(element, alias=None)
    if name not in {"iter", "reversed"}:
        machine.keep(element)
    return Sequence(kind=kind, element=element, born=machine.next_serial(), oid=machine.serial)


@function("builtins.dict")
def make_dict(machine: Machine, path: str, call: Call) -> Value:
    if isinstance(call.first, Dictionary):
        return replace(call.first, oid=machine.next_serial())
    entries: dict[object, Value] = {argument.keyword: argument.value for argument in call.arguments if argument.keyword}
    others = UNKNOWN if call.first is not None else None
    return Dictionary(entries=entries, element=others, born=machine.next_serial(), oid=machine.serial)


@function("builtins.zip")
def zipped(machine: Machine, path: str, call: Call) -> Value:
    if any(argument.star for argument in call.arguments):
        return _columns(call)
    items = tuple(_each(machine, call, position) for position in range(len(call.arguments)))
    return Sequence(kind="generator", element=Sequence(kind="tuple", items=items))


def _columns(call: Call) -> Value:
    """``zip(*rows)``: what stands in the same place of each row."""
    rows = call.arguments[0].value if len(call.arguments) == 1 else UNKNOWN
    row = any_element(rows) if isinstance(rows, Sequence) else UNKNOWN
    if not isinstance(row, Sequence) or row.items is None:
        return Sequence(kind="generator", element=UNKNOWN)
    return Sequence(kind="generator", items=tuple(Sequence(kind="tuple", element=one_of(item)) for item in row.items))


@function("builtins.enumerate")
def enumerated(machine: Machine, path: str, call: Call) -> Value:
    if not call.arguments:
        return UNKNOWN
    items = (Scalar(kind="int"), _each(machine, call))
    return Sequence(kind="generator", element=Sequence(kind="tuple", items=items))


@function("builtins.range")
def numbers(machine: Machine, path: str, call: Call) -> Value:
    return Sequence(kind="list", element=Scalar(kind="int"))


@function("builtins.map", "builtins.filter")
def mapped(machine: Machine, path: str, call: Call) -> Value:
    if len(call.arguments) < 2:
        return UNKNOWN
    element = _each(machine, call, 1)
    if path == "builtins.map":
        given = Argument(call.arguments[1].node, element)
        element = machine.call_value(call.arguments[0].value, replace(call, arguments=(given,)))
    return Sequence(kind="generator", element=element)


@function("builtins.next")
def following(machine: Machine, path: str, call: Call) -> Value:
    return _each(machine, call) if call.arguments else UNKNOWN


@function(*(f"builtins.{name}" for name in ("sum", "abs", "min", "max", "pow", "divmod")))
def computed(machine: Machine, path: str, call: Call) -> Value:
    """One of several values, or what they add up to."""
    if not call.arguments:
        return UNKNOWN
    alone = len(call.arguments) == 1 and path != "builtins.abs"
    values = [_each(machine, call)] if alone else [argument.value for argument in call.arguments]
    made = join_all(values)
    if path not in {"builtins.sum", "builtins.abs"}:
        return made
    result = combine(machine, made, made, call.node, call.frame)
    if path == "builtins.sum" and isinstance(result, Tensor) and result.dtype is BOOL:
        # It begins with 0, and an integer and a bool are an integer.
        return replace(result, dtype=INT64)
    return result


@function("builtins.round")
def rounded(machine: Machine, path: str, call: Call) -> Value:
    """Without digits an integer of Python; with them what it was."""
    first = call.first
    kept = len(call.arguments) > 1 and isinstance(first, Scalar)
    return Scalar(kind=first.kind) if kept and isinstance(first, Scalar) else PLAIN


@function("builtins.getattr")
def attribute(machine: Machine, path: str, call: Call) -> Value:
    if len(call.arguments) < 2 or not isinstance(call.arguments[1].value, Scalar):
        return UNKNOWN
    owner, literal = call.arguments[0], call.arguments[1].value.literal
    if not isinstance(literal, str) or not literal.isidentifier():
        return UNKNOWN
    spelled = cst.Attribute(value=owner.node, attr=cst.Name(literal))
    return machine.attribute(owner.value, literal, spelled, call.frame)


@function("builtins.super")
def parent(machine: Machine, path: str, call: Call) -> Value:
    """The parent in this file when there is one."""
    cls = call.frame.cls
    return machine.self_value(cls.parents[0]) if cls is not None and cls.parents else UNKNOWN


@function("builtins.setattr")
def attribute_set(machine: Machine, path: str, call: Call) -> Value:
    """A layer may be given a weight this way, under a name that is computed."""
    if len(call.arguments) == 3:
        note_given(machine, call.arguments[0].node, call.arguments[2].value, call.frame)
    return NONE


@function(*(f"builtins.{name}" for name in ("print", "delattr", "exec")))
def nothing(machine: Machine, path: str, call: Call) -> Value:
    return NONE


_PLAIN = ("vars", "dir", "format", "slice", "chr", "input", "object", "Exception")


@function(*(f"builtins.{name}" for name in _PLAIN))
def plain(machine: Machine, path: str, call: Call) -> Value:
    return PLAIN


@function("builtins.*")
def anything(machine: Machine, path: str, call: Call) -> Value:
    return UNKNOWN


def _each(machine: Machine, call: Call, position: int = 0) -> Value:
    """What iterating over an argument yields."""
    argument = call.arguments[position]
    return element_of(machine, argument.value, argument.node, call.frame)


def is_container(value: Sequence, classes: Value) -> Scalar:
    """``isinstance(nets, list)``, as helpers ask that take one module or several."""
    asked = {leaf.path if isinstance(leaf, Symbol) else "" for leaf in leaves(classes)}
    if value.items is not None and f"builtins.{value.kind}" in asked:
        return Scalar(kind="bool", literal=True, known=True)
    return Scalar(kind="bool")
