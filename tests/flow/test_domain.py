"""Joins and fingerprints: what is known after either of two paths, and what can be told apart.

What may differ between two values with equal fingerprints is memory and identity alone: a followed function is told
that by other means.
"""

from __future__ import annotations

import copy
import dataclasses
import importlib
import pickle
import pkgutil
from dataclasses import replace
from itertools import permutations, product
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tensorlint.flow import domain
from tensorlint.flow.domain.dtypes import (
    BFLOAT16,
    FLOAT32,
    INT64,
    OTHER_DTYPE,
    UNKNOWN_DTYPE,
    Dtype,
    each_named,
    printed_as,
)
from tensorlint.flow.domain.facts import Fact, Truth
from tensorlint.flow.domain.lattice import fingerprint, join
from tensorlint.flow.domain.memory import How, Mutation, Owner, Storage
from tensorlint.flow.domain.site import NOWHERE, Site
from tensorlint.flow.domain.tensors import Array, Narrowed, Origin, Provenance, Rewrapped, Tensor
from tensorlint.flow.domain.values import (
    NONE,
    ClassObject,
    DeviceValue,
    Dictionary,
    Foreign,
    Function,
    Given,
    Instance,
    Module,
    Optimizer,
    Scalar,
    Sequence,
    Symbol,
    Unknown,
    Value,
)

SITES = [Site("", 3), Site("f", 1), Site("f", 2)]
truths = st.sampled_from(list(Truth))
sites = st.sampled_from([None, *SITES])
hanging = st.sampled_from([None, ("flag", True, Truth.NO), ("flag", False, Truth.UNKNOWN)])
reasons = st.sampled_from(["", "here", "there"])
flags = st.booleans()
facts = st.one_of(
    st.builds(Fact, truths, sites, reasons, hanging),
    st.builds(Fact, st.sampled_from([Truth.MAYBE, Truth.YES]), sites, reasons, hanging, passed_on=st.just(True)),
    st.builds(Fact, st.just(Truth.MAYBE), sites, reasons, hanging, passed_on=flags, if_available=st.just(True)),
)
#: That nothing has a graph has a reason only where it has a place.
grads = facts.map(lambda fact: fact if fact.site or fact.truth is not Truth.NO else Fact(Truth.NO))
dtypes = st.builds(
    Dtype, st.sampled_from(["", "float32", "float64", "int64", "bfloat16", "float8_e5m2", "qint8"]), st.booleans()
)
storages = st.frozensets(
    st.builds(Storage, st.integers(1, 4), st.sampled_from([Owner.FRESH, Owner.PARAMETER])), max_size=2
)
sources = st.none() | st.sampled_from(Provenance)
origins = st.none() | st.builds(Origin, st.sampled_from(SITES), st.sampled_from(["made here", "computed here"]))
objects = st.integers(0, 2)
backing = st.frozensets(st.tuples(st.builds(Storage, st.integers(1, 2)), st.sampled_from(SITES)), max_size=2)
rewrapped = st.none() | st.builds(
    Rewrapped,
    st.sampled_from(SITES),
    of_graph=flags,
    cut=facts,
    given=st.sampled_from(["", "tensor", "tensors"]),
    steps=st.integers(0, 2),
)
tensors = st.builds(
    Tensor,
    device=facts,
    grad=grads,
    dtype=dtypes,
    storages=storages,
    sure=flags,
    source=sources,
    origin=origins,
    alias=sites,
    imported=flags,
    zero_dim=flags,
    has_axes=flags,
    of_module=flags,
    module=objects,
    unset=sites,
    frozen=sites,
    in_flight=sites,
    narrowed=st.none() | st.builds(Narrowed, st.sampled_from(SITES), st.sampled_from(["", "float64", "integers"])),
    rewrapped=rewrapped,
    layout=st.sampled_from(["", "sparse", "conj"]),
    numbers=st.sampled_from(["", "unit", "wild", "fraction"]),
    sliced=flags,
    picked=flags,
)
arrays = st.builds(
    Array,
    dtype=dtypes,
    storages=storages,
    read_only=facts,
    negative_stride=facts,
    zero_dim=flags,
    small=flags,
    counted=flags,
    origin=origins,
    alias=sites,
    exported=flags,
    of_unknown=flags,
    sliced=flags,
    picked=flags,
    sure=flags,
    has_axes=flags,
    cut=facts,
)
unknowns = st.builds(
    Unknown,
    device=facts,
    grad=grads,
    tensor=truths,
    dtype=dtypes,
    storages=storages,
    source=sources,
    origin=origins,
)
modules = st.builds(
    Module,
    cls=sites,
    name=st.sampled_from(["", "torch.nn.Linear", "torch.nn.GRU"]),
    dtype=dtypes,
    device=facts,
    trainable=truths,
    refuses_double=flags,
    storages=storages,
    arrays=backing,
)
scalars = st.builds(
    Scalar, kind=st.sampled_from(["int", "float", "bool"]), literal=st.sampled_from([None, 1, 2, True]), known=flags
)
devices = st.builds(DeviceValue, fact=facts)
optimizers = st.builds(
    Optimizer, storages=storages, modules=st.frozensets(objects, max_size=2), arrays=backing, fresh=flags
)
others = st.sampled_from(
    [
        NONE,
        Symbol(path="torch.float32"),
        Symbol(path="torch.bfloat16"),
        Symbol(path="torch.no_grad()"),
        Scalar(kind="str", literal="cuda", known=True),
        Scalar(kind="torch.dtype", literal=FLOAT32),
        Function(definition=SITES[1]),
        ClassObject(definition=SITES[2]),
        Instance(cls=SITES[2]),
        Instance(cls=SITES[2], unmoved=True, oid=3),
        Foreign(framework="jax"),
    ]
)
leaves = tensors | arrays | unknowns | modules | scalars | others | optimizers | devices


