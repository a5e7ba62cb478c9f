"""Methods and attributes of values whose kind was not seen."""

from __future__ import annotations

from dataclasses import replace

import libcst as cst

from tensorlint.flow import events
from tensorlint.flow.arguments import bound
from tensorlint.flow.call import Call
from tensorlint.flow.domain.dtypes import UNKNOWN_DTYPE, Dtype
from tensorlint.flow.domain.facts import NO_FACT, Fact, Truth
from tensorlint.flow.domain.inside import leaves, parameters_of_own
from tensorlint.flow.domain.memory import NO_STORAGE, Container, How, Mutation, Owner
from tensorlint.flow.domain.tensors import Array, Origin, Provenance, Tensor
from tensorlint.flow.domain.values import (
    NONE,
    PLAIN,
    SOME_DTYPE,
    UNKNOWN,
    DeviceValue,
    Dictionary,
    Module,
    Scalar,
    Sequence,
    Unknown,
    Value,
    is_false,
)
from tensorlint.flow.machine import Machine
from tensorlint.flow.models.accelerators import PLACES, is_accelerator, placed
from tensorlint.flow.models.arrays import array_method
from tensorlint.flow.models.cuts import cut_here
from tensorlint.flow.models.items import part_of
from tensorlint.flow.models.modules import CASTS, MOVES, note_training, owner_name, thaw_owners
from tensorlint.flow.models.numpy_functions import tell_numpy_call
from tensorlint.flow.models.options import option
from tensorlint.flow.models.placement import destination, does_not_wait
from tensorlint.flow.models.rows import from_row
from tensorlint.flow.models.states import state_dict_of
from tensorlint.flow.models.tensors import export, set_grad, tensor_method
from tensorlint.flow.models.unseen import computes_with_parameters, is_model, unknown_result
from tensorlint.flow.state import Frame
from tensorlint.flow.tree import dotted_name, names_in
from tensorlint.knowledge import ARRAY_ONLY_METHODS, TENSOR_METHODS, TENSOR_ONLY_METHODS, Result, names

_DISTRIBUTION_METHODS = frozenset(
    {"sample", "sample_n", "rsample", "log_prob", "entropy", "mean", "stddev", "variance", "cdf", "icdf"}
)

#: Methods that only networks have.
_ASKED_OF_NETWORKS = frozenset({"eval", "train", "zero_grad", "load_state_dict", "named_parameters", "requires_grad_"})


def unknown_method(machine: Machine, value: Unknown, name: str, call: Call) -> Value:
    assert isinstance(call.node.func, cst.Attribute)
    owner = call.node.func.value
    if name == "numpy":
        return export(machine, value, call)
    if (
        name == "backward"
        and isinstance(call.first, (Tensor, Unknown))
        and is_accelerator(value, owner_name(call.node))
    ):
        return backward_through(machine, call.first, call)
    # ``model.backward()`` is that of a network of somebody's own.
    of_own = name == "backward" and computes_with_parameters(owner_name(call.node))
    if value.tensor is not Truth.NO and name in TENSOR_ONLY_METHODS and not (of_own or machine.file.foreign):
        tensor = recognised(machine, value, owner, call.frame)
        return tensor_method(machine, tensor, name, call)
    if name in ARRAY_ONLY_METHODS and "pandas" not in machine.file.foreign and value.source is not Provenance.ATTRIBUTE:
        array = Array(storages=value.storages, sure=False, oid=value.oid)
        path = dotted_name(owner)
        if path and path not in call.frame.env.stale:
            call.frame.env.bind(path, array)
        return array_method(machine, array, name, call)
    if name in MOVES:
        return unknown_moved(machine, value, name, call)
    handled = unknown_object_method(machine, value, name, call)
    if handled is not None:
        return handled
    row = TENSOR_METHODS.get(name)
    if row is not None:
        return as_if_tensor(machine, value, name, call)
    result = unknown_result(machine, call, callee=replace(value, storages=NO_STORAGE))
    if isinstance(result, Unknown) and name in {"sample", "mode"} and result.grad.truth is Truth.UNKNOWN:
        result = replace(result, grad=NO_FACT)
    return result


