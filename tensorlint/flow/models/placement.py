"""Devices: where a call is told to put what it makes."""

from __future__ import annotations

from dataclasses import replace

import libcst as cst

from tensorlint.flow.call import Argument, Call
from tensorlint.flow.domain.devices import NO_DATA, device_fact, fact_of_type
from tensorlint.flow.domain.dtypes import OTHER_DTYPE, UNKNOWN_DTYPE, Dtype
from tensorlint.flow.domain.facts import NO_FACT, UNKNOWN_FACT, Fact, Truth, off_cpu
from tensorlint.flow.domain.lattice import any_element
from tensorlint.flow.domain.site import Site
from tensorlint.flow.domain.tensors import Tensor
from tensorlint.flow.domain.values import (
    DeviceValue,
    Dictionary,
    Foreign,
    Function,
    Module,
    Scalar,
    Symbol,
    Unknown,
    Value,
    is_dtype,
    is_none,
)
from tensorlint.flow.dtypes import dtype_of
from tensorlint.flow.machine import Machine
from tensorlint.flow.tree import dotted_name
from tensorlint.knowledge import names


def moved_to(machine: Machine, value: Value, spelled: cst.BaseExpression, node: cst.CSTNode) -> Fact:
    """Off the CPU, after being put on the device ``value``. A device that is not known was meant to matter."""
    fact = device_fact(value)
    words = spell(spelled)
    if isinstance(value, DeviceValue) and fact.truth is Truth.UNKNOWN:
        # Where another tensor is, wherever that may be; or where a caller may have chosen.
        return Fact(Truth.UNKNOWN, machine.at(node), fact.reason or "put where another tensor is")
    if fact.truth is Truth.UNKNOWN and "cpu" in words.lower():
        return Fact(Truth.NO, machine.at(node), "on the CPU here")
    if fact.truth is Truth.UNKNOWN:
        return Fact(Truth.MAYBE, machine.at(node), f"put on `{words}` here", hangs_on(machine, spelled))
    if fact.truth is Truth.NO:
        return Fact(Truth.NO, machine.at(node), "on the CPU here")
    reason = NO_DATA if fact.reason == NO_DATA else f"put on `{words}` here"
    return replace(fact, site=machine.at(node), reason=reason, hangs_on=hangs_on(machine, spelled))


def hangs_on(machine: Machine, device: cst.BaseExpression) -> tuple[str, bool, Truth] | None:
    name = dotted_name(device)
    machine.lessons.hanging |= bool(name)
    return (off_cpu(name), True, Truth.NO) if name else None


def requested_device(machine: Machine, call: Call) -> Fact | None:
    """What ``device=`` asks for; None when it is not given."""
    argument = next((argument for argument in call.arguments if argument.name == "device"), None)
    if argument is None or is_none(argument.value):
        return None
    return moved_to(machine, argument.value, argument.node, call.node)


def at_that_of(machine: Machine, other: Value, node: cst.CSTNode) -> Fact:
    """Off the CPU, after being put where another tensor is."""
    assert isinstance(other, (Tensor, Module, Unknown))
    return replace(
        other.device, site=machine.at(node), reason="moved to the device of another tensor here", hangs_on=None
    )


def chosen_device(machine: Machine, device: Value, node: cst.Call) -> Fact:
    """Whether a device is off the CPU; one that is chosen when the program runs was meant to matter."""
    fact = device_fact(device)
    return Fact(Truth.MAYBE, machine.at(node), "chosen when the program runs") if fact.truth is Truth.UNKNOWN else fact


def default_device(machine: Machine, first: Value | None, call: Call) -> Fact:
    """Where tensors are made from here on. A type of tensors says it too: ``torch.cuda.FloatTensor``.

    A type that another file chose does not.
    """
    told = "made on the default device, which is set here"
    kind = first if first is not None or not call.arguments else call.arguments[0].value
    of_type = fact_of_type(kind)
    if of_type is not None:
        return replace(of_type, site=machine.at(call.node), reason=told)
    match kind:
        case None | Symbol():
            return NO_FACT
        case chosen:
            fact = moved_to(machine, chosen, call.arguments[0].node, call.node)
            if fact.reason == NO_DATA:
                return fact
            return Fact(fact.truth, machine.at(call.node), told)


