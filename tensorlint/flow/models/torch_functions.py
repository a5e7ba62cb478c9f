"""Calls of ``torch`` and what lies below it."""

from __future__ import annotations

from dataclasses import replace

import libcst as cst

from tensorlint.flow import events
from tensorlint.flow.arguments import dtype_argument, keyword
from tensorlint.flow.call import Argument, Call
from tensorlint.flow.domain.dtypes import unsure_dtype, without_numpy
from tensorlint.flow.domain.facts import UNKNOWN_FACT, Fact, Truth, strongest
from tensorlint.flow.domain.inside import leaves
from tensorlint.flow.domain.memory import NO_STORAGE, Owner, Storages
from tensorlint.flow.domain.values import (
    ACCELERATED,
    NONE,
    UNKNOWN,
    DeviceValue,
    Foreign,
    Module,
    Optimizer,
    Scalar,
    Sequence,
    Symbol,
    Tensor,
    Unknown,
    Value,
)
from tensorlint.flow.dtypes import dtype_name
from tensorlint.flow.machine import Machine
from tensorlint.flow.models.modules import has_parameters
from tensorlint.flow.models.placement import chosen_device, default_device, map_location, requested_device
from tensorlint.flow.models.rows import from_row
from tensorlint.flow.models.torch_creation import _LEGACY_DTYPE, tensor_of
from tensorlint.flow.models.unseen import unknown_result
from tensorlint.flow.state import GRAD_OFF, Frame
from tensorlint.knowledge import TORCH_FUNCTIONS

#: Stands for the context manager, with the dtype behind it.
AUTOCAST = "torch.autocast():"
_CONTEXTS = frozenset({"no_grad", "inference_mode", "enable_grad", "set_grad_enabled"})
_IDENTITY_CALLS = frozenset(
    {"torch.compile", "torch.nn.DataParallel", "torch.nn.parallel.DistributedDataParallel", "torch.jit.script"}
)


def torch_call(
    machine: Machine,
    name: str,
    call: Call,
) -> Value:
    result = torch_result(machine, name, call)
    consumer, _ = machine.consumers.get(id(call.node), ("", None))
    machine.emit(
        call.frame,
        events.TorchCall,
        call.node,
        name=name,
        arguments=call.arguments,
        result=result,
        consumer=consumer,
        discarded=machine.bare_call is call.node,
    )
    return result


def torch_result(
    machine: Machine,
    name: str,
    call: Call,
) -> Value:
    first = call.arguments[0].value if call.arguments and not call.arguments[0].keyword else None
    last = name.split(".")[-1]
    if last in _CONTEXTS:
        return grad_context(machine, last, first, call.node, call.frame)
    if last == "autocast":
        return Symbol(path=AUTOCAST + autocast_dtype(name, first, call.arguments))
    if name == "device":
        chosen = first if first is not None else call.keyword("type") or UNKNOWN
        return (
            chosen if isinstance(chosen, DeviceValue) else DeviceValue(fact=chosen_device(machine, chosen, call.node))
        )
    if name == "cuda.is_available":
        return ACCELERATED
    if name in {"set_default_device", "set_default_tensor_type"}:
        machine.default_device = default_device(machine, first, call)
        return NONE
    if f"torch.{name}" in _IDENTITY_CALLS and first is not None:
        return first
    if name.startswith("optim.") and "lr_scheduler" not in name:
        # Adagrad alone has state before its first step (measured on 2.13.0).
        fresh = not name.endswith("Adagrad")
        return Optimizer(storages=parameters_known(first), fresh=fresh, oid=machine.next_serial())
    if name.startswith(("optim.", "distributions.", "profiler.", "multiprocessing.", "distributed.")):
        sampler = name.startswith("distributions.")
        inputs = [
            leaf
            for argument in call.arguments
            for leaf in leaves(argument.value)
            if isinstance(leaf, (Tensor, Unknown))
        ]
        device = strongest((value.device for value in inputs), UNKNOWN_FACT)
        grad = strongest((value.grad for value in inputs), UNKNOWN_FACT)
        return Unknown(device=device, grad=grad, source="distribution") if sampler else Foreign(framework="torch")
    if name == "utils.data.DataLoader" or last == "DataLoader":
        return Sequence(kind="loader")
    if name.startswith("jit.load") or name == "hub.load":
        return Module(
            name=f"torch.{name}",
            device=map_location(machine, call),
            storages=machine.storage(Owner.PARAMETER),
            oid=machine.next_serial(),
        )
    if name == "load":
        return Unknown(device=map_location(machine, call), source="load", oid=machine.next_serial())
    row = TORCH_FUNCTIONS.get(name) or TORCH_FUNCTIONS.get(name.removeprefix("functional."))
    if row is None and name.startswith("nn.") and last[:1].isupper():
        return Module(
            name=f"torch.{name}",
            device=requested_device(machine, call) or machine.default_device,
            trainable=has_parameters(machine, last, call.arguments),
            dtype=dtype_argument(call.arguments).replace("?", ""),
            storages=machine.storage(Owner.PARAMETER),
            oid=machine.serial,
        )
    if row is None:
        result = unknown_result(machine, call)
        asked = dtype_argument(call.arguments)
        return replace(result, dtype=asked) if isinstance(result, Unknown) and without_numpy(asked) else result
    if name in {
        "from_numpy",
        "as_tensor",
        "asarray",
        "tensor",
        "frombuffer",
        "autograd.Variable",
    } or _LEGACY_DTYPE.match(last):
        return tensor_of(machine, name, row, call)
    return from_row(machine, row, None, call, words=f"`torch.{name}`")


