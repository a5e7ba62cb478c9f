"""A syntax tree without whitespace and punctuation: its nodes, their numbers, and the names in it."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields
from itertools import count

import libcst as cst

from tensorlint.flow.domain.site import NOWHERE, Site

#: Fields that hold neither expressions nor statements, besides whitespace.
# fmt: off
_PUNCTUATION = frozenset({
    "asynchronous", "colon", "comma", "dot", "equal", "first_colon", "footer", "header", "indent", "lbrace",
    "lbracket", "leading_lines", "lines_after_decorators", "lpar", "operator", "posonly_ind", "rbrace",
    "rbracket", "rpar", "second_colon", "semicolon", "separator", "star", "trailing_comma", "trailing_whitespace",
    "type_parameters",
})
# fmt: on


class _Fields(dict[type, "tuple[str, ...]"]):
    """By the type of a node: its fields that may hold code. LibCST has some hundred types of nodes."""

    def __missing__(self, kind: type) -> tuple[str, ...]:
        found = tuple(field.name for field in fields(kind) if _may_hold_code(field.name))
        self[kind] = () if kind in _ATOMS else found
        return self[kind]


class _Nodes(dict[type, bool]):
    """Whether a type is one of nodes: they have an abstract metaclass, which makes ``isinstance`` dear."""

    def __missing__(self, kind: type) -> bool:
        self[kind] = issubclass(kind, cst.CSTNode)
        return self[kind]


_ATOMS = frozenset({cst.Name, cst.Integer, cst.Float, cst.Imaginary, cst.SimpleString, cst.Ellipsis})
_FIELDS = _Fields()
_IS_NODE = _Nodes()


def children(node: cst.CSTNode) -> list[cst.CSTNode]:
    """The nodes in ``node`` in the order of the text, without those that only lay it out.

    ``CSTNode.children`` copies the node to find them, which costs ten times as much.
    """
    found: list[cst.CSTNode] = []
    for name in _FIELDS[type(node)]:
        held = getattr(node, name)
        kind = type(held)
        if kind is list or kind is tuple:
            found.extend([each for each in held if _IS_NODE[type(each)]])
        elif _IS_NODE[kind]:
            found.append(held)
    return found


def _may_hold_code(name: str) -> bool:
    return name not in _PUNCTUATION and not name.startswith("whitespace")


class Sites:
    """Between the nodes of one file and their sites. Nothing is numbered before somebody asks."""

    def __init__(self, module: cst.Module | None, file: str = "") -> None:
        self._module = module
        self._file = file
        #: All nodes, definition by definition; where each begins, and what it is called.
        self._nodes: list[cst.CSTNode] = []
        self._begins: list[int] = []
        self._definitions: list[str] = []
        self._numbers: dict[int, int] = {}

    def of(self, node: cst.CSTNode) -> Site:
        """Where ``node`` stands; ``NOWHERE`` for one that is not part of the file."""
        if not self._nodes:
            self._number()
        number = self._numbers.get(id(node))
        if number is None:
            return NOWHERE
        definition = bisect_right(self._begins, number) - 1
        return Site(self._definitions[definition], number - self._begins[definition], self._file)

    def node(self, site: Site | None) -> cst.CSTNode | None:
        """The node at ``site``; None where that is in another file, or nowhere."""
        if site is None or site.number < 0 or site.file != self._file:
            return None
        if not self._nodes:
            self._number()
        if site.definition not in self._definitions:
            return None
        definition = self._definitions.index(site.definition)
        number = self._begins[definition] + site.number
        ends = self._begins[definition + 1 : definition + 2] or [len(self._nodes)]
        return self._nodes[number] if number < ends[0] else None

    def _number(self) -> None:
        waiting: list[tuple[str, cst.CSTNode]] = [("", self._module)] if self._module is not None else []
        defined: Counter[str] = Counter()
        nodes = self._nodes
        while waiting:
            definition, root = waiting.pop()
            self._definitions.append(definition)
            self._begins.append(len(nodes))
            stack = [root]
            while stack:
                node = stack.pop()
                kind = type(node)
                if (kind is cst.FunctionDef or kind is cst.ClassDef) and node is not root:
                    name = node.name.value  # type: ignore[attr-defined]
                    name = f"{definition}.{name}" if definition else name
                    defined[name] += 1
                    waiting.append((name if defined[name] == 1 else f"{name}#{defined[name]}", node))
                    continue
                nodes.append(node)
                if _FIELDS[kind]:
                    stack.extend(reversed(children(node)))
        self._numbers = dict(zip(map(id, nodes), count(), strict=False))


def bound_in(node: cst.CSTNode) -> Iterator[str]:
    """Names bound anywhere below ``node``, nested functions included: rather one too many."""
    if type(node) in _BINDING:
        yield from _bound_by(node)
    if type(node) is not cst.ImportAlias:
        for child in children(node):
            yield from bound_in(child)


def _bound_by(node: cst.CSTNode) -> Iterator[str]:
    match node:
        case cst.Param(name=name) | cst.FunctionDef(name=name) | cst.ClassDef(name=name):
            yield name.value
        case cst.AssignTarget(target=target) | cst.AnnAssign(target=target) | cst.AugAssign(target=target):
            yield from _plain_names(target)
        case cst.For(target=target) | cst.CompFor(target=target) | cst.NamedExpr(target=target):
            yield from _plain_names(target)
        case cst.AsName(name=target):
            yield from _plain_names(target)
        case cst.MatchAs(name=cst.Name(value=text)) | cst.MatchStar(name=cst.Name(value=text)):
            yield text


# fmt: off
_BINDING = frozenset({
    cst.Param, cst.FunctionDef, cst.ClassDef, cst.AssignTarget, cst.AnnAssign, cst.AugAssign, cst.For, cst.CompFor,
    cst.NamedExpr, cst.AsName, cst.MatchAs, cst.MatchStar,
})
# fmt: on


def contains(node: cst.CSTNode, part: cst.CSTNode) -> bool:
    """Whether ``part``, and not one that looks like it, stands in ``node``."""
    return node is part or any(contains(child, part) for child in children(node))


def asked_of(name: str, scope: cst.CSTNode) -> frozenset[str]:
    """The attributes that ``scope`` asks of what a plain name holds, and "" where it is used as a whole."""
    match scope:
        case cst.AssignTarget(target=cst.Name()):
            return frozenset()
        case cst.Attribute(value=cst.Name(value=owner), attr=attribute) if owner == name:
            return frozenset({attribute.value})
        case cst.Name(value=used) if used == name:
            return frozenset({""})
    return frozenset().union(*(asked_of(name, child) for child in children(scope)))


def names_in(node: cst.CSTNode) -> frozenset[str]:
    """The plain names that are read in ``node``: neither attributes nor keywords."""
    match node:
        case cst.Name(value=name):
            return frozenset({name})
        case cst.Attribute(value=inner) | cst.Arg(value=inner):
            return names_in(inner)
        case _:
            return frozenset().union(*map(names_in, children(node)))


def walk_scope(root: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """What is below ``root`` in the order of the text, without what stands in functions below it."""
    for child in children(root):
        yield child
        if type(child) is not cst.FunctionDef and type(child) is not cst.Lambda:
            yield from walk_scope(child)


def imported_by(alias: cst.ImportAlias) -> Iterator[str]:
    """The name that ``import a.b``, ``import a as b`` or ``from a import b`` binds."""
    bound: cst.CSTNode = alias.name if alias.asname is None else alias.asname.name
    while isinstance(bound, cst.Attribute):
        bound = bound.value
    yield from _plain_names(bound)


def binds_after(root: cst.CSTNode, name: str, at: cst.CSTNode) -> bool:
    """Whether the first import of ``name`` in this scope comes after the node ``at``."""
    passed = False
    for node in walk_scope(root):
        passed = passed or node is at
        if isinstance(node, cst.ImportAlias) and name in imported_by(node):
            return passed
    return False


def _plain_names(target: cst.CSTNode) -> Iterator[str]:
    match target:
        case cst.Name(value=name):
            yield name
        case cst.Tuple() | cst.List() | cst.Element() | cst.StarredElement():
            for child in children(target):
                yield from _plain_names(child)


def dotted_name(node: cst.CSTNode) -> str:
    """``a.b.c`` of a name or attribute chain, or an empty string for anything else."""
    # LibCST nodes have an abstract metaclass, which makes ``isinstance`` ten times the price of ``type``.
    kind = type(node)
    if kind is cst.Name:
        return node.value  # type: ignore[attr-defined, no-any-return]
    parts: list[str] = []
    while kind is cst.Attribute:
        parts.append(node.attr.value)  # type: ignore[attr-defined]
        node = node.value  # type: ignore[attr-defined]
        kind = type(node)
    if kind is not cst.Name:
        return ""
    parts.append(node.value)  # type: ignore[attr-defined]
    return ".".join(reversed(parts))
