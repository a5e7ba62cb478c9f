"""Hugging Face Accelerate and Lightning Fabric: what they are handed comes back on the device they chose.

The device is the GPU where there is one (documentation of ``Accelerator.prepare`` and ``Fabric.setup``).
"""

from __future__ import annotations

from dataclasses import replace

from tensorlint.flow.call import Argument, Call
from tensorlint.flow.domain.facts import Fact, Truth
from tensorlint.flow.domain.tensors import Provenance
from tensorlint.flow.domain.values import Module, Sequence, Unknown, Value, is_true
from tensorlint.flow.machine import Machine
from tensorlint.flow.models.registry import function
from tensorlint.flow.tree import dotted_name
from tensorlint.knowledge import names

#: The methods that do.
PLACES = frozenset({"prepare", "prepare_model", "prepare_data_loader", "setup", "setup_module", "setup_dataloaders"})


@function("accelerate.Accelerator", "lightning.Fabric", "lightning.fabric.Fabric", "lightning_fabric.Fabric")
def accelerator(machine: Machine, path: str, call: Call) -> Value | None:
    stays = is_true(call.keyword("cpu") or call.first or Unknown()) and path.startswith("accelerate")
    return None if stays else Unknown(source=Provenance.ACCELERATOR, oid=machine.next_serial())


def is_accelerator(value: Unknown, name: str) -> bool:
    """Whether an object is one, as it was made or by what it is called."""
    return value.source is Provenance.ACCELERATOR or names.ACCELERATOR.search(name)


def placed(machine: Machine, call: Call) -> Value | None:
    """What ``accelerator.prepare(...)`` returns: the same one thing, or the same things, on its device."""
    if not call.arguments or any(argument.star or argument.keyword for argument in call.arguments):
        return None
    fact = Fact(Truth.MAYBE, machine.at(call.node), "put on the device of the accelerator here")
    things = tuple(_placed(argument, fact, call) for argument in call.arguments)
    return things[0] if len(things) == 1 else Sequence(kind="tuple", items=things, oid=machine.next_serial())


def _placed(argument: Argument, fact: Fact, call: Call) -> Value:
    match argument.value:
        case Module() as model:
            # A module is moved where it is, whatever name it comes back under.
            call.frame.env.change(model, lambda held: replace(held, device=fact) if isinstance(held, Module) else held)
            return replace(model, device=fact)
        case Sequence(kind="loader"):
            return Sequence(kind="generator", element=Unknown(device=fact, source=Provenance.LOADER))
        case Unknown() as thing if names.LOADER.search(dotted_name(argument.node)):
            return replace(thing, device=fact, source=Provenance.PREPARED)
        case Unknown() as thing if names.MODEL.search(dotted_name(argument.node)):
            return replace(thing, device=fact)
        case thing:
            return thing