def recognised(machine: Machine, value: Unknown, owner: cst.BaseExpression, frame: Frame) -> Tensor:
    """A method only tensors have was called: from here on the name holds a tensor."""
    tensor = Tensor(
        device=value.device,
        grad=value.grad,
        dtype=value.dtype,
        storages=value.storages,
        source=value.source or Provenance.DUCK,
        origin=value.origin,
        oid=value.oid or machine.next_serial(),
    )
    path = dotted_name(owner)
    if path and path not in frame.env.stale and frame.env.lookup(path) is not None:
        frame.env.bind(path, tensor)
    return tensor


def backward_through(machine: Machine, loss: Tensor | Unknown, call: Call) -> Value:
    """``accelerator.backward(loss)``; what a tensor is given there is the gradient that it begins with."""
    node = call.arguments[0].node
    tensor = loss if isinstance(loss, Tensor) else recognised(machine, loss, node, call.frame)
    return tensor_method(machine, tensor, "backward", call)


def as_if_tensor(machine: Machine, value: Unknown, name: str, call: Call) -> Value:
    """A method that tensors share with other things (``mean``, ``reshape``): what it would do to a tensor."""
    call = bound(call, f"torch.Tensor.{name}")
    row = TENSOR_METHODS[name]
    if row.result in {Result.SCALAR, Result.SIZE, Result.NONE}:
        return Scalar(kind="number") if row.result is Result.SCALAR else PLAIN
    stand_in = Tensor(
        device=value.device,
        grad=value.grad,
        dtype=value.dtype,
        storages=value.storages,
        sure=False,
        source=value.source,
        origin=value.origin,
    )
    result = from_row(machine, row, stand_in, call, words=f"`.{name}()`")
    return unsure(machine, result, value)


def unsure(machine: Machine, result: Value, value: Unknown) -> Value:
    match result:
        case Tensor():
            return Unknown(
                device=result.device,
                grad=result.grad,
                tensor=value.tensor,
                dtype=result.dtype,
                source=value.source or Provenance.CALL,
                origin=result.origin,
                storages=result.storages & value.storages,
                oid=result.oid,
            )
        case Sequence(items=items) if items is not None:
            return replace(result, items=tuple(unsure(machine, item, value) for item in items))
        case Sequence(element=element) if element is not None:
            return replace(result, element=unsure(machine, element, value))
        case _:
            return result


def unknown_moved(machine: Machine, value: Unknown, name: str, call: Call) -> Value:
    dtype, call = UNKNOWN_DTYPE, bound(call, f"torch.Tensor.{name}")
    if name == "to":
        device, dtype = destination(machine, call)
    elif name == "cpu":
        device = Fact(Truth.NO, machine.at(call.node), "brought to the CPU here")
    else:
        device = Fact(Truth.YES, machine.at(call.node), f"moved to the accelerator by `.{name}()` here")
    if device is None:
        if dtype.is_integral:
            value = replace(value, grad=NO_FACT)
        return retyped(machine, value, dtype, call.node, call.frame)
    if dtype:
        grad = NO_FACT if dtype.is_integral else value.grad
        value = replace(value, dtype=dtype.named, grad=grad)
    if call.frame.bare_call is call.node:
        # ``model.to(device)`` as a statement moves a module in place (and does nothing to a tensor).
        assert isinstance(call.node.func, cst.Attribute)
        path = dotted_name(call.node.func.value)
        if path and names.MODULE.search(path) and path not in call.frame.env.stale:
            call.frame.env.bind(path, replace(value, device=device))
    kept = value.storages if device.truth is Truth.NO and value.device.truth is not Truth.YES else NO_STORAGE
    if device.truth is Truth.NO and value.device.truth > Truth.UNKNOWN:
        if does_not_wait(machine, call):
            # Only tensors and modules have such an argument, and a module is not read.
            site = machine.at(call.node)
            return Tensor(
                device=device,
                grad=value.grad,
                dtype=value.dtype,
                storages=kept,
                in_flight=site,
                oid=machine.next_serial(),
            )
        machine.arrive(call.frame)
    return replace(value, device=device, storages=kept, oid=machine.next_serial())


def retyped(machine: Machine, value: Unknown, dtype: Dtype, node: cst.Call, frame: Frame) -> Unknown:
    """A tensor gives a new one; a model called as a statement is cast in place."""
    changed = replace(value, dtype=dtype.named, storages=NO_STORAGE)
    assert isinstance(node.func, cst.Attribute)
    path = dotted_name(node.func.value)
    if frame.bare_call is node and path and names.MODULE.search(path) and path not in frame.env.stale:
        frame.env.bind(path, changed)
    return changed


