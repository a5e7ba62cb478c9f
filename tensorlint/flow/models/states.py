"""What modules register, and the state that they are asked for and loaded with."""

from __future__ import annotations

from dataclasses import replace

import libcst as cst

from tensorlint.flow import object_events
from tensorlint.flow.call import Argument, Call
from tensorlint.flow.domain.facts import NO_FACT, Fact
from tensorlint.flow.domain.memory import Owner, Storages
from tensorlint.flow.domain.tensors import Provenance, Tensor
from tensorlint.flow.domain.values import NONE, UNKNOWN, Dictionary, Module, Scalar, Value, is_true
from tensorlint.flow.machine import Machine
from tensorlint.flow.state import Frame
from tensorlint.flow.tree import dotted_name, names_in


def tell_itself(machine: Machine, value: Module, call: Call) -> None:
    """The event of a module that is loaded with its own state, by another of its names."""
    match call.node:
        case cst.Call(
            func=cst.Attribute(value=target),
            args=[cst.Arg(value=cst.Call(func=cst.Attribute(value=source, attr=cst.Name(value="state_dict")))), *_],
        ):
            state = call.first
            asked = machine.silently(source, call.frame)
            itself = isinstance(state, Dictionary) and state.state_dict and bool(value.oid) and state.of == value.oid
            one = isinstance(asked, Module) and not (asked.picked or value.picked)
            if itself and one and dotted_name(target) != dotted_name(source):
                machine.emit(call.frame, object_events.StateIntoItself, call.node, target=target, source=source)


def registered(machine: Machine, value: Module, name: str, arguments: tuple[Argument, ...], frame: Frame) -> Value:
    if (
        name in {"register_buffer", "register_parameter"}
        and len(arguments) >= 2
        and (cls := machine.cls(value)) is not None
        and machine.learning
    ):
        key = arguments[0].value
        if isinstance(key, Scalar) and isinstance(key.literal, str):
            held = arguments[1].value
            owner = Owner.BUFFER if name == "register_buffer" else Owner.PARAMETER
            if isinstance(held, Tensor):
                held = replace(held, storages=machine.storage(owner))
            machine.record_attribute(cls, key.literal, held)
    return NONE


def state_dict_of(machine: Machine, device: Fact, storages: Storages, call: Call, of: int) -> Dictionary:
    machine.lessons.snapshots = True
    if is_true(call.keyword("keep_vars") or UNKNOWN):
        # Who asks for the parameters themselves wants no copy.
        return Dictionary(element=UNKNOWN, storages=storages, state_dict=True, oid=machine.next_serial())
    site = machine.at(call.node)
    entry = Tensor(device=device, grad=NO_FACT, storages=storages, source=Provenance.STATE_DICT, alias=site)
    return state_of(machine, entry, storages, call.node, of)


def state_of(machine: Machine, entry: Value, storages: Storages, node: cst.Call, of: int = 0) -> Dictionary:
    """What ``node`` returned, a ``state_dict()`` call, which it asked of the object ``of``."""
    owner = node.func.value if isinstance(node.func, cst.Attribute) else node.func
    return Dictionary(
        element=entry,
        storages=storages,
        state_dict=True,
        alias=machine.at(node),
        asked_of=dotted_name(owner),
        names=names_in(node),
        of=of,
        oid=machine.next_serial(),
    )
