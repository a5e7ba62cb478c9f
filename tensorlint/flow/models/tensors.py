"""Methods and attributes of torch tensors."""

from __future__ import annotations

from dataclasses import replace

import libcst as cst

from tensorlint.flow import events
from tensorlint.flow.arguments import bound
from tensorlint.flow.call import Argument, Call
from tensorlint.flow.details import Leaving
from tensorlint.flow.domain.dtypes import FLOAT64, INT32, INT64, OTHER_DTYPE, UNKNOWN_DTYPE, Dtype
from tensorlint.flow.domain.facts import NO_FACT, Fact, Truth
from tensorlint.flow.domain.inside import cut_of, tensor_dtype
from tensorlint.flow.domain.memory import NO_STORAGE, How, Mutation, Transfer, gradients_of
from tensorlint.flow.domain.tensors import Array, Origin, Provenance, Rewrapped, Tensor
from tensorlint.flow.domain.values import (
    NONE,
    PLAIN,
    DeviceValue,
    Method,
    Scalar,
    Sequence,
    Unknown,
    Value,
    is_false,
    is_true,
)
from tensorlint.flow.graphs import waits_behind
from tensorlint.flow.machine import Machine
from tensorlint.flow.models.cuts import ungraphed
from tensorlint.flow.models.modules import owner_name, thaw_owners
from tensorlint.flow.models.placement import destination, does_not_wait
from tensorlint.flow.models.rows import REAL, dtype_decides, from_row
from tensorlint.flow.models.same_dtype import note_product
from tensorlint.flow.models.thrown_away import how_thrown_away
from tensorlint.flow.models.unseen import unknown_result
from tensorlint.flow.overlaps import ELEMENTWISE
from tensorlint.flow.saved import note_method
from tensorlint.flow.state import Frame
from tensorlint.flow.tree import receiver_of
from tensorlint.knowledge import TENSOR_ATTRIBUTES, TENSOR_METHODS, Grad, Result
from tensorlint.knowledge.layouts import ASKED, layout_of


def tensor_method(machine: Machine, value: Tensor, name: str, call: Call) -> Value:
    owner, call = receiver_of(call.node), bound(call, f"torch.Tensor.{name}")
    if name == "numpy":
        return export(machine, value, call)
    if name in ASKED and value.layout:
        call.frame.env.change(value, lambda held: replace(held, layout="") if isinstance(held, Tensor) else held)
    machine.emit(
        call.frame,
        events.MethodCall,
        call.node,
        name=name,
        receiver=owner,
        value=value,
        arguments=call.arguments,
        thrown_away=how_thrown_away(machine, name, call.node, call.frame),
    )
    if name in {"is_floating_point", "is_complex"} and (dtype := tensor_dtype(value)):
        told = dtype.is_floating if name == "is_floating_point" else dtype.is_complex
        return Scalar(kind="bool", literal=told, known=True)
    note_product(machine, name, (Argument(owner, value), *call.arguments), call)
    if name in ELEMENTWISE and call.arguments and not call.arguments[0].keyword:
        source = call.arguments[0]
        target = owner, value
        machine.write_part(call.frame, call.node, target, (source.node, source.value), copies=name == "copy_")
    if name == "to":
        return moved_tensor(machine, value, call)
    if name == "copy_" and isinstance(call.first, Tensor):
        note_upload(machine, call.first, value.device, call)
    if name in {"cuda", "xpu", "npu", "hpu", "mps"}:
        device = Fact(Truth.YES, machine.at(call.node), f"moved to the accelerator by `.{name}()` here")
        note_upload(machine, value, device, call)
        return replace(
            value,
            device=device,
            pinned=False,
            storages=machine.storage(),
            alias=None,
            frozen=None,
            imported=False,
            layout=unless_a_bit(value.layout),
            oid=machine.serial,
        )
    if name == "cpu":
        if value.device.truth is not Truth.NO:
            machine.arrive(call.frame)
        copied = value.device.truth is Truth.YES
        return replace(
            value,
            device=Fact(Truth.NO, machine.at(call.node), "brought to the CPU here"),
            storages=machine.storage() if copied else value.storages,
            alias=None if copied else value.alias,
            frozen=None if copied else value.frozen,
            transfer=by_device(machine, value, Fact(Truth.NO), call),
            layout=value.layout if value.device.truth is Truth.NO else unless_a_bit(value.layout),
            oid=machine.next_serial(),
        )
    if name == "detach":
        return replace(
            value,
            grad=NO_FACT,
            alias=machine.at(call.node) if value.storages else value.alias,
            oid=machine.next_serial(),
        )
    if name == "share_memory_":
        shared = machine.share(
            call.frame, call.node, value, "the data goes to shared memory here, the old one is freed"
        )
        return replace(value, storages=shared or value.storages)
    if name in {"requires_grad_", "detach_"}:
        return switch_grad(machine, value, name, call)
    if name == "backward":
        if machine.learning and call.frame.env.grad_mode.site is not None:
            machine.lessons.differentiated.add(call.frame.env.grad_mode.site)
        differentiated(machine, value, call.node, call.frame)
        machine.update_parameters(
            call.frame,
            Mutation(machine.at(call.node), How.BACKWARD, "the backward pass accumulates into the gradients here"),
        )
        return NONE
    if name == "item":
        machine.wait(call.frame, call.node, value)
        machine.ask(call.frame, call.node, value)
        machine.escape(call.frame, call.node, value, Leaving.ITEM, owner)
        kind = "int" if value.dtype.is_integer else "float" if value.dtype.is_float else "number"
        return Scalar(kind=kind)
    if name == "tolist":
        machine.wait(call.frame, call.node, value)
        machine.escape(call.frame, call.node, value, Leaving.ITEM, owner)
        return Sequence(element=PLAIN)
    if name == "clone" or (name == "type" and not call.arguments):
        return replace(
            value,
            grad=machine.result_grad(value.grad, call.frame),
            storages=machine.storage(),
            pinned=False,
            alias=None,
            frozen=None,
            imported=False,
            transfer=None,
            layout=unless_a_bit(value.layout),
            oid=machine.serial,
        )
    if name in {"resize_", "resize_as_"}:
        machine.resize(call, name, owner, value)
    row = TENSOR_METHODS.get(name)
    if row is None:
        return unknown_result(machine, replace(call, arguments=(*call.arguments, Argument(owner, value))))
    result = from_row(machine, row, value, call, words=f"`.{name}()`")
    note_method(machine, name, value, call, result)
    if row.result is Result.SAME and isinstance(result, Tensor) and result.grad.truth is not value.grad.truth:
        grad = result.grad
        call.frame.env.change(value, lambda held: replace(held, grad=grad) if isinstance(held, Tensor) else held)
    return result


