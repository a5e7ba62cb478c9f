"""Optimizers that were seen being made."""

from __future__ import annotations

from dataclasses import replace

from tensorlint.flow.call import Call
from tensorlint.flow.domain.memory import How, Mutation, Owner
from tensorlint.flow.domain.values import NONE, UNKNOWN, Dictionary, Optimizer, Value, is_false
from tensorlint.flow.machine import Machine
from tensorlint.flow.models.modules import state_of


def optimizer_method(
    machine: Machine,
    value: Optimizer,
    name: str,
    call: Call,
) -> Value:
    if name == "step":
        mutation = Mutation(machine.at(call.node), How.UPDATE, "the optimizer updates the parameters in place here")
        machine.update_parameters(call.frame, mutation, value.storages)
    elif name == "zero_grad" and not any(
        argument.keyword == "set_to_none" and is_false(argument.value) for argument in call.arguments
    ):
        machine.release_gradients(call.frame)
    elif name == "load_state_dict":
        call.frame.env.replace(value.oid, lambda held: replace(value, fresh=False))
    elif name == "state_dict" and value.fresh:
        # No state yet, and the groups of parameters are copied.
        return Dictionary(element=UNKNOWN, oid=machine.next_serial())
    elif name == "state_dict":
        state = machine.storage(Owner.PARAMETER)
        return state_of(machine, UNKNOWN, value.storages or state, call.node)
    return NONE
