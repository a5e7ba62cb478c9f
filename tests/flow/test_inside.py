"""Questions about what is inside of a value, and changes that reach all of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tensorlint.flow.domain.dtypes import BOOL, FLOAT16, FLOAT32, FLOAT64, UNKNOWN_DTYPE
from tensorlint.flow.domain.facts import Fact, Truth
from tensorlint.flow.domain.inside import (
    all_small,
    arrays_behind,
    arrived,
    as_trainable,
    cut_of,
    holds_exactly,
    is_array,
    is_made_float32,
    is_mask,
    is_usual,
    leaves,
    of_no_model,
    parameters_in,
    parameters_of_own,
    settled,
    storages_of,
    surely_array,
    unsure,
    with_facts,
    without_aliases,
)
from tensorlint.flow.domain.memory import Owner, Storage
from tensorlint.flow.domain.site import Site
from tensorlint.flow.domain.tensors import Array, Provenance, Tensor
from tensorlint.flow.domain.values import (
    NONE,
    PLAIN,
    UNKNOWN,
    DeviceValue,
    Dictionary,
    Module,
    Scalar,
    Sequence,
    Unknown,
    Value,
)

HERE = Site("", 1)
YES, MAYBE, NO = Fact(Truth.YES, HERE, "here"), Fact(Truth.MAYBE, HERE, "here"), Fact(Truth.NO)
ONE, TWO = Storage(1), Storage(2)
MEMORY = frozenset({ONE})
INT, FLOAT = Scalar(kind="int"), Scalar(kind="float")
CHANGES: dict[str, tuple[Callable[[Value], Value], Tensor]] = {
    "arrived": (arrived, Tensor(in_flight=HERE)),
    "without aliases": (lambda value: without_aliases(value, MEMORY), Tensor(storages=MEMORY, alias=HERE)),
    "settled": (settled, Tensor(device=Fact(Truth.MAYBE, HERE, "", ("flag", True, Truth.NO)))),
    "weakened": (lambda value: with_facts(value, Fact.weakened), Tensor(device=YES)),
}


def told(value: Value) -> tuple[object, ...]:
    """What changes, and equality leaves out."""
    assert isinstance(value, Tensor)
    return (value.in_flight, value.alias, value.device.hangs_on, value.device.truth, value.grad.truth)


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_reaches_all_that_is_inside(name: str) -> None:
    change, before = CHANGES[name]
    after = change(before)
    assert told(after) != told(before)
    listed = change(Sequence(items=(before, NONE)))
    assert isinstance(listed, Sequence)
    assert listed.items is not None
    assert told(listed.items[0]) == told(after)
    assert (listed.items[1], listed.element) == (NONE, None)
    each = change(Sequence(element=before))
    assert isinstance(each, Sequence)
    assert each.element is not None
    assert (each.items, told(each.element)) == (None, told(after))
    table = change(Dictionary(entries={"a": before}, element=before))
    assert isinstance(table, Dictionary)
    assert table.element is not None
    assert told(table.entries["a"]) == told(table.element) == told(after)
    for unchanged in (Sequence(), Dictionary(), Dictionary(entries={"a": NONE}), NONE, UNKNOWN):
        assert change(unchanged) == unchanged


def test_parameters_are_frozen_and_trained_again_wherever_they_are() -> None:
    held = Tensor(grad=YES)
    frozen = as_trainable(Sequence(items=(Module(), held, Unknown(grad=YES), NONE)), Truth.NO)
    assert frozen == Sequence(items=(Module(trainable=Truth.NO), Tensor(grad=NO), Unknown(grad=NO), NONE))
    assert as_trainable(Sequence(element=held), Truth.NO) == Sequence(element=Tensor(grad=NO))
    # What needed a gradient before still does; of what did not, it is not known.
    assert as_trainable(held, Truth.YES) == as_trainable(held, Truth.MAYBE) == held
    assert as_trainable(held, Truth.UNKNOWN) == as_trainable(Tensor(grad=NO), Truth.YES) == Tensor()
    assert as_trainable(Unknown(grad=YES), Truth.YES) == Unknown(grad=YES)


def test_what_may_be_something_else_is_no_longer_known_for_sure() -> None:
    assert unsure(Tensor(device=YES, dtype=FLOAT32)) == Tensor(device=Fact(Truth.MAYBE), sure=False)
    assert unsure(Array(read_only=YES, dtype=FLOAT32)) == Array(read_only=Fact(Truth.MAYBE), sure=False)
    assert unsure(Module(device=YES)) == Module(device=Fact(Truth.MAYBE))
    assert unsure(DeviceValue(fact=YES)) == DeviceValue(fact=Fact(Truth.MAYBE))
    assert unsure(NONE) == NONE


def test_a_state_belongs_to_no_model_where_that_is_gone() -> None:
    state = Dictionary(state_dict=True, alias=HERE)
    inside = (state, Sequence(items=(state,)), Sequence(element=state), Dictionary(entries={"a": state}, element=state))
    for gone, alias in ((True, None), (False, HERE)):
        states = [leaf for value in inside for leaf in leaves(of_no_model(value, lambda _, gone=gone: gone))]
        assert len(states) >= len(inside)
        assert {state.alias for state in states if isinstance(state, Dictionary)} == {alias}
    assert of_no_model(NONE) == NONE


def test_only_what_lies_in_memory_that_is_gone_loses_its_alias() -> None:
    for storages in (frozenset(), frozenset({TWO}), frozenset({ONE, TWO})):
        kept = without_aliases(Tensor(storages=storages, alias=HERE), MEMORY)
        assert isinstance(kept, Tensor)
        assert kept.alias == HERE


@pytest.mark.parametrize(
    ("value", "inside"),
    [
        (NONE, [NONE]),
        (Sequence(items=(NONE, INT)), [NONE, INT]),
        (Sequence(items=()), []),
        (Sequence(element=INT), [INT]),
        (Sequence(), [UNKNOWN]),
        (Sequence(items=(Sequence(items=(INT,)), NONE)), [INT, NONE]),
        (Dictionary(entries={"a": INT}, element=NONE), [INT, NONE]),
        (Dictionary(), []),
        (Dictionary(state_dict=True), [Dictionary(state_dict=True)]),
    ],
)
def test_what_is_in_a_container_is_told_one_by_one(value: Value, inside: list[Value]) -> None:
    assert list(leaves(value)) == inside


def test_all_memory_that_is_reached_is_told() -> None:
    tensor, other = Tensor(storages=MEMORY), Array(storages=frozenset({TWO}))
    assert storages_of(Sequence(items=(tensor, Sequence(element=other), NONE))) == {ONE, TWO}
    assert storages_of(Dictionary(entries={"a": tensor}, element=other)) == {ONE, TWO}
    assert storages_of(Dictionary(storages=MEMORY)) == storages_of(Unknown(storages=MEMORY)) == {ONE}
    assert storages_of(Module(storages=MEMORY)) == storages_of(NONE) == frozenset()


def test_a_model_that_was_made_in_sight_has_parameters_of_its_own() -> None:
    own = frozenset({Storage(3, Owner.PARAMETER)})
    assert parameters_of_own(Module(oid=3, storages=own)) == parameters_of_own(Unknown(oid=3, storages=own)) == own
    for other in (Module(storages=own), Module(oid=4, storages=own), Module(oid=3), Tensor(oid=3, storages=own)):
        assert not parameters_of_own(other)


def test_a_list_of_parameters_holds_the_memory_of_their_models() -> None:
    parameter = Tensor(storages=MEMORY, source=Provenance.PARAMETER_OF_MODULE)
    assert parameters_in(Sequence(items=(parameter, Tensor(storages=frozenset({TWO}))))) == MEMORY
    assert parameters_in(Sequence(kind="generator", element=parameter)) == MEMORY
    assert not parameters_in(parameter)


def test_training_writes_the_arrays_that_weights_were_made_of() -> None:
    behind = frozenset({(ONE, HERE)})
    for grad in (YES, MAYBE):
        assert arrays_behind(Tensor(imported=True, alias=HERE, storages=MEMORY, grad=grad)) == behind
    for other in (
        Tensor(alias=HERE, storages=MEMORY, grad=YES),
        Tensor(imported=True, storages=MEMORY, grad=YES),
        Tensor(imported=True, alias=HERE, storages=MEMORY, grad=NO),
        Module(arrays=behind, trainable=Truth.NO),
        None,
    ):
        assert not arrays_behind(other)
    assert arrays_behind(Module(arrays=behind)) == behind


@pytest.mark.parametrize(
    ("question", "holding", "others"),
    [
        (
            is_array,
            [Array(has_axes=True), Array(exported=True)],
            [
                *(Array(), Array(has_axes=True, sure=False), Array(has_axes=True, zero_dim=True), Tensor()),
                *(Array(exported=True, **{name: True}) for name in ("of_unknown", "sliced", "picked")),
            ],
        ),
        (is_mask, [Tensor(dtype=BOOL)], [Tensor(), Tensor(dtype=BOOL, sure=False), Array(dtype=BOOL)]),
        (
            is_usual,
            [Scalar(kind="bool", literal=True)],
            [
                *(Scalar(kind="bool", literal=True, known=True), Scalar(kind="bool", literal=False)),
                *(Scalar(kind="int", literal=True), UNKNOWN),
            ],
        ),
        (
            is_made_float32,
            [Tensor(dtype=FLOAT32), Tensor(source=Provenance.MODEL)],
            [Tensor(), Tensor(source=Provenance.MODEL, dtype=FLOAT16), Array(dtype=FLOAT32), None],
        ),
        (
            all_small,
            [
                *(Scalar(kind="int", literal=3), Scalar(kind="int", counts=True)),
                Sequence(items=(Scalar(kind="int", literal=3), Scalar(kind="int", counts=True))),
            ],
            [
                *(Sequence(items=()), INT, UNKNOWN, Scalar(kind="int", literal=2**30)),
                Sequence(items=(Scalar(kind="int", literal=3), INT)),
            ],
        ),
        (
            lambda value: surely_array([value, NONE]),
            [Array(), Unknown(tensor=Truth.NO), INT, Sequence(), PLAIN],
            [Array(sure=False), UNKNOWN, Tensor(), Module()],
        ),
    ],
)
def test_what_is_asked_of_a_value(
    question: Callable[[object], bool], holding: list[Value], others: list[Value]
) -> None:
    assert all(map(question, holding))
    assert not any(map(question, others))


def test_a_float_holds_whole_numbers_up_to_the_size_of_its_mantissa() -> None:
    for dtype, bound in ((FLOAT32, 2**24), (FLOAT16, 2**11)):
        for number, held in ((bound, True), (-bound, True), (bound + 1, False), (-bound - 1, False), (True, True)):
            assert holds_exactly(Scalar(kind="int", literal=number), dtype) is held
        assert not holds_exactly(Scalar(kind="float", literal=0.5), dtype)
    assert not holds_exactly(Scalar(kind="int", literal=1), FLOAT64)
    assert not holds_exactly(Scalar(kind="int", literal=1), UNKNOWN_DTYPE)


def test_what_cut_a_number_off_its_graph_is_found_wherever_that_is() -> None:
    cut = Fact(Truth.NO, HERE, "detached here")
    for value in (Tensor(grad=cut), Unknown(grad=cut), Array(cut=cut), Scalar(kind="float", cut=cut)):
        assert cut_of(NONE, Sequence(items=(FLOAT, value))).reason == "detached here"
    for value in (Tensor(grad=NO), Tensor(grad=YES), Module(), NONE):
        assert not cut_of(value).reason