def differentiated(machine: Machine, value: Tensor, node: cst.Call, frame: Frame) -> None:
    """``loss.backward()`` only works on what needs a gradient: what computed it gave it one, with gradients on."""
    mode = frame.env.grad_mode
    if mode.truth is Truth.MAYBE and mode.site is None:
        frame.env.grad_mode = Fact(Truth.YES)
    match value.grad.truth:
        case Truth.UNKNOWN:
            reason = "`.backward()` is called on it, so it needs a gradient"
            set_grad(machine, value, Fact(Truth.YES, machine.at(node), reason), frame)
            if machine.learning and value.origin is not None:
                machine.lessons.differentiated.add(value.origin.site)
        case Truth.MAYBE:
            grad = replace(value.grad, truth=Truth.YES, hangs_on=None)
            frame.env.change(
                value, lambda held: replace(held, grad=grad) if isinstance(held, (Tensor, Unknown)) else held
            )


def export(machine: Machine, value: Value, call: Call) -> Value:
    """``x.numpy()``: the event, and the array that shares the tensor's storage."""
    owner, force = receiver_of(call.node), bound(call, "torch.Tensor.numpy").keyword("force")
    # With a flag that is chosen elsewhere, somebody thought of both cases.
    forced = force is not None and not (is_false(force) and isinstance(force, Scalar) and force.known)
    consumer, around = machine.consumers.get(id(call.node), ("", None))
    scope = call.frame.function.node if call.frame.function is not None else machine.module
    if scope is not None and isinstance(value, Tensor) and value.in_flight and not waits_behind(scope, call.node):
        # The array is a view: what is in it may be read after something waited.
        machine.read_early(call.frame, call.node, value)
    if isinstance(value, Unknown) and value.device.truth > Truth.UNKNOWN and machine.is_defined_around("numpy"):
        # It may be an object of the program's own, which brings itself to the CPU.
        value = replace(value, device=value.device.weakened(), grad=value.grad.weakened())
    machine.emit(
        call.frame,
        events.Export,
        call.node,
        receiver=owner,
        value=value,
        forced=forced,
        consumer=consumer,
        consumer_node=around,
    )
    machine.escape(call.frame, call.node, value, Leaving.NUMPY, owner)
    torchs = machine.file.numpy_is_torchs and not call.frame.env.other_framework
    if not (isinstance(value, Tensor) and value.sure) and not torchs:
        return Array(
            storages=machine.storage(node=call.node), oid=machine.serial
        )  # of what copies, for all that is known
    storages = value.storages if isinstance(value, (Tensor, Unknown)) else NO_STORAGE
    copied = forced and isinstance(value, Tensor) and value.device.truth is Truth.YES
    if copied or (isinstance(value, Tensor) and value.transfer is not None and value.transfer.kept):
        # What shares memory for some dtypes alone is told of where tensors do.
        storages = machine.storage()
    dtype = value.dtype if isinstance(value, Tensor) else UNKNOWN_DTYPE
    zero_dim = isinstance(value, Tensor) and value.zero_dim
    return Array(
        dtype=dtype,
        storages=storages,
        alias=machine.at(call.node),
        exported=True,
        of_unknown=isinstance(value, Unknown) and value.tensor is not Truth.YES,
        zero_dim=zero_dim,
        picked=isinstance(value, Tensor) and value.picked,
        numbers=value.numbers if isinstance(value, Tensor) else "",
        oid=machine.next_serial(),
    )


