"""Classes that were seen, and their instances."""

from __future__ import annotations

from dataclasses import replace

import libcst as cst

from tensorlint.flow.call import Argument, Call
from tensorlint.flow.defined import ClassInfo
from tensorlint.flow.domain.dtypes import OTHER_DTYPE, UNKNOWN_DTYPE, Dtype
from tensorlint.flow.domain.facts import Fact, Truth
from tensorlint.flow.domain.tensors import Provenance, Tensor
from tensorlint.flow.domain.values import ClassObject, Foreign, Function, Instance, Module, Unknown, Value
from tensorlint.flow.machine import Machine
from tensorlint.flow.models.unseen import unknown_result
from tensorlint.flow.state import Frame
from tensorlint.flow.tree import dotted_name
from tensorlint.knowledge import FOREIGN_FRAMEWORKS

#: What torch calls the methods that bring an object to a device; classes that hold tensors follow it.
_MOVES = ("to", "cuda")


def own_method(machine: Machine, cls: ClassInfo, receiver: Value, name: str, call: Call) -> Value:
    bound = cls.attribute(name)
    if bound is not None:
        return machine.call_value(bound, call)
    method = cls.method(name)
    if (
        method is None
        and name == "apply"
        and cls.is_autograd_function
        and (forward := cls.method("forward")) is not None
    ):
        context = Argument(call.node.func, Unknown(tensor=Truth.NO))
        machine.apply(forward, None, (context, *call.arguments), call.frame, call.node)
        return unknown_result(machine, call)
    if method is None:
        return unknown_result(machine, call)
    if isinstance(receiver, Instance) and name in _MOVES:
        call.frame.env.change(
            receiver, lambda held: replace(held, unmoved=False) if isinstance(held, Instance) else held
        )
    if isinstance(receiver, ClassObject):
        names = {dotted_name(decorator) for decorator in method.decorators}
        if "classmethod" in names:
            return machine.apply(method, receiver, call.arguments, call.frame, call.node)
        return machine.apply(method, None, call.arguments, call.frame, call.node)
    return machine.apply(method, receiver, call.arguments, call.frame, call.node)


def construct(machine: Machine, info: ClassInfo, call: Call) -> Value:
    if machine.unit is None:
        machine.lessons.construct(info.site)
    initializer = info.method("__init__")
    made = machine.self_value(info)
    if isinstance(made, Module):
        made = replace(made, device=machine.default_device, dtype=_cast_inside(info), oid=machine.next_serial())
        call.frame.made |= made.storages
    elif isinstance(made, Instance):
        made = replace(made, unmoved=True, oid=machine.next_serial())
    if initializer is not None:
        machine.note_call(initializer, call.arguments, call.frame, bound=True)
    if info.is_autograd_function or any(base.split(".")[0] in FOREIGN_FRAMEWORKS for base in info.all_bases()):
        return Foreign(framework="class")
    return made


def _cast_inside(info: ClassInfo) -> Dtype:
    """What a module of another file may have cast itself to as it was made."""
    return OTHER_DTYPE if info.unit is not None and info.unit.file.casts_modules else UNKNOWN_DTYPE


def member(machine: Machine, cls: ClassInfo, receiver: Value, name: str, node: cst.Attribute, frame: Frame) -> Value:
    found = cls.attribute(name)
    if found is not None:
        return _as_made(cls, found) if isinstance(receiver, Instance) and receiver.unmoved else found
    method = cls.method(name)
    if method is None:
        return Unknown(source=Provenance.ATTRIBUTE)
    if any(dotted_name(decorator).split(".")[-1] in {"property", "cached_property"} for decorator in method.decorators):
        return machine.apply(method, receiver, (), frame, node)
    return Function(definition=method.site, receiver=receiver)


def _moved(held: Value) -> Value:
    return replace(held, unmoved=False) if isinstance(held, Instance) else held


def _as_made(cls: ClassInfo, held: Value) -> Value:
    """What an object holds that was not told to move: its ``to`` says nothing of where that lies."""
    if not isinstance(held, (Tensor, Unknown)) or held.device.site is None:
        return held
    moves = {method.site.definition for name in _MOVES if (method := cls.method(name)) is not None}
    return replace(held, device=Fact()) if held.device.site.definition in moves else held
