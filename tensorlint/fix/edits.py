"""From repairs to edits of the text, and from edits to a new text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorlint.findings import Applicability, Edit, Fix, Span
from tensorlint.source import NEWLINE

if TYPE_CHECKING:
    from tensorlint.fix.imports import Place
    from tensorlint.fix.repair import Change, Repair
    from tensorlint.flow.positions import Places


class EditError(Exception):
    """Edits that do not lie in the text they are for."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What has to be known of a program to write into it as its author would."""

    places: Places
    lines: Sequence[str]
    newline: str

    def fix_of(self, repair: Repair, imports: Iterable[Place]) -> Fix:
        """The fix with rows and columns."""
        edits = [self._import_edit(place) for place in imports]
        for change in repair.changes:
            edits += self._edits_of(change)
        applicability, reason = repair.applicability, repair.reason
        if applicability is Applicability.SAFE and any(self.places.is_quoted(edit.span) for edit in edits):
            applicability, reason = Applicability.UNSAFE, "the f-string shows the expression, too"
        return Fix(applicability, repair.message, tuple(sorted(edits, key=_by_place)), reason)

    def _edits_of(self, change: Change) -> Iterable[Edit]:
        outer, inner = self.places.outer[id(change.node)], self.places.spans[id(change.node)]
        if change.replacement is not None:
            yield Edit(inner, change.replacement)
        if change.before:
            yield Edit(_point(outer.row, outer.column), change.before)
        if change.inside:
            yield Edit(_point(inner.end_row, inner.end_column - 1), change.inside)
        if change.argument:
            yield Edit(_point(outer.end_row, outer.end_column), f",{self._before_argument(outer)}{change.argument}")
        if change.after:
            yield Edit(_point(outer.end_row, outer.end_column), self._before_suffix(outer, change.after) + change.after)

    def _before_argument(self, last: Span) -> str:
        """A space, or a new line where the argument before has lines of its own."""
        line = self.lines[last.row - 1]
        indent = line[: last.column - 1]
        alone = not indent.strip() and self._rest(last).strip() in {"", ","}
        return self.newline + indent if alone else " "

    def _before_suffix(self, node: Span, suffix: str) -> str:
        """A new line where each link of a chain of methods has one."""
        if self._rest(node).strip() or not suffix.startswith(".") or node.end_row >= len(self.lines):
            return ""
        following = self.lines[node.end_row]
        links = following.lstrip()
        return self.newline + following[: len(following) - len(links)] if links.startswith(".") else ""

    def _rest(self, span: Span) -> str:
        """What follows on the last row."""
        return self.lines[span.end_row - 1][span.end_column - 1 :]

    def _import_edit(self, place: Place) -> Edit:
        text = "".join(line + self.newline for line in place.lines)
        if place.statement is None:
            return Edit(_point(1, 1), text)
        span = self.places.spans[id(place.statement)]
        if place.side == "before":
            return Edit(_point(span.row, 1), text)
        if span.end_row == len(self.lines):  # the last line, which no newline ends
            return Edit(_point(span.end_row, span.end_column), "".join(self.newline + line for line in place.lines))
        return Edit(_point(span.end_row + 1, 1), text)


def _point(row: int, column: int) -> Span:
    return Span(row, column, row, column)


def _by_place(edit: Edit) -> tuple[Span, str]:
    return (edit.span, edit.content)


def choose(fixes: Iterable[Fix]) -> list[int]:
    """Which of the fixes can be applied together, by position; the earlier one of two that get in each other's way.

    A fix that others make already is no conflict, and an import that another one adds, too, is none.
    """
    taken: dict[Edit, None] = {}
    chosen: list[int] = []
    for index, fix in enumerate(fixes):
        new = [edit for edit in fix.edits if edit not in taken]
        shared = [edit for edit in fix.edits if edit in taken and not _is_line(edit)] if new else []
        if not shared and not any(_meet(edit.span, other.span) for edit in new for other in taken):
            taken |= dict.fromkeys(new)
            chosen.append(index)
    return chosen


def _is_line(edit: Edit) -> bool:
    """Whether nothing but whole lines is inserted: half of a pair of brackets must not serve two pairs."""
    at_start = edit.span.column == 1 and edit.content.endswith(("\n", "\r"))
    return edit.span == _point(edit.span.row, edit.span.column) and (at_start or edit.content.startswith(("\n", "\r")))


def _meet(one: Span, other: Span) -> bool:
    """Whether two spans share a character, or are inserted at one point, or touch."""
    return (one.row, one.column) <= (other.end_row, other.end_column) and (other.row, other.column) <= (
        one.end_row,
        one.end_column,
    )


def apply(text: str, fixes: Iterable[Fix]) -> str:
    """The text with the edits made. Raises ``EditError`` when one of them lies outside of it, or two overlap."""
    edits = sorted({edit: None for fix in fixes for edit in fix.edits}, key=_by_place)
    parts: list[str] = []
    done = 0
    for start, end, content in _offsets(text, edits):
        if start < done:
            raise EditError("two edits overlap")
        parts += (text[done:start], content)
        done = end
    return "".join((*parts, text[done:]))


def _offsets(text: str, edits: Iterable[Edit]) -> Iterator[tuple[int, int, str]]:
    """Start, end and content of each edit, in characters from the beginning."""
    starts = [0, *(match.end() for match in NEWLINE.finditer(text))]
    for edit in edits:
        span = edit.span
        if not 1 <= span.row <= span.end_row <= len(starts):
            raise EditError(f"no row {span.end_row} in a text of {len(starts)}")
        start = starts[span.row - 1] + span.column - 1
        end = starts[span.end_row - 1] + span.end_column - 1
        if not start <= end <= len(text):
            raise EditError(f"no column {span.end_column} in row {span.end_row}")
        yield start, end, edit.content
