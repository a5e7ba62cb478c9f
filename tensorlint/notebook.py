"""A Jupyter notebook as one program: its code cells in order.

The text of a notebook is that of its code cells, each after a line that no cell has, the mark. So the text alone says
where a cell ends, whatever an edit puts in or takes out. What Python reads is the same text, row by row and column by
column, without what only IPython understands.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

from tensorlint.findings import Location, Span
from tensorlint.ipynb import ANY, Document
from tensorlint.ipython import BLOCK, as_python, is_indented, is_magic, is_prompted
from tensorlint.source import NEWLINE, Part, Source

_MARK = "# %%"
#: What a cell raises where the notebook does not fit to itself, or to what is installed.
_BROKEN = frozenset({"AttributeError", "ImportError", "ModuleNotFoundError", "NameError", "UnboundLocalError"})
#: What stands in for the solution of an exercise, as nbgrader leaves it.
_EXERCISE = re.compile(
    r"#[^\n]*\b(?:your|code|ваш|todo)\b[^\n]*\n(?:[ \t]*(?:#[^\n]*)?\n)*[ \t]*raise NotImplementedError\b",
    re.IGNORECASE,
)
_NOTHING = Document()


@dataclass(frozen=True)
class Notebook(Source):
    """The program of a notebook. ``document`` is the file around it."""

    document: Document = _NOTHING
    mark: str = _MARK

    @classmethod
    def of(cls, file: Source) -> Notebook:
        """The notebook in a file that was read as text. Raises ``SourceError`` where there is none."""
        document = Document.read(file.text)
        lines = {line for cell in document.cells for line in NEWLINE.split(cell.text)}
        mark = _MARK
        while mark in lines:
            mark += "%"
        text = "".join(f"{mark}\n{cell.text}\n" for cell in document.cells)
        return cls(file.path, text, file.encoding, file.bom, file.noqa, document, mark)

    def to_bytes(self) -> bytes:
        cells = zip(self.document.cells, self._cells, strict=True)
        texts = {cell.number: text.removesuffix("\n") for cell, text in cells}
        return Source(self.path, self.document.with_cells(texts), self.encoding, self.bom).to_bytes()

    @cached_property
    def program(self) -> str:
        return "".join(part.text for part in self.parts)

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        if not self.is_whole:
            return tuple(map(self._part, self._marks, self._cells))
        return tuple(map(self._part, self._marks, self._cells, (cell.raises for cell in self.document.cells)))

    def _part(self, row: int, cell: str, raises: Collection[str] | None = None) -> Part:
        """A cell as Python reads it. What it is known to raise is an option of its mark (``flow.cells``)."""
        options = ""
        if raises is not None and ANY in raises:
            options = ' tags=["raises-exception"]'
        elif raises is not None:
            options = f' raises="{" ".join(sorted(raises))}"'
        return Part(row, f"{BLOCK if is_indented(cell) else self.mark + options}\n{as_python(cell)}")

    @property
    def stops(self) -> tuple[int, str] | None:
        for row, text, cell in zip(self._marks, self._cells, self.document.cells, strict=False):
            raised = cell.raises or frozenset()
            if raised & _BROKEN and ANY not in raised:
                return row + 1, f"this cell raised {min(raised & _BROKEN)} when it ran last"
            if (exercise := _EXERCISE.search(text)) is not None:
                return row + text.count("\n", 0, exercise.end()) + 1, "this is still to be written"
        return None

    @property
    def is_whole(self) -> bool:
        return len(self._cells) == len(self.document.cells)

    @property
    def language(self) -> str:
        return self.document.language

    @cached_property
    def closed(self) -> tuple[range, ...]:
        ends = (*self._marks[1:], len(self.lines))
        return tuple(
            range(first, end)
            for first, end, cell in zip(self._marks, ends, self._cells, strict=True)
            if is_magic(cell) or is_prompted(cell)
        )

    def location(self, span: Span) -> Location:
        if not self._marks:
            return Location(None, span)
        # The row before a cell is the end of the one before that.
        index = max(bisect_left(self._marks, span.row) - 1, 0)
        before = self._marks[index]
        first, last = max(span.row - before, 1), max(span.end_row - before, 1)
        return Location(self.document.cells[index].number, Span(first, span.column, last, span.end_column))

    def in_file(self, span: Span) -> Span:
        location = self.location(span)
        cell = next((each for each in self.document.cells if each.number == location.cell), None)
        if cell is None:
            return span
        here = location.span
        first = self.document.position(cell, here.row, here.column)
        return Span(*first, *self.document.position(cell, here.end_row, here.end_column))

    @cached_property
    def _marks(self) -> Sequence[int]:
        """The rows before the cells."""
        return [row for row, line in enumerate(self.lines, start=1) if line == self.mark]

    @cached_property
    def _cells(self) -> Sequence[str]:
        """The cells as they are in the text by now, each with the newline at its end."""
        return re.split(rf"^{re.escape(self.mark)}\n", self.text, flags=re.MULTILINE)[1:]
