"""Walking a syntax tree past whitespace and punctuation, and numbering its nodes."""

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

    def __init__(self, module: cst.Module | None) -> None:
        self._module = module
        self._numbers: dict[int, tuple[str, int]] = {}
        self._nodes: dict[str, list[cst.CSTNode]] = {}

    def of(self, node: cst.CSTNode) -> Site:
        """Where ``node`` stands; ``NOWHERE`` for one that is not part of the file."""
        if not self._numbers:
            self._number()
        number = self._numbers.get(id(node))
        return NOWHERE if number is None else Site(*number)

    def node(self, site: Site | None) -> cst.CSTNode | None:
        """The node at ``site``; None where that is in another file, or nowhere."""
        if site is None or site.number < 0:
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
