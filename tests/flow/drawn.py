"""Values, facts and dtypes of all kinds, as Hypothesis draws them."""

from __future__ import annotations

from hypothesis import strategies as st

from tensorlint.flow.domain.dtypes import (
    FLOAT32,
    FLOAT64,
    Dtype,
)
from tensorlint.flow.domain.facts import Fact, Truth
from tensorlint.flow.domain.memory import Owner, Storage, Transfer
from tensorlint.flow.domain.site import Site
from tensorlint.flow.domain.tensors import Array, Frozen, Narrowed, Origin, Provenance, Rewrapped, Tensor
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
    frozen=st.none() | st.builds(Frozen, st.sampled_from(SITES), facts),
    in_flight=sites,
    narrowed=st.none() | st.builds(Narrowed, st.sampled_from(SITES), st.sampled_from(["", "float64", "integers"])),
    transfer=st.none() | st.builds(Transfer, st.sampled_from(SITES), facts, st.sampled_from(["", "float32"])),
    dtypes=st.sampled_from([frozenset(), frozenset({FLOAT32, FLOAT64})]),
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