def map_location(machine: Machine, call: Call) -> Fact:
    """Where a file is loaded to. Without a word on it, its tensors go where they were saved."""
    argument = next((argument for argument in call.arguments if argument.name == "map_location"), None)
    if argument is None or is_none(argument.value):
        return UNKNOWN_FACT
    match argument.value:
        case Dictionary() as table:
            truth = device_fact(any_element(table)).truth
        case Function() as function:
            # It is handed the storage as it was read, in host memory, and where it was when it was saved.
            read = Argument(call.node, Unknown(device=NO_FACT)), Argument(call.node, Scalar(kind="str"))
            placed = machine.call_value(function, replace(call, arguments=read))
            truth = placed.device.truth if isinstance(placed, Unknown) else device_fact(placed).truth
        case Unknown() if not names_device(argument.node):
            truth = Truth.UNKNOWN
        case place:
            truth = moved_to(machine, place, argument.node, call.node).truth
    return Fact(truth, machine.at(call.node), "loaded onto that device here")


def names_device(node: cst.BaseExpression) -> bool:
    """Whether an expression is called what devices are called where they are handed around."""
    return names.DEVICE.search(cst.Module(body=()).code_for_node(node))


def spell(node: cst.BaseExpression) -> str:
    """A short spelling of an expression for a message."""
    text = cst.Module(body=()).code_for_node(node)
    text = " ".join(text.split())
    return text if len(text) <= 40 else text[:37] + "..."


def placed_by_type(arguments: tuple[Argument, ...], site: Site) -> Fact | None:
    """``x.type(torch.FloatTensor)``: types of tensors say where they live, too."""
    fact = fact_of_type(arguments[0].value) if arguments else None
    if fact is None:
        return None
    if fact.truth is Truth.NO:
        return Fact(Truth.NO, site, "brought to the CPU here")
    return replace(fact, site=site, reason=f"made a `{spell(arguments[0].node)}` here")


def device_among(machine: Machine, call: Call) -> Fact | None:
    """``ReplayBuffer(size, "cpu")``: a device given by position is where what comes of the call lives."""
    for argument in call.arguments:
        value = argument.value
        if isinstance(value, DeviceValue) or (isinstance(value, Scalar) and value.literal == "cpu"):
            return moved_to(machine, value, argument.node, call.node)
    return None


def destination(machine: Machine, call: Call) -> tuple[Fact | None, Dtype]:
    device: Fact | None = None
    dtype = UNKNOWN_DTYPE
    for position, argument in enumerate(call.arguments):
        value = argument.value
        if argument.keyword == "dtype" or dtype_of(value) or is_dtype(value):
            # A dtype that cannot be read is still another dtype, as far as memory goes.
            dtype = dtype_of(value) or OTHER_DTYPE
        elif argument.keyword in {"device", "torch_device", "other"} or (
            not argument.keyword and not argument.star and position == 0
        ):
            unclear = not isinstance(value, (DeviceValue, Module, Scalar, Tensor))
            if is_none(value) or (unclear and names_dtype(argument.node)):
                dtype = dtype or (UNKNOWN_DTYPE if is_none(value) else OTHER_DTYPE)
            elif isinstance(value, (Tensor, Module)):
                device = at_that_of(machine, value, call.node)
                dtype = (value.dtype or OTHER_DTYPE) if isinstance(value, Tensor) else dtype
            elif isinstance(value, Unknown) and not argument.keyword and not names_device(argument.node):
                # A dtype, a device or another tensor: whatever it is, it tells nothing.
                device, dtype = Fact(Truth.UNKNOWN, machine.at(call.node)), OTHER_DTYPE
            elif not isinstance(value, Foreign):
                device = moved_to(machine, value, argument.node, call.node)
        elif argument.star or (not argument.keyword and position == 1 and isinstance(value, Unknown)):
            # ``x.to(device, self.dtype)``
            dtype = dtype or OTHER_DTYPE
    return device, dtype


def does_not_wait(machine: Machine, call: Call) -> bool:
    """Whether a transfer to the CPU is told not to wait until it is done."""
    flag = call.keyword("non_blocking")
    told = isinstance(flag, Scalar) and flag.literal is True
    machine.lessons.transfers |= told
    return told


def names_dtype(node: cst.BaseExpression) -> bool:
    last = dotted_name(node).split(".")[-1].lower()
    return "dtype" in last or last.endswith("type")
