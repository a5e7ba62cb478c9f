"""What an index takes out of an array, a tensor or a container."""

from __future__ import annotations

from dataclasses import replace

import libcst as cst

from tensorlint.flow import events
from tensorlint.flow.call import Argument
from tensorlint.flow.domain.facts import UNKNOWN_FACT, Fact, Truth
from tensorlint.flow.domain.lattice import any_element
from tensorlint.flow.domain.memory import NO_STORAGE
from tensorlint.flow.domain.site import NOWHERE
from tensorlint.flow.domain.tensors import Array, Provenance, Tensor
from tensorlint.flow.domain.values import (
    NONE,
    PLAIN,
    UNKNOWN,
    Dictionary,
    Foreign,
    Function,
    Instance,
    Module,
    Scalar,
    Sequence,
    Symbol,
    Unknown,
    Value,
)
from tensorlint.flow.elements import Rows
from tensorlint.flow.machine import Machine
from tensorlint.flow.models.arrays import array_item, copies_by_index, holds_numbers, part_taken
from tensorlint.flow.models.axes import axes_left
from tensorlint.flow.models.fields import as_tuple
from tensorlint.flow.models.hashing import hash_key
from tensorlint.flow.models.holders import is_holder, one_held
from tensorlint.flow.models.objects import special
from tensorlint.flow.state import Frame
from tensorlint.flow.tree import dotted_name
from tensorlint.knowledge import names

BATCH_ON_HOST = Fact(Truth.NO, reason="a batch from a loader is in host memory")


def item_of(machine: Machine, node: cst.Subscript, frame: Frame) -> Value:
    path = dotted_name(node.value)
    match node.slice:
        case [cst.SubscriptElement(slice=cst.Index(value=cst.SimpleString() as quoted))]:
            frame.entry = node.value, quoted.evaluated_value
    value = machine.evaluate(node.value, frame)
    indices = [index_value(machine, element.slice, frame) for element in node.slice]
    note_key(machine, node, value, indices, frame)
    if frame.loops and type(node.value) is cst.Call:
        machine.index_transfer(frame, node, indices)
    match value:
        case Tensor():
            if value.zero_dim and any(isinstance(index, Scalar) and type(index.literal) is int for index in indices):
                # ``loss.data[0]``, as it was written before torch 0.5, raises: there is no element to tell of.
                return UNKNOWN
            machine.note_index(frame, node, value, indices)
            for index in indices:
                machine.widen(frame, node, index, "index")
            if copies_by_index(indices):
                return replace(
                    value,
                    storages=machine.storage(),
                    grad=machine.result_grad(value.grad, frame),
                    pinned=False,
                    imported=False,
                    alias=None,
                    layout="",
                    has_axes=axes_left(indices),
                    oid=machine.next_serial(),
                )
            sliced, picked = part_taken(indices)
            return machine.look_into(
                node,
                value,
                replace(
                    value,
                    grad=machine.result_grad(value.grad, frame),
                    sliced=sliced or value.sliced,
                    picked=picked or value.picked,
                    has_axes=axes_left(indices),
                    layout=value.layout if value.layout in {"conj", "neg"} else "",
                    oid=machine.next_serial(),
                ),
            )
        case Array():
            note_export(machine, node, value, indices, frame)
            return replace(array_item(machine, value, node, indices), cut=value.cut)
        case Sequence(kind="loader"):
            return loaded()
        case Sequence():
            return sequence_item(value, node, indices)
        case Instance() if (elements := as_tuple(machine, value, frame)) is not None:
            return sequence_item(elements, node, indices)
        case Instance():
            given = tuple(
                Argument(element.slice.value, index)
                for element, index in zip(node.slice, indices, strict=True)
                if isinstance(element.slice, cst.Index)
            )
            found = special(machine, value, "__getitem__", given, frame, node) if len(given) == 1 else None
            return Unknown(source=Provenance.ELEMENT) if found is None else found
        case Dictionary():
            key = indices[0] if indices else UNKNOWN
            if isinstance(key, Scalar) and key.known and key.literal in value.entries:
                return value.entries[key.literal]
            if isinstance(key, Scalar) and key.known:
                return one_of(value.element) if value.element is not None else UNKNOWN
            return one_of(any_element(value)) if value.contents else UNKNOWN
        case Symbol():
            return value
        case Foreign():
            return value
        case Unknown():
            if path and names.LOADER.search(path) and value.source is not Provenance.PREPARED:
                return loaded()
            # Under a name that varies there is another object, or another row, each time.
            same = all(isinstance(index, Scalar) and (index.known or index.kind == "slice") for index in indices)
            view = value.storages if same else NO_STORAGE
            item = replace(part_of(value), storages=view)
            return machine.found_under(indices[0], entry_of(item, indices[0])) if indices else item
        case Module():
            return one_held(machine, value)
        case Function():
            return value
        case _:
            return Unknown(source=Provenance.ELEMENT)


