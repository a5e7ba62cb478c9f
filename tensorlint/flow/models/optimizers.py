"""Optimizers that were seen being made."""

from __future__ import annotations

from dataclasses import replace

import libcst as cst

from tensorlint.flow import object_events
from tensorlint.flow.arguments import given
from tensorlint.flow.call import Argument, Call
from tensorlint.flow.domain.facts import Truth
from tensorlint.flow.domain.inside import arrays_behind, leaves
from tensorlint.flow.domain.memory import NO_BACKING, NO_STORAGE, Backing, How, Mutation, Owner, Storages
from tensorlint.flow.domain.tensors import Provenance, Tensor
from tensorlint.flow.domain.values import NONE, UNKNOWN, Dictionary, Foreign, Optimizer, Value, is_false
from tensorlint.flow.machine import Machine
from tensorlint.flow.models.registry import function
from tensorlint.flow.models.states import state_of
from tensorlint.flow.tree import contains

#: What a module is moved with stays a leaf.
_OF_MODULES = frozenset({Provenance.PARAMETER_OF_MODULE, Provenance.BUFFER_OF_MODULE})


def optimizer_method(machine: Machine, value: Optimizer, name: str, call: Call) -> Value:
    if name == "step":
        mutation = Mutation(machine.at(call.node), How.UPDATE, "the optimizer updates the parameters in place here")
        machine.update_parameters(call.frame, replace(mutation, modules=value.modules | {value.oid}), value.storages)
        machine.update_arrays(call.frame, mutation, value.arrays)
    elif name == "zero_grad" and not any(
        argument.keyword == "set_to_none" and is_false(argument.value) for argument in call.arguments
    ):
        machine.release_gradients(call.frame)
    elif name == "add_param_group":
        tell_non_leaf(machine, call, "param_group")
    elif name == "load_state_dict":
        call.frame.env.change(value, lambda held: replace(value, fresh=False))
    elif name == "state_dict" and value.fresh:
        # No state yet, and the groups of parameters are copied.
        return Dictionary(element=UNKNOWN, oid=machine.next_serial())
    elif name == "state_dict":
        state = machine.storage(Owner.PARAMETER)
        return state_of(machine, UNKNOWN, value.storages or state, call.node, value.oid)
    return NONE


@function("torch.optim.*")
def make_optimizer(machine: Machine, path: str, call: Call) -> Value:
    if "lr_scheduler" in path:
        return Foreign(framework="torch")
    # Adagrad alone has state before its first step (measured on 2.13.0).
    fresh = not path.endswith("Adagrad")
    for argument in call.arguments:
        machine.note_leaves(argument.value)
    parameters = list(leaves(call.first)) if call.first is not None else []
    tell_non_leaf(machine, call, "params")
    modules = frozenset(leaf.module for leaf in parameters if isinstance(leaf, Tensor) and leaf.module)
    arrays = arrays_given(call.first or call.keyword("params"), call)
    storages = parameters_known(call.first)
    return Optimizer(storages=storages, modules=modules, arrays=arrays, fresh=fresh, oid=machine.next_serial())


def tell_non_leaf(machine: Machine, call: Call, name: str) -> None:
    """The event of a tensor among those to be trained that was computed, or moved, after it needed a gradient."""
    parameters = given(call.arguments, 0, name)
    if parameters is None:
        return
    for value in leaves(parameters.value):
        if isinstance(value, Tensor) and value.grad.truth > Truth.UNKNOWN:
            moved = value.source not in _OF_MODULES and not value.grad.passed_on and moved_later(machine, value)
            if moved or value.grad.passed_on:
                given_as = Argument(parameters.node, value)
                machine.emit(call.frame, object_events.NonLeafOptimized, call.node, value=given_as, moved=moved)
                return


def moved_later(machine: Machine, value: Tensor) -> bool:
    """Whether a leaf was put on a device that may be none of the CPU: it is a copy there, and no leaf."""
    node, made = machine.sites.node(value.device.site), machine.sites.node(value.grad.site)
    if value.device.truth <= Truth.UNKNOWN or made is None:
        return False
    match node:
        case cst.Call(func=cst.Attribute(value=receiver, attr=cst.Name(value="to" | "cuda"))):
            before = (
                value.grad.site is not None and value.device.site is not None and value.grad.site < value.device.site
            )
            return contains(receiver, made) or (before and not contains(made, receiver))
        case _:
            return False


def arrays_given(parameters: Value | None, call: Call) -> Backing:
    """The arrays that parameters, or weights of modules that were asked for theirs, were made of."""
    held = () if parameters is None else tuple(leaves(parameters))
    owners = {leaf.module for leaf in held if isinstance(leaf, Tensor) and leaf.module}
    modules = (call.frame.env.holds(owner) for owner in sorted(owners))
    return NO_BACKING.union(*map(arrays_behind, (*held, *modules)))


def parameters_known(value: Value | None) -> Storages:
    """The storages of a list of parameters, when all of them belong to modules that were seen being made."""
    if value is None:
        return NO_STORAGE
    held = list(leaves(value))
    if not held or not all(isinstance(leaf, Tensor) and leaf.of_module for leaf in held):
        return NO_STORAGE
    return NO_STORAGE.union(*(leaf.storages for leaf in held if isinstance(leaf, Tensor)))
