"""Questions about a value and what is inside of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from struct import pack, unpack

from tensorlint.flow.domain.dtypes import BOOL, FLOAT16, FLOAT32, UNKNOWN_DTYPE, Dtype
from tensorlint.flow.domain.facts import NO_FACT, UNKNOWN_FACT, Fact, Truth
from tensorlint.flow.domain.lattice import any_element
from tensorlint.flow.domain.memory import NO_BACKING, NO_STORAGE, Backing, Owner, Storage, Storages
from tensorlint.flow.domain.tensors import Array, Provenance, Tensor
from tensorlint.flow.domain.values import (
    PLAIN,
    DeviceValue,
    Dictionary,
    Instance,
    Module,
    Scalar,
    Sequence,
    Unknown,
    Value,
)


def parameters_of_own(value: Value) -> Storages:
    """The parameters of an object that was made, or copied as a whole, where it is seen; empty for any other."""
    match value:
        case Module(oid=oid, storages=held) | Unknown(oid=oid, storages=held) if oid > 0:
            return frozenset({Storage(oid, Owner.PARAMETER)}) if {each.serial for each in held} == {oid} else NO_STORAGE
        case _:
            return NO_STORAGE


def parameters_in(value: Value) -> Storages:
    """The parameters of models that a sequence, ``model.parameters()`` or what goes through it, holds."""
    held = leaves(value) if isinstance(value, Sequence) else ()
    return NO_STORAGE.union(
        *(leaf.storages for leaf in held if isinstance(leaf, Tensor) and leaf.source is Provenance.PARAMETER_OF_MODULE)
    )


def arrays_behind(value: Value | None) -> Backing:
    """The memory of arrays that training of ``value``, a leaf or a module, writes."""
    match value:
        case Tensor(imported=True, alias=made, grad=Fact(truth=Truth.YES | Truth.MAYBE)) if made is not None:
            return frozenset((storage, made) for storage in value.storages)
        case Module(trainable=Truth.YES | Truth.MAYBE):
            return value.arrays
        case _:
            return NO_BACKING


def arrived(value: Value) -> Value:
    """``value`` once every copy from an accelerator is done."""
    match value:
        case Tensor(in_flight=site) if site is not None:
            return replace(value, in_flight=None)
        case Sequence(items=items) if items is not None:
            return replace(value, items=tuple(map(arrived, items)))
        case Sequence(element=element) if element is not None:
            return replace(value, element=arrived(element))
        case Dictionary(state_dict=False):
            entries = {key: arrived(item) for key, item in value.entries.items()}
            return replace(value, entries=entries, element=None if value.element is None else arrived(value.element))
        case _:
            return value


def is_made_float32(value: Value | None) -> bool:
    """Whether a tensor is float32 unless somebody cast what it was computed with: the output of layers."""
    return isinstance(value, Tensor) and (
        value.dtype is FLOAT32 or (value.source is Provenance.MODEL and not value.dtype)
    )


def surely_array(operands: Iterable[Value]) -> bool:
    """Whether what NumPy computes of these is an array: a tensor among them would make it one."""

    def is_no_tensor(operand: Value) -> bool:
        match operand:
            case Array():
                return operand.sure
            case Unknown():
                return operand.tensor is Truth.NO
            case _:
                return isinstance(operand, (Scalar, Sequence)) or operand == PLAIN

    return all(map(is_no_tensor, operands))


def is_array(value: Value) -> bool:
    """Whether it is an array for sure, and no number that was taken out of one."""
    if not isinstance(value, Array) or not value.sure or value.zero_dim:
        return False
    whole = value.exported and not (value.of_unknown or value.sliced or value.picked)
    return value.has_axes or whole


def tensor_dtype(value: Value | None) -> Dtype:
    """The dtype of a tensor; what may be none, or something else, has none that is known."""
    return value.dtype if isinstance(value, Tensor) and value.sure and value.dtype.sure else UNKNOWN_DTYPE


def is_mask(value: Value) -> bool:
    """Whether it is a tensor of bool."""
    return isinstance(value, Tensor) and value.dtype is BOOL and value.sure


def is_usual(value: Value) -> bool:
    """Whether a test is true by all that is seen: a flag that everybody leaves on."""
    return isinstance(value, Scalar) and value.kind == "bool" and value.literal is True and not value.known


def is_unusual(value: Value) -> bool:
    """Whether a test is false by all that is seen: a flag that everybody leaves off."""
    return isinstance(value, Scalar) and value.kind == "bool" and value.literal is False and not value.known


def as_trainable(value: Value, trainable: Truth) -> Value:
    """``value`` after the parameters in it were frozen (NO), trained again (YES), or one of both."""
    match value:
        case Module():
            return replace(value, trainable=trainable)
        case Tensor():
            kept = value.grad.truth is not Truth.NO and trainable > Truth.UNKNOWN
            return replace(value, grad=value.grad if kept else NO_FACT if trainable is Truth.NO else UNKNOWN_FACT)
        case Unknown() if trainable is Truth.NO:
            return replace(value, grad=NO_FACT)
        case Sequence(items=items) if items is not None:
            return replace(value, items=tuple(as_trainable(item, trainable) for item in items))
        case Sequence(element=element) if element is not None:
            return replace(value, element=as_trainable(element, trainable))
        case _:
            return value


def with_facts(value: Value, changed: Callable[[Fact], Fact]) -> Value:
    """``value`` with other facts of it and of what is inside."""
    match value:
        case Tensor() | Unknown():
            return replace(value, device=changed(value.device), grad=changed(value.grad))
        case Array():
            return replace(value, read_only=changed(value.read_only), negative_stride=changed(value.negative_stride))
        case Module():
            return replace(value, device=changed(value.device))
        case DeviceValue():
            return DeviceValue(fact=changed(value.fact))
        case Sequence():
            items = None if value.items is None else tuple(with_facts(item, changed) for item in value.items)
            element = None if value.element is None else with_facts(value.element, changed)
            return replace(value, items=items, element=element)
        case Dictionary():
            entries = {key: with_facts(item, changed) for key, item in value.entries.items()}
            element = None if value.element is None else with_facts(value.element, changed)
            return replace(value, entries=entries, element=element)
        case Instance(held=held) if held:
            return replace(value, held={name: with_facts(item, changed) for name, item in held.items()})
        case _:
            return value


def unsure(value: Value) -> Value:
    """``value`` where it may be something else: not surely a tensor or an array, of no dtype that is known."""
    match with_facts(value, Fact.weakened):
        case Tensor() | Array() as unsure:
            return replace(unsure, sure=False, dtype=UNKNOWN_DTYPE)
        case other:
            return other


def settled(value: Value) -> Value:
    """``value`` where nobody asks again what its facts hang on."""
    return with_facts(value, lambda fact: fact if fact.hangs_on is None else replace(fact, hangs_on=None))


def holds_exactly(value: Scalar, dtype: Dtype) -> bool:
    """Whether a float of ``dtype`` has the very value of a number that the program spells."""
    bound = {FLOAT32: 2**24, FLOAT16: 2**11}.get(dtype)
    return bound is not None and isinstance(value.literal, (int, bool)) and abs(value.literal) <= bound


def is_changed_by(value: int, dtype: Dtype) -> bool:
    """Whether a float of ``dtype`` has no such number."""
    form = {FLOAT32: "f", FLOAT16: "e"}.get(dtype)
    if form is None:
        return False
    try:
        return bool(unpack(form, pack(form, value))[0] != value)
    except OverflowError:
        return True


def all_small(data: Value) -> bool:
    """Whether ``data`` is whole numbers that a float32 holds: spelled in the program, or counts."""
    numbers = list(leaves(data))
    return bool(numbers) and all(
        isinstance(number, Scalar) and (number.counts or holds_exactly(number, FLOAT32)) for number in numbers
    )


def storages_of(value: Value) -> Storages:
    """Every storage reachable through ``value``, list elements and dictionary entries included."""
    match value:
        case Tensor() | Array() | Unknown():
            return value.storages
        case Dictionary():
            return value.storages.union(*map(storages_of, value.contents))
        case Sequence():
            return NO_STORAGE.union(*map(storages_of, value.contents))
        case _:
            return NO_STORAGE


def cut_of(*values: Value) -> Fact:
    """What cut numbers in ``values`` off the graph that computed them; a fact without a reason where nothing did."""
    for value in values:
        for leaf in leaves(value):
            match leaf:
                case Tensor(grad=fact) | Unknown(grad=fact) | Array(cut=fact) | Scalar(cut=fact):
                    if fact.truth is Truth.NO and fact.reason:
                        return fact
    return NO_FACT


def leaves(value: Value) -> Iterator[Value]:
    """``value`` itself, or the things inside when it is a container (one level of nesting at a time)."""
    match value:
        case Sequence():
            for item in value.items if value.items is not None else (any_element(value),):
                yield from leaves(item)
        case Dictionary(state_dict=False):
            for item in value.contents:
                yield from leaves(item)
        case _:
            yield value


def of_no_model(value: Value, gone: Callable[[Dictionary], bool] = lambda _: True) -> Value:
    """The same, but what a ``state_dict()`` in it holds, one of a model that is ``gone``, belongs to none any more."""
    match value:
        case Dictionary(state_dict=True):
            return replace(value, alias=None) if gone(value) else value
        case Dictionary(entries=entries, element=element):
            inside = {key: of_no_model(item, gone) for key, item in entries.items()}
            return replace(value, entries=inside, element=None if element is None else of_no_model(element, gone))
        case Sequence(items=items) if items is not None:
            return replace(value, items=tuple(of_no_model(item, gone) for item in items))
        case Sequence(element=element) if element is not None:
            return replace(value, element=of_no_model(element, gone))
        case _:
            return value


def without_aliases(value: Value, gone: Storages) -> Value:
    """The same, but what it holds of ``gone`` is written by no training any more."""
    match value:
        case Tensor() | Array() if value.storages and value.storages <= gone:
            return replace(value, alias=None)
        case Sequence(items=items) if items is not None:
            return replace(value, items=tuple(without_aliases(item, gone) for item in items))
        case Sequence(element=element) if element is not None:
            return replace(value, element=without_aliases(element, gone))
        case Dictionary(entries=entries, element=element, state_dict=False):
            changed = {key: without_aliases(item, gone) for key, item in entries.items()}
            return replace(value, entries=changed, element=None if element is None else without_aliases(element, gone))
        case _:
            return value
