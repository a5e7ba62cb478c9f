"""``--output-format full``: each finding with its line, and the way the value took to get there.

src/eval.py:41:12: TBX101 `feats` is on the GPU here: `.numpy()` raises TypeError  [certain]
   |
38 |     feats = model(x.to(device))
   |             ------------------- moved to `device` here
...
41 |     return feats.numpy()
   |            ^^^^^^^^^^^^^
   |
   = help: insert `.detach().cpu()` before `.numpy()`
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import accumulate, groupby

from tensorlint.findings import Finding, Fix, Location, Span
from tensorlint.report import Report, Style
from tensorlint.report.text import (
    certainty_colour,
    codes,
    folded,
    paint,
    position,
    seen_width,
    shown_path,
    visible,
    width,
)

#: A line wider than this, or than the terminal, is cut around what is underlined in it.
MAX_WIDTH = 140
#: Nobody reads less of a line than this.
_NARROW = 30
_TAB = 4
_CUT = "..."


@dataclass(frozen=True, slots=True)
class Mark:
    """Something to underline: the finding itself, or a step of its trace."""

    span: Span
    location: Location
    message: str
    is_finding: bool

    @property
    def order(self) -> tuple[int, bool, int]:
        """By row; in a row the finding's carets come first, as they say what the line is shown for."""
        return (self.span.row, not self.is_finding, self.span.column)


def render(report: Report, style: Style) -> str:
    lines_of: dict[str, tuple[str, ...]] = {}
    blocks: list[str] = []
    for finding in report.findings:
        if finding.path not in lines_of:
            lines_of = {finding.path: report.lines(finding.path)}  # findings come file by file
        blocks.append("\n".join(_block(finding, lines_of[finding.path], report, style)) + "\n")
    return "\n".join(blocks)


def _block(finding: Finding, lines: tuple[str, ...], report: Report, style: Style) -> Iterator[str]:
    colour = paint(style)
    yield from _header(finding, report.location(finding.path, finding.span), style)
    here = [step for step in finding.trace if not step.path]
    elsewhere = [step for step in finding.trace if step.path]
    marks = [Mark(finding.span, report.location(finding.path, finding.span), "", True)]
    marks += [Mark(step.span, report.location(finding.path, step.span), step.message, False) for step in here]
    marks = sorted((mark for mark in marks if mark.span.row <= len(lines)), key=lambda mark: mark.order)
    gutter = max((len(str(mark.location.span.row)) for mark in marks), default=1)
    bar = colour(" " * gutter + " |", "blue")
    if marks:
        yield bar
        yield from _snippet(marks, lines, gutter, style)
    if marks and (finding.help or elsewhere):
        yield bar
    for step in elsewhere:
        where = f"{shown_path(step.path, style)}:{step.span.row}:{step.span.column}:"
        yield from _point(colour(where, "bold"), width(where), visible(step.message), "", gutter, style)
    if finding.help:
        note = colour(_fix(finding.fix), "green" if finding.fix.is_safe else "yellow") if finding.fix else ""
        yield from _point(colour("help:", "cyan", "bold"), len("help:"), visible(finding.help), note, gutter, style)


def _header(finding: Finding, location: Location, style: Style) -> Iterator[str]:
    """Place, code, message, certainty: one line, or as many as the terminal needs."""
    colour = paint(style)
    path, place = shown_path(finding.path, style), f":{position(location)}: "
    used = width(f"{path}{place}{codes(finding)} ")
    message = folded(visible(finding.message), lambda text: colour(text, "bold"), used, 4, style)
    message[0] = f"{colour(path, 'bold')}{place}{colour(codes(finding, style), 'red', 'bold')} {message[0]}"
    label = f"[{finding.certainty.label}]"
    yield from _with_note(message, colour(label, certainty_colour(finding.certainty)), 4, style)


def _point(head: str, size: int, text: str, note: str, gutter: int, style: Style) -> Iterator[str]:
    """``= head text  note`` below a snippet; ``head`` is ``size`` wide."""
    indent = gutter + 3
    lines = folded(text, str, indent + size + 1, indent, style)
    lines[0] = f"{paint(style)(' ' * gutter + ' =', 'blue')} {head} {lines[0]}"
    return _with_note(lines, note, indent, style)


def _with_note(lines: list[str], note: str, indent: int, style: Style) -> Iterator[str]:
    """The lines with a short note behind them: on the last, or on lines of its own where it would be broken."""
    fits = not style.columns or seen_width(lines[-1]) + 2 + seen_width(note) <= style.columns
    yield from lines[:-1]
    if fits or not note:
        yield f"{lines[-1]}  {note}" if note else lines[-1]
    else:
        yield lines[-1]
        yield " " * indent + note