def containers(inside: st.SearchStrategy[Value]) -> st.SearchStrategy[Value]:
    kinds, born = st.sampled_from(["list", "tuple"]), st.integers(0, 2)
    return st.one_of(
        st.builds(Sequence, kind=kinds, items=st.lists(inside, max_size=2).map(tuple), born=born),
        st.builds(Sequence, kind=kinds, element=inside, born=born),
        dictionaries(inside),
    )


def dictionaries(inside: st.SearchStrategy[Value]) -> st.SearchStrategy[Value]:
    return st.builds(
        Dictionary,
        entries=st.dictionaries(st.sampled_from(["a", "b"]), inside, max_size=2),
        element=st.none() | inside,
        storages=storages,
        state_dict=flags,
        alias=sites,
        asked_of=st.sampled_from(["", "net"]),
        names=st.frozensets(st.sampled_from(["net", "ema"])),
        of=objects,
        saved=flags,
        born=st.integers(0, 2),
    )


values = leaves | containers(leaves)
KINDS = [tensors, arrays, unknowns, modules, scalars, devices, optimizers]
#: Of one kind more often than chance has it: there is most to join.
pairs = st.one_of(*(st.tuples(kind, kind) for kind in (*KINDS, values)), st.tuples(tensors, unknowns))
triples = st.one_of(*(st.tuples(kind, kind, kind) for kind in (*KINDS, *map(containers, (tensors, scalars)))))


