"""What is known after either of two paths does not depend on which of them is looked at first."""

from __future__ import annotations

import libcst as cst
from hypothesis import given, settings
from hypothesis import strategies as st

from tensorlint.flow.values import (
    NONE,
    Array,
    DeviceValue,
    Dictionary,
    Fact,
    Module,
    Narrowed,
    Optimizer,
    Owner,
    Scalar,
    Sequence,
    Storage,
    Symbol,
    Tensor,
    Truth,
    Unknown,
    Value,
    join,
)

NODES = [cst.Name("first"), cst.Name("second")]
truths = st.sampled_from(list(Truth))
nodes = st.sampled_from([None, *NODES])
hanging = st.sampled_from([None, ("flag", True, Truth.NO), ("flag", False, Truth.UNKNOWN)])
facts = st.builds(Fact, truths, nodes, st.sampled_from(["", "here", "there"]), hanging)
dtypes = st.sampled_from(["", "float32", "float64", "int64", "bfloat16", "bfloat16?"])
storages = st.frozensets(
    st.builds(Storage, st.integers(1, 4), st.sampled_from([Owner.FRESH, Owner.PARAMETER])), max_size=2
)
sources = st.sampled_from(["", "parameter", "call", "model", "element", "parameter of a module"])
flags = st.booleans()
tensors = st.builds(
    Tensor,
    device=facts,
    grad=facts,
    dtype=dtypes,
    storages=storages,
    sure=flags,
    source=sources,
    alias=nodes,
    imported=flags,
    zero_dim=flags,
    of_module=flags,
    unset=nodes,
    frozen=nodes,
    narrowed=st.none() | st.builds(Narrowed, st.sampled_from(NODES), st.sampled_from(["", "float64", "integers"])),
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
    alias=nodes,
    exported=flags,
    of_unknown=flags,
    sliced=flags,
    picked=flags,
    sure=flags,
)
unknowns = st.builds(Unknown, device=facts, grad=facts, tensor=truths, dtype=dtypes, storages=storages, source=sources)
modules = st.builds(
    Module,
    name=st.sampled_from(["", "torch.nn.Linear", "torch.nn.GRU"]),
    dtype=dtypes,
    device=facts,
    trainable=truths,
    storages=storages,
)
scalars = st.builds(
    Scalar, kind=st.sampled_from(["int", "float", "bool"]), literal=st.sampled_from([None, 1, 2]), known=flags
)
others = st.sampled_from(
    [NONE, Symbol(path="torch.float32"), Symbol(path="torch.bfloat16"), Scalar(kind="str", literal="cuda", known=True)]
)
optimizers = st.builds(Optimizer, storages=storages, fresh=flags)
leaves = tensors | arrays | unknowns | modules | scalars | others | optimizers | st.builds(DeviceValue, fact=facts)
values = (
    leaves
    | st.builds(
        Sequence,
        kind=st.sampled_from(["list", "tuple", "generator"]),
        items=st.none() | st.lists(leaves, max_size=2).map(tuple),
        element=st.none() | leaves,
        born=st.integers(0, 2),
    )
    | st.builds(
        Dictionary,
        entries=st.dictionaries(st.sampled_from(["a", "b"]), leaves, max_size=2),
        element=st.none() | leaves,
        storages=storages,
        state_dict=flags,
        alias=nodes,
        born=st.integers(0, 2),
    )
)


def told(value: Value) -> tuple[bool, ...]:
    """What rules ask besides the fields that are compared: whether there is such a place, not which."""
    places = ("alias", "unset", "frozen", "narrowed")
    return tuple(getattr(value, name, None) is not None for name in places)


#: Of one kind more often than chance has it: there is most to join.
pairs = st.one_of(
    *(st.tuples(kind, kind) for kind in (tensors, arrays, unknowns, modules, optimizers, values)),
    st.tuples(tensors, unknowns),
)


@settings(max_examples=1000, deadline=None)
@given(pairs)
def test_either_path_may_come_first(pair: tuple[Value, Value]) -> None:
    left, right = pair
    first, second = join(left, right), join(right, left)
    assert first == second
    assert told(first) == told(second)


@given(values)
def test_two_paths_that_agree_change_nothing(value: Value) -> None:
    assert join(value, value) == value
