"""Loaders and readers: what comes from files and batches lies in host memory."""

from __future__ import annotations

import libcst as cst

from tensorlint.flow import object_events
from tensorlint.flow.call import Argument, Call
from tensorlint.flow.domain.dtypes import BOOL, FLOAT64, INT64
from tensorlint.flow.domain.facts import NO_FACT, UNKNOWN_FACT, Fact, Truth
from tensorlint.flow.domain.lattice import any_element
from tensorlint.flow.domain.tensors import Array, Origin, Provenance, Tensor
from tensorlint.flow.domain.values import (
    UNKNOWN,
    Dictionary,
    Foreign,
    Function,
    Instance,
    Scalar,
    Sequence,
    Unknown,
    Value,
    is_none,
    is_true,
)
from tensorlint.flow.generators import drawn_for_items, reseeds
from tensorlint.flow.machine import Machine
from tensorlint.flow.models.items import BATCH_ON_HOST, loaded, one_of
from tensorlint.flow.models.objects import special
from tensorlint.flow.models.options import default_of_option
from tensorlint.flow.models.registry import function
from tensorlint.flow.tree import parameters_of

#: What of the arguments of a loader leaves alone what its batches are made of.
_OF_BATCHES = frozenset(
    {
        *("", "dataset", "batch_size", "shuffle", "num_workers", "drop_last", "pin_memory", "persistent_workers"),
        *("worker_init_fn", "generator", "prefetch_factor", "timeout", "sampler"),
    }
)


@function("**.DataLoader")
def data_loader(machine: Machine, path: str, call: Call) -> Value:
    if path.startswith("torch") and not (machine.learning or call.frame.quiet or machine.unit is not None):
        tell_forked_generator(machine, call)
    dataset = call.first or call.keyword("dataset")
    plain = all(argument.keyword in _OF_BATCHES and not argument.star for argument in call.arguments)
    if dataset is None or not plain or not path.startswith("torch"):
        return Sequence(kind="loader")
    return Sequence(kind="loader", element=_batch(machine, _item(machine, dataset, call), call.node))


def _item(machine: Machine, dataset: Value, call: Call) -> Value:
    """What a dataset gives for a number."""
    match dataset:
        case Instance():
            number = Argument(call.node, Scalar(kind="int"))
            return special(machine, dataset, "__getitem__", (number,), call.frame, call.node) or UNKNOWN
        case Sequence(kind="list" | "tuple" | "dataset"):
            return any_element(dataset)
        case _:
            return UNKNOWN


def _batch(machine: Machine, item: Value, loader: cst.Call) -> Value | None:
    """What ``default_collate`` makes of items like this one (measured on 2.13.0); None where that is not known."""
    match item:
        case Tensor(sure=True):
            dtype, device, grad = item.dtype, item.device, item.grad
        case Array(sure=True):
            dtype, device, grad = item.dtype, NO_FACT, NO_FACT
        case Scalar(kind="float" | "int" | "bool" as kind):
            dtype, device, grad = {"float": FLOAT64, "int": INT64, "bool": BOOL}[kind], NO_FACT, NO_FACT
        case Sequence(kind="list" | "tuple", items=items) if items:
            # What is not known of one of them is what is known of any batch.
            return Sequence(kind="list", items=tuple(_batch(machine, each, loader) or loaded() for each in items))
        case Dictionary(entries=entries, element=None, state_dict=False) if entries:
            return Dictionary(
                entries={name: _batch(machine, each, loader) or loaded() for name, each in entries.items()}
            )
        case _:
            return None
    if device.truth is Truth.UNKNOWN:
        return None
    return Tensor(
        device=device if device.truth > Truth.UNKNOWN else BATCH_ON_HOST,
        grad=grad,
        dtype=dtype,
        storages=machine.storage(),
        source=Provenance.LOADER,
        origin=Origin(machine.at(loader), "this loader makes tensors of the items"),
        oid=machine.serial,
    )


@function("torch.utils.data.TensorDataset", "torch.utils.data.dataset.TensorDataset")
def tensor_dataset(machine: Machine, path: str, call: Call) -> Value | None:
    """One row of each tensor."""
    if not call.arguments or any(argument.star for argument in call.arguments):
        return None
    row = tuple(one_of(argument.value) for argument in call.arguments)
    return Sequence(kind="dataset", element=Sequence(kind="tuple", items=row), oid=machine.next_serial())


@function("torch.utils.data.Subset")
def subset(machine: Machine, path: str, call: Call) -> Value | None:
    """What hands on the items of the dataset that it is given."""
    return call.first if _is_dataset(call.first) else None