def grad_context(machine: Machine, name: str, first: Value | None, node: cst.Call, frame: Frame) -> Value:
    if name == "set_grad_enabled" or (name == "inference_mode" and first is not None):
        flag = first.literal if isinstance(first, Scalar) else None
        switched = (
            {True: "enable_grad", False: "no_grad"}.get(flag, "maybe_grad") if isinstance(flag, bool) else "maybe_grad"
        )
        if name == "inference_mode":
            switched = {"enable_grad": "no_grad", "no_grad": "enable_grad"}.get(switched, switched)
        if machine.bare_call is node:
            frame.env.grad_mode = {"no_grad": GRAD_OFF, "enable_grad": Fact(Truth.YES)}.get(
                switched, Fact(Truth.UNKNOWN)
            )
        return Symbol(path=f"torch.{switched}()")
    # ``with torch.no_grad:`` and ``@torch.no_grad`` never call it; ``torch.no_grad()(f)`` returns f.
    return Symbol(path=f"torch.{'enable_grad' if name == 'enable_grad' else 'no_grad'}()")


def autocast_dtype(name: str, first: Value | None, arguments: tuple[Argument, ...]) -> str:
    """bfloat16 is the default on the CPU and nowhere else."""
    enabled = keyword(arguments, "enabled")
    if isinstance(enabled, Scalar) and enabled.literal is False:
        return ""
    told = next((argument.value for argument in arguments if dtype_name(argument.value)), None)
    if told is not None and not (isinstance(told, Scalar) and told.kind == "str"):
        certain = enabled is None or (isinstance(enabled, Scalar) and enabled.literal is True)
        return dtype_name(told) if certain else unsure_dtype(dtype_name(told))
    if keyword(arguments, "dtype") is not None:
        return ""
    device = keyword(arguments, "device_type") or first
    on_cpu = name == "cpu.amp.autocast" or (isinstance(device, Scalar) and device.literal == "cpu")
    return "bfloat16" if on_cpu else ""


def parameters_known(value: Value | None) -> Storages:
    """The storages of a list of parameters, when all of them belong to modules that were seen being made."""
    if value is None:
        return NO_STORAGE
    held = list(leaves(value))
    if not held or not all(isinstance(leaf, Tensor) and leaf.of_module for leaf in held):
        return NO_STORAGE
    return NO_STORAGE.union(*(leaf.storages for leaf in held if isinstance(leaf, Tensor)))
