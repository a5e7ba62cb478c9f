"""Calls of ``torch`` and what lies below it."""

from __future__ import annotations

from dataclasses import replace

import libcst as cst

from tensorlint.flow import events, object_events
from tensorlint.flow.arguments import dtype_argument
from tensorlint.flow.call import Call
from tensorlint.flow.domain.devices import kinds_of
from tensorlint.flow.domain.facts import NO_FACT, UNKNOWN_FACT, Fact, Truth, strongest
from tensorlint.flow.domain.inside import leaves, tensor_dtype
from tensorlint.flow.domain.tensors import Array, Provenance, Tensor
from tensorlint.flow.domain.values import (
    ACCELERATED,
    NONE,
    SOME_DTYPE,
    UNKNOWN,
    DeviceValue,
    Dictionary,
    Foreign,
    Scalar,
    Symbol,
    Unknown,
    Value,
    is_false,
)
from tensorlint.flow.elements import exported
from tensorlint.flow.machine import Machine
from tensorlint.flow.models.kept_parameters import COMPARE, note_comparison
from tensorlint.flow.models.placement import (
    chosen_device,
    default_device,
    map_location,
    moved_to,
    names_device,
    requested_device,
)
from tensorlint.flow.models.registry import function
from tensorlint.flow.models.rows import from_row
from tensorlint.flow.models.same_dtype import note_loss, note_product
from tensorlint.flow.models.unseen import unknown_result
from tensorlint.flow.saved import note_function
from tensorlint.flow.state import GRAD_OFF
from tensorlint.knowledge import TORCH_FUNCTIONS

#: Functions that make a tensor of data.
_OF_DATA = frozenset({"tensor", "as_tensor", "from_numpy", "Tensor", "FloatTensor", "LongTensor"})


def torch_call(machine: Machine, path: str, call: Call, result: Value) -> Value:
    """The event of a call of torch."""
    name = path.removeprefix("torch.")
    for argument in call.arguments:
        machine.note_exported(argument)
    note_loss(machine, path, tensor_dtype(call.keyword("weight")), call)
    note_product(machine, name, call.arguments, call)
    note_function(machine, name, call, result)
    if name in COMPARE and len(call.arguments) > 1:
        note_comparison(machine, call.node, call.arguments[0], call.arguments[1], call.frame)
    consumer, around = machine.consumers.get(id(call.node), ("", None))
    if name in _OF_DATA and call.arguments and not (machine.learning or call.frame.quiet):
        tell_round_trip(machine, name, call, around if consumer in {"to", "cuda"} else None)
    machine.emit(
        call.frame,
        events.TorchCall,
        call.node,
        name=name,
        arguments=call.arguments,
        result=result,
        consumer=consumer,
        discarded=call.frame.bare_call is call.node,
    )
    return result


def tell_round_trip(machine: Machine, name: str, call: Call, moved: cst.CSTNode | None) -> None:
    """The event of a tensor that is made of a list, or an array, of what was one before."""
    made = exported(call.arguments[0].node)
    value = machine.silently(made[0], call.frame) if made is not None else None
    if made is None or not isinstance(value, (Tensor, Array)) or not value.sure:
        return
    back = requested_device(machine, call) or NO_FACT
    match moved:
        case cst.Call(func=cst.Attribute(attr=cst.Name(value="cuda"))):
            back = Fact(Truth.YES)
        case cst.Call(args=[cst.Arg(value=place, keyword=None), *_]) if names_device(place):
            back = moved_to(machine, machine.silently(place, call.frame), place, call.node)
        case _:
            pass
    if made[1] == "array" and (not isinstance(value, Tensor) or min(value.device.truth, back.truth) <= Truth.UNKNOWN):
        return
    details = {"name": name, "value": value, "source": made[0], "by": made[1], "back": back}
    machine.emit(call.frame, events.RoundTrip, call.node, arguments=call.arguments, **details)


@function("torch.*")
def described_by_a_row(machine: Machine, path: str, call: Call) -> Value:
    """Whatever no other model speaks for: as its row in ``knowledge`` has it, or unseen."""
    name = path.removeprefix("torch.")
    for argument in call.arguments if name in {"autograd.grad", "nn.Parameter", "nn.parameter.Parameter"} else ():
        machine.note_leaves(argument.value)
    row = TORCH_FUNCTIONS.get(name) or TORCH_FUNCTIONS.get(name.removeprefix("functional."))
    if row is not None:
        return from_row(machine, row, None, call, words=f"`{path}`")
    result = unknown_result(machine, call)
    asked = dtype_argument(call.arguments)
    return replace(result, dtype=asked) if isinstance(result, Unknown) and asked.without_numpy else result


