"""Comments that say "I know": ``# noqa``, ``# tensorlint: ignore`` and their forms for a whole file.

| comment                              | effect                                   |
|--------------------------------------|------------------------------------------|
| ``# noqa``                           | every code on this line                  |
| ``# noqa: TBX101, F401``             | these codes, or prefixes, on this line   |
| ``# tensorlint: ignore``             | every code on this line                  |
| ``# tensorlint: ignore[TBX101]``     | these codes, or prefixes, on this line   |
| ``# tensorlint: ignore-file``        | the whole file; alone on its line        |
| ``# flake8: noqa``, with codes or not | the whole file; alone on its line       |

Only comments count, not the same characters in a string. Tokenising is slow, so it happens only when a plain search
finds something to look for.
"""

from __future__ import annotations

import re
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from tensorlint.findings import Finding
from tensorlint.source import Source

Kind = Literal["noqa", "ignore", "flake8", "file"]

_WORTH_A_LOOK = re.compile(r"noqa|tensorlint:", re.IGNORECASE)
#: A code needs its digits: words after the colon are the reason of a blanket comment, as they are to flake8.
_CODE = r"(?:[A-Z]+[0-9]+|TBX)\b"
_CODES = rf"(?P<codes>{_CODE}(?:[,\s]+{_CODE})*)"
_NOQA = re.compile(rf"#\s*noqa\b(?!-)(?:\s*:\s*{_CODES})?", re.IGNORECASE)
_FLAKE8 = re.compile(rf"#\s*flake8[:=]\s*noqa(?:\s*:\s*{_CODES})?\s*$", re.IGNORECASE)
_IGNORE = re.compile(r"#\s*tensorlint:\s*ignore(?:\[(?P<codes>[^\]]*)\]|(?![-\w\[]))", re.IGNORECASE)
_IGNORE_FILE = re.compile(r"#\s*tensorlint:\s*ignore-file\b", re.IGNORECASE)
_COMMENT_IN_LINE = re.compile(r"#.*")
_SEPARATOR = re.compile(r"[,\s]+")
_EVERYTHING = ("",)


@dataclass(frozen=True, slots=True)
class Suppression:
    """One comment; ``prefixes`` are what codes must begin with, the empty one covering all of them.

    ``start`` and ``end`` are the columns of the directive, 1-based, ``end`` exclusive; ``comment_end`` is where the
    whole comment ends.
    """

    row: int
    start: int
    end: int
    comment_end: int
    kind: Kind
    prefixes: tuple[str, ...]

    @property
    def whole_file(self) -> bool:
        return self.kind in {"flake8", "file"}

    def covers(self, code: str) -> bool:
        return code.startswith(self.prefixes)


@dataclass(frozen=True)
class Suppressions:
    """The suppression comments of one file."""

    comments: tuple[Suppression, ...] = ()

    @classmethod
    def parse(cls, source: Source) -> Suppressions:
        if not _WORTH_A_LOOK.search(source.text):
            return cls()
        return cls(
            tuple(
                suppression
                for row, column, comment, alone in _comments(source)
                if _WORTH_A_LOOK.search(comment)
                for suppression in _read(row, column, comment, alone)
                if source.noqa or suppression.kind in {"ignore", "file"}
            )
        )

    @cached_property
    def file_ignored(self) -> bool:
        """Whether nothing in this file is wanted, so that it need not be looked at."""
        return any(comment.whole_file and comment.covers("") for comment in self.comments)

    @cached_property
    def _by_row(self) -> dict[int, tuple[str, ...]]:
        """Prefixes by row; row 0 stands for the whole file."""
        rows: dict[int, tuple[str, ...]] = {}
        for comment in self.comments:
            row = 0 if comment.whole_file else comment.row
            rows[row] = rows.get(row, ()) + comment.prefixes
        return rows

    def covers(self, rows: int | Iterable[int], code: str) -> bool:
        """Whether a comment on one of these rows, or for the whole file, covers the code."""
        if not self.comments:
            return False
        wanted = (rows,) if isinstance(rows, int) else rows
        return any(code.startswith(self._by_row.get(row, ())) for row in (0, *wanted))

    def covers_finding(self, finding: Finding) -> bool:
        """Whether a comment beside the finding covers it: on its first row, its last, or the last of its statement.

        What the tool could not judge is never covered: an internal error is not the reader's to accept.
        """
        return not finding.is_internal and self.covers(_rows(finding), finding.code)

    def used_by(self, finding: Finding) -> Iterator[tuple[Suppression, str]]:
        """The comments that cover the finding, each with the prefix that does."""
        for comment in self.comments:
            if comment.whole_file or comment.row in _rows(finding):
                yield from ((comment, prefix) for prefix in comment.prefixes if finding.code.startswith(prefix))


def _rows(finding: Finding) -> tuple[int, int, int]:
    """Where a comment about the finding may stand."""
    return (finding.span.row, finding.span.end_row, finding.noqa_row)


def comment_columns(source: Source) -> dict[int, int]:
    """Where the comment of each row that has one begins, 1-based."""
    return {row: column for row, column, _, _ in _comments(source)}


def _comments(source: Source) -> Iterator[tuple[int, int, str, bool]]:
    """Row, column, text, and whether nothing else stands on the line, of each comment."""
    lines = iter([line + "\n" for line in source.lines])  # one kind of newline, so that rows agree on every Python
    found: list[tuple[int, int, str, bool]] = []
    try:
        for token in tokenize.generate_tokens(lambda: next(lines, "")):
            if token.type == tokenize.COMMENT:
                row, column = token.start
                found.append((row, column + 1, token.string, not token.line[:column].strip()))
    except (tokenize.TokenError, SyntaxError):  # a program tokenize does not take: every "#" may begin a comment
        for row, line in enumerate(source.lines, start=1):
            if match := _COMMENT_IN_LINE.search(line):
                found.append((row, match.start() + 1, match.group(), not line[: match.start()].strip()))
        found = sorted(set(found))
    yield from found


def _read(row: int, column: int, comment: str, alone: bool) -> Iterator[Suppression]:
    def of(kind: Kind, match: re.Match[str], prefixes: tuple[str, ...]) -> Suppression:
        return Suppression(row, column + match.start(), column + match.end(), column + len(comment), kind, prefixes)

    if alone and (match := _IGNORE_FILE.search(comment)):
        yield of("file", match, _EVERYTHING)
    if alone and (match := _FLAKE8.search(comment)):
        yield of("flake8", match, _prefixes(match["codes"]))
        return  # the "noqa" in it is not one for the line
    if match := _IGNORE.search(comment):
        yield of("ignore", match, _prefixes(match["codes"]))
    if match := _NOQA.search(comment):
        yield of("noqa", match, _prefixes(match["codes"]))


def _prefixes(codes: str | None) -> tuple[str, ...]:
    """No list at all covers everything; an empty one covers nothing."""
    return _EVERYTHING if codes is None else tuple(code.upper() for code in _SEPARATOR.split(codes) if code)
