"""Frames and series of pandas: what is known of the numbers in them is the dtype that they were told or made of."""

from __future__ import annotations

from dataclasses import replace

from tensorlint.flow.arguments import dtype_argument
from tensorlint.flow.call import Call
from tensorlint.flow.domain.dtypes import UNKNOWN_DTYPE, Dtype
from tensorlint.flow.domain.tensors import Array
from tensorlint.flow.domain.values import Foreign, Sequence, Value
from tensorlint.flow.dtypes import dtype_of
from tensorlint.flow.machine import Machine
from tensorlint.flow.models.arrays import cast_to
from tensorlint.flow.models.registry import function
from tensorlint.knowledge.row import names

#: What leaves the dtype of each column as it is, attributes and methods.
_KEEPS = names("iloc loc copy drop head tail sample reset_index sort_values sort_index reindex T transpose")


def is_frame(value: Value) -> bool:
    return isinstance(value, Foreign) and value.framework == "pandas"


def frame_attribute(machine: Machine, value: Foreign, name: str) -> Value:
    if name == "values":
        return Array(dtype=value.dtype, has_axes=True, storages=machine.storage(), oid=machine.serial)
    return value if name in _KEEPS else Foreign(framework=value.framework)


def frame_method(machine: Machine, value: Foreign, name: str, call: Call) -> Value:
    match name:
        case "to_numpy":
            dtype = dtype_argument(call.arguments) or value.dtype
            return Array(dtype=dtype, has_axes=True, storages=machine.storage(), oid=machine.serial)
        case "tolist" | "to_list":
            return Sequence(kind="list", element=Foreign(framework=value.framework))
        case "astype":
            return replace(value, dtype=cast_to(call.arguments))
        case _:
            return value if name in _KEEPS else Foreign(framework=value.framework)


@function("pandas.DataFrame", "pandas.Series", "pandas.read_csv", "pandas.read_table")
def make_frame(machine: Machine, path: str, call: Call) -> Value:
    """Of one dtype where it is told one, or made of an array."""
    told = dtype_of(call.keyword("dtype") or Foreign(framework=""))
    return Foreign(framework="pandas", dtype=told or _made_of(call.first))


def _made_of(data: Value | None) -> Dtype:
    return data.dtype if isinstance(data, Array) and data.sure else UNKNOWN_DTYPE
