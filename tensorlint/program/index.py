"""What a file binds by which of its statements, found with Python's own parser."""

from __future__ import annotations

import ast
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True, order=True)
class Lines:
    """A statement at the top of a file: its first and last row, decorators included, both counted from 1."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Star:
    """``from ..module import *``: where it stands, how many dots stand before the name, and the name."""

    lines: Lines
    level: int
    module: str
    #: Whether it stands at the top of the file by itself, so that it is always executed.
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Index:
    """The names that the statements of a module bind, each with these statements in the order of the text."""

    bound: Mapping[str, tuple[Lines, ...]] = field(default_factory=dict)
    #: By those statements all the names that they, and no others, bind.
    together: Mapping[tuple[Lines, ...], tuple[str, ...]] = field(default_factory=dict)
    #: All of them in that order, with the name that a function or class goes by, and those that run as a script alone.
    statements: tuple[tuple[Lines, str], ...] = ()
    #: The modules all of whose names are imported, in that order.
    stars: tuple[Star, ...] = ()
    #: What ``__all__`` lists; None where it is not written down.
    listed: frozenset[str] | None = None
    #: By the lines of a class those of its methods, where they stand in its body and have lines of their own.
    methods: Mapping[Lines, tuple[tuple[str, Lines], ...]] = field(default_factory=dict)

    def gives(self, name: str) -> bool:
        """Whether ``import *`` takes this name from the module, if it binds it."""
        if "__all__" not in self.bound:
            return not name.startswith("_")
        return self.listed is None or name in self.listed


def index_of(text: str) -> Index:
    """Index a program. One that Python does not take binds nothing that is known."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Index()
    bound: dict[str, list[Lines]] = {}
    stars: list[Star] = []
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
        stars += (replace(star, lines=lines, sure=star.lines == lines) for star in _stars_in([statement]))
    places = {name: tuple(found) for name, found in bound.items()}
    together: dict[tuple[Lines, ...], list[str]] = {}
    for name, found in places.items():
        together.setdefault(found, []).append(name)
    names = {found: tuple(each) for found, each in together.items()}
    listed = _listed_in(tree.body) if "__all__" in places else None
    return Index(places, names, tuple(statements), tuple(stars), listed, methods)


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


def _stars_in(body: Iterable[ast.stmt]) -> Iterator[Star]:
    for statement in body:
        match statement:
            case ast.ImportFrom(module=module, names=[ast.alias(name="*")], level=level):
                yield Star(_lines_of(statement), level or 0, module or "")
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                continue
        for block in _blocks(statement):
            yield from _stars_in(block)


def _listed_in(body: Iterable[ast.stmt]) -> frozenset[str] | None:
    """What is left in ``__all__`` at the end, if strings alone are put there, and each time."""
    listed: frozenset[str] | None = None
    for statement in body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id="__all__")], value=value)
                | ast.AnnAssign(target=ast.Name(id="__all__"), value=ast.expr() as value)
            ):
                listed = _strings_in(value)
            case ast.AugAssign(target=ast.Name(id="__all__"), op=ast.Add(), value=value) | ast.Expr(
                ast.Call(ast.Attribute(ast.Name(id="__all__"), "extend"), [value])
            ):
                more = _strings_in(value)
                listed = None if listed is None or more is None else listed | more
            case ast.Expr(ast.Call(ast.Attribute(ast.Name(id="__all__"), "append"), [ast.Constant(value=str(name))])):
                listed = None if listed is None else listed | {name}
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                pass
            case _ if any(_is_list_of_names(node) for node in ast.walk(statement)):
                listed = None
    return listed


def _strings_in(value: ast.expr) -> frozenset[str] | None:
    """The strings of a list or tuple that is written down; None where it holds anything else."""
    match value:
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            names = [each.value for each in elements if isinstance(each, ast.Constant) and isinstance(each.value, str)]
            return frozenset(names) if len(names) == len(elements) else None
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            first, second = _strings_in(left), _strings_in(right)
            return None if first is None or second is None else first | second
        case _:
            return None


def _is_list_of_names(node: ast.AST) -> bool:
    match node:
        case ast.Name(id="__all__") | ast.alias(name="__all__", asname=None) | ast.alias(asname="__all__"):
            return True
        case _:
            return False


def _blocks(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        yield from filter(None, [getattr(statement, name, None)])
    for handler in getattr(statement, "handlers", ()):
        yield handler.body
    for case in getattr(statement, "cases", ()):
        yield case.body
