"""In which order the functions of a file teach: who calls comes before what is called.

What a function hands on was handed to it by its callers, so they have to be heard first; otherwise what it passes to a
third one is joined with what it passed when nothing was known of its own arguments.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import libcst as cst

from tensorlint.flow.defined import FunctionInfo
from tensorlint.flow.tree import Sites

#: What makes an object is called by the name of its class.
_INITIALIZER = "__init__"


def callers_first(functions: Sequence[FunctionInfo], sites: Sites) -> list[FunctionInfo]:
    """These functions, each behind those that call something of its name, and behind the initialiser of its class.

    Where they call each other, initialisers come first, and then what stands first.
    """
    in_turn = sorted(functions, key=lambda info: info.name != _INITIALIZER)
    named: defaultdict[str, list[int]] = defaultdict(list)
    initializers: dict[int, int] = {}
    for index, info in enumerate(in_turn):
        named[info.name].append(index)
        if info.name == _INITIALIZER and info.cls is not None:
            named[info.cls.name].append(index)
            initializers[id(info.cls)] = index
    before: list[dict[int, None]] = [{} for _ in in_turn]
    for index, info in enumerate(in_turn):
        for name in _called(sites.inside(info.node)):
            for called in named.get(name, ()):
                before[called][index] = None
        own = initializers.get(id(info.cls))
        if own is not None:
            before[index][own] = None
    return [in_turn[index] for index in _each_behind(before)]


def _called(nodes: Iterable[cst.CSTNode]) -> dict[str, None]:
    """The last names of what is called, or handed on to be called."""
    found: dict[str, None] = {}
    for node in nodes:
        if type(node) is cst.Call:
            function = node.func
            if type(function) is cst.Attribute:
                found[function.attr.value] = None
            elif type(function) is cst.Name:
                found[function.value] = None
    return found


def _each_behind(before: Sequence[Iterable[int]]) -> list[int]:
    """The numbers in an order in which each comes behind those ``before`` it; a circle is cut where it was entered."""
    placed: list[int] = []
    entered: set[int] = set()
    for start in range(len(before)):
        if start in entered:
            continue
        entered.add(start)
        under_way = [(start, iter(before[start]))]
        while under_way:
            index, left = under_way[-1]
            following = next((each for each in left if each not in entered), None)
            if following is None:
                placed.append(index)
                under_way.pop()
            else:
                entered.add(following)
                under_way.append((following, iter(before[following])))
    return placed
