"""Classes that were seen, and their instances."""

from __future__ import annotations

from dataclasses import replace

import libcst as cst

from tensorlint.flow.call import Argument, Call
from tensorlint.flow.defined import ClassInfo, FunctionInfo
from tensorlint.flow.domain.dtypes import OTHER_DTYPE, UNKNOWN_DTYPE, Dtype
from tensorlint.flow.domain.facts import Fact, Truth
from tensorlint.flow.domain.lattice import join
from tensorlint.flow.domain.tensors import Provenance, Tensor
from tensorlint.flow.domain.values import ClassObject, Foreign, Function, Instance, Module, Unknown, Value
from tensorlint.flow.machine import Machine
from tensorlint.flow.models.fields import given, keep_fields, own
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
    if method is None or method.is_left_open:
        method, receiver = below(machine, cls, receiver, name, call) or (method, receiver)
    if method is None:
        return unknown_result(machine, call)
    if isinstance(receiver, Instance) and name in _MOVES:
        call.frame.env.change(receiver, _moved)
    if isinstance(receiver, ClassObject):
        names = {dotted_name(decorator) for decorator in method.decorators}
        if "classmethod" in names:
            return machine.apply(method, receiver, call.arguments, call.frame, call.node)
        return machine.apply(method, None, call.arguments, call.frame, call.node)
    return machine.apply(method, receiver, call.arguments, call.frame, call.node)


def below(
    machine: Machine, cls: ClassInfo, receiver: Value, name: str, call: Call
) -> tuple[FunctionInfo, Value] | None:
    """The method that a class leaves to those below it, of which just one in the file has it, with an object of that.

    Where several have it, they are only told of the call. An object that was seen being made is of its own class.
    """
    if cls.unit is not None or not isinstance(receiver, (Instance, Module)) or receiver.oid > 0:
        return None
    heirs = [each for each in machine.classes.values() if each.is_below(cls)]
    found = [method for each in heirs if (method := each.methods.get(name)) is not None and not method.is_left_open]
    if len(found) == 1 and found[0].cls is not None:
        return found[0], replace(receiver, cls=found[0].cls.site)
    for method in found:
        machine.note_call(method, call.arguments, call.frame, bound=True)
    return None


def special(
    machine: Machine, value: Value, name: str, arguments: tuple[Argument, ...], frame: Frame, node: cst.CSTNode
) -> Value | None:
    """What a method that Python calls by itself returns; None where no class that was seen has it."""
    cls = machine.cls(value) if isinstance(value, (Instance, Module)) else None
    method = None if cls is None else cls.method(name)
    return None if method is None or method.is_left_open else machine.apply(method, value, arguments, frame, node)


def construct(machine: Machine, info: ClassInfo, call: Call) -> Value:
    if machine.unit is None:
        machine.lessons.construct(info.site)
    initializer = info.method("__init__")
    made = machine.self_value(info)
    if isinstance(made, Module):
        made = replace(made, device=machine.default_device, dtype=_cast_inside(info), oid=machine.next_serial())
        call.frame.made |= made.storages
    elif isinstance(made, Instance):
        held = given(machine, info, initializer, call)
        made = replace(made, unmoved=True, held=held, oid=machine.next_serial())
    if initializer is not None:
        if machine.learning and machine.unit is info.unit is None and machine.keeps_for_now(info):
            # What it keeps of what it is given here is asked for before it is interpreted on its own.
            machine.apply(initializer, made, call.arguments, call.frame, call.node)
        else:
            machine.note_call(initializer, call.arguments, call.frame, bound=True)
    elif machine.learning and machine.unit is info.unit and info.fields:
        keep_fields(machine, info, call)
    if info.is_autograd_function or any(base.split(".")[0] in FOREIGN_FRAMEWORKS for base in info.all_bases()):
        return Foreign(framework="class")
    return made


def kept_on(machine: Machine, path: str, value: Value, frame: Frame) -> None:
    """``self.items.append(x)``, ``server.users[i] = x``, ``holder.x = y``: what a class knows of an attribute grows."""
    owner, _, attribute = path.rpartition(".")
    if not machine.learning or not owner:
        return
    if owner == frame.self_name:
        cls = frame.cls
    else:
        held = machine.lookup(owner, frame)
        cls = machine.cls(held) if isinstance(held, (Instance, Module)) else None
        if cls is not None and (cls.unit is not None or cls.method(attribute) is not None):
            return
        if cls is not None and (before := machine.kept_before.get(cls.site)) is not None:
            # Its methods will not say so.
            known = before.get(attribute)
            machine.kept_before[cls.site] = {**before, attribute: value if known is None else join(known, value)}
    if cls is not None:
        machine.record_attribute(cls, attribute, value)


def _cast_inside(info: ClassInfo) -> Dtype:
    """What a module of another file may have cast itself to as it was made."""
    return OTHER_DTYPE if info.unit is not None and info.unit.file.casts_modules else UNKNOWN_DTYPE


def member(machine: Machine, cls: ClassInfo, receiver: Value, name: str, node: cst.Attribute, frame: Frame) -> Value:
    if isinstance(receiver, Instance) and (held := own(machine, cls, receiver, name, frame)) is not None:
        return held
    found = cls.attribute(name)
    if found is not None:
        return _as_moved(cls, found, receiver) if isinstance(receiver, Instance) else found
    method = cls.method(name)
    if method is None:
        return Unknown(source=Provenance.ATTRIBUTE)
    if method.is_property:
        return machine.apply(method, receiver, (), frame, node)
    return Function(definition=method.site, receiver=receiver)


def _moved(held: Value) -> Value:
    return replace(held, unmoved=False) if isinstance(held, Instance) else held


def as_left(held: Value) -> Value:
    """What a module was seen to compute and keep: under which grad mode it last did so is up to its caller."""
    if isinstance(held, (Tensor, Unknown)) and held.grad.passed_on:
        return replace(held, grad=held.grad.weakened())
    return held


def _as_moved(cls: ClassInfo, held: Value, owner: Instance) -> Value:
    """What an object holds that was made here: its ``to`` says where that lies once it was told to move, not before."""
    if not owner.oid or not isinstance(held, (Tensor, Unknown)) or held.device.site is None:
        return held
    moves = {method.site.definition for name in _MOVES if (method := cls.method(name)) is not None}
    if held.device.site.definition not in moves:
        return held
    if owner.unmoved:
        return replace(held, device=Fact())
    return replace(held, device=replace(held.device, truth=max(held.device.truth, Truth.MAYBE)))