def moved_tensor(machine: Machine, value: Tensor, call: Call) -> Tensor:
    """``x.to(...)``: a device, a dtype, both, or another tensor whose device and dtype are taken."""
    device, dtype = destination(machine, call)
    if (wanted := {INT64: "int", INT32: "int", FLOAT64: "float64"}.get(dtype)) is not None:
        machine.widen(call.frame, call.node, value, wanted)
    copied = is_true(call.keyword("copy") or NONE)
    moved = device is not None and (
        device.truth is Truth.YES or (value.device.truth is Truth.YES and device.truth is Truth.NO)
    )
    storages = value.storages
    if copied or moved or (dtype and value.dtype and dtype is not value.dtype):
        storages = machine.storage()
    elif dtype and dtype is not value.dtype and dtype not in value.dtypes:
        storages = NO_STORAGE
    in_flight = value.in_flight
    if device is not None and device.truth is Truth.NO and value.device.truth > Truth.UNKNOWN:
        if does_not_wait(machine, call):
            in_flight = machine.at(call.node)
        else:
            # On one stream a copy that is waited for comes after those before it.
            machine.arrive(call.frame)
    if device is not None:
        note_upload(machine, value, device, call)
    # On the machine where it stays on the CPU it is the same memory; no more than that is said of it.
    transfer = transferred(machine, value, device, dtype, call) if storages is value.storages else None
    by_dtype = transfer is not None and bool(transfer.kept)
    kept = storages is value.storages and not by_dtype and not (device is not None and device.truth is Truth.MAYBE)
    itself = not copied and not moved and (not dtype or dtype is value.dtype or not value.dtype)
    grad = NO_FACT if dtype.is_integral else machine.result_grad(value.grad, call.frame, itself=itself)
    return replace(
        value,
        device=device if device is not None else value.device,
        dtype=dtype or value.dtype,
        grad=grad,
        storages=storages,
        alias=value.alias if kept else None,
        frozen=value.frozen if kept else None,
        imported=value.imported and kept,
        in_flight=in_flight,
        transfer=transfer,
        dtypes=value.dtypes if not dtype else frozenset(),
        pinned=value.pinned and storages is value.storages,
        narrowed=None if dtype.is_integral else value.narrowed,
        layout=value.layout if kept else unless_a_bit(value.layout),
        numbers="" if dtype.is_integral or dtype is OTHER_DTYPE else value.numbers,
        oid=machine.next_serial(),
    )


def transferred(machine: Machine, value: Tensor, device: Fact | None, dtype: Dtype, call: Call) -> Transfer | None:
    """What of the two decides whether ``x.to(...)``, which may share memory, copies."""
    by_dtype = dtype_decides(machine, value, dtype, call)
    return by_dtype or (value.transfer if device is None else by_device(machine, value, device, call))


def by_device(machine: Machine, value: Tensor, device: Fact, call: Call) -> Transfer | None:
    """How a tensor came to ``device``, where that is another one than its own on some machines alone."""
    where = {value.device.truth: value.device, device.truth: device}
    if where.keys() != {Truth.NO, Truth.MAYBE}:
        return value.transfer
    return Transfer(machine.at(call.node), where[Truth.MAYBE])


def note_upload(machine: Machine, value: Tensor, device: Fact, call: Call) -> None:
    """Remember that an accelerator copies from pinned memory, from here until something waits for it."""
    if value.pinned and device.holds_there and does_not_wait(machine, call):
        call.frame.uploads |= dict.fromkeys(value.storages, machine.at(call.node))


def switch_grad(machine: Machine, value: Tensor, name: str, call: Call) -> Value:
    flag = call.arguments[0].value if call.arguments else None
    grad = Fact(Truth.YES, machine.at(call.node), "needs a gradient from here on")
    if name == "detach_" or (isinstance(flag, Scalar) and flag.literal is False):
        grad = NO_FACT
    elif flag is not None and not (isinstance(flag, Scalar) and flag.literal is True):
        grad = Fact(Truth.MAYBE, machine.at(call.node), "may need a gradient from here on")
    made = set_grad(machine, value, grad, call.frame)
    return replace(value, grad=grad, rewrapped=made)


