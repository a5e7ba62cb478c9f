"""Suppression comments: taking out those that suppress nothing, putting in those that are asked for."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from tensorlint.findings import Applicability, Edit, Fix, Span
from tensorlint.source import NEWLINE

if TYPE_CHECKING:
    from tensorlint.source import Source
    from tensorlint.suppression import Suppression

_NOQA_CODES = re.compile(r"#\s*noqa\s*:\s*(?P<codes>[A-Z]+[0-9]+(?:[,\s]+[A-Z]+[0-9]+)*)", re.IGNORECASE)
_BLANKET_NOQA = re.compile(r"#\s*noqa\b(?!\s*:)(?!-)", re.IGNORECASE)


def without(source: Source, suppression: Suppression, codes: Collection[str]) -> Fix:
    """Take ``codes`` out of the comment, and the comment with them when nothing of it is left.

    Words after the directive, up to the next ``#``, are its reason and go with it.
    """
    line = source.lines[suppression.row - 1]
    start, end = suppression.start - 1, suppression.end - 1
    comment_end = suppression.comment_end - 1
    left = [prefix for prefix in suppression.prefixes if prefix and prefix not in codes]
    if left:
        kept = (
            f"# noqa: {', '.join(left)}" if suppression.kind == "noqa" else f"# tensorlint: ignore[{', '.join(left)}]"
        )
        return _fix(Edit(_span(suppression.row, start, end), kept), f"remove {', '.join(sorted(codes))}")
    following = line.find("#", end, comment_end)
    if following >= 0:
        edit = Edit(_span(suppression.row, start, following), "")
    elif line[:start].strip():
        edit = Edit(_span(suppression.row, len(line[:start].rstrip()), comment_end), "")
    elif suppression.row < len(source.lines):
        edit = Edit(Span(suppression.row, 1, suppression.row + 1, 1), "")
    else:
        edit = Edit(_span(suppression.row, 0, comment_end), "")
    return _fix(edit, "remove the comment")


def _fix(edit: Edit, message: str) -> Fix:
    return Fix(Applicability.SAFE, message, (edit,))


def _span(row: int, start: int, end: int) -> Span:
    return Span(row, start + 1, row, end + 1)


class CommentError(Exception):
    """A comment that cannot be added where it is wanted; the message says why."""


def with_comments(source: Source, codes_by_row: Mapping[int, Iterable[str]]) -> bytes:
    """The program with a ``# noqa`` for these codes at the end of these rows, joined with one that is there.

    Raises ``CommentError`` when it would be another program then, as where a row ends inside of a string.
    """
    from tensorlint.fix.safety import UnsafeChangeError, check_unchanged, parse
    from tensorlint.suppression import comment_columns

    parts: list[str] = []
    columns = comment_columns(source)
    for row, (line, newline) in enumerate(zip(source.lines, _line_ends(source), strict=True), start=1):
        codes = sorted(set(codes_by_row.get(row, ())))
        parts += (_with_codes(line, codes, columns.get(row, len(line) + 1)) if codes else line, newline)
    text = "".join(parts)
    try:
        check_unchanged(parse(source.text), parse(text), ())
    except UnsafeChangeError as error:
        raise CommentError(str(error)) from None
    return replace(source, text=text).to_bytes()


def _with_codes(line: str, codes: list[str], column: int) -> str:
    """``column``: where the comment begins, as a string may hold what looks like one."""
    if match := _NOQA_CODES.search(line, column - 1):
        known = re.split(r"[,\s]+", match["codes"])
        new = ", ".join([*known, *(code for code in codes if code not in known)])
        return line[: match.start("codes")] + new + line[match.end("codes") :]
    return line if _BLANKET_NOQA.search(line, column - 1) else f"{line.rstrip()}  # noqa: {', '.join(codes)}"


def _line_ends(source: Source) -> list[str]:
    """The newline after each line; empty after the last."""
    return [*NEWLINE.findall(source.text), ""]
