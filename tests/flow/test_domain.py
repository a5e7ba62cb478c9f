"""Joins: what is known after either of two paths, whichever comes first.

What may differ between two values with equal fingerprints is memory and identity alone: a followed function is told
that by other means.
"""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace
from itertools import permutations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tensorlint.flow.domain.dtypes import (
    BFLOAT16,
    FLOAT32,
    Dtype,
)
from tensorlint.flow.domain.facts import Fact, Truth
from tensorlint.flow.domain.lattice import fingerprint, join
from tensorlint.flow.domain.memory import How, Mutation, Storage
from tensorlint.flow.domain.tensors import Array, Provenance, Rewrapped, Tensor
from tensorlint.flow.domain.values import (
    NONE,
    DeviceValue,
    Dictionary,
    Foreign,
    Function,
    Instance,
    Module,
    Optimizer,
    Scalar,
    Sequence,
    Symbol,
    Unknown,
    Value,
)
from tests.flow.drawn import KINDS, SITES, others, pairs, triples, values


def told(value: Value) -> tuple[object, ...]:
    """The places that a rule reads from a value, which equality leaves out."""
    parts: list[object] = [
        getattr(value, name, None)
        for name in (
            "alias",
            "unset",
            "frozen",
            "in_flight",
            "transfer",
            "narrowed",
            "origin",
            "asked_of",
            "module",
            "modules",
            "of",
            "oid",
        )
    ]
    for name in ("device", "grad", "read_only", "negative_stride", "fact"):
        fact = getattr(value, name, None)
        parts.append(fact and (fact.site, fact.reason, fact.hangs_on))
    return tuple(parts)


@settings(max_examples=1000, deadline=None)
@given(pairs)
def test_either_path_may_come_first(pair: tuple[Value, Value]) -> None:
    left, right = pair
    first, second = join(left, right), join(right, left)
    assert first == second
    assert told(first) == told(second)


@settings(max_examples=500, deadline=None)
@given(triples)
def test_of_three_paths_any_two_may_meet_first(triple: tuple[Value, Value, Value]) -> None:
    joined = [join(join(first, second), third) for first, second, third in permutations(triple)]
    assert all(each == joined[0] for each in joined)


@pytest.mark.parametrize("third", [Array(), Scalar(kind="float"), Scalar(kind="int"), Foreign(), Dictionary()])
def test_a_tensor_and_what_is_none_meet_in_any_order(third: Value) -> None:
    """What is told of an ``if`` with three branches does not hang on the order in which they stand."""
    paths = Tensor(device=CUDA, grad=CUDA), Array(), third
    first, *others = (join(join(one, two), three) for one, two, three in permutations(paths))
    assert all(each == first for each in others)


@given(values)
def test_two_paths_that_agree_change_nothing(value: Value) -> None:
    again = copy.deepcopy(value)  # of one object there is nothing to join
    assert join(value, again) == value
    assert told(join(value, again)) == told(value)


@settings(max_examples=300, deadline=None)
@given(st.one_of(*(st.tuples(kind, kind) for kind in KINDS)))
def test_what_is_joined_stays_so(pair: tuple[Value, Value]) -> None:
    left, right = pair
    joined = join(left, right)
    assert join(joined, left) == joined


@given(values)
def test_a_value_outlives_its_process(value: Value) -> None:
    again = pickle.loads(pickle.dumps(value))  # what was pickled a moment ago
    assert again == value
    assert told(again) == told(value)
    assert fingerprint(again) == fingerprint(value)


def without_memory(value: Value) -> Value:
    """``value`` without what a fingerprint leaves out: its memory and its identity."""
    match value:
        case Tensor() | Array() | Unknown() | Module() | Optimizer():
            return replace(value, storages=frozenset(), oid=0)
        case _:
            return value


