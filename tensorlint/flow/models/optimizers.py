"""Optimizers that were seen being made."""

from __future__ import annotations

from dataclasses import replace

import libcst as cst

from tensorlint.flow.domain.memory import How, Mutation, Owner
from tensorlint.flow.domain.values import NONE, UNKNOWN, Dictionary, Optimizer, Value, is_false
from tensorlint.flow.events import Argument
from tensorlint.flow.machine import Machine
from tensorlint.flow.models.modules import state_of
from tensorlint.flow.state import Frame


def optimizer_method(
    machine: Machine, value: Optimizer, name: str, arguments: tuple[Argument, ...], node: cst.Call, frame: Frame
) -> Value:
    if name == "step":
        mutation = Mutation(machine.at(node), How.UPDATE, "the optimizer updates the parameters in place here")
        machine.update_parameters(frame, mutation, value.storages)
    elif name == "zero_grad" and not any(
        argument.keyword == "set_to_none" and is_false(argument.value) for argument in arguments
    ):
        machine.release_gradients(frame)
    elif name == "load_state_dict":
        frame.env.replace(value.oid, lambda held: replace(value, fresh=False))
    elif name == "state_dict" and value.fresh:
        # No state yet, and the groups of parameters are copied.
        return Dictionary(element=UNKNOWN, oid=machine.next_serial())
    elif name == "state_dict":
        state = machine.storage(Owner.PARAMETER)
        return state_of(machine, UNKNOWN, value.storages or state, node)
    return NONE