@function("torch.device")
def device(machine: Machine, path: str, call: Call) -> Value:
    chosen = call.first if call.first is not None else call.keyword("type") or UNKNOWN
    if isinstance(chosen, DeviceValue):
        return chosen
    return DeviceValue(fact=chosen_device(machine, chosen, call.node), kinds=kinds_of(chosen))


@function(
    "torch.cuda.is_available",
    "torch.backends.mps.is_available",
    "torch.xpu.is_available",
    "torch.accelerator.is_available",
)
def is_available(machine: Machine, path: str, call: Call) -> Value:
    return ACCELERATED


@function("torch.set_default_device", "torch.set_default_tensor_type")
def set_default(machine: Machine, path: str, call: Call) -> Value:
    machine.default_device = default_device(machine, call.first, call)
    return NONE


@function("torch.compile", "torch.nn.DataParallel", "torch.nn.parallel.DistributedDataParallel")
def wrapper(machine: Machine, path: str, call: Call) -> Value | None:
    """What stands for the module it is given."""
    return call.first


@function("torch.distributions.*")
def distribution(machine: Machine, path: str, call: Call) -> Value:
    inputs = [
        leaf for argument in call.arguments for leaf in leaves(argument.value) if isinstance(leaf, (Tensor, Unknown))
    ]
    device = strongest((value.device for value in inputs), UNKNOWN_FACT)
    grad = strongest((value.grad for value in inputs), UNKNOWN_FACT)
    return Unknown(device=device, grad=grad, source=Provenance.DISTRIBUTION)


@function("torch.profiler.*", "torch.multiprocessing.*", "torch.distributed.*")
def no_tensor(machine: Machine, path: str, call: Call) -> Value:
    return Foreign(framework="torch")


@function("torch.get_default_dtype")
def default_dtype(machine: Machine, path: str, call: Call) -> Value:
    return SOME_DTYPE


@function("torch.save")
def save(machine: Machine, path: str, call: Call) -> Value:
    value = next((each for each in call.arguments if each.keyword in {"", "obj"}), None)
    if value is not None and not machine.learning and not call.frame.quiet:
        # What this file reads it wrote itself; otherwise any file of the program may be the one that does.
        here = machine.lessons.loads
        loads = {takes_any for takes_any, _ in here} or machine.loads_around()
        any_pickle = Truth.UNKNOWN if not loads else Truth.YES if True in loads else Truth.NO
        read = min((site for _, site in here), default=None)
        machine.emit(call.frame, object_events.Checkpoint, call.node, value=value, any_pickle=any_pickle, read=read)
    if value is not None:
        call.frame.env.change(value.value, _saved)
    return NONE


def _saved(value: Value) -> Value:
    return replace(value, saved=True) if isinstance(value, Dictionary) else value


@function("torch.serialization.add_safe_globals", "torch.serialization.safe_globals")
def safe_globals(machine: Machine, path: str, call: Call) -> Value | None:
    if machine.learning and machine.unit is None:
        # Somebody has seen to it.
        machine.lessons.loads.add((True, machine.at(call.node)))
    return None


@function("torch.load")
def load(machine: Machine, path: str, call: Call) -> Value:
    if machine.learning and machine.unit is None:
        takes_any = is_false(call.keyword("weights_only") or UNKNOWN) or call.keyword("pickle_module") is not None
        machine.lessons.loads.add((takes_any, machine.at(call.node)))
    return Unknown(device=map_location(machine, call), source=Provenance.LOAD, oid=machine.next_serial())


@function("torch.**.no_grad", "torch.**.inference_mode", "torch.**.enable_grad", "torch.**.set_grad_enabled")
def grad_context(machine: Machine, path: str, call: Call) -> Value:
    name, first = path.rpartition(".")[2], call.first
    if name == "set_grad_enabled" or (name == "inference_mode" and first is not None):
        flag = first.literal if isinstance(first, Scalar) else None
        switched = (
            {True: "enable_grad", False: "no_grad"}.get(flag, "maybe_grad") if isinstance(flag, bool) else "maybe_grad"
        )
        if name == "inference_mode":
            switched = {"enable_grad": "no_grad", "no_grad": "enable_grad"}.get(switched, switched)
        if call.frame.bare_call is call.node:
            call.frame.env.grad_mode = {"no_grad": GRAD_OFF, "enable_grad": Fact(Truth.YES)}.get(
                switched, Fact(Truth.UNKNOWN)
            )
        return Symbol(path=f"torch.{switched}()")
    # ``with torch.no_grad:`` and ``@torch.no_grad`` never call it; ``torch.no_grad()(f)`` returns f.
    return Symbol(path=f"torch.{'enable_grad' if name == 'enable_grad' else 'no_grad'}()")