@settings(max_examples=1000, deadline=None)
@given(st.one_of(*(st.tuples(kind, kind) for kind in (*KINDS, others))))
def test_equal_fingerprints_are_equal_values(pair: tuple[Value, Value]) -> None:
    left, right = (without_memory(value) for value in pair)
    if fingerprint(left) == fingerprint(right):
        assert left == right


#: What a join may only say where it holds on both paths, and what it has to say where it holds on one.
ON_BOTH = {
    Tensor: ("sure", "imported", "zero_dim", "has_axes", "of_module"),
    Array: ("zero_dim", "small", "counted", "exported", "sure", "has_axes"),
    Module: ("refuses_double",),
    Optimizer: ("fresh",),
    Dictionary: ("state_dict", "saved"),
}
ON_EITHER = {Tensor: ("sliced", "picked"), Array: ("of_unknown", "sliced", "picked")}


@pytest.mark.parametrize(("made", "name"), [(made, name) for made, names in ON_BOTH.items() for name in names])
def test_a_promise_holds_where_both_paths_make_it(made: type, name: str) -> None:
    for left, right in product((False, True), repeat=2):
        assert getattr(join(made(**{name: left}), made(**{name: right})), name) is (left and right)


@pytest.mark.parametrize(("made", "name"), [(made, name) for made, names in ON_EITHER.items() for name in names])
def test_a_doubt_stays_where_either_path_has_it(made: type, name: str) -> None:
    for left, right in product((False, True), repeat=2):
        assert getattr(join(made(**{name: left}), made(**{name: right})), name) is (left or right)


@pytest.mark.parametrize(("made", "name"), [(Tensor, "module"), (Dictionary, "of")])
def test_whose_it_is_is_known_where_both_paths_say_the_same(made: type, name: str) -> None:
    for left, right in product((0, 1, 2), repeat=2):
        assert getattr(join(made(**{name: left}), made(**{name: right})), name) == (left if left == right else 0)


def test_a_leaf_that_was_made_on_both_paths_is_of_a_graph_where_it_is_on_both() -> None:
    for left, right in product((False, True), repeat=2):
        first, second = Rewrapped(SITES[1], of_graph=left), Rewrapped(SITES[2], of_graph=right, given="tensor", steps=1)
        joined = join(Tensor(rewrapped=first), Tensor(rewrapped=second))
        assert isinstance(joined, Tensor)
        assert joined.rewrapped == Rewrapped(SITES[1], of_graph=left and right, steps=1)
        assert joined.rewrapped.site == SITES[1]
    assert getattr(join(Tensor(rewrapped=first), Tensor()), "rewrapped", first) is None


def test_numbers_that_count_on_both_paths_do_so_after_them() -> None:
    for left, right in product((False, True), repeat=2):
        joined = join(Scalar(kind="int", literal=1, counts=left), Scalar(kind="int", literal=2, counts=right))
        assert joined == Scalar(kind="int", counts=left and right)


def test_an_object_that_was_moved_on_either_path_counts_as_moved() -> None:
    for left, right in product((False, True), repeat=2):
        joined = join(Instance(cls=SITES[1], unmoved=left), Instance(cls=SITES[1], unmoved=right))
        assert joined == Instance(cls=SITES[1], unmoved=left and right)
    assert isinstance(join(Instance(cls=SITES[1]), Instance(cls=SITES[2])), Unknown)