def told(value: Value) -> tuple[object, ...]:
    """The places that a rule reads from a value, which equality leaves out."""
    parts: list[object] = [
        getattr(value, name, None)
        for name in (
            "alias",
            "unset",
            "frozen",
            "in_flight",
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
        DeviceValue(fact=Fact(Truth.MAYBE)),
    ),
    "a device or something unseen": (DeviceValue(fact=CPU), Unknown(), DeviceValue()),
    "two names of devices": (
        Scalar(kind="str", literal="cpu"),
        Scalar(kind="str", literal="cuda:0"),
        DeviceValue(fact=Fact(Truth.MAYBE)),
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
        Unknown(device=CUDA, tensor=Truth.NO, source=Provenance.MIXED),
    ),
    "a tensor or an array": (Tensor(device=CUDA, grad=CPU), Array(), replace(MIXED, device=CUDA, grad=CPU)),
    "a tensor or a number": (Tensor(device=CUDA), Scalar(kind="int"), replace(MIXED, device=CUDA)),
    "a tensor or something unseen": (
        Tensor(device=CUDA, source=Provenance.LOADER, dtype=BFLOAT16),
        Unknown(device=CPU, grad=CUDA, dtype=BFLOAT16),
        Unknown(device=Fact(Truth.MAYBE), grad=Fact(Truth.MAYBE), source=Provenance.LOADER, dtype=BFLOAT16),
    ),
    "a tensor or something that is none": (Tensor(device=CUDA), Unknown(device=CPU, tensor=Truth.NO), MIXED),
    "something unseen or a number": (
        Unknown(device=CUDA, tensor=Truth.NO, dtype=FLOAT32),
        Scalar(kind="int"),
        replace(MIXED, device=CUDA),
    ),
    "two functions of the program": (Function(definition=SITES[1]), Function(definition=SITES[2]), MIXED),
    "one function of the program": (
        Function(definition=SITES[1]),
        Function(definition=SITES[1]),
        Function(definition=SITES[1]),
    ),
    "a number or a function": (Scalar(kind="int"), Function(definition=SITES[1]), MIXED),
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
    "a list or a set": (Sequence(kind="list", items=()), Sequence(kind="set", items=()), MIXED),
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
            "frozen": SITES[0],
            "narrowed": Narrowed(SITES[0], "float64"),
            "sliced": True,
            "picked": True,
            "in_flight": SITES[0],
            "rewrapped": Rewrapped(SITES[0]),
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
        items[place] = Tensor(device=CUDA)
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
    (Tensor(), dict.fromkeys(["alias", "unset", "frozen", "in_flight"], SITES[0])),
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


def test_places_are_ordered_as_in_the_program() -> None:
    first, second = (Tensor(alias=site) for site in (Site("", 2), Site("", 9)))
    joined = join(second, first)
    assert isinstance(joined, Tensor)
    assert joined.alias == Site("", 2)
    assert Site("", 0) > NOWHERE


@given(dtypes, dtypes, dtypes)
def test_dtypes_of_paths_meet_in_any_order(first: Dtype, second: Dtype, third: Dtype) -> None:
    assert first.joined(second) is second.joined(first)
    assert first.joined(second).joined(third) is first.joined(second.joined(third))
    assert first.joined(first) is first
    assert first.joined(second).joined(first) is first.joined(second)


@given(dtypes, dtypes)
def test_a_dtype_is_one_object(left: Dtype, right: Dtype) -> None:
    assert pickle.loads(pickle.dumps(left)) is left
    assert copy.deepcopy(left) is left
    assert (left is right) is ((left.name, left.unsure) == (right.name, right.unsure))
    assert (left == right) is (left is right)
    assert (str(left) == str(right)) is (left is right)


@given(dtypes)
def test_of_code_that_was_not_seen_only_what_numpy_lacks_is_remembered(dtype: Dtype) -> None:
    weakened = dtype.weakened()
    assert weakened.weakened() is weakened
    assert weakened is (Dtype(dtype.name, unsure=True) if dtype.without_numpy else UNKNOWN_DTYPE)


@given(dtypes)
def test_only_a_dtype_with_a_name_is_sure(dtype: Dtype) -> None:
    assert dtype.sure is (dtype.name != "" and not dtype.unsure)
    assert bool(dtype) is (dtype is not UNKNOWN_DTYPE)
    assert dtype.named is (dtype if dtype.name else UNKNOWN_DTYPE)


def test_a_dtype_is_frozen() -> None:
    with pytest.raises(AttributeError):
        FLOAT32.name = "float64"  # type: ignore[misc]
    assert FLOAT32.name == "float32"


#: What each is; what is not named here is none of it.
KINDS_OF_DTYPES = {
    "is_integral": "bool uint8 int8 int16 int32 int64 uint16 uint32 uint64",
    "is_integer": "uint8 int8 int16 int32 int64 uint16 uint32 uint64",
    "is_float": "float16 float32 float64 float8_e5m2 float128",
    "is_floating": "float16 bfloat16 float32 float64 float8_e5m2 float128",
    "is_complex": "complex32 complex64 complex128",
    "is_quantized": "quint8 qint8 qint32",
    "without_numpy": "bfloat16 float8_e5m2 quint8 qint8 qint32 complex32",
    "of_numpy": "uint16 uint32 uint64 longdouble float128 datetime64 timedelta64",
    "swapped": ">f4 >i8",
}
PRINTED = frozenset[Dtype]().union(*map(each_named, KINDS_OF_DTYPES.values()), [Dtype("object")])


@pytest.mark.parametrize("question", KINDS_OF_DTYPES)
def test_what_kind_of_dtype_it_is(question: str) -> None:
    assert {each for each in PRINTED if getattr(each, question)} == each_named(KINDS_OF_DTYPES[question])
    for each in PRINTED:
        # One of several is asked by the same names.
        assert getattr(Dtype(each.name, unsure=True), question) is getattr(each, question)


def test_a_dtype_is_read_as_it_is_printed() -> None:
    assert {printed_as(each.name) for each in PRINTED} == PRINTED
    assert {printed_as(name) for name in ("", "keep", "default-float", "float", ">f3", "relu")} == {UNKNOWN_DTYPE}