def unknown_object_method(machine: Machine, value: Unknown, name: str, call: Call) -> Value | None:
    """Methods of models, optimizers, distributions and containers whose class was not seen."""
    assert isinstance(call.node.func, cst.Attribute)
    if value.source is Provenance.DISTRIBUTION and name in _DISTRIBUTION_METHODS:
        grad = NO_FACT if name in {"sample", "sample_n"} else machine.result_grad(value.grad, call.frame)
        return Tensor(
            device=value.device,
            grad=grad,
            storages=machine.storage(),
            origin=Origin(machine.at(call.node), "drawn here"),
            oid=machine.serial,
        )
    owner = owner_name(call.node)
    if machine.learning and name in _ASKED_OF_NETWORKS:
        machine.lessons.networks.add(owner)
    note_training(machine, owner, name, call.node)
    trained = Fact(Truth.MAYBE, machine.at(call.node), "a parameter needs a gradient")
    match name:
        case "step" if (names.OPTIMIZER.search(owner) and "sched" not in owner.lower()) or owner == "scaler":
            mutation = Mutation(machine.at(call.node), How.UPDATE, "the optimizer updates the parameters in place here")
            models = [] if "." in owner else models_at_hand(call.frame)
            own = [parameters_of_own(model) for model in models]
            trains = {value.oid, models[0].oid} if len(models) == 1 else {value.oid}
            mutation = replace(mutation, modules=frozenset(trains))
            machine.update_parameters(call.frame, mutation, NO_STORAGE.union(*own) if all(own) else NO_STORAGE)
            return NONE
        case "state_dict" if (
            names.OPTIMIZER.search(owner) and call.frame.function and call.frame.function.name == "__init__"
        ):
            # Nobody stepped what an object is just made for.
            return Dictionary(element=UNKNOWN, oid=machine.next_serial())
        case "state_dict" if names.MODULE.search(owner) or names.OPTIMIZER.search(owner):
            held = parameters_of_own(value) or machine.storage(Owner.PARAMETER)
            return state_dict_of(machine, value.device, held, call, value.oid)
        case "parameters" | "buffers":
            grad = trained if name == "parameters" else NO_FACT
            return Sequence(kind="generator", element=parameter_of(machine, value, grad, call.node))
        case "named_parameters" | "named_buffers":
            grad = trained if name == "named_parameters" else NO_FACT
            pair = (Scalar(kind="str"), parameter_of(machine, value, grad, call.node))
            return Sequence(kind="generator", element=Sequence(kind="tuple", items=pair))
        case "zero_grad":
            machine.release_gradients(call.frame)
            return NONE
        case "put" | "put_nowait" if call.arguments and (
            value.source in {Provenance.QUEUE, Provenance.TORCH_QUEUE, Provenance.TORCH_PIPE}
            or names.QUEUE.search(owner)
        ):
            put_in(machine, value, call)
            return NONE
        case _ if name in PLACES and is_accelerator(value, owner):
            return placed(machine, call)
        case "join" | "wait" | "recv" | "acquire" | "get" if call.frame.env.queued:
            # Somebody answers, who took what was there.
            call.frame.env.queued.clear()
            return None
        case "append" | "appendleft" | "put" | "add" if call.arguments:
            last = call.arguments[-1]
            machine.store(call.frame, call.node, last.value, Container.APPEND, owner, value.oid, written=last.node)
            return None
        case "shuffle" if call.arguments and isinstance(call.arguments[0].value, Tensor):
            return tell_numpy_call(machine, "random.shuffle", call, NONE)
        case "item" | "tolist":
            receiver = call.node.func.value
            if isinstance(receiver, cst.Call) and _is_brought(receiver):
                machine.emit(
                    call.frame,
                    events.MethodCall,
                    call.node,
                    name=name,
                    receiver=receiver,
                    value=value,
                    arguments=call.arguments,
                )
            return Scalar(kind="number") if name == "item" else Sequence(element=PLAIN)
        case "items" if not call.arguments:
            entry = (PLAIN, part_of(value))
            return Sequence(kind="view", element=Sequence(kind="tuple", items=entry))
        case "values" if not call.arguments:
            return Sequence(kind="view", element=part_of(value))
        case "keys" if not call.arguments:
            return Sequence(kind="view", element=PLAIN)
        case "get" | "pop":
            return part_of(value)
        case "requires_grad_" if call.arguments and is_false(call.arguments[0].value):
            machine.lessons.frozen.add(owner)
            set_grad(machine, value, NO_FACT, call.frame)
            return replace(value, grad=NO_FACT)
        case "requires_grad_":
            thaw_owners(machine, call.node.func, call.frame)
            return None
        case "eval" | "train":
            return replace(value, storages=NO_STORAGE)
        case "half" | "float" | "double" | "bfloat16":
            return retyped(machine, value, CASTS[name], call.node, call.frame)
        case "copy":
            return replace(value, storages=machine.storage(), oid=machine.serial)
        case "fit" | "learn" | "train_on_batch" | "train_model" | "train_one_epoch" | "train_epoch":
            mutation = Mutation(machine.at(call.node), How.UPDATE, f"`.{name}(...)` trains the model here")
            told = [argument.node for argument in call.arguments if is_model(argument, call.frame)]
            machine.update_parameters(
                call.frame, mutation, named=frozenset().union(*map(names_in, [call.node.func, *told]))
            )
            return UNKNOWN
        case _:
            return None


