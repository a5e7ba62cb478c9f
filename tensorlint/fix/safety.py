"""Whether a program that was changed may be kept.

The text outside of the edits is the old one by construction. What is left to prove is that it still *means* the same:
that no edit changed how its surroundings are grouped, and that no name came in that nothing binds.
"""

from __future__ import annotations

import builtins
from collections.abc import Collection, Iterable, Iterator
from dataclasses import fields

import libcst as cst

from tensorlint.flow.tree import imported_by
from tensorlint.parsing import parse_module

#: Fields that hold layout. It may move from one node to another, and means nothing.
_LAYOUT = frozenset(
    {
        "leading_lines",
        "lines_after_decorators",
        "trailing_whitespace",
        "header",
        "footer",
        "indent",
        "encoding",
        "default_indent",
        "default_newline",
        "has_trailing_newline",
        "comma",
        "semicolon",
    }
)
_BUILTINS = frozenset(dir(builtins))


class UnsafeChangeError(Exception):
    """A changed program that must not be kept; the message says why."""


def parse(text: str) -> cst.Module:
    """The tree of a changed program. Raises ``UnsafeChangeError`` when it is no program any more."""
    try:
        return parse_module(text)
    except cst.ParserSyntaxError as error:
        raise UnsafeChangeError(f"the fixed program does not parse (line {error.raw_line})") from None


def check_unchanged(
    old: cst.Module, new: cst.Module, targets: Iterable[cst.CSTNode], imports: Collection[str] = ()
) -> None:
    """Raise ``UnsafeChangeError`` unless ``new`` is ``old`` outside of ``targets`` and of added ``imports``."""
    opaque = {id(target): target for target in targets}
    changed: list[cst.CSTNode] = []
    _compare(old, new.with_changes(body=_without_imports(new, imports)), opaque.keys(), changed)
    before = {name for target in opaque.values() for name in _names(target)}
    names = sorted({name for node in changed for name in _names(node)} - before - _BUILTINS)
    if names and (unbound := [name for name in names if name not in _imported(new)]):
        raise UnsafeChangeError(f"the fix uses `{unbound[0]}`, which nothing imports")


def _without_imports(
    new: cst.Module, imports: Collection[str]
) -> list[cst.SimpleStatementLine | cst.BaseCompoundStatement]:
    """The body of ``new`` less one ``import name`` for each of ``imports``."""
    body = list(new.body)
    for name in imports:
        position = next((index for index, each in enumerate(body) if _imports(each) == name), None)
        if position is None:
            raise UnsafeChangeError(f"the import of `{name}` did not arrive")
        del body[position]
    return body


def _imports(statement: cst.CSTNode) -> str:
    match statement:
        case cst.SimpleStatementLine(
            body=[cst.Import(names=[cst.ImportAlias(name=cst.Name(value=name), asname=None)])]
        ):
            return name
        case _:
            return ""


def _compare(old: object, new: object, opaque: Collection[int], changed: list[cst.CSTNode]) -> None:
    if isinstance(old, cst.CSTNode):
        # An expression that is a statement of its own may become another statement.
        if id(old) in opaque or (type(old) is cst.Expr and id(old.value) in opaque):
            if isinstance(new, cst.CSTNode):
                changed.append(new)
            return
        if type(old) is not type(new):
            raise UnsafeChangeError(f"the fix turns a {type(old).__name__} beside it into a {type(new).__name__}")
        for each in fields(old):
            if each.name not in _LAYOUT and not each.name.startswith("whitespace"):
                _compare(getattr(old, each.name), getattr(new, each.name), opaque, changed)
    elif isinstance(old, (list, tuple)):
        if not isinstance(new, (list, tuple)) or len(old) != len(new):
            raise UnsafeChangeError("the fix adds or removes something beside it")
        for one, other in zip(old, new, strict=True):
            _compare(one, other, opaque, changed)
    elif old != new and (old is None or not isinstance(new, cst.CSTNode)):
        raise UnsafeChangeError(f"the fix turns {old!r} beside it into {new!r}")


def _names(node: cst.CSTNode) -> Iterator[str]:
    """Names read in an expression: no attributes, no keywords, nothing that a comprehension binds for itself."""
    match node:
        case cst.BaseComp(for_in=loop):
            bound = set(_bound(loop))
            yield from (name for child in node.children for name in _names(child) if name not in bound)
        case cst.Name(value=name):
            yield name
        case cst.Attribute(value=value):
            yield from _names(value)
        case cst.Arg(value=value):
            yield from _names(value)
        case _:
            for child in node.children:
                yield from _names(child)


def _bound(loop: cst.CompFor | None) -> Iterator[str]:
    while loop is not None:
        yield from _names(loop.target)
        loop = loop.inner_for_in


def _imported(module: cst.Module) -> set[str]:
    """Names that ``import`` statements bind, at any depth but under ``if TYPE_CHECKING``."""
    found: set[str] = set()
    pending: list[cst.CSTNode] = [module]
    while pending:
        node = pending.pop()
        match node:
            case cst.If(test=test) if "TYPE_CHECKING" in set(_names(test)) | _attributes(test):
                pending += [node.orelse] if node.orelse is not None else []
            case cst.ImportAlias():
                found.update(imported_by(node))
            case cst.BaseExpression():
                pass
            case _:
                pending += node.children
    return found


def _attributes(node: cst.CSTNode) -> set[str]:
    return {node.attr.value} if isinstance(node, cst.Attribute) else set()
