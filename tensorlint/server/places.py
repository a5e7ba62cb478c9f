"""From rows and columns that count characters from 1 to lines and code units that count from 0, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from lsprotocol import types

from tensorlint.findings import Span


def _utf16(text: str) -> int:
    return len(text) + sum(character > "\uffff" for character in text)


def _utf8(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


_UNITS: Mapping[str, Callable[[str], int]] = {"utf-8": _utf8, "utf-16": _utf16, "utf-32": len}


def encoding_name(kind: types.PositionEncodingKind | str | None) -> str:
    """What was agreed on; the protocol's own choice where nothing was."""
    return types.PositionEncodingKind(kind or types.PositionEncodingKind.Utf16).value


@dataclass(frozen=True, slots=True)
class Places:
    """The positions of one text in the code units that were agreed on with the editor."""

    lines: Sequence[str]
    encoding: str = "utf-16"

    def range(self, span: Span) -> types.Range:
        """A span as the protocol has it; what lies outside of the text is brought into it."""
        return types.Range(self._position(span.row, span.column), self._position(span.end_row, span.end_column))

    def row_and_column(self, position: types.Position) -> tuple[int, int]:
        """A position of the protocol, which may lie behind the end of its line, or of the text."""
        if position.line >= len(self.lines):
            return len(self.lines), len(self.lines[-1]) + 1
        line, left = self.lines[position.line], position.character
        units = _UNITS[self.encoding]
        if line.isascii() or units is len:
            return position.line + 1, min(left, len(line)) + 1
        for index, character in enumerate(line):
            if left <= 0:
                return position.line + 1, index + 1
            left -= units(character)
        return position.line + 1, len(line) + 1

    def span(self, of: types.Range) -> Span:
        """A range of the protocol as a span."""
        return Span(*self.row_and_column(of.start), *self.row_and_column(of.end))

    def _position(self, row: int, column: int) -> types.Position:
        if row < 1:
            row, column = 1, 1
        if row > len(self.lines):
            row, column = len(self.lines), len(self.lines[-1]) + 1
        return types.Position(row - 1, _UNITS[self.encoding](self.lines[row - 1][: column - 1]))