def set_grad(machine: Machine, value: Value, grad: Fact, frame: Frame, *, by_flag: bool = False) -> Rewrapped | None:
    """``requires_grad`` of an object changes under every name that holds it.

    Returns what there is to know where that makes a leaf of numbers that were cut off a graph. ``by_flag``: what is
    told so by ``x.requires_grad = True`` is a leaf, or that raises (measured on torch 2.13.0).
    """
    made = value.rewrapped if isinstance(value, Tensor) else None
    if made is None and grad.site is not None and grad.truth is Truth.YES:
        if (cut := cut_of(value)).reason:
            made = Rewrapped(grad.site, of_graph=True, cut=cut)
        elif by_flag and is_computed(value):
            made = Rewrapped(grad.site)

    def changed(held: Value) -> Value:
        match held:
            case Unknown() if made is not None:
                return tensor_of_unknown(held, grad, made)
            case Tensor():
                return replace(held, grad=grad, rewrapped=made)
            case Unknown():
                return replace(held, grad=grad)
            case _:
                return held

    frame.env.change(value, changed)
    if not isinstance(value, Tensor) or value.source is not Provenance.PARAMETER_OF_MODULE:
        return made
    # What ``.parameters()`` yields stands for all of them; ``model.weight`` leaves the others as they are.
    every = value.origin is not None
    asked = machine.sites.node(value.origin.site) if value.origin is not None else None
    if grad.truth is not Truth.YES and asked is not None:
        machine.lessons.frozen.add(owner_name(asked))
    if every or grad.truth is Truth.NO:
        machine.set_trainable(value.module, grad.truth if every else Truth.UNKNOWN, frame)
    if grad.truth is Truth.YES and isinstance(asked, cst.Call):
        thaw_owners(machine, asked.func, frame)
    return made


def is_computed(value: Value) -> bool:
    """Whether a tensor is the result of something that may have given it a graph."""
    match value:
        case Tensor(source=source, grad=grad):
            return source is not Provenance.PARAMETER_OF_MODULE and grad.truth is not Truth.NO
        case Unknown(source=source, origin=origin):
            return source in {Provenance.CALL, Provenance.MODEL} and origin is not None
        case _:
            return False


def tensor_of_unknown(value: Unknown, grad: Fact, made: Rewrapped | None) -> Tensor:
    """What is treated as only tensors are."""
    return Tensor(
        device=value.device,
        grad=grad,
        dtype=value.dtype,
        storages=value.storages,
        sure=False,
        source=value.source,
        origin=value.origin,
        rewrapped=made,
        oid=value.oid,
    )


def tensor_attribute(machine: Machine, value: Tensor, name: str, node: cst.Attribute, frame: Frame) -> Value:
    if name == "grad":
        machine.lessons.snapshots = True
        machine.note_leaves(value)
        return Tensor(
            device=value.device,
            grad=NO_FACT,
            dtype=value.dtype,
            storages=gradients_of(value.storages),
            origin=Origin(machine.at(node), "the gradient"),
            sure=value.sure,
        )
    if name == "device":
        return DeviceValue(fact=value.device)
    if name in ASKED and value.layout:
        # Who asks has thought of either.
        frame.env.change(value, lambda held: replace(held, layout="") if isinstance(held, Tensor) else held)
    row = TENSOR_ATTRIBUTES.get(name)
    if row is None:
        return Method(receiver=value, name=name)
    if row.result is Result.DTYPE:
        return Scalar(kind="torch.dtype", literal=value.dtype)
    if row.result is not Result.TENSOR:
        return PLAIN
    dtype = REAL.get(value.dtype, UNKNOWN_DTYPE) if row.dtype == "real" and value.dtype.is_complex else value.dtype
    grad = NO_FACT if row.grad is Grad.NO else machine.result_grad(value.grad, frame, itself=name == "real")
    if name == "data":
        grad = ungraphed(machine, [value], node, frame, ".data")
    alias = machine.at(node) if name == "data" and value.storages else value.alias
    # Sparse and nested tensors that are turned round, or taken out of a graph, stay so.
    turned = value.layout if name in {"T", "mT", "data"} and value.layout != "nested" else ""
    layout = turned or layout_of(name, value.layout, is_complex=value.dtype.is_complex, is_view=True)
    return replace(value, grad=grad, dtype=dtype, alias=alias, layout=layout, oid=machine.next_serial())


def unless_a_bit(layout: str) -> str:
    """The layout of a copy: what was only to be turned round is so in there."""
    return "" if layout in {"conj", "neg"} else layout
