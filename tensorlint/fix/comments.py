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

#: Where the reason of a comment ends: at the next directive, but not at the number of an issue.
_NEXT_DIRECTIVE = re.compile(r"#(?!\d)")


_DIRECTIVES = {"noqa": "# noqa: {}", "flake8": "# flake8: noqa: {}", "ignore": "# tensorlint: ignore[{}]"}


def without(source: Source, suppression: Suppression, codes: Collection[str]) -> Fix:
    """Take ``codes`` out of the comment, and the comment with them when nothing of it is left.

    Words after the directive, up to the next directive, are its reason and go with it.
    """
    line = source.lines[suppression.row - 1]
    start, end = suppression.start - 1, suppression.end - 1
    comment_end = suppression.comment_end - 1
    left = [prefix for prefix in suppression.prefixes if prefix and prefix not in codes]
    if left:
        kept = _DIRECTIVES[suppression.kind].format(", ".join(left))
        return _fix(Edit(_span(suppression.row, start, end), kept), f"remove {', '.join(sorted(codes))}")
    if following := _NEXT_DIRECTIVE.search(line, end, comment_end):
        edit = Edit(_span(suppression.row, start, following.start()), "")
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


def with_comments(source: Source, codes_by_row: Mapping[int, Iterable[str]], reason: str = "") -> bytes:
    """The program with a ``# noqa`` for these codes at the end of these rows, joined with one that is there.

    Raises ``CommentError`` when it would be another program then, as where a row ends inside of a string.
    """
    from tensorlint.fix.safety import UnsafeChangeError, check_unchanged, parse
    from tensorlint.suppression import Suppressions

    present = {each.row: each for each in Suppressions.parse(source).comments if each.kind == "noqa"}
    parts: list[str] = []
    for row, (line, newline) in enumerate(zip(source.lines, _line_ends(source), strict=True), start=1):
        codes = sorted(set(codes_by_row.get(row, ())))
        parts += (_with_codes(line, codes, present.get(row), reason) if codes else line, newline)
    text = "".join(parts)
    try:
        commented = replace(source, text=text)
        check_unchanged(parse(source.program), parse(commented.program), ())
        return commented.to_bytes()
    except UnsafeChangeError as error:
        raise CommentError(str(error)) from None
    except UnicodeError:
        raise CommentError(f"{source.encoding} does not have all characters of the reason") from None


def _with_codes(line: str, codes: list[str], present: Suppression | None, reason: str) -> str:
    if present is None:
        return f"{line.rstrip()}  {_noqa(codes, reason)}"
    missing = [code for code in codes if not present.covers(code)]
    if not missing:
        return line
    # Written anew, as flake8 only knows the one spelling.
    rest = line[present.end - 1 :]
    return line[: present.start - 1] + _noqa([*present.prefixes, *missing], "" if rest.strip() else reason) + rest


def _noqa(codes: Iterable[str], reason: str) -> str:
    """A comment whose reason is nothing that flake8 or we would take for one more code."""
    from tensorlint.suppression import begins_with_code

    gap = "" if not reason else " - " if begins_with_code(reason) else "  "
    return f"# noqa: {', '.join(codes)}{gap}{reason}"


def _line_ends(source: Source) -> list[str]:
    """The newline after each line; empty after the last."""
    return [*NEWLINE.findall(source.text), ""]
