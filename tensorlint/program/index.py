"""What a file binds by which of its statements, found with Python's own parser."""

from __future__ import annotations

import ast
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, order=True)
class Lines:
    """A statement at the top of a file: its first and last row, decorators included, both counted from 1."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Index:
    """The names that the statements of a module bind, each with these statements in the order of the text."""

    bound: Mapping[str, tuple[Lines, ...]] = field(default_factory=dict)
    #: By those statements all the names that they, and no others, bind.
    together: Mapping[tuple[Lines, ...], tuple[str, ...]] = field(default_factory=dict)
    #: All of them in that order, with the name that a function or class goes by, and those that run as a script alone.
    statements: tuple[tuple[Lines, str], ...] = ()
    #: Modules all of whose names are imported: how many dots stand before the name, and the name.
    stars: tuple[tuple[int, str], ...] = ()
    #: By the lines of a class those of its methods, where they stand in its body and have lines of their own.
    methods: Mapping[Lines, tuple[tuple[str, Lines], ...]] = field(default_factory=dict)


def index_of(text: str) -> Index:
    """Index a program. One that Python does not take binds nothing that is known."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Index()
    bound: dict[str, list[Lines]] = {}
    stars: list[tuple[int, str]] = []
    methods: dict[Lines, tuple[tuple[str, Lines], ...]] = {}
    statements: list[tuple[Lines, str]] = []
    for statement in tree.body:
        lines = _lines_of(statement)
        statements.append((lines, getattr(statement, "name", "")))
        if _runs_as_script(statement):
            continue
        if isinstance(statement, ast.ClassDef):
            methods[lines] = tuple(_methods_in(statement))
        for name in dict.fromkeys(_bound_by([statement])):
            bound.setdefault(name, []).append(lines)
        stars += _stars_in([statement])
    places = {name: tuple(found) for name, found in bound.items()}
    together: dict[tuple[Lines, ...], list[str]] = {}
    for name, found in places.items():
        together.setdefault(found, []).append(name)
    names = {found: tuple(each) for found, each in together.items()}
    return Index(places, names, tuple(statements), tuple(stars), methods)


def _lines_of(statement: ast.stmt) -> Lines:
    decorators = [decorator.lineno for decorator in getattr(statement, "decorator_list", ())]
    return Lines(min([statement.lineno, *decorators]), statement.end_lineno or statement.lineno)


def _methods_in(cls: ast.ClassDef) -> Iterator[tuple[str, Lines]]:
    spans = [(statement, _lines_of(statement)) for statement in cls.body]
    rows = Counter(row for _, lines in spans for row in {lines.first, lines.last})
    for statement, lines in spans:
        alone = lines.first > cls.lineno and rows[lines.first] == rows[lines.last] == 1
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)) and alone:
            yield statement.name, lines


def _runs_as_script(statement: ast.stmt) -> bool:
    """``if __name__ == "__main__":``, which binds nothing for who imports the file."""
    match statement:
        case ast.If(test=ast.Compare(left=ast.Name(id="__name__"), ops=[ast.Eq()])):
            return True
        case _:
            return False


def _bound_by(body: Iterable[ast.stmt]) -> Iterator[str]:
    """Names that these statements, and those in their blocks, bind in the scope they stand in."""
    for statement in body:
        match statement:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
                continue
            case ast.Import(names=names):
                yield from (alias.asname or alias.name.partition(".")[0] for alias in names)
            case ast.ImportFrom(names=names):
                yield from (alias.asname or alias.name for alias in names if alias.name != "*")
            case ast.Assign(targets=targets):
                yield from _names_in(targets)
            case ast.AnnAssign(target=target) | ast.AugAssign(target=target):
                yield from _names_in([target])
            case ast.For(target=target) | ast.AsyncFor(target=target):
                yield from _names_in([target])
            case ast.With(items=items) | ast.AsyncWith(items=items):
                yield from _names_in([item.optional_vars for item in items if item.optional_vars is not None])
        for block in _blocks(statement):
            yield from _bound_by(block)


def _names_in(targets: Iterable[ast.expr]) -> Iterator[str]:
    for target in targets:
        match target:
            case ast.Name(id=name):
                yield name
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                yield from _names_in(elements)
            case ast.Starred(value=inner):
                yield from _names_in([inner])


def _stars_in(body: Iterable[ast.stmt]) -> Iterator[tuple[int, str]]:
    for statement in body:
        match statement:
            case ast.ImportFrom(module=module, names=[ast.alias(name="*")], level=level):
                yield level or 0, module or ""
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                continue
        for block in _blocks(statement):
            yield from _stars_in(block)


def _blocks(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        yield from filter(None, [getattr(statement, name, None)])
    for handler in getattr(statement, "handlers", ()):
        yield handler.body
    for case in getattr(statement, "cases", ()):
        yield case.body
