"""The floors of docs/architecture.md are those of the code: who imports what, in no circle, in modules of some size."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "tensorlint"
LONGEST = 450
_NAME = re.compile(r"`(\w+)/?`")


@dataclass(frozen=True)
class Floor:
    """A row of the table: packages and modules, what they import, and what their functions do from above."""

    names: frozenset[str]
    imports: frozenset[str]
    late: frozenset[str]
    imports_all_below: bool


@dataclass(frozen=True)
class Import:
    module: str
    #: Whether it is in a function, so that to import the module that has it imports nothing.
    is_late: bool


def table_after(words: str) -> list[list[str]]:
    """The cells of the first table of docs/architecture.md behind these words, without its head."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").partition(words)[2]
    table = re.search(r"(?:^\|.*\n)+", text, re.MULTILINE)
    assert table is not None
    return [line.strip("|").split("|") for line in table[0].splitlines()[2:]]


def floors() -> list[Floor]:
    return [
        Floor(
            frozenset(_NAME.findall(names)),
            frozenset(_NAME.findall(imports.partition("; late ")[0])),
            frozenset(_NAME.findall(imports.partition("; late ")[2])),
            "everything below" in imports,
        )
        for names, _, imports in table_after("## The floors\n")
    ]


@cache
def modules() -> Mapping[str, Path]:
    """Every module of the package by its dotted name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def imports_of(module: str) -> tuple[Import, ...]:
    """What a module imports of the package; what only the type checker sees does not count."""
    path = modules()[module]
    package = ".".join(path.relative_to(ROOT).parent.parts)
    found = _imports(ast.parse(path.read_text(encoding="utf-8")), package, is_late=False)
    return tuple(each for each in found if each.module != module)


def _imports(node: ast.AST, package: str, *, is_late: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                for other in child.orelse:
                    yield from _imports(other, package, is_late=is_late)
            case ast.Import(names=names):
                yield from (Import(name.name, is_late) for name in names if name.name in modules())
            case ast.ImportFrom(names=names):
                origin = _origin(child, package)
                whole = {f"{origin}.{name.name}" for name in names}
                found = {name if name in modules() else origin for name in whole} & modules().keys()
                yield from (Import(name, is_late) for name in sorted(found))
            case _:
                in_function = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef))
                yield from _imports(child, package, is_late=is_late or in_function)


def _origin(statement: ast.ImportFrom, package: str) -> str:
    """The dotted name of what a statement in this package imports from."""
    around = package.split(".")[: 1 - statement.level or None] if statement.level else []
    return ".".join([*around, *filter(None, [statement.module])])


def part_of(module: str) -> str:
    """The package, or module, right below `tensorlint` that a module belongs to; none of the root itself."""
    return [*module.split("."), ""][1]


def imported_by(names: frozenset[str], *, late: bool) -> set[str]:
    """What these parts of the package import of other parts, as they are imported themselves, or at any time."""
    return {
        part_of(each.module)
        for module in modules()
        if part_of(module) in names
        for each in imports_of(module)
        if late or not each.is_late
    } - {"", *names}


def circle(graph: Mapping[str, set[str]]) -> list[str]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_each_part_stands_on_one_floor() -> None:
    named = [name for floor in floors() for name in floor.names]
    parts = {part_of(module) for module in modules()} - {"", "__main__"}
    assert sorted(named) == sorted(parts)


@pytest.mark.parametrize("position", range(len(floors())), ids=lambda each: "-".join(sorted(floors()[each].names)))
def test_a_floor_imports_what_the_table_says(position: int) -> None:
    floor = floors()[position]
    below = {name for other in floors()[position + 1 :] for name in other.names}
    imported = imported_by(floor.names, late=True)
    assert imported - floor.late <= below
    assert not floor.late & (below | imported_by(floor.names, late=False))
    if not floor.imports_all_below:
        assert imported == floor.imports | floor.late


def test_the_floors_of_the_interpreter() -> None:
    """From the ground up; modules of one floor may import each other."""
    rows = [_NAME.findall(names) for names, _ in table_after("`flow/` has floors of its own")]
    level = {name: number for number, names in enumerate(rows) for name in names}
    inside = [module for module in modules() if part_of(module) == "flow"]
    assert sorted(name for names in rows for name in names) == sorted({_name_in_flow(module) for module in inside})
    upwards = [
        (module, each.module)
        for module in inside
        for each in imports_of(module)
        if part_of(each.module) == "flow" and level[_name_in_flow(each.module)] > level[_name_in_flow(module)]
    ]
    assert upwards == []


def _name_in_flow(module: str) -> str:
    return module.split(".")[2]


def test_no_circle_of_modules() -> None:
    graph = {module: {each.module for each in imports_of(module) if not each.is_late} for module in modules()}
    assert circle(graph) == []


def test_no_circle_of_parts_but_what_the_table_calls_late() -> None:
    late = {name: floor.late for floor in floors() for name in floor.names}
    graph = {name: imported_by(frozenset({name}), late=True) - late[name] for name in late}
    assert circle(graph) == []


def test_no_circle_within_a_part_at_any_time() -> None:
    graph = {
        module: {each.module for each in imports_of(module) if part_of(each.module) == part_of(module)}
        for module in modules()
    }
    assert circle(graph) == []


def test_circles_are_seen() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": set()}) == []
    assert set(circle({"a": {"b"}, "b": {"c"}, "c": {"a"}})) == {"a", "b", "c"}


@pytest.mark.parametrize("module", modules())
def test_no_module_is_long(module: str) -> None:
    assert len(modules()[module].read_text(encoding="utf-8").splitlines()) <= LONGEST
