"""Places and dtypes of the domain: one object for each name, an order, what is asked of each."""

from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import given

from tensorlint.flow.domain.dtypes import (
    FLOAT32,
    UNKNOWN_DTYPE,
    Dtype,
    each_named,
    printed_as,
)
from tensorlint.flow.domain.lattice import join
from tensorlint.flow.domain.site import NOWHERE, Site
from tensorlint.flow.domain.tensors import Tensor
from tests.flow.drawn import dtypes


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
