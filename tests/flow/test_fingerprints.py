"""Fingerprints: what can be told apart, and what cannot. Each field by itself."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from dataclasses import replace
from typing import Any, get_args

import pytest

from tensorlint.flow import domain
from tensorlint.flow.domain.dtypes import (
    FLOAT32,
    INT64,
    OTHER_DTYPE,
    Dtype,
)
from tensorlint.flow.domain.facts import Fact, Truth
from tensorlint.flow.domain.lattice import fingerprint
from tensorlint.flow.domain.memory import How, Mutation, Storage, Transfer
from tensorlint.flow.domain.tensors import Array, Frozen, Narrowed, Origin, Provenance, Rewrapped, Tensor
from tensorlint.flow.domain.values import (
    NONE,
    Dictionary,
    Given,
    Instance,
    Module,
    Optimizer,
    Scalar,
    Sequence,
    Unknown,
    Value,
)
from tests.flow.drawn import SITES

#: Each field by itself: two values that differ in nothing else are told apart, as a rule may ask for it.
DIFFERENT = [
    *(
        (Tensor(), Tensor(**{name: value}))
        for name, value in {
            "device": Fact(Truth.NO),
            "grad": Fact(Truth.NO),
            "dtype": INT64,
            "sure": False,
            "source": Provenance.MODEL,
            "alias": SITES[0],
            "imported": True,
            "zero_dim": True,
            "of_module": True,
            "unset": SITES[0],
            "frozen": Frozen(SITES[0], Fact(Truth.YES)),
            "narrowed": Narrowed(SITES[0], "float64"),
            "sliced": True,
            "picked": True,
            "in_flight": SITES[0],
            "rewrapped": Rewrapped(SITES[0]),
            "transfer": Transfer(SITES[0], Fact(Truth.MAYBE)),
            "dtypes": frozenset({FLOAT32, INT64}),
            "layout": "sparse",
            "numbers": "unit",
        }.items()
    ),
    *(
        (Tensor(rewrapped=Rewrapped(SITES[0])), Tensor(rewrapped=Rewrapped(SITES[0], **{name: value})))
        for name, value in {"of_graph": True, "given": "tensor", "steps": 1}.items()
    ),
    *(
        (Array(), Array(**{name: value}))
        for name, value in {
            "dtype": INT64,
            "read_only": Fact(Truth.YES),
            "negative_stride": Fact(Truth.YES),
            "zero_dim": True,
            "small": True,
            "counted": True,
            "alias": SITES[0],
            "exported": True,
            "of_unknown": True,
            "sliced": True,
            "picked": True,
            "sure": False,
            "has_axes": True,
            "cut": Fact(Truth.NO, SITES[0], "cut here"),
        }.items()
    ),
    (Module(), Module(refuses_double=True)),
    (Scalar(kind="int"), Scalar(kind="int", counts=True)),
    (Scalar(kind="int"), Scalar(kind="int", cut=Fact(Truth.NO, SITES[0], "cut here"))),
    (Dictionary(), Dictionary(saved=True)),
    (Dictionary(), Dictionary(alias=SITES[0])),
    (Dictionary(), Dictionary(element=NONE)),
    (Tensor(dtype=FLOAT32), Tensor(dtype=Dtype("float32", unsure=True))),
    (Tensor(), Tensor(dtype=OTHER_DTYPE)),
    (Module(), Module(dtype=FLOAT32)),
    (Unknown(), Unknown(dtype=FLOAT32)),
    (Scalar(kind="torch.dtype", literal=FLOAT32), Scalar(kind="torch.dtype", literal=INT64)),
    (Unknown(), Unknown(tensor=Truth.NO)),
    (Scalar(kind="int", literal=1), Scalar(kind="int", literal=True)),
    (Module(), Module(trainable=Truth.NO)),
    (Module(), Module(cls=SITES[0])),
    (Optimizer(), Optimizer(fresh=True)),
    (Dictionary(), Dictionary(state_dict=True)),
    (Dictionary(entries={"a": NONE}), Dictionary(entries={"b": NONE})),
    (Sequence(items=(NONE,)), Sequence(items=(NONE, NONE))),
    (Sequence(kind="list", items=()), Sequence(kind="tuple", items=())),
    (Tensor(device=Fact(Truth.YES, SITES[0])), Tensor(device=Fact(Truth.YES, SITES[1]))),
    (Tensor(device=Fact(Truth.MAYBE)), Tensor(device=Fact(Truth.MAYBE, if_available=True))),
]


@pytest.mark.parametrize(("left", "right"), DIFFERENT)
def test_a_fingerprint_tells_apart_what_a_rule_can(left: Value, right: Value) -> None:
    assert fingerprint(left) != fingerprint(right)


@pytest.mark.parametrize("name", [each.name for each in pkgutil.iter_modules(domain.__path__)])
def test_values_are_small_and_can_be_told_apart_by_what_they_hold(name: str) -> None:
    module = importlib.import_module(f"{domain.__name__}.{name}")
    for made in vars(module).values():
        if isinstance(made, type) and made.__module__ == module.__name__ and dataclasses.is_dataclass(made):
            assert "__slots__" in vars(made), made
            # Nobody changes what is the key of a dictionary; ``frozen.py`` says so by a hash.
            assert made.__dataclass_params__.unsafe_hash, made  # type: ignore[attr-defined]


@pytest.mark.parametrize("made", get_args(Value))
def test_what_a_value_holds_is_given_by_name(made: type) -> None:
    assert all(each.kw_only for each in dataclasses.fields(made))


@pytest.mark.parametrize("place", [0, 7])
def test_up_to_eight_things_in_a_container_are_told_one_by_one(place: int) -> None:
    def made(length: int) -> list[Value]:
        items: list[Value] = [NONE] * length
        items[place] = Tensor(device=Fact(Truth.YES))
        return items

    def listed(items: list[Value]) -> tuple[object, object]:
        table = Dictionary(entries=dict(enumerate(items)))
        return fingerprint(Sequence(items=tuple(items))), fingerprint(table)

    for one, other in zip(listed(made(8)), listed(made(8)[::-1]), strict=True):
        assert one != other
    # Of more it is told what any of them is.
    assert listed(made(9)) == listed(made(9)[::-1])


#: Where something comes from, and which object it is: a loop that only changes that has come to rest.
NO_DIFFERENCE = [
    (Fact(), {"site": SITES[0], "reason": "here", "hangs_on": ("flag", True, Truth.NO), "passed_on": True}),
    (Storage(1), {"site": SITES[0]}),
    (Mutation(SITES[0], How.UPDATE, "here"), {"modules": frozenset({1}), "known": True}),
    (Narrowed(SITES[0]), {"site": SITES[1]}),
    (Rewrapped(SITES[0]), {"site": SITES[1], "cut": Fact(Truth.YES)}),
    (Tensor(), {"origin": Origin(SITES[0], "here"), "module": 1, "oid": 1}),
    (Tensor(), dict.fromkeys(["alias", "unset", "in_flight"], SITES[0])),
    (Tensor(), {"frozen": Frozen(SITES[0], Fact(Truth.YES))}),
    (Tensor(), {"narrowed": Narrowed(SITES[0]), "rewrapped": Rewrapped(SITES[0])}),
    (Array(), {"origin": Origin(SITES[0], "here"), "alias": SITES[0], "cut": Fact(Truth.YES), "oid": 1}),
    (Unknown(), {"origin": Origin(SITES[0], "here"), "oid": 1}),
    (Scalar(kind="int"), {"cut": Fact(Truth.YES)}),
    (Module(), {"arrays": frozenset({(Storage(1), SITES[0])}), "oid": 1}),
    (Optimizer(), {"modules": frozenset({1}), "arrays": frozenset({(Storage(1), SITES[0])}), "oid": 1}),
    (Instance(cls=SITES[0]), {"oid": 1}),
    (Sequence(), {"oid": 1}),
    (Dictionary(), {"alias": SITES[0], "asked_of": "net", "names": frozenset({"net"}), "of": 1, "oid": 1}),
    (Given(SITES[0], NONE), {"site": SITES[1]}),
]


@pytest.mark.parametrize(
    ("value", "name", "other"), [(value, *each) for value, others in NO_DIFFERENCE for each in others.items()]
)
def test_a_place_or_an_identity_makes_no_other_value(value: Any, name: str, other: object) -> None:
    changed = replace(value, **{name: other})
    assert getattr(changed, name) != getattr(value, name)
    assert changed == value


@pytest.mark.parametrize("value", [Tensor(), Array(), Unknown(), Module(), Optimizer(), Sequence(), Dictionary()])
def test_what_is_not_said_to_be_an_object_is_none(value: Any) -> None:
    assert not value.oid
    assert not getattr(value, "module", 0)
    assert not getattr(value, "of", 0)
