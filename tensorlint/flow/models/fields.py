"""What objects are made of: the fields of data classes and named tuples, and what a constructor keeps as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import libcst as cst

from tensorlint.flow.annotations import declared_value
from tensorlint.flow.call import Call
from tensorlint.flow.defined import ClassInfo, FunctionInfo
from tensorlint.flow.domain.facts import Truth
from tensorlint.flow.domain.memory import NO_STORAGE
from tensorlint.flow.domain.tensors import Array, Provenance, Tensor
from tensorlint.flow.domain.values import (
    UNKNOWN,
    ClassObject,
    Dictionary,
    Instance,
    Scalar,
    Sequence,
    Unknown,
    Value,
)
from tensorlint.flow.machine import Machine
from tensorlint.flow.models.registry import function
from tensorlint.flow.state import Frame
from tensorlint.flow.tree import parameters_of


def given(machine: Machine, info: ClassInfo, initializer: FunctionInfo | None, call: Call) -> Mapping[str, Value]:
    """What an object that is made here is given and keeps as it is, by attribute.

    Not the containers among it, which may grow, nor what is bound anew in this file.
    """
    if initializer is None:
        parameters, kept = info.fields, {name: name for name in info.fields}
    else:
        kept = dict(initializer.kept)
        parameters = tuple(each.name.value for each in parameters_of(initializer.node))[1:] if kept else ()
    passed = _bound(parameters, call) if kept else {}
    return {
        attribute: _as_held(passed[name])
        for attribute, name in kept.items()
        if name in passed and not isinstance(passed[name], (Sequence, Dictionary)) and not machine.file.binds(attribute)
    }


def own(machine: Machine, cls: ClassInfo, receiver: Instance, name: str, frame: Frame) -> Value | None:
    """What an object was given as it was made for this attribute; None where something may have bound it since."""
    held = receiver.held.get(name)
    if held is None or machine.file.binds(name) or cls.binds_again(name):
        return None
    if cls.unit is not None and cls.unit.file.binds(name):
        return None
    known = cls.attribute(name)
    if isinstance(held, (Tensor, Array, Unknown)) and isinstance(known, (Tensor, Array, Unknown)):
        held = replace(held, storages=known.storages)
        if not isinstance(held, Array) and not isinstance(known, Array) and held.grad.truth is Truth.NO:
            # A method may have asked for a gradient.
            held = replace(held, grad=known.grad)
    if isinstance(held, Unknown) and (declared := cls.declared.get(name)) is not None:
        held = declared_value(declared, held)
    return frame.env.latest(held)


def without_held(name: str) -> Callable[[Value], Value]:
    """What becomes of an object one attribute of which is bound anew."""

    def left(held: Value) -> Value:
        if not isinstance(held, Instance):
            return held
        return replace(held, held={each: value for each, value in held.held.items() if each != name})

    return left


def as_tuple(machine: Machine, value: Value, frame: Frame) -> Sequence | None:
    """The elements of a named tuple; None for anything else."""
    cls = machine.cls(value) if isinstance(value, Instance) else None
    if cls is None or not cls.is_tuple or not isinstance(value, Instance):
        return None
    fields = (own(machine, cls, value, name, frame) or cls.attribute(name) for name in cls.fields)
    return Sequence(kind="tuple", items=tuple(each or Unknown(source=Provenance.ATTRIBUTE) for each in fields))


def keep_fields(machine: Machine, info: ClassInfo, call: Call) -> None:
    """What a data class is given, it keeps under the names of its fields."""
    for name, value in _bound(info.fields, call).items():
        machine.record_attribute(info, name, value)


@function("dataclasses.field", "attr.ib", "attrs.field")
def data_field(machine: Machine, path: str, call: Call) -> Value:
    """What a field is where nothing is given."""
    made = call.keyword("default_factory") or call.keyword("factory")
    if made is not None:
        return machine.call_value(made, replace(call, arguments=()))
    return call.keyword("default") or UNKNOWN


@function("collections.namedtuple", "typing.NamedTuple")
def named_tuple(machine: Machine, path: str, call: Call) -> Value | None:
    """``Pair = namedtuple("Pair", "first second")`` is the class of these fields."""
    fields = _names_in(call.arguments[1].value) if len(call.arguments) > 1 else None
    if fields is None or not all(name.isidentifier() for name in fields):
        return None
    site = machine.at(call.node)
    info = machine.class_at(site)
    if info is None:
        lines = "\n".join(f"    {name}: object" for name in fields) or "    pass"
        node = cst.parse_statement(f"class _(NamedTuple):\n{lines}\n")
        assert isinstance(node, cst.ClassDef)
        info = machine.seen_class(ClassInfo(node, "_", site, machine.lessons, bases=("typing.NamedTuple",)))
        info.serial = machine.lessons.class_serial(site, machine.next_serial())
    return ClassObject(definition=site)


def _names_in(value: Value) -> list[str] | None:
    """The names that ``"a b"``, ``["a", "b"]`` or ``[("a", int), ("b", int)]`` lists; None where they are not known."""
    match value:
        case Scalar(kind="str", literal=str(text), known=True):
            return text.replace(",", " ").split()
        case Sequence(items=tuple(items)):
            firsts = [item.items[0] if isinstance(item, Sequence) and item.items else item for item in items]
            names = [item.literal for item in firsts if isinstance(item, Scalar) and isinstance(item.literal, str)]
            return names if len(names) == len(items) else None
        case _:
            return None


def _bound(parameters: tuple[str, ...], call: Call) -> dict[str, Value]:
    """What a call gives to parameters of these names."""
    passed: dict[str, Value] = {}
    for name, argument in zip(parameters, call.arguments, strict=False):
        if argument.keyword or argument.star:
            break
        passed[name] = argument.value
    passed.update({each.keyword: each.value for each in call.arguments if each.keyword in parameters})
    return passed


def _as_held(value: Value) -> Value:
    """A value as an object holds it, in memory that the class speaks of."""
    if not isinstance(value, (Tensor, Array, Unknown)):
        return value
    held: Value = value
    if not any(storage.owner.is_trained for storage in value.storages):
        held = replace(value, storages=NO_STORAGE)
    if isinstance(held, Tensor):
        # Another method may have filled it by then, or waited for it.
        held = replace(held, alias=None, imported=False, unset=None, in_flight=None, numbers="")
    return held