def _is_brought(call: cst.Call) -> bool:
    """Whether a call is ``x.cpu()``, which torch has."""
    return isinstance(call.func, cst.Attribute) and call.func.attr.value == "cpu" and not call.args


def models_at_hand(frame: Frame) -> list[Module | Unknown]:
    """The models that a function has names of its own for: one of them an optimizer is for that was handed to it.

    Where each of them was made in it, or copied, nobody else holds what is stepped; and where there is but one, it is
    that which is.
    """
    return [
        value
        for path, value in frame.env.items()
        if (isinstance(value, Module) and value.trainable is not Truth.NO)
        or (isinstance(value, Unknown) and names.MODULE.search(path))
    ]


def parameter_of(machine: Machine, owner: Unknown, grad: Fact, node: cst.CSTNode) -> Tensor:
    """What something of unknown class calls its parameters: networks of other frameworks have some, too."""
    own = parameters_of_own(owner)
    return Tensor(
        sure=False,
        device=owner.device,
        grad=grad,
        storages=own or machine.storage(Owner.PARAMETER),
        of_module=bool(own),
        source=Provenance.PARAMETER_OF_MODULE,
        module=owner.oid,
        origin=Origin(machine.at(node), "a parameter of the model"),
        oid=machine.serial,
    )


def unknown_attribute(machine: Machine, value: Unknown, name: str, node: cst.Attribute) -> Value:
    if (by_default := option(machine, node)) is not None:
        return by_default
    if name == "dtype":
        return SOME_DTYPE
    if name in {"shape", "ndim", "is_cuda", "requires_grad", "name", "__class__", "size"}:
        return PLAIN
    if name == "device":
        truth = value.device.truth
        if truth is Truth.UNKNOWN and names.SETTINGS.search(dotted_name(node.value)):
            # An option is there to be chosen; where another tensor is, nobody chose here.
            truth = Truth.MAYBE
        return DeviceValue(fact=Fact(truth, machine.at(node), "created on the device of another tensor"))
    if name in {"data", "grad"}:
        cut = name == "data" and value.grad.truth > Truth.UNKNOWN
        part = replace(part_of(value), grad=cut_here(machine, node, ".data") if cut else NO_FACT)
        return replace(part, storages=NO_STORAGE) if name == "grad" else part
    if name in {"T", "mT", "real"}:
        return replace(value, oid=0)
    source = value.source if value.source in {Provenance.CALL, Provenance.MODEL} else Provenance.ATTRIBUTE
    return Unknown(device=value.device, grad=value.grad, dtype=value.dtype, source=source)


def put_in(machine: Machine, queue: Unknown, call: Call) -> None:
    """Another process, or thread, is given something by ``queue``, now or later."""
    given = call.arguments[0]
    for leaf in leaves(given.value) if queue.source in {Provenance.TORCH_QUEUE, Provenance.TORCH_PIPE} else ():
        words = "the queue puts the data into shared memory, the old one is freed"
        machine.share(call.frame, call.node, leaf if isinstance(leaf, Tensor) else NONE, words)
    if queue.source is not Provenance.TORCH_PIPE:
        machine.queue_up(call.frame, call.node, given.value, given.node)
