"""A syntax tree without whitespace and punctuation: its nodes, their numbers, and the names in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import fields

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
_FIELDS: dict[type[cst.CSTNode], tuple[str, ...]] = {}


def children(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """The nodes in ``node`` in the order of the text, without those that only lay it out.

    ``CSTNode.children`` copies the node to find them, which costs ten times as much.
    """
    kind = type(node)
    names = _FIELDS.get(kind)
    if names is None:
        names = _FIELDS[kind] = tuple(field.name for field in fields(kind) if _may_hold_code(field.name))
    for name in names:
        held = getattr(node, name)
        if isinstance(held, cst.CSTNode):
            yield held
        elif type(held) in (list, tuple):
            yield from (each for each in held if isinstance(each, cst.CSTNode))


def _may_hold_code(name: str) -> bool:
    return name not in _PUNCTUATION and not name.startswith("whitespace")


class Sites:
    """Between the nodes of one file and their sites. Nothing is numbered before somebody asks."""

    def __init__(self, module: cst.Module | None, file: str = "") -> None:
        self._module = module
        self._file = file
        self._numbers: dict[int, tuple[str, int]] = {}
        self._nodes: dict[str, list[cst.CSTNode]] = {}

    def of(self, node: cst.CSTNode) -> Site:
        """Where ``node`` stands; ``NOWHERE`` for one that is not part of the file."""
        if not self._numbers:
            self._number()
        number = self._numbers.get(id(node))
        return NOWHERE if number is None else Site(*number, self._file)

    def node(self, site: Site | None) -> cst.CSTNode | None:
        """The node at ``site``; None where that is in another file, or nowhere."""
        if site is None or site.number < 0 or site.file != self._file:
            return None
        if not self._nodes:
            self._number()
        nodes = self._nodes.get(site.definition, ())
        return nodes[site.number] if site.number < len(nodes) else None

    def _number(self) -> None:
        waiting: list[tuple[str, cst.CSTNode]] = [("", self._module)] if self._module is not None else []
        defined: Counter[str] = Counter()
        while waiting:
            definition, root = waiting.pop()
            nodes = self._nodes[definition] = []
            stack = [root]
            while stack:
                node = stack.pop()
                if type(node) in _DEFINITIONS and node is not root:
                    name = node.name.value  # type: ignore[attr-defined]
                    name = f"{definition}.{name}" if definition else name
                    defined[name] += 1
                    waiting.append((name if defined[name] == 1 else f"{name}#{defined[name]}", node))
                    continue
                self._numbers[id(node)] = definition, len(nodes)
                nodes.append(node)
                stack.extend(reversed(tuple(children(node))))


_DEFINITIONS = (cst.FunctionDef, cst.ClassDef)


def bound_in(node: cst.CSTNode) -> Iterator[str]:
    """Names bound anywhere below ``node``, nested functions included: rather one too many."""
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
        case cst.ImportAlias():
            return
    for child in children(node):
        yield from bound_in(child)


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
        if not isinstance(child, (cst.FunctionDef, cst.Lambda)):
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