CPU, CUDA = Fact(Truth.NO), Fact(Truth.YES)
MIXED = Unknown(source=Provenance.MIXED)
#: What is known of something that is of either of two kinds.
OF_TWO_KINDS = {
    "a device or the name of one": (
        DeviceValue(fact=CPU),
        Scalar(kind="str", literal="cuda"),
        DeviceValue(fact=Fact(Truth.MAYBE), kinds=frozenset({"cuda"})),
    ),
    "a device or something unseen": (DeviceValue(fact=CPU), Unknown(), DeviceValue()),
    "two names of devices": (
        Scalar(kind="str", literal="cpu"),
        Scalar(kind="str", literal="cuda:0"),
        DeviceValue(fact=Fact(Truth.MAYBE), kinds=frozenset({"cuda"})),
    ),
    "two other names": (Scalar(kind="str", literal="cpu"), Scalar(kind="str", literal="no"), Scalar(kind="str")),
    "two numbers": (Scalar(kind="int", literal=1), Scalar(kind="int", literal=2), Scalar(kind="int")),
    "numbers of two kinds": (Scalar(kind="int"), Scalar(kind="float"), Scalar(kind="number")),
    "a number or None": (NONE, Scalar(kind="int"), Scalar(kind="int")),
    "two dtypes of torch": (
        Scalar(kind="torch.dtype", literal=FLOAT32),
        Scalar(kind="torch.dtype", literal=BFLOAT16),
        Scalar(kind="torch.dtype", literal=Dtype("bfloat16", unsure=True)),
    ),
    "dtypes of two libraries": (
        Scalar(kind="torch.dtype", literal=FLOAT32),
        Scalar(kind="numpy.dtype", literal=FLOAT32),
        Scalar(kind="some.dtype", literal=FLOAT32),
    ),
    "a dtype or the name of one": (
        Scalar(kind="torch.dtype", literal=FLOAT32),
        Symbol(path="torch.float32"),
        Scalar(kind="torch.dtype", literal=FLOAT32),
    ),
    "a dtype or a function of NumPy": (
        Scalar(kind="torch.dtype", literal=FLOAT32),
        Symbol(path="numpy.zeros"),
        MIXED,
    ),
    "a number or a function of torch": (Scalar(kind="int"), Symbol(path="torch.zeros"), MIXED),
    "two names of dtypes": (
        Symbol(path="torch.float32"),
        Symbol(path="torch.bfloat16"),
        Scalar(kind="torch.dtype", literal=Dtype("bfloat16", unsure=True)),
    ),
    "two names of dtypes that NumPy has": (Symbol(path="torch.float32"), Symbol(path="torch.float64"), MIXED),
    "two functions": (Symbol(path="torch.zeros"), Symbol(path="numpy.zeros"), MIXED),
    "a context and nothing of the kind": (
        Symbol(path="torch.no_grad()"),
        Foreign(),
        Symbol(path="torch.maybe_grad()"),
    ),
    "gradients off on both": (
        Symbol(path="torch.no_grad()"),
        Symbol(path="torch.no_grad()"),
        Symbol(path="torch.no_grad()"),
    ),
    "gradients on or off": (
        Symbol(path="torch.no_grad()"),
        Symbol(path="torch.enable_grad()"),
        Symbol(path="torch.maybe_grad()"),
    ),
    "a model or an object of the program": (Module(device=CUDA), Instance(cls=SITES[1]), Module(device=CUDA)),
    "a model or something unseen": (
        Module(device=CPU),
        Unknown(device=CUDA),
        Module(device=Fact(Truth.MAYBE)),
    ),
    "an array or something unseen": (
        Array(),
        Unknown(device=CUDA, tensor=Truth.NO),
        Unknown(device=Fact(Truth.MAYBE), tensor=Truth.NO, source=Provenance.MIXED),
    ),
    "a tensor or an array": (
        Tensor(device=CUDA, grad=CPU),
        Array(),
        replace(MIXED, device=Fact(Truth.MAYBE), grad=CPU),
    ),
    "a tensor or a number": (Tensor(device=CUDA), Scalar(kind="int"), replace(MIXED, device=CUDA)),
    "a tensor or something unseen": (
        Tensor(device=CUDA, source=Provenance.LOADER, dtype=BFLOAT16),
        Unknown(device=CPU, grad=CUDA, dtype=BFLOAT16),
        Unknown(device=Fact(Truth.MAYBE), grad=Fact(Truth.MAYBE), source=Provenance.LOADER, dtype=BFLOAT16),
    ),
    "a tensor or something that is none": (
        Tensor(device=CUDA),
        Unknown(device=CPU, tensor=Truth.NO),
        replace(MIXED, device=Fact(Truth.MAYBE)),
    ),
    "something unseen or a number": (
        Unknown(device=CUDA, tensor=Truth.NO, dtype=FLOAT32),
        Scalar(kind="int"),
        replace(MIXED, device=CUDA, tensor=Truth.NO),
    ),
    "two functions of the program": (Function(definition=SITES[1]), Function(definition=SITES[2]), MIXED),
    "one function of the program": (
        Function(definition=SITES[1]),
        Function(definition=SITES[1]),
        Function(definition=SITES[1]),
    ),
    "a number or a function": (Scalar(kind="int"), Function(definition=SITES[1]), replace(MIXED, tensor=Truth.NO)),
    "a list or a tuple of as many": (
        Sequence(kind="tuple", items=(Tensor(device=CPU), NONE)),
        Sequence(kind="list", items=(Tensor(device=CUDA), NONE)),
        Sequence(kind="list", items=(Tensor(device=Fact(Truth.MAYBE)), NONE)),
    ),
    "lists of other lengths": (
        Sequence(items=(Tensor(device=CPU),)),
        Sequence(items=(Tensor(device=CUDA), Tensor(device=CUDA))),
        Sequence(element=Tensor(device=Fact(Truth.MAYBE))),
    ),
    "an empty list or one of any length": (
        Sequence(items=()),
        Sequence(element=Tensor(device=CUDA)),
        Sequence(element=Tensor(device=CUDA)),
    ),
    "a list or a set": (
        Sequence(kind="list", items=()),
        Sequence(kind="set", items=()),
        replace(MIXED, tensor=Truth.NO),
    ),
}


