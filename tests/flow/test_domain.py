"""Joins and fingerprints: what is known after either of two paths, and what can be told apart.

What may differ between two values with equal fingerprints is memory and identity alone: a followed function is told
that by other means.
"""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tensorlint.flow.domain.dtypes import FLOAT32, INT64, OTHER_DTYPE, UNKNOWN_DTYPE, Dtype, each_named, printed_as
from tensorlint.flow.domain.facts import Fact, Truth
from tensorlint.flow.domain.lattice import fingerprint, join
from tensorlint.flow.domain.memory import Owner, Storage
from tensorlint.flow.domain.site import NOWHERE, Site
from tensorlint.flow.domain.tensors import Array, Narrowed, Origin, Provenance, Tensor
from tensorlint.flow.domain.values import (
    NONE,
    ClassObject,
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

SITES = [Site("", 3), Site("f", 1), Site("f", 2)]
truths = st.sampled_from(list(Truth))
sites = st.sampled_from([None, *SITES])
hanging = st.sampled_from([None, ("flag", True, Truth.NO), ("flag", False, Truth.UNKNOWN)])
reasons = st.sampled_from(["", "here", "there"])
facts = st.builds(Fact, truths, sites, reasons, hanging) | st.builds(
    Fact, st.just(Truth.MAYBE), sites, reasons, hanging, if_available=st.just(True)
)
dtypes = st.builds(
    Dtype, st.sampled_from(["", "float32", "float64", "int64", "bfloat16", "float8_e5m2", "qint8"]), st.booleans()
)
storages = st.frozensets(
    st.builds(Storage, st.integers(1, 4), st.sampled_from([Owner.FRESH, Owner.PARAMETER])), max_size=2
)
sources = st.none() | st.sampled_from(Provenance)
origins = st.none() | st.builds(Origin, st.sampled_from(SITES), st.sampled_from(["made here", "computed here"]))
flags = st.booleans()
tensors = st.builds(
    Tensor,
    device=facts,
    grad=facts,
    dtype=dtypes,
    storages=storages,
    sure=flags,
    source=sources,
    origin=origins,
    alias=sites,
    imported=flags,
    zero_dim=flags,
    of_module=flags,
    unset=sites,
    frozen=sites,
    narrowed=st.none() | st.builds(Narrowed, st.sampled_from(SITES), st.sampled_from(["", "float64", "integers"])),
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
)
unknowns = st.builds(
    Unknown,
    device=facts,
    grad=facts,
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
    storages=storages,
)
scalars = st.builds(
    Scalar, kind=st.sampled_from(["int", "float", "bool"]), literal=st.sampled_from([None, 1, 2, True]), known=flags
)
devices = st.builds(DeviceValue, fact=facts)
optimizers = st.builds(Optimizer, storages=storages, fresh=flags)
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
    return st.builds(
        Sequence,
        kind=st.sampled_from(["list", "tuple"]),
        items=st.none() | st.lists(inside, max_size=2).map(tuple),
        element=st.none() | inside,
        born=st.integers(0, 2),
    ) | st.builds(
        Dictionary,
        entries=st.dictionaries(st.sampled_from(["a", "b"]), inside, max_size=2),
        element=st.none() | inside,
        storages=storages,
        state_dict=flags,
        alias=sites,
        asked_of=st.sampled_from(["", "net"]),
        names=st.frozensets(st.sampled_from(["net", "ema"])),
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
        getattr(value, name, None) for name in ("alias", "unset", "frozen", "narrowed", "origin", "asked_of")
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
    assert join(value, value) == value
    assert told(join(value, value)) == told(value)


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
        }.items()
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
        }.items()
    ),
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
