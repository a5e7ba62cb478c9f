"""A value as another file may know it: without the places and the objects of the file that it comes from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tensorlint.flow.domain.devices import names_device
from tensorlint.flow.domain.dtypes import Dtype
from tensorlint.flow.domain.facts import Fact
from tensorlint.flow.domain.inside import with_facts
from tensorlint.flow.domain.lattice import any_element
from tensorlint.flow.domain.memory import NO_STORAGE, Owner, Storages
from tensorlint.flow.domain.site import Site
from tensorlint.flow.domain.tensors import Array, Provenance, Tensor
from tensorlint.flow.domain.values import (
    ClassObject,
    DeviceValue,
    Dictionary,
    Foreign,
    Function,
    Instance,
    Module,
    Scalar,
    Sequence,
    Symbol,
    Unknown,
    Value,
)


def elsewhere(
    value: Value, fresh: Callable[[], tuple[Storages, int]], place: Callable[[Site], Site | None]
) -> Value | None:
    """What of ``value`` decides what a function does, with storages and an identity from ``fresh``.

    ``place`` gives another name to a place that means nothing elsewhere. None where nothing can stand for the value: a
    class of this file, or something that hangs on one of its flags. How long a sequence is, and which number or name
    is passed, is left out: hardly a function moves a tensor for it, and each would have to be followed once more.
    """

    def told(*facts: Fact) -> bool:
        return all(fact.hangs_on is None for fact in facts)

    def placed(fact: Fact) -> Fact:
        return fact if fact.site is None else replace(fact, site=place(fact.site))

    def is_known(site: Site) -> bool:
        return place(site) == site

    match value:
        case Tensor():
            if not told(value.device, value.grad):
                return None
            storages, oid = fresh()
            return Tensor(
                device=placed(value.device),
                grad=placed(value.grad),
                dtype=value.dtype,
                sure=value.sure,
                storages=storages,
                oid=oid,
            )
        case Array():
            if not told(value.read_only, value.negative_stride):
                return None
            storages, oid = fresh()
            return Array(dtype=value.dtype, sure=value.sure, storages=storages, oid=oid)
        case Unknown():
            if not told(value.device, value.grad):
                return None
            return Unknown(
                device=placed(value.device),
                grad=placed(value.grad),
                tensor=value.tensor,
                source=Provenance.PARAMETER,
                oid=fresh()[1],
            )
        case Module():
            if not told(value.device) or not (value.cls is None or is_known(value.cls)):
                return None
            storages, oid = fresh()
            parameters = frozenset(replace(each, owner=Owner.PARAMETER) for each in storages)
            kept = parameters if value.storages else NO_STORAGE
            return replace(value, device=placed(value.device), storages=kept, oid=oid)
        case Instance():
            if not is_known(value.cls):
                return None
            inside = {name: elsewhere(held, fresh, place) for name, held in value.held.items()}
            told_of = {name: held for name, held in inside.items() if held is not None}
            return replace(value, unmoved=False, held=told_of, oid=fresh()[1])
        case DeviceValue():
            return DeviceValue(fact=placed(value.fact)) if told(value.fact) else None
        case Scalar():
            return value if _decides(value) else Scalar(kind=value.kind)
        case Sequence():
            element = elsewhere(any_element(value), fresh, place)
            return None if element is None else Sequence(kind=value.kind, element=element, oid=fresh()[1])
        case Dictionary():
            element = None if value.state_dict else elsewhere(any_element(value), fresh, place)
            return None if element is None else Dictionary(element=element, oid=fresh()[1])
        case Function():
            if not is_known(value.definition) or value.receiver is not None:
                return None
            taken = [(name, elsewhere(held, fresh, place)) for name, held in value.captured]
            captured = tuple((name, held) for name, held in taken if held is not None)
            return replace(value, captured=captured) if len(captured) == len(taken) else None
        case ClassObject():
            return value if is_known(value.definition) else None
        case Symbol() | Foreign():
            return value
        case _:
            return None


def here(value: Value, place: Callable[[Site], Site]) -> Value:
    """What came back from elsewhere, with the places it had here."""

    def placed(fact: Fact) -> Fact:
        return fact if fact.site is None or place(fact.site) == fact.site else replace(fact, site=place(fact.site))

    return with_facts(value, placed)


def _decides(value: Scalar) -> bool:
    """Whether a function does one thing or another by this value: a flag, or where something is to be."""
    return not isinstance(value.literal, (int, str, Dtype)) or isinstance(value.literal, bool) or names_device(value)
