"""Python's own functions."""

from __future__ import annotations

from dataclasses import replace

import libcst as cst

from tensorlint.flow.call import Argument, Call
from tensorlint.flow.domain.inside import leaves
from tensorlint.flow.domain.lattice import join_all
from tensorlint.flow.domain.values import (
    NONE,
    PLAIN,
    UNKNOWN,
    Dictionary,
    Foreign,
    Module,
    Scalar,
    Sequence,
    Symbol,
    Tensor,
    Value,
)
from tensorlint.flow.machine import Machine
from tensorlint.flow.models.arithmetic import combine
from tensorlint.flow.models.items import element_of
from tensorlint.flow.state import Frame

_CONTAINERS = frozenset({"builtins.list", "builtins.tuple", "builtins.set", "builtins.dict"})


def builtin_call(
    machine: Machine,
    name: str,
    call: Call,
) -> Value:
    first = call.arguments[0].value if call.arguments else None
    if name == "isinstance" and len(call.arguments) == 2 and isinstance(first, (Module, Sequence)):
        return is_container(first, call.arguments[1].value)
    if name in {
        "float",
        "int",
        "len",
        "bool",
        "str",
        "hash",
        "id",
        "ord",
        "round",
        "isinstance",
        "hasattr",
        "issubclass",
        "callable",
        "repr",
        "any",
        "all",
    }:
        return Scalar(
            kind={"len": "int", "isinstance": "bool", "hasattr": "bool", "any": "bool", "all": "bool"}.get(name, name)
        )
    if name in {"bytes", "bytearray", "memoryview"}:
        return Scalar(kind="bytes") if name == "bytes" else Foreign(framework="buffer")
    if name in {"list", "tuple", "set", "sorted", "reversed", "iter", "frozenset"}:
        kind = name if name in {"list", "tuple", "set"} else "list"
        if first is None:
            return Sequence(kind=kind, items=(), born=machine.next_serial(), oid=machine.serial)
        if isinstance(first, Sequence) and first.items is not None and name in {"list", "tuple"}:
            return replace(first, kind=kind, born=machine.next_serial(), oid=machine.serial)
        element = element_of(machine, first, call.arguments[0].node, call.frame)
        if isinstance(element, Tensor) and element.source == "state_dict" and isinstance(first, Sequence):
            # Who lists the tensors themselves, and no copies of them, wants to reach them.
            element = replace(element, alias=None)
        if name not in {"iter", "reversed"}:
            machine.keep(element)
        return Sequence(
            kind=kind,
            element=element,
            born=machine.next_serial(),
            oid=machine.serial,
        )
    if name == "dict":
        if isinstance(first, Dictionary):
            return replace(first, oid=machine.next_serial())
        entries: dict[object, Value] = {
            argument.keyword: argument.value for argument in call.arguments if argument.keyword
        }
        return Dictionary(
            entries=entries,
            element=UNKNOWN if first is not None else None,
            born=machine.next_serial(),
            oid=machine.serial,
        )
    if name == "zip":
        items = tuple(element_of(machine, argument.value, argument.node, call.frame) for argument in call.arguments)
        return Sequence(kind="generator", element=Sequence(kind="tuple", items=items))
    if name == "enumerate" and first is not None:
        inner = element_of(machine, first, call.arguments[0].node, call.frame)
        return Sequence(kind="generator", element=Sequence(kind="tuple", items=(Scalar(kind="int"), inner)))
    if name == "range":
        return Sequence(kind="list", element=Scalar(kind="int"))
    if name in {"map", "filter"} and len(call.arguments) >= 2:
        inner = element_of(machine, call.arguments[1].value, call.arguments[1].node, call.frame)
        if name == "map" and first is not None:
            inner = machine.call_value(first, replace(call, arguments=(Argument(call.arguments[1].node, inner),)))
        return Sequence(kind="generator", element=inner)
    if name == "next" and first is not None:
        return element_of(machine, first, call.arguments[0].node, call.frame)
    if name in {"sum", "abs", "min", "max", "pow", "divmod"} and first is not None:
        values = (
            [element_of(machine, first, call.arguments[0].node, call.frame)]
            if len(call.arguments) == 1 and name != "abs"
            else [argument.value for argument in call.arguments]
        )
        made = join_all(values)
        return combine(machine, made, made, call.node, call.frame) if name in {"sum", "abs"} else made
    if name == "getattr" and len(call.arguments) >= 2 and isinstance(call.arguments[1].value, Scalar):
        literal = call.arguments[1].value.literal
        if isinstance(literal, str) and literal.isidentifier() and first is not None:
            spelled = cst.Attribute(value=call.arguments[0].node, attr=cst.Name(literal))
            return machine.attribute(first, literal, spelled, call.frame)
        return UNKNOWN
    if name == "super":
        return parent_of(machine, call.frame)
    if name in {"print", "setattr", "delattr", "exec"}:
        return NONE
    return (
        PLAIN if name in {"open", "vars", "dir", "format", "slice", "chr", "input", "object", "Exception"} else UNKNOWN
    )


def parent_of(machine: Machine, frame: Frame) -> Value:
    """``super()``: the parent in this file when there is one."""
    if frame.cls is not None and frame.cls.parents:
        return machine.self_value(frame.cls.parents[0])
    return UNKNOWN


def is_container(value: Module | Sequence, classes: Value) -> Scalar:
    """``isinstance(nets, list)``, as helpers ask that take one module or several."""
    asked = {leaf.path if isinstance(leaf, Symbol) else "" for leaf in leaves(classes)}
    if isinstance(value, Module) and asked <= _CONTAINERS:
        return Scalar(kind="bool", literal=False, known=True)
    if isinstance(value, Sequence) and value.items is not None and f"builtins.{value.kind}" in asked:
        return Scalar(kind="bool", literal=True, known=True)
    return Scalar(kind="bool")
