"""A syntax tree without whitespace and punctuation: its nodes, their numbers, and the names in it."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import fields
from itertools import accumulate, count

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
        self._file = file
        #: All nodes, definition by definition; where each begins, and what it is called.
        self._nodes: list[cst.CSTNode] = []
        self._begins: list[int] = []
        self._definitions: list[str] = []
        #: By the name of a definition its place in these lists, and those of the functions and classes in it.
        self._within: dict[str, list[int]] = {}
        self._numbers: dict[int, int] = {}
        #: What is still to be numbered: what it is called, what stands before the names in it, and its root.
        self._waiting: list[tuple[str, str, cst.CSTNode]] = []
        if module is not None:
            self.add("", "", module)

    def add(self, definition: str, around: str, root: cst.CSTNode) -> None:
        """Give sites to what is below ``root``, in the definition of this name; what it defines lies in ``around``."""
        self._waiting.append((definition, around, root))

    def replace(self, definition: str, root: cst.CSTNode) -> None:
        """Let ``root`` be the definition that was known by this name, and the old one be none."""
        self._within.pop(definition, None)
        self.add(definition, definition, root)

    def of(self, node: cst.CSTNode) -> Site:
        """Where ``node`` stands; ``NOWHERE`` for one that is not part of the file."""
        if self._waiting:
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
        if self._waiting:
            self._number()
        places = self._within.get(site.definition)
        if places is None:
            return None
        # Itself comes before what is in it.
        definition = places[0]
        number = self._begins[definition] + site.number
        ends = self._begins[definition + 1 : definition + 2] or [len(self._nodes)]
        return self._nodes[number] if number < ends[0] else None

    def inside(self, definition: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """The nodes of a definition of the file, and of those in it."""
        for place in self._within.get(self.of(definition).definition, ()):
            ends = self._begins[place + 1] if place + 1 < len(self._begins) else len(self._nodes)
            yield from self._nodes[self._begins[place] : ends]

    def _number(self) -> None:
        defined: Counter[str] = Counter()
        nodes, waiting, fresh = self._nodes, self._waiting, len(self._nodes)
        while waiting:
            definition, prefix, root = waiting.pop()
            for around in accumulate(definition.split("."), "{}.{}".format):
                self._within.setdefault(around, []).append(len(self._definitions))
            self._definitions.append(definition)
            self._begins.append(len(nodes))
            stack = [root]
            while stack:
                node = stack.pop()
                kind = type(node)
                if (kind is cst.FunctionDef or kind is cst.ClassDef) and node is not root:
                    name = node.name.value  # type: ignore[attr-defined]
                    name = f"{prefix}.{name}" if prefix else name
                    defined[name] += 1
                    name = name if defined[name] == 1 else f"{name}#{defined[name]}"
                    waiting.append((name, name, node))
                    continue
                nodes.append(node)
                if kind not in _ATOMS:
                    stack += reversed(children(node))
        self._numbers.update(zip(map(id, nodes[fresh:]), count(fresh), strict=False))


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


def attributes_bound(nodes: Iterable[cst.CSTNode], owner: str) -> Iterator[str]:
    """The names for which an assignment among these nodes has ``owner.<name>`` on its left."""
    for node in nodes:
        if type(node) in _ASSIGNING:
            yield from _attributes(node.target, owner)  # type: ignore[attr-defined]


def _attributes(target: cst.CSTNode, owner: str) -> Iterator[str]:
    match target:
        case cst.Attribute(value=cst.Name(value=name), attr=attribute) if name == owner:
            yield attribute.value
        case cst.Tuple() | cst.List() | cst.Element() | cst.StarredElement():
            for child in children(target):
                yield from _attributes(child, owner)


_ASSIGNING = frozenset({cst.AssignTarget, cst.AnnAssign, cst.AugAssign, cst.For})


def contains(node: cst.CSTNode, part: cst.CSTNode) -> bool:
    """Whether ``part``, and not one that looks like it, stands in ``node``."""
    return node is part or any(contains(child, part) for child in children(node))


def asked_of(name: str, scope: cst.CSTNode) -> frozenset[str]:
    """The attributes that ``scope`` asks of what a plain name holds, "[]" for an item, and "" for all of it."""
    match scope:
        case cst.AssignTarget(target=cst.Name()):
            return frozenset()
        case cst.Subscript(value=cst.Name(value=owner)) if owner == name:
            return frozenset({"[]"}).union(*(asked_of(name, index) for index in scope.slice))
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Tuple() | cst.List())], value=cst.Name(value=owner)) if (
            owner == name
        ):
            return frozenset({"[]"})
        case cst.For(iter=cst.Name(value=owner)) | cst.CompFor(iter=cst.Name(value=owner)) if owner == name:
            rest = (child for child in children(scope) if child is not scope.iter)
            return frozenset({"[]"}).union(*(asked_of(name, child) for child in rest))
        case cst.Attribute(value=cst.Name(value=owner), attr=attribute) if owner == name:
            return frozenset({attribute.value})
        case cst.Name(value=used) if used == name:
            return frozenset({""})
    return frozenset().union(*(asked_of(name, child) for child in children(scope)))


def parameters_of(node: cst.FunctionDef | cst.Lambda) -> list[cst.Param]:
    params = node.params
    return [*params.posonly_params, *params.params, *params.kwonly_params]


def names_in(node: cst.CSTNode) -> frozenset[str]:
    """The plain names that are read in ``node``: neither attributes nor keywords."""
    found: set[str] = set()
    waiting = [node]
    while waiting:
        part = waiting.pop()
        kind = type(part)
        if kind is cst.Name:
            found.add(part.value)  # type: ignore[attr-defined]
        elif kind is cst.Attribute or kind is cst.Arg:
            waiting.append(part.value)  # type: ignore[attr-defined]
        else:
            waiting += children(part)
    return frozenset(found)


def walk_scope(root: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """What is below ``root`` in the order of the text, without what stands in functions below it."""
    waiting = children(root)[::-1]
    while waiting:
        node = waiting.pop()
        yield node
        if type(node) is not cst.FunctionDef and type(node) is not cst.Lambda:
            waiting += reversed(children(node))


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


def is_everything(node: cst.BaseSlice) -> bool:
    """``[:]`` or ``[...]``."""
    if isinstance(node, cst.Slice):
        return node.lower is None and node.upper is None and node.step is None
    return isinstance(node, cst.Index) and isinstance(node.value, cst.Ellipsis)


def receiver_of(call: cst.Call) -> cst.BaseExpression:
    """What a method is called on: ``x`` of ``x.numpy()``, and of ``getattr(x, "numpy")()``."""
    match call.func:
        case cst.Attribute(value=owner):
            return owner
        case cst.Call(args=[cst.Arg(value=owner), *_]):
            return owner
        case other:
            return other


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


def names_behind(node: cst.CSTNode, scope: cst.CSTNode) -> frozenset[str]:
    """The names that are written in ``scope`` behind ``node``."""
    within = {id(each) for each in _in_order(node)}
    nodes = _in_order(scope)
    for each in nodes:
        if each is node:
            break
    return frozenset(each.value for each in nodes if isinstance(each, cst.Name) and id(each) not in within)


def _in_order(root: cst.CSTNode) -> Iterator[cst.CSTNode]:
    for child in children(root):
        yield child
        yield from _in_order(child)


def leaves_loop(node: cst.CSTNode, loop: cst.CSTNode) -> bool:
    """Whether the loop is left, or what it is in, in the block in which ``node`` stands."""
    for block in walk_scope(loop):
        if isinstance(block, cst.IndentedBlock) and any(contains(line, node) for line in block.body):
            ends = [part for line in block.body if isinstance(line, cst.SimpleStatementLine) for part in line.body]
            if any(isinstance(part, (cst.Break, cst.Return, cst.Raise)) for part in ends):
                return True
    return False


def spelled_number(node: cst.CSTNode) -> float | None:
    """The number that an expression spells, as in ``-0.5``."""
    match node:
        case cst.Integer() | cst.Float():
            return float(node.evaluated_value)
        case cst.UnaryOperation(operator=cst.Minus(), expression=inner):
            number = spelled_number(inner)
            return None if number is None else -number
        case _:
            return None