def _fix(fix: Fix) -> str:
    """How far the fix may be trusted, and what it may change."""
    reason = f": {visible(fix.reason)}" if fix.reason else ""
    return f"[{fix.applicability.value} fix{reason}]"


def _snippet(marks: list[Mark], lines: tuple[str, ...], gutter: int, style: Style) -> Iterator[str]:
    colour = paint(style)
    bar = colour(" " * gutter + " |", "blue")
    room = max(style.columns - gutter - len(" | "), _NARROW) if style.columns else MAX_WIDTH

    def numbered(row: int, text: str) -> str:
        return f"{colour(f'{row:>{gutter}} |', 'blue')} {text}".rstrip()

    previous: Mark | None = None
    several_cells = len({mark.location.cell for mark in marks}) > 1
    for row, marked in groupby(marks, key=lambda mark: mark.span.row):
        left = list(marked)
        first = left[0]
        shown_row = first.location.span.row
        if several_cells and (previous is None or previous.location.cell != first.location.cell):
            yield colour(f"{' ' * gutter}::: cell {first.location.cell}", "blue")
        elif previous is not None and row == previous.span.row + 2:
            yield numbered(shown_row - 1, Line(lines[row - 2]).window(1, room).text)
        elif previous is not None and row > previous.span.row + 2:
            yield colour("...", "blue")
        previous = first
        line = Line(lines[row - 1])
        while left:
            # What does not lie in the part that is shown is shown in another part.
            window = line.window(left[0].span.column, room)
            here = [mark for mark in left if mark is left[0] or window.has(line.extent(mark.span)[0])]
            left = [mark for mark in left if mark not in here]
            yield numbered(shown_row, window.text)
            for mark in here:
                yield from (f"{bar} {text}" for text in _underlined(mark, line, window, room, style))


def _underlined(mark: Mark, line: Line, window: Window, room: int, style: Style) -> Iterator[str]:
    """The signs below what is meant, and the words behind them, or below where the terminal would break them."""
    colour = paint(style)
    start, end = window.underline(*line.extent(mark.span))
    sign, attributes = ("^", ("red", "bold")) if mark.is_finding else ("-", ("blue",))
    underline = " " * start + colour(sign * (end - start), *attributes)
    label = visible(mark.message)
    if not label or not style.columns or end + 1 + width(label) <= room:
        yield f"{underline} {colour(label, *attributes)}" if label else underline
    else:
        yield underline
        indent = min(start, max(room - width(label), 0))
        below = replace(style, columns=room)
        yield from (" " * indent + each for each in folded(label, lambda text: colour(text, *attributes), 0, 0, below))


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a line that is shown: ``offset`` is the terminal column its first character stands at."""

    text: str
    offset: int
    size: int

    def has(self, column: int) -> bool:
        """Whether a column of the line is shown."""
        return self.offset <= column < self.offset + self.size

    def underline(self, start: int, end: int) -> tuple[int, int]:
        """Terminal columns in the window for columns in the line; at least one wide."""
        start = min(max(start - self.offset, 0), self.size)
        return start, max(min(end - self.offset, self.size), start + 1)


class Line:
    """A source line as a terminal shows it: tabs spread, controls spelled out, wide characters counted twice."""

    def __init__(self, text: str) -> None:
        self._cells: list[str] = []
        at = 0
        for char in text:
            cell = " " * (_TAB - at % _TAB) if char == "\t" else visible(char)
            self._cells.append(cell)
            at += width(cell)
        #: Terminal column at which each character begins, and where the line ends.
        self._starts = list(accumulate((width(cell) for cell in self._cells), initial=0))

    def extent(self, span: Span) -> tuple[int, int]:
        """Terminal columns from the start of a span to its end, or to the end of its first line."""
        last = len(self._cells)
        start = self._starts[min(span.column - 1, last)]
        if span.end_row == span.row:
            return start, self._starts[min(span.end_column - 1, last)]
        return start, width("".join(self._cells).rstrip())

    def window(self, column: int, size: int) -> Window:
        """What is shown of the line in ``size`` columns when ``column`` must be in sight."""
        total = self._starts[-1]
        if total <= size:
            return Window("".join(self._cells), 0, total)
        focus = self._starts[min(column - 1, len(self._cells))]
        room = size - 2 * len(_CUT)
        left = max(0, min(focus - room // 3, total - room))
        first = next(index for index, start in enumerate(self._starts) if start >= left)
        shown = [
            cell
            for cell, start in zip(self._cells[first:], self._starts[first:], strict=False)
            if start + width(cell) <= self._starts[first] + room
        ]
        before = _CUT if first else ""
        after = _CUT if first + len(shown) < len(self._cells) else ""
        text = "".join(shown)
        return Window(f"{before}{text}{after}", self._starts[first] - len(before), len(before) + width(text))
