"""Where a missing import goes: beside its like, in the order isort keeps."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import libcst as cst

_FUTURE, _STANDARD, _OTHERS, _RELATIVE = range(4)


@dataclass(frozen=True, slots=True)
class Place:
    """Lines to add before or after a statement of the module; at its very beginning when there is none."""

    statement: cst.CSTNode | None
    side: Literal["before", "after"]
    lines: tuple[str, ...]


def place_import(module: cst.Module, name: str, closed: Collection[int] = ()) -> Place:
    """Where ``import name`` goes among the statements at the top of the module.

    ``closed`` has the ``id`` of statements beside which nothing can be put.
    """
    line = f"import {name}"
    body = [statement for statement in module.body if id(statement) not in closed]
    block = list(_first_block(body))
    section = _section_of(name)
    alike = [statement for statement in block if _section(statement) == section]
    before = [statement for statement in alike if (plain := _plain_name(statement)) and plain.lower() < name.lower()]
    if before:
        return Place(before[-1], "after", (line,))
    if alike:
        return Place(alike[0], "before", (line,))
    earlier = [statement for statement in block if _section(statement) < section]
    if earlier:
        return Place(earlier[-1], "after", ("", line))
    if block:
        return Place(block[0], "before", (line, ""))
    if body and _is_docstring(body[0]):
        return Place(body[0], "after", ("", line))
    return Place(_beginning(body[0]) if body else None, "before", (line, ""))


def _beginning(statement: cst.CSTNode) -> cst.CSTNode:
    match statement:
        case cst.FunctionDef(decorators=[first, *_]) | cst.ClassDef(decorators=[first, *_]):
            return first
        case _:
            return statement


def _first_block(body: Iterable[cst.CSTNode]) -> Iterator[cst.SimpleStatementLine]:
    """The first imports that stand together, those of ``__future__`` included."""
    started = False
    for statement in body:
        if _small(statement) is not None:
            started = True
            yield statement  # type: ignore[misc]
        elif started:
            return


def _small(statement: cst.CSTNode) -> cst.Import | cst.ImportFrom | None:
    if isinstance(statement, cst.SimpleStatementLine):
        first = statement.body[0]
        if isinstance(first, (cst.Import, cst.ImportFrom)):
            return first
    return None


def _section(statement: cst.CSTNode) -> int:
    match _small(statement):
        case cst.Import(names=names):
            return _section_of(_dotted(names[0].name))
        case cst.ImportFrom(relative=relative) if relative:
            return _RELATIVE
        case cst.ImportFrom(module=source) if source is not None:
            return _section_of(_dotted(source))
        case _:
            return _RELATIVE


def _section_of(name: str) -> int:
    top = name.split(".")[0]
    if top == "__future__":
        return _FUTURE
    return _STANDARD if top in sys.stdlib_module_names else _OTHERS


def _plain_name(statement: cst.CSTNode) -> str:
    """The module of ``import module``; empty for ``from module import ...``."""
    match _small(statement):
        case cst.Import(names=names):
            return _dotted(names[0].name)
        case _:
            return ""


def _dotted(node: cst.BaseExpression) -> str:
    return cst.Module(body=()).code_for_node(node)


def _is_docstring(statement: cst.CSTNode) -> bool:
    match statement:
        case cst.SimpleStatementLine(body=[cst.Expr(value=cst.SimpleString() | cst.ConcatenatedString())]):
            return True
        case _:
            return False
