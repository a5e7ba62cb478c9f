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
from dataclasses import dataclass
from itertools import accumulate, groupby

from tensorlint.findings import Finding, Fix, Location, Span
from tensorlint.report import Report, Style
from tensorlint.report.text import certainty_colour, codes, paint, position, shown_path, visible, width

#: A line wider than this is cut around what is underlined in it.
MAX_WIDTH = 140
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
    yield (
        f"{colour(shown_path(finding.path, style), 'bold')}:{position(report.location(finding.path, finding.span))}: "
        f"{colour(codes(finding), 'red', 'bold')} {colour(visible(finding.message), 'bold')}  "
        f"{colour(f'[{finding.certainty.label}]', certainty_colour(finding.certainty))}"
    )
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
        where = colour(f"{shown_path(step.path, style)}:{step.span.row}:{step.span.column}:", "bold")
        yield f"{colour(' ' * gutter + ' =', 'blue')} {where} {visible(step.message)}"
    if finding.help:
        fix = colour(_fix(finding.fix), "green" if finding.fix.is_safe else "yellow") if finding.fix else ""
        yield f"{colour(' ' * gutter + ' =', 'blue')} {colour('help:', 'cyan', 'bold')} {visible(finding.help)}{fix}"


def _fix(fix: Fix) -> str:
    """How far the fix may be trusted, and what it may change."""
    reason = f": {visible(fix.reason)}" if fix.reason else ""
    return f"  [{fix.applicability.value} fix{reason}]"


def _snippet(marks: list[Mark], lines: tuple[str, ...], gutter: int, style: Style) -> Iterator[str]:
    colour = paint(style)
    bar = colour(" " * gutter + " |", "blue")

    def numbered(row: int, text: str) -> str:
        return f"{colour(f'{row:>{gutter}} |', 'blue')} {text}".rstrip()

    previous: Mark | None = None
    several_cells = len({mark.location.cell for mark in marks}) > 1
    for row, marked in groupby(marks, key=lambda mark: mark.span.row):
        here = list(marked)
        first = here[0]
        shown_row = first.location.span.row
        if several_cells and (previous is None or previous.location.cell != first.location.cell):
            yield colour(f"{' ' * gutter}::: cell {first.location.cell}", "blue")
        elif previous is not None and row == previous.span.row + 2:
            yield numbered(shown_row - 1, Line(lines[row - 2]).window(1).text)
        elif previous is not None and row > previous.span.row + 2:
            yield colour("...", "blue")
        previous = first
        line = Line(lines[row - 1])
        window = line.window(first.span.column)
        yield numbered(shown_row, window.text)
        for mark in here:
            start, end = window.underline(*line.extent(mark.span))
            sign, attributes = ("^", ("red", "bold")) if mark.is_finding else ("-", ("blue",))
            underline = colour(sign * (end - start), *attributes)
            label = " " + colour(visible(mark.message), *attributes) if mark.message else ""
            yield f"{bar} {' ' * start}{underline}{label}"


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a line that is shown: ``offset`` is the terminal column its first character stands at."""

    text: str
    offset: int
    size: int

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

    def window(self, column: int) -> Window:
        """What is shown of the line when ``column`` must be in sight."""
        total = self._starts[-1]
        if total <= MAX_WIDTH:
            return Window("".join(self._cells), 0, total)
        focus = self._starts[min(column - 1, len(self._cells))]
        room = MAX_WIDTH - 2 * len(_CUT)
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
