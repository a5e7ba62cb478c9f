"""One file of the program around the one that is judged: its statements, parsed when they are asked for."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from typing import TYPE_CHECKING

import libcst as cst

from tensorlint.findings import Span
from tensorlint.flow.domain.facts import Fact, Truth
from tensorlint.flow.domain.values import Value
from tensorlint.flow.file_facts import file_facts
from tensorlint.flow.learned import Lessons
from tensorlint.flow.positions import locate
from tensorlint.flow.state import Environment, Frame
from tensorlint.flow.tree import Sites
from tensorlint.parsing import parse_module
from tensorlint.program.index import Index, Lines, index_of
from tensorlint.program.mentions import names_of
from tensorlint.source import NEWLINE, Source

if TYPE_CHECKING:
    from tensorlint.flow.domain.site import Site
    from tensorlint.flow.scene import FileFacts
    from tensorlint.flow.world import World

#: How many bytes of text take the memory of one that is parsed: a tree takes 70 for each of its text, a text with its
#: index 5.4 (measured on detectron2, LibCST 1.9.0).
_PARSED = 13
#: What stands before the path in the sites of files around the one that is judged, which may be one of them, too.
AROUND = "@"
#: A method that keeps something on its object.
_KEEPS = re.compile(
    r"\b\w+\.\w+\s*(?::[^=\n]*)?=(?!=)|\b(?:register_buffer|register_parameter|add_module|setattr|requires_grad_)\("
)
#: The parameter of a method whose body was left out.
_STUB = "__left_out__"


class Unit:
    """One file of the program."""

    def __init__(self, path: str, source: Source, world: World) -> None:
        self.path = path
        self.world = world
        self.source = source
        self.index: Index = index_of(source.program)
        self.file: FileFacts = file_facts(source)
        self.sites = Sites(None, AROUND + path)
        #: What its classes keep, once it is learned.
        self.lessons = Lessons()
        self.frame = Frame(Names(self))
        self._lines = tuple(NEWLINE.split(source.program))
        #: By the ``id`` of a method without its body the lines it stands on, and those that were parsed by these.
        self._stubs: dict[int, Lines] = {}
        self._places: dict[int, Lines] = {}
        self._methods: dict[Lines, cst.FunctionDef | cst.Lambda] = {}
        #: The statements that were parsed, with the row that each begins on.
        self.parsed: dict[Lines, tuple[cst.Module, int]] = {}

    def statements(self, lines: Lines, name: str) -> list[cst.CSTNode]:
        """The nodes of the statements on these lines; none where they cannot be parsed on their own."""
        if lines not in self.parsed:
            methods = self.index.methods.get(lines, ())
            try:
                module = self._parse("\n".join([*self._without_bodies(lines, methods), ""]))
            except cst.ParserSyntaxError:
                return []
            self.parsed[lines] = module, lines.first
            again = self.index.bound.get(name, ())[:1] != (lines,)
            for statement in module.body:
                defines = isinstance(statement, (cst.FunctionDef, cst.ClassDef))
                here = statement.name.value if defines else ""  # type: ignore[union-attr]
                label = f"{here}@{lines.first}" if again or not here else here
                self.sites.add(label, label if defines else "", statement)
                self._places[id(statement)] = lines
                inside = statement.body.body if methods and isinstance(statement, cst.ClassDef) else ()
                stubs = [part for part in inside if _is_stub(part)]
                self._stubs.update((id(stub), place) for stub, (_, place) in zip(stubs, methods, strict=True))
        return list(self.parsed[lines][0].body)

    def _parse(self, text: str) -> cst.Module:
        self.world.size += _PARSED * len(text)
        return parse_module(text)

    def _without_bodies(self, lines: Lines, methods: tuple[tuple[str, Lines], ...]) -> list[str]:
        """The text of a statement, in which a word stands for each of these methods of it."""
        text = list(self._lines[lines.first - 1 : lines.last])
        for name, place in methods:
            first, last = place.first - lines.first, place.last - lines.first
            indent = text[first][: len(text[first]) - len(text[first].lstrip())]
            text[first : last + 1] = [f"{indent}def {name}({_STUB}): ...", *[""] * (last - first)]
        return text

    def whole(self, function: cst.FunctionDef | cst.Lambda) -> cst.FunctionDef | cst.Lambda:
        """A function with its body, which may not have been parsed yet."""
        lines = self._stubs.get(id(function))
        if lines is None:
            return function
        if lines not in self._methods:
            self._methods[lines] = self._method(lines, self.sites.of(function).definition) or function
        return self._methods[lines]

    def text(self, function: cst.CSTNode) -> tuple[str, ...] | None:
        """The lines of a function that stands at the top of the file, or in a class there."""
        lines = self._stubs.get(id(function)) or self._places.get(id(function))
        return None if lines is None else self._lines[lines.first - 1 : lines.last]

    def keeps(self, method: cst.CSTNode) -> bool:
        """Whether a method keeps something on its object."""
        text = self.text(method)
        return text is None or any(map(_KEEPS.search, text))

    def calling(self, name: str) -> dict[tuple[Lines, str], bool]:
        """Where something of this name is called: the statements, and the methods of classes.

        With each whether it may be another's: not where a class asks ``self`` for a method of its own.
        """
        names = names_of(name, self.source.program)
        spelled = rf"(?<!def )(?<!class )\b(?:{'|'.join(names)})\("
        called, of_others = re.compile(spelled), re.compile(rf"(?<!\bself\.){spelled}")
        places: dict[tuple[Lines, str], bool] = {}
        for row, line in enumerate(self._lines, 1):
            if any(each in line for each in names) and called.search(line):
                at = bisect_right(self.index.statements, row, key=lambda statement: statement[0].first) - 1
                if at >= 0 and row <= (lines := self.index.statements[at][0]).last:
                    methods = self.index.methods.get(lines, ())
                    inside = next((method for method, its in methods if its.first <= row <= its.last), "")
                    own = name in dict(methods) and of_others.search(line) is None
                    places[lines, inside] = places.get((lines, inside), False) or not own
        return places

    def span(self, site: Site) -> Span | None:
        """Where a site of this file stands, if what is there was parsed."""
        node = self.sites.node(site)
        if node is None:
            return None
        for module, first in self.parsed.values():
            span = locate(module, [node], module.code).spans.get(id(node))
            if span is not None:
                return Span(span.row + first - 1, span.column, span.end_row + first - 1, span.end_column)
        return None

    def _method(self, lines: Lines, label: str) -> cst.FunctionDef | None:
        text = "\n".join(["class _:", *self._lines[lines.first - 1 : lines.last], ""])
        try:
            module = self._parse(text)
        except cst.ParserSyntaxError:
            return None
        match module.body:
            case [cst.ClassDef(body=cst.IndentedBlock(body=[cst.FunctionDef() as method]))]:
                self.parsed[lines] = module, lines.first - 1
                self.sites.replace(label, method)
                return method
            case _:
                return None


class Names(Environment):
    """What a module binds, each name once it is asked for."""

    __slots__ = ("_asked", "unit")

    def __init__(self, unit: Unit) -> None:
        super().__init__(grad_mode=Fact(Truth.YES))
        self.unit = unit
        self._asked: set[str] = set()

    def lookup(self, path: str) -> Value | None:
        if "." not in path:
            self.unit.world.bind(self.unit, path, self)
        return super().lookup(path)

    def is_known(self, name: str) -> bool:
        """Whether it was found out what the module binds ``name`` to."""
        return name in self._asked

    def put(self, found: list[tuple[str, Value | None]]) -> None:
        """Let it be known what these names are bound to, if the module binds them."""
        for name, value in found:
            self._asked.add(name)
            if value is not None:
                self.bind(name, value)

    def take(self, names: Iterable[str]) -> list[tuple[str, Value | None]]:
        """Have these names asked for once more; what they were bound to so far."""
        found = [(name, self.bindings.get(name)) for name in names]
        for name in names:
            self._asked.discard(name)
            self.unbind(name)
        return found


def _is_stub(statement: cst.CSTNode) -> bool:
    return (
        isinstance(statement, cst.FunctionDef)
        and bool(statement.params.params)
        and statement.params.params[0].name.value == _STUB
    )