@function("torch.utils.data.random_split", "torch.utils.data.dataset.random_split")
def random_split(machine: Machine, path: str, call: Call) -> Value | None:
    return Sequence(element=call.first) if _is_dataset(call.first) else None


def _is_dataset(value: Value | None) -> bool:
    return isinstance(value, Instance) or (isinstance(value, Sequence) and value.kind == "dataset")


def tell_forked_generator(machine: Machine, call: Call) -> None:
    """The event of a dataset that draws its items from a generator which every worker has a copy of."""
    dataset = next((each for each in call.arguments if each.keyword in {"", "dataset"} and not each.star), None)
    if dataset is None or not isinstance(dataset.value, Instance) or (cls := machine.cls(dataset.value)) is None:
        return
    workers = workers_of(machine, call)
    if workers.truth is Truth.NO or (drawn := drawn_for_items(machine, cls)) is None:
        return
    first = call.keyword("worker_init_fn")
    if first is not None and not is_none(first):
        info = machine.function_at(first.definition) if isinstance(first, Function) else None
        if info is None or reseeds(info.node, drawn.name):
            return
    machine.emit(
        call.frame,
        object_events.GeneratorForked,
        machine.sites.node(drawn.made) or call.node,
        dataset=dataset,
        loader=call.node,
        name=drawn.name,
        made=drawn.made,
        draw=drawn.draw,
        workers=workers,
        always=drawn.always,
    )


def workers_of(machine: Machine, call: Call) -> Fact:
    """Whether a loader has workers that are copies of each other: several, or one that is made anew each epoch."""
    asked = next((each for each in call.arguments if each.keyword == "num_workers"), None)
    if asked is not None:
        persistent = is_true(call.keyword("persistent_workers") or UNKNOWN)
        return _several(machine, asked.node, asked.value, call, persistent=persistent)
    for spread in call.arguments:
        if spread.star == "**" and isinstance(spread.value, Dictionary):
            found = spread.value.entries.get("num_workers")
            number = found.literal if isinstance(found, Scalar) else None
            return Fact(Truth.MAYBE if isinstance(number, int) and number else Truth.UNKNOWN, machine.at(spread.node))
        if spread.star:
            return UNKNOWN_FACT
    return NO_FACT


def _several(machine: Machine, node: cst.BaseExpression, value: Value, call: Call, *, persistent: bool) -> Fact:
    match node, value:
        case _, Scalar(kind="int", literal=int(number)):
            return _counted(machine, node, number, persistent=persistent)
        case cst.IfExp(body=cst.Integer() as body), _ if int(body.value):
            return Fact(Truth.MAYBE, machine.at(body), "there are workers on some machines")
        case ((cst.Name(value=name) | cst.Attribute(attr=cst.Name(value=name))), Unknown() | Scalar()):
            default = _default_of(node, name, call, machine)
            if isinstance(default, cst.Integer) and int(default.value):
                return Fact(Truth.MAYBE, machine.at(default), "there are workers by default")
    return UNKNOWN_FACT


def _default_of(node: cst.BaseExpression, name: str, call: Call, machine: Machine) -> cst.BaseExpression | None:
    """What a parameter of the function, or an option of the program, is where nobody says otherwise."""
    if isinstance(node, cst.Name) and call.frame.function is not None:
        return next((each.default for each in parameters_of(call.frame.function.node) if each.name.value == name), None)
    return None if machine.module is None else default_of_option(machine.module, name)


def _counted(machine: Machine, node: cst.BaseExpression, number: int, *, persistent: bool) -> Fact:
    if number == 1 and not persistent:
        return Fact(Truth.MAYBE, machine.at(node), "the worker starts from the same copy in every epoch")
    return NO_FACT if number < 2 else Fact(Truth.YES, machine.at(node), f"{number} workers start from equal copies")


@function(
    *(
        f"{library}.**.{name}"
        for library in ("torchvision", "torchaudio")
        for name in ("to_tensor", "pil_to_tensor", "read_image")
    )
)
def decoded_image(machine: Machine, path: str, call: Call) -> Value:
    return Tensor(device=NO_FACT, grad=NO_FACT, storages=machine.storage(), source=Provenance.DECODED_IMAGE)


@function("PIL.*")
def image(machine: Machine, path: str, call: Call) -> Value:
    return Foreign(framework="PIL")


@function("cv2.*")
def opencv(machine: Machine, path: str, call: Call) -> Value:
    """Arrays, numbers and windows: never a tensor."""
    return Unknown(tensor=Truth.NO, source=Provenance.CALL)
