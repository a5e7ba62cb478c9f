"""Libraries that make arrays of what they are given: matplotlib, scikit-learn, pandas."""

from __future__ import annotations

from dataclasses import replace

from tensorlint.flow.call import Call
from tensorlint.flow.domain.dtypes import FLOAT64, INT64, UNKNOWN_DTYPE, Dtype
from tensorlint.flow.domain.lattice import any_element
from tensorlint.flow.domain.tensors import Array, Tensor
from tensorlint.flow.domain.values import UNKNOWN, Dictionary, Foreign, Sequence, Symbol, Value, is_true
from tensorlint.flow.machine import Machine
from tensorlint.flow.models.registry import function
from tensorlint.knowledge.library_functions import (
    CLASSIFIED,
    ESTIMATORS,
    FIT,
    FLOAT_TRANSFORMERS,
    LABELLERS,
    MAKE_AXES,
    NUMBERING_IN_DOUBLE,
    REGRESSED,
)

#: Axes and figures are known by the functions that do what their methods of the same name do.
_AXES = Symbol(path="matplotlib.pyplot")


@function("matplotlib.pyplot.*")
def plot(machine: Machine, path: str, call: Call) -> Value | None:
    name = path.removeprefix("matplotlib.pyplot.")
    if name == "subplots":
        return Sequence(kind="tuple", items=(_AXES, _AXES))
    return _AXES if name in MAKE_AXES or name in {"ravel", "flatten"} else None


@function("sklearn.utils.class_weight.*")
def class_weight(machine: Machine, path: str, call: Call) -> Value:
    """One number a class, or a sample (measured on scikit-learn 1.9.1)."""
    return Array(dtype=FLOAT64, has_axes=True, storages=machine.storage(), oid=machine.serial)


@function("sklearn.*")
def learn(machine: Machine, path: str, call: Call) -> Value | None:
    """An estimator is known by its class, from where it is made to where it is asked."""
    owner, _, name = path.rpartition(".")
    if name[:1].isupper():
        return Symbol(path=path)
    if name in FIT:
        return Symbol(path=owner)
    if name not in ESTIMATORS - {"score"}:
        return None
    dtype = _dtype_given(owner.rpartition(".")[2], name, call.first)
    return Array(dtype=dtype, has_axes=bool(dtype), storages=machine.storage(), oid=machine.serial)


def _dtype_given(estimator: str, method: str, data: Value | None) -> Dtype:
    """The dtype of what an estimator makes of data, where it hangs on the data alone."""
    if method not in {"transform", "fit_transform"}:
        return UNKNOWN_DTYPE
    if estimator in LABELLERS:
        return INT64
    if estimator in NUMBERING_IN_DOUBLE:
        return FLOAT64
    if estimator in FLOAT_TRANSFORMERS and isinstance(data, Array):
        return FLOAT64 if data.dtype.is_integral and data.dtype.sure else data.dtype
    return UNKNOWN_DTYPE


@function("sklearn.datasets.*")
def data_set(machine: Machine, path: str, call: Call) -> Value | None:
    """Features and targets: a pair, or what has them under ``data`` and ``target``."""
    name = path.removeprefix("sklearn.datasets.")
    if name not in CLASSIFIED | REGRESSED or call.keyword("as_frame") is not None:
        return None
    features, target = (
        Array(dtype=dtype, has_axes=True, storages=machine.storage(), oid=machine.serial)
        for dtype in (FLOAT64, INT64 if name in CLASSIFIED else FLOAT64)
    )
    if name.startswith("make_") or is_true(call.keyword("return_X_y") or UNKNOWN):
        return Sequence(kind="tuple", items=(features, target))
    if call.keyword("return_X_y") is not None:
        return None
    return Dictionary(entries={"data": features, "target": target}, element=UNKNOWN, oid=machine.next_serial())


@function("sklearn.model_selection.train_test_split")
def parts_of(machine: Machine, path: str, call: Call) -> Value | None:
    """Two parts of each of what it is given, which are copies."""
    given = [argument.value for argument in call.arguments if not argument.keyword]
    if any(argument.star for argument in call.arguments):
        return None
    return Sequence(kind="list", items=tuple(_part(machine, each) for each in given for _ in range(2)))


def _part(machine: Machine, whole: Value) -> Value:
    match whole:
        case Array() | Tensor():
            return replace(whole, storages=machine.storage(), alias=None, oid=machine.serial)
        case Sequence():
            return Sequence(kind="list", element=any_element(whole), oid=machine.next_serial())
        case Foreign():
            return whole
        case _:
            return UNKNOWN
