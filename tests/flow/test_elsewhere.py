"""What another file is told of a value, and what of an answer has a place here."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import pytest

from tensorlint.flow.domain.dtypes import FLOAT16, FLOAT32
from tensorlint.flow.domain.elsewhere import elsewhere, here
from tensorlint.flow.domain.facts import Fact, Truth
from tensorlint.flow.domain.memory import Owner, Storage, Storages
from tensorlint.flow.domain.site import Site
from tensorlint.flow.domain.tensors import Array, Provenance, Tensor
from tensorlint.flow.domain.values import (
    NONE,
    PLAIN,
    ClassObject,
    DeviceValue,
    Dictionary,
    Function,
    Instance,
    Method,
    Module,
    Optimizer,
    Scalar,
    Sequence,
    Symbol,
    Unknown,
    Value,
)

#: A place that both files know, and one that means something in this file alone.
SHARED, OWN = Site("f", 1, "shared.py"), Site("g", 2)
AWAY = Fact(Truth.YES, OWN, "moved here")
HANGING = Fact(Truth.MAYBE, OWN, "moved here", ("flag", True, Truth.NO))


def told(value: Value) -> Value | None:
    serials = count(100)

    def fresh() -> tuple[Storages, int]:
        serial = next(serials)
        return frozenset({Storage(serial)}), serial

    return elsewhere(value, fresh, lambda site: site if site == SHARED else Site("", 0, "told"))


@pytest.mark.parametrize(
    "value",
    [
        Tensor(device=HANGING),
        Tensor(grad=HANGING),
        Array(read_only=HANGING),
        Array(negative_stride=HANGING),
        Unknown(device=HANGING),
        Unknown(grad=HANGING),
        Module(device=HANGING),
        DeviceValue(fact=HANGING),
        Sequence(items=(Tensor(device=HANGING),)),
        Dictionary(element=Tensor(device=HANGING)),
    ],
)
def test_what_hangs_on_a_flag_of_this_file_is_not_told(value: Value) -> None:
    assert told(value) is None


@pytest.mark.parametrize(
    "value",
    [
        Module(cls=OWN),
        Instance(cls=OWN),
        Function(definition=OWN),
        ClassObject(definition=OWN),
        Function(definition=SHARED, receiver=Module()),
        Dictionary(state_dict=True, element=Tensor()),
        Optimizer(),
        Method(receiver=Tensor(), name="to"),
    ],
)
def test_what_only_this_file_knows_is_not_told(value: Value) -> None:
    assert told(value) is None


@pytest.mark.parametrize(
    "value",
    [
        Function(definition=SHARED),
        ClassObject(definition=SHARED),
        Symbol(path="torch.float32"),
        PLAIN,
        NONE,
        Scalar(kind="bool", literal=True, known=True),
        Scalar(kind="str", literal="cuda", known=True),
        Scalar(kind="float", literal=0.5, known=True),
    ],
)
def test_what_every_file_knows_is_told_as_it_is(value: Value) -> None:
    assert told(value) == value


@pytest.mark.parametrize(
    "value",
    [
        Scalar(kind="int", literal=3, known=True),
        Scalar(kind="str", literal="name", known=True),
        Scalar(kind="torch.dtype", literal=FLOAT32),
    ],
)
def test_which_number_or_name_it_is_is_left_out(value: Scalar) -> None:
    assert told(value) == Scalar(kind=value.kind)


def test_facts_are_told_with_a_place_of_the_other_file() -> None:
    for value in (Tensor(device=AWAY, grad=AWAY), Unknown(device=AWAY, grad=AWAY)):
        there = told(value)
        assert isinstance(there, (Tensor, Unknown))
        assert there.device == there.grad == AWAY
        assert there.device.site == there.grad.site == Site("", 0, "told")
    for value in (Module(device=AWAY), Module(device=AWAY, cls=SHARED)):
        assert told(value) == replace(value, storages=frozenset())
    assert told(DeviceValue(fact=AWAY)) == DeviceValue(fact=AWAY)


def test_memory_and_identity_are_others_there() -> None:
    own = frozenset({Storage(1)})
    assert told(Tensor(dtype=FLOAT16, storages=own, oid=1, sure=False, sliced=True)) == Tensor(
        dtype=FLOAT16, storages=frozenset({Storage(100)}), sure=False
    )
    assert told(Array(dtype=FLOAT16, storages=own, oid=1, exported=True)) == Array(
        dtype=FLOAT16, storages=frozenset({Storage(100)})
    )
    # A model that may be any has no parameters of its own; one that was made in sight has.
    assert told(Module(storages=own)) == Module(storages=frozenset({Storage(100, Owner.PARAMETER)}))
    assert told(Module()) == Module()
    for value in (Tensor(oid=1), Array(oid=1), Unknown(oid=1), Module(oid=1), Instance(cls=SHARED, oid=1)):
        assert getattr(told(value), "oid", None) == 100


def test_an_unseen_object_is_a_parameter_of_what_is_called() -> None:
    there = told(Unknown(tensor=Truth.NO, source=Provenance.LOADER, storages=frozenset({Storage(1)})))
    assert there == Unknown(tensor=Truth.NO, source=Provenance.PARAMETER)


def test_an_object_was_not_just_made_there() -> None:
    assert told(Instance(cls=SHARED, unmoved=True)) == Instance(cls=SHARED)


def test_how_many_there_are_in_a_container_is_left_out() -> None:
    pair = Sequence(kind="tuple", items=(Tensor(dtype=FLOAT16), Tensor(dtype=FLOAT16)))
    there = told(pair)
    assert isinstance(there, Sequence)
    assert (there.kind, there.items) == ("tuple", None)
    assert isinstance(there.element, Tensor)
    assert there.element.dtype is FLOAT16
    table = told(Dictionary(entries={"a": Tensor(dtype=FLOAT16)}))
    assert isinstance(table, Dictionary)
    assert not table.entries
    assert isinstance(table.element, Tensor)


def test_what_comes_back_has_its_places_here() -> None:
    def place(site: Site) -> Site:
        return OWN if site == SHARED else site

    back = here(Tensor(device=Fact(Truth.YES, SHARED, "moved"), grad=Fact(Truth.NO)), place)
    assert isinstance(back, Tensor)
    assert back.device.site == OWN
    assert back.device.reason == "moved"
    assert back.grad.site is None