def note_export(machine: Machine, node: cst.Subscript, owner: Array, indices: list[Value], frame: Frame) -> None:
    """Tell of the tensors that an array is indexed by: a number is asked for an integer, and raises nowhere."""
    for element, index in zip(node.slice, indices, strict=True):
        if isinstance(index, Tensor) and index.sure and index.has_axes and owner.sure:
            assert isinstance(element.slice, cst.Index)
            machine.emit(frame, events.ArrayIndexed, node, index=Argument(element.slice.value, index))


def note_key(machine: Machine, node: cst.Subscript, owner: Value, indices: list[Value], frame: Frame) -> None:
    """Tell of a tensor that is the key of a dictionary."""
    if len(node.slice) == 1 and isinstance(index := node.slice[0].slice, cst.Index) and isinstance(indices[0], Tensor):
        hash_key(machine, node, Argument(node.value, owner), Argument(index.value, indices[0]), "key", frame)


def index_value(machine: Machine, node: cst.BaseSlice, frame: Frame) -> Value:
    if isinstance(node, cst.Index):
        return machine.evaluate(node.value, frame)
    assert isinstance(node, cst.Slice)
    bounds = [machine.evaluate(bound, frame) for bound in (node.lower, node.upper) if bound is not None]
    step = machine.evaluate(node.step, frame) if node.step is not None else NONE
    if isinstance(step, Scalar) and isinstance(step.literal, int) and step.literal < 0:
        return Scalar(kind="slice", literal="negative")
    moves = len(bounds) == 2 and not any(isinstance(bound, Scalar) and bound.known for bound in bounds)
    return Scalar(kind="slice", literal="moving" if moves else None)


def element_of(machine: Machine, value: Value, node: cst.CSTNode, frame: Frame) -> Value:
    """What iterating over ``value`` yields."""
    match value:
        case Tensor():
            layout = value.layout if value.layout in {"conj", "neg"} else ""
            return replace(value, zero_dim=False, has_axes=False, picked=True, layout=layout, oid=machine.next_serial())
        case Array():
            # A row, or a number when the array has one dimension: then a write does not reach the array.
            sure = value.sure and holds_numbers(value)
            # Which axis is flipped is not known: most often the one that is gone.
            flipped = value.negative_stride if value.negative_stride.truth is Truth.NO else Fact()
            return replace(
                value,
                storages=NO_STORAGE,
                picked=True,
                has_axes=False,
                sure=sure,
                negative_stride=flipped,
                oid=machine.next_serial(),
            )
        case Sequence(kind="loader"):
            return loaded() if value.element is None else value.element
        case Sequence():
            return one_of(any_element(value))
        case Instance() if (elements := as_tuple(machine, value, frame)) is not None:
            return element_of(machine, elements, node, frame)
        case Instance() | Module() if (walked := special(machine, value, "__iter__", (), frame, node)) is not None:
            if isinstance(walked, Instance):
                following = special(machine, walked, "__next__", (), frame, node)
                return Unknown(source=Provenance.ELEMENT) if following is None else following
            return element_of(machine, walked, node, frame)
        case Module() if is_holder(value):
            return one_held(machine, value)
        case Dictionary():
            return PLAIN if value.entries or value.element is not None else UNKNOWN
        case Foreign() | Symbol(path="matplotlib.pyplot"):
            return value
        case Scalar(kind="str"):
            return Scalar(kind="str")
        case Unknown():
            name = dotted_name(node) if isinstance(node, (cst.Name, cst.Attribute)) else ""
            if names.LOADER.search(name) and value.source is not Provenance.PREPARED:
                return loaded()
            # Another object, or another row, each time.
            part = replace(part_of(value), storages=NO_STORAGE)
            return replace(part, source=Provenance.ELEMENT) if part.source is Provenance.PARAMETER else part
        case _:
            return Unknown(source=Provenance.ELEMENT)


