"""Why what is found in a file may never be reached: something before it is known to fail, or nothing leads there.

The file asks a library for what it has no more, and runs on older releases only, if at all; or it imports a file of the
same program that does, or that Python does not take; or a cell of a notebook recorded that it did not find what it
needs, or is an exercise. Or the project never names the function that it stands in.

What is found there is true all the same: it counts as ``likely``, and its trace says why.
"""

from __future__ import annotations

import ast
import os
import warnings
from collections import deque
from dataclasses import dataclass
from functools import cached_property

from tensorlint.findings import Span, TraceStep
from tensorlint.knowledge.outdated import Outdated, outdated
from tensorlint.nesting import check_nesting
from tensorlint.program.dependencies import depend, remembered
from tensorlint.program.imports import executed
from tensorlint.program.layout import locate, text_of
from tensorlint.program.reached import Reached, reached
from tensorlint.source import Source, SourceError, read_bytes

#: Files longer than this were generated; more files than that are not looked at for one.
_MAX_BYTES = 1_000_000
_MAX_FILES = 256
_UNREACHED = "nothing else in this project reaches `{}`"


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why something may not be reached: the steps on the way to what fails, or what nothing leads to."""

    steps: tuple[TraceStep, ...]


@dataclass(frozen=True, slots=True)
class _Module:
    """What becomes of a file when it is imported, as far as it alone decides: where it fails, and what it executes."""

    fails: TraceStep | None = None
    imports: tuple[str, ...] = ()


class Doubts:
    """Those about the rows of one program.

    ``numpy`` is the release that it is for. Files are asked for only where those ``around`` belong to the program.
    """

    def __init__(self, source: Source, numpy: str | None, *, around: bool) -> None:
        self._source = source
        self._path = os.path.abspath(source.path)
        self._around = around
        self._tree = _parsed(source.program)
        self._failure = self._found(numpy)

    def of(self, row: int, *, asks_callers: bool = True) -> Doubt | None:
        """Why what stands in a row may not be reached; None where nothing says so."""
        if self._failure is not None:
            return self._failure
        unreached = self._reached.unreached(row) if asks_callers and self._reached is not None else None
        if unreached is None:
            return None
        step = TraceStep(Span(unreached.row, 1, unreached.row, 1), _UNREACHED.format(unreached.name))
        return Doubt((step,))

    @cached_property
    def _reached(self) -> Reached | None:
        if not self._around or not isinstance(self._tree, ast.Module):
            return None
        return reached(self._tree, self._source.program, self._path)

    def _found(self, numpy: str | None) -> Doubt | None:
        """Why all of it may not be: a file that asks for what is gone in one place was written for releases of then."""
        source, tree = self._source, self._tree
        if (stop := source.stops) is not None:
            row, why = stop
            return Doubt((TraceStep(Span(row, 1, row, 1), why),))
        if not isinstance(tree, ast.Module):
            return None
        for each in outdated(tree, source.program, numpy):
            if not (self._around and _is_ours(each, self._path)):
                return Doubt((_step(each),))
        steps = _failing_import(tree, self._path, source, numpy) if self._around else ()
        return Doubt(steps) if steps else None


def forget() -> None:
    """Have files looked at anew."""
    _module.cache_clear()


def _step(found: Outdated, path: str = "") -> TraceStep:
    return TraceStep(Span(found.row, found.column, found.row, found.column + found.length), found.message, path)


def _is_ours(found: Outdated, path: str) -> bool:
    """Whether the program has a module of its own by that name."""
    return bool(found.module) and locate(found.module, path) is not None


def _failing_import(tree: ast.Module, path: str, source: Source, numpy: str | None) -> tuple[TraceStep, ...]:
    """The import of a program that fails, and where; the nearest one, and none where none does."""
    seen = {path}
    pending = deque((statement, each) for statement, each in executed(tree, path))
    while pending and len(seen) < _MAX_FILES:
        statement, file = pending.popleft()
        if file in seen:
            continue
        seen.add(file)
        module = _module(file, numpy)
        if module.fails is not None:
            if statement is None:
                return (module.fails,)
            row = statement.lineno
            column = len(source.lines[row - 1]) - len(source.lines[row - 1].lstrip()) + 1
            return (TraceStep(Span(row, column, row, column), "this import fails"), module.fails)
        pending += ((statement, each) for each in module.imports)
    return ()


@remembered
def _module(path: str, numpy: str | None) -> _Module:
    """The same whoever imports it, and whatever else is under way."""
    depend(text_of(path, data := _read(path)))
    if data is None or len(data) > _MAX_BYTES:
        return _Module()
    try:
        source = Source.from_bytes(path, data)
        check_nesting(source)
    except SourceError:
        return _Module()
    tree = _parsed(source.program)
    if isinstance(tree, ast.Module):
        sure = (each for each in outdated(tree, source.program, numpy) if each.sure and not _is_ours(each, path))
        first = next(sure, None)
        if first is not None:
            return _Module(_step(first, path))
        return _Module(imports=tuple(dict.fromkeys(file for _, file in executed(tree, path))))
    if tree is None or not _is_broken(source.program):
        return _Module()
    row = min(max(tree.lineno or 1, 1), len(source.lines))
    return _Module(TraceStep(Span(row, 1, row, 1), f"Python does not parse this: {tree.msg}", path))


def _read(path: str) -> bytes | None:
    try:
        return read_bytes(path)
    except SourceError:
        return None


def _parsed(program: str) -> ast.Module | SyntaxError | None:
    """The tree of a program, or why there is none; None where that is not known."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(program)
    except SyntaxError as error:
        return error
    except (ValueError, RecursionError, MemoryError):
        return None


def _is_broken(program: str) -> bool:
    """Whether LibCST does not take the program, either: it knows what a newer Python does."""
    import libcst as cst

    from tensorlint.parsing import parse_module

    try:
        parse_module(program)
    except cst.ParserSyntaxError:
        return True
    return False
