"""Methods of lists, tuples, sets and dictionaries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import libcst as cst

from tensorlint.flow.call import Argument, Call
from tensorlint.flow.domain.lattice import any_element, join
from tensorlint.flow.domain.memory import Container
from tensorlint.flow.domain.tensors import Provenance
from tensorlint.flow.domain.values import NONE, UNKNOWN, Dictionary, Method, Scalar, Sequence, Unknown, Value
from tensorlint.flow.machine import Machine
from tensorlint.flow.models.hashing import hash_key
from tensorlint.flow.models.items import element_of
from tensorlint.flow.models.objects import kept_on
from tensorlint.flow.models.unknowns import unknown_method
from tensorlint.flow.tree import dotted_name

#: Methods of a list that a view of a dictionary has not.
_LIST_ONLY = frozenset({"append", "extend", "index", "insert", "pop", "remove", "reverse", "sort"})


def sequence_method(machine: Machine, value: Sequence, name: str, call: Call) -> Value:
    if name == "add" and len(call.arguments) == 1 and isinstance(call.node.func, cst.Attribute):
        owner = Argument(call.node.func.value, value)
        hash_key(machine, call.node, owner, call.arguments[0], "member", call.frame)
    if value.kind == "view" and name in _LIST_ONLY:
        # ``names = d.keys(); names.sort()`` was a list in Python 2: what comes after is not reached.
        call.frame.alive = False
        return UNKNOWN
    if name in {"append", "appendleft", "add", "insert", "extend", "put"}:
        added = call.arguments[-1].value if call.arguments else UNKNOWN
        if name == "extend":
            added = element_of(machine, added, call.node, call.frame)
        machine.store(
            call.frame,
            call.node,
            added,
            Container.APPEND,
            dotted_name(call.node.func.value) if isinstance(call.node.func, cst.Attribute) else "",
            value.born,
            written=call.arguments[-1].node if call.arguments and name != "extend" else None,
        )
        contents = any_element(value) if value.items != () else added
        grown = replace(value, items=None, element=join(contents, added))
        if value.items is not None and name == "append" and len(value.items) < 16 and not call.frame.loops:
            grown = replace(value, items=(*value.items, added))
        call.frame.env.change(value, lambda held: grown)
        assert isinstance(call.node.func, cst.Attribute)
        kept_on(machine, dotted_name(call.node.func.value), grown, call.frame)
        return NONE
    if name in {"pop", "popleft"}:
        return any_element(value)
    if name == "copy":
        return replace(value, oid=machine.next_serial())
    if name in {"index", "count"}:
        return Scalar(kind="int")
    if name in {"numpy", "cpu", "to", "cuda", "detach"}:
        # Lists have no such methods, so this is something else: a named tuple or a packed sequence.
        return unknown_method(machine, Unknown(source=Provenance.ELEMENT), name, call)
    return UNKNOWN


def sequence_attribute(value: Sequence, name: str) -> Value:
    match value:
        case Sequence(kind="tuple", items=(first, second)) if name in {"values", "indices"}:
            # Of what ``x.max(dim=1)`` and ``x.sort()`` return.
            return first if name == "values" else second
        case _:
            return Method(receiver=value, name=name)


def without_entry(key: object) -> Callable[[Value], Value]:
    """What becomes of a dictionary of which the entry of a key is deleted."""

    def left(held: Value) -> Value:
        if not isinstance(held, Dictionary):
            return held
        return replace(held, entries={name: item for name, item in held.entries.items() if name != key})

    return left


def dictionary_method(machine: Machine, value: Dictionary, name: str, call: Call) -> Value:
    key = call.arguments[0].value if call.arguments else UNKNOWN
    entry = value.element if value.element is not None else UNKNOWN
    if isinstance(key, Scalar) and key.known and key.literal in value.entries:
        entry = value.entries[key.literal]
    match name:
        case "values":
            return Sequence(kind="view", element=any_element(value))
        case "items":
            return Sequence(kind="view", element=Sequence(kind="tuple", items=(Scalar(kind="str"), any_element(value))))
        case "keys":
            return Sequence(kind="view", element=Scalar(kind="str"))
        case "pop" if isinstance(key, Scalar) and key.known and key.literal in value.entries:
            call.frame.env.change(value, without_entry(key.literal))
            return entry
        case "clear":
            call.frame.env.change(value, lambda held: replace(value, entries={}, element=None))
            return NONE
        case "get" | "pop" | "setdefault":
            return entry
        case "copy":
            return replace(value, oid=machine.next_serial())
        case "update":
            added = any_element(key) if isinstance(key, Dictionary) else UNKNOWN
            grown = replace(value, element=join(value.element, added) if value.element is not None else added)
            call.frame.env.change(value, lambda held: grown)
            return NONE
        case _:
            return UNKNOWN