def rows_of(machine: Machine, target: cst.CSTNode, node: cst.BaseExpression, value: Value, frame: Frame) -> Rows:
    """The tensors whose elements a loop over ``node`` binds to plain names, also by ``enumerate`` and ``zip``."""
    if frame.quiet or machine.learning:
        return {}
    match target, value:
        case cst.Name(value=name), Tensor(sure=True):
            return {name: (value, node)}
        case cst.Tuple(elements=targets), Sequence(element=Sequence(items=tuple(items))) if isinstance(node, cst.Call):
            given = {"zip": node.args, "enumerate": [None, *node.args[:1]]}.get(dotted_name(node.func), ())
            return {
                each.value.value: (whole, argument.value)
                for each, item, argument in zip(targets, items, given, strict=False)
                if isinstance(each.value, cst.Name)
                and isinstance(item, Tensor)
                and argument is not None
                and not argument.star
                if isinstance(whole := machine.silently(argument.value, frame), Tensor) and whole.sure
            }
        case _:
            return {}


def one_of(value: Value) -> Value:
    """One of several elements that are known as one: it may be another object each time."""
    match value:
        case Tensor() | Array():
            return replace(value, picked=True)
        case Unknown():
            return replace(value, storages=NO_STORAGE)
        case Module():
            return replace(value, picked=True)
        case Sequence(kind="tuple", items=items) if items is not None:
            # ``for key, value in entries.items()``
            return replace(value, items=tuple(map(one_of, items)))
        case _:
            return value


def part_of(value: Unknown) -> Unknown:
    """Something in ``value``. That this is no tensor does not keep what it holds from being one."""
    tensor = value.tensor if value.source is Provenance.CALL else Truth.UNKNOWN
    # A tensor on one path, and several things on another: what keeps a graph off the one says nothing of those.
    other = value.source is Provenance.MIXED and value.grad.truth is Truth.NO
    grad = UNKNOWN_FACT if other else value.grad
    return replace(value, tensor=tensor, grad=grad, source=value.source or Provenance.ELEMENT, oid=0)


def loaded() -> Value:
    return Unknown(
        device=BATCH_ON_HOST,
        grad=Fact(Truth.NO, NOWHERE),
        source=Provenance.LOADER,
    )


def sequence_item(value: Sequence, node: cst.Subscript, indices: list[Value]) -> Value:
    if len(indices) > 1:
        # No sequence of Python takes several.
        return UNKNOWN
    index = indices[0] if indices else UNKNOWN
    if isinstance(index, Scalar) and index.kind == "slice":
        return replace(value, items=None, element=any_element(value), oid=0)
    if isinstance(index, Scalar) and isinstance(index.literal, int) and value.items is not None:
        position = index.literal
        return value.items[position] if -len(value.items) <= position < len(value.items) else UNKNOWN
    return one_of(any_element(value))


def entry_of(item: Unknown, key: Value) -> Unknown:
    """What stands under a name in the output of a network may be data it passes on, ids or labels."""
    named = isinstance(key, Scalar) and key.kind == "str" and item.grad.truth is Truth.MAYBE
    return replace(item, grad=UNKNOWN_FACT) if named else item