@pytest.mark.parametrize("name", OF_TWO_KINDS)
def test_what_is_of_either_kind(name: str) -> None:
    left, right, joined = OF_TWO_KINDS[name]
    assert join(left, right) == join(right, left) == joined


def test_what_one_path_settled_is_remembered_by_its_place() -> None:
    brought, unseen = Fact(Truth.NO, SITES[0], "brought here"), Fact(Truth.UNKNOWN, SITES[1], "seen here")
    for left, right, place in (
        (brought, Fact(), SITES[0]),
        (brought, unseen, SITES[0]),
        (Fact(Truth.NO), unseen, SITES[1]),
        (Fact(Truth.NO), Fact(), None),
    ):
        for joined in (left.joined(right), right.joined(left)):
            assert (joined.truth, joined.site) == (Truth.UNKNOWN, place)
            assert joined.was_settled is (place is not None)


def test_a_fact_was_passed_on_where_it_was_on_each_path_that_has_it() -> None:
    taken_over, maybe = Fact(Truth.YES, passed_on=True), Fact(Truth.MAYBE)
    for other, passed_on in (
        (Fact(Truth.NO), True),
        (Fact(Truth.UNKNOWN), True),
        (replace(maybe, passed_on=True), True),
        (maybe, False),
    ):
        assert taken_over.joined(other).passed_on is other.joined(taken_over).passed_on is passed_on


def test_an_update_is_sure_of_the_objects_that_it_knows() -> None:
    update = Mutation(SITES[0], How.UPDATE, "stepped here", modules=frozenset({0, 2}))
    for oid, updated in ((0, False), (1, False), (2, True)):
        assert update.surely_updates(oid) is updated
        assert replace(update, known=True).surely_updates(oid)


def test_something_unseen_lies_in_memory_of_its_own_unless_it_is_known_not_to() -> None:
    own, other = frozenset({Storage(1)}), frozenset({Storage(2)})
    assert getattr(join(Tensor(storages=own), Unknown()), "storages", None) == frozenset()
    assert getattr(join(Tensor(storages=own), Unknown(storages=other)), "storages", None) == own | other
