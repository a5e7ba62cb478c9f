"""What a function that was not seen returns."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache, partial

import libcst as cst

from tensorlint.flow.call import Argument, Call
from tensorlint.flow.domain.devices import together
from tensorlint.flow.domain.dtypes import UNKNOWN_DTYPE
from tensorlint.flow.domain.facts import UNKNOWN_FACT, Fact, Truth, strongest
from tensorlint.flow.domain.inside import leaves, parameters_of_own
from tensorlint.flow.domain.memory import NO_STORAGE, How, Mutation, Storages
from tensorlint.flow.domain.tensors import Origin, Provenance, Tensor
from tensorlint.flow.domain.values import DeviceValue, Module, Optimizer, Unknown, Value
from tensorlint.flow.machine import Machine
from tensorlint.flow.models.placement import device_among, requested_device
from tensorlint.flow.state import Frame
from tensorlint.flow.tree import dotted_name
from tensorlint.knowledge import names


def unknown_result(machine: Machine, call: Call, *, callee: Unknown | None = None) -> Value:
    """What a function that was not seen returns: its tensors stay where its arguments are."""
    name = dotted_name(call.node.func).split(".")[-1]
    if not name and isinstance(call.node.func, (cst.Attribute, cst.Subscript)):
        name = (
            call.node.func.attr.value
            if isinstance(call.node.func, cst.Attribute)
            else dotted_name(call.node.func.value).split(".")[-1]
        )
    if isinstance(call.node.func, cst.Call):
        # ``LoadImage(...)(path)``: the thing called goes by the name of its class.
        name = dotted_name(call.node.func.func).split(".")[-1]
    inputs = [leaf for argument in call.arguments for leaf in leaves(argument.value)]
    for leaf in inputs:
        machine.hand_on(call.frame, call.node, leaf)
    operands = [value for value in inputs if isinstance(value, (Tensor, Unknown))]
    if "device" in name and any(isinstance(value, Tensor) for value in inputs[:1]):
        # ``get_device(wav)``: where that tensor is.
        return DeviceValue(fact=strongest((value.device for value in operands[:1]), UNKNOWN_FACT))
    if names.TRAINER.search(name):
        models = [argument for argument in call.arguments if is_model(argument, call.frame)]
        if models:
            mutation = Mutation(machine.at(call.node), How.UPDATE, f"`{name}(...)` trains the model here")
            machine.update_parameters(call.frame, mutation, _parameters_in(models))
    placed = [
        value
        for value in operands
        if isinstance(value, Tensor) or value.device.truth is not Truth.UNKNOWN or value.device.site is not None
    ]
    if callee is not None and callee.device.truth is not Truth.UNKNOWN:
        placed.append(callee)
    told = requested_device(machine, call) or device_among(machine, call)
    computed = callee is not None or computes_with_parameters(name) or name in machine.lessons.trained
    device = told if told is not None else together(placed, UNKNOWN_FACT)
    if told is not None or not (name in machine.lessons.networks or name in machine.lessons.trained):
        # A network computes where its parameters are, and what it is given has to be there, too.
        device = device.weakened()
    if device.truth is Truth.MAYBE and (told is not None or not computed):
        # An imported helper may bring what it returns to the CPU, even if it is told a device, and an object that
        # is made for one need not keep there all that it holds and gives.
        device = replace(device, truth=Truth.UNKNOWN)
    grad = UNKNOWN_FACT
    if machine.at(call.node) in machine.lessons.differentiated:
        grad = Fact(Truth.MAYBE, machine.at(call.node), "`.backward()` goes through the result of this call")
    elif call.arguments and (
        (computes_with_parameters(name) and (name in machine.lessons.networks or is_fed_tensors(operands)))
        or name in machine.lessons.trained
        or _computes(machine, name, call.node, operands)
    ):
        # A name only says that what goes in comes out again; that it is trained must have been seen.
        inherited = strongest((value.grad for value in operands), UNKNOWN_FACT).weakened()
        owner = dotted_name(call.node.func.value).split(".")[-1] if isinstance(call.node.func, cst.Attribute) else ""
        frozen = callee is not None and callee.grad.truth is Truth.NO
        trained = UNKNOWN_FACT if frozen else strongest(map(partial(trained_as, machine), (name, owner)))
        grad = inherited if inherited.truth > Truth.UNKNOWN else trained
    # Under autocast a network of unseen code may end in either precision.
    dtype = callee.dtype if callee is not None else UNKNOWN_DTYPE
    return Unknown(
        device=device,
        grad=machine.result_grad(grad, call.frame),
        dtype=dtype.weakened(),
        source=_source_of(name, operands),
        origin=Origin(machine.at(call.node), "computed here"),
        oid=machine.next_serial(),
    )


def trained_as(machine: Machine, name: str) -> Fact:
    """What the file shows of a model by this name: that it has parameters, and that nobody freezes them."""
    seen = machine.lessons.trained.get(name)
    if seen is None or name in machine.lessons.frozen:
        return UNKNOWN_FACT
    return Fact(Truth.MAYBE, seen, f"`{name}` has parameters, so its output needs a gradient")


def is_fed_tensors(operands: list[Tensor | Unknown]) -> bool:
    """Whether there is a sign that a callable is given tensors, and so is the network its name says it is."""
    return any(
        isinstance(value, Tensor) or value.source is Provenance.LOADER or value.device.truth is not Truth.UNKNOWN
        for value in operands
    )


def _computes(machine: Machine, name: str, node: cst.Call, operands: list[Tensor | Unknown]) -> bool:
    """Whether this is a method of a model, given a tensor, that is not known to work without a graph."""
    if not isinstance(node.func, cst.Attribute) or not any(isinstance(value, Tensor) for value in operands):
        return False
    owner = dotted_name(node.func.value).split(".")[-1]
    return (computes_with_parameters(owner) or owner in machine.lessons.trained) and not names.WITHOUT_GRAPH.search(
        name
    )


def _parameters_in(models: list[Argument]) -> Storages:
    """The parameters of the models among these, when all of them are known; where there are only optimizers, theirs."""
    known = [
        argument.value.storages if isinstance(argument.value, Optimizer) else parameters_of_own(argument.value)
        for argument in models
        if not names.OPTIMIZER.search(dotted_name(argument.node)) or len(models) == 1
    ]
    return NO_STORAGE.union(*known) if all(known) else NO_STORAGE


def is_model(argument: Argument, frame: Frame) -> bool:
    if isinstance(argument.value, (Module, Optimizer)):
        return True
    name = dotted_name(argument.node).split(".")[-1]
    return isinstance(argument.value, Unknown) and bool(re.search(r"model|net|optim|agent|policy", name, re.IGNORECASE))


@lru_cache(maxsize=4096)
def computes_with_parameters(name: str) -> bool:
    """Whether a callable of this name is taken for a model. Asked at every call of unseen code."""
    return names.MODEL.search(name)


def _source_of(name: str, operands: list[Tensor | Unknown]) -> Provenance:
    if name == "prepare" or "prefetch" in name.lower():
        # ``accelerator.prepare(loader)``, ``PrefetchLoader(loader)``: batches are moved on the way.
        return Provenance.PREPARED
    return Provenance.FILE if names.READER.search(name) and not operands else Provenance.CALL
