"""Libraries that make arrays of what they are given: matplotlib, scikit-learn, pandas."""

from __future__ import annotations

from tensorlint.flow.call import Call
from tensorlint.flow.domain.dtypes import FLOAT64
from tensorlint.flow.domain.tensors import Array
from tensorlint.flow.domain.values import Sequence, Symbol, Value
from tensorlint.flow.machine import Machine
from tensorlint.flow.models.registry import function
from tensorlint.knowledge.library_functions import ESTIMATORS, FIT, MAKE_AXES

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
    return Array(storages=machine.storage(), oid=machine.serial) if name in ESTIMATORS - {"score"} else None
