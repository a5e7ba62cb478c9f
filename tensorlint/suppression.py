"""Comments that say "I know": ``# noqa``, ``# tensorlint: ignore`` and their forms for a whole file.

| comment                              | effect                                   |
|--------------------------------------|------------------------------------------|
| ``# noqa``                           | every code on this line                  |
| ``# noqa: TBX101, F401``             | these codes, or prefixes, on this line   |
| ``# tensorlint: ignore``             | every code on this line                  |
| ``# tensorlint: ignore[TBX101]``     | these codes, or prefixes, on this line   |
| ``# tensorlint: ignore-file``        | the whole file; alone on its line        |
| ``# flake8: noqa``, with codes or not | the whole file; alone on its line       |

A code may be the name of a rule, and is read in either case. "This line" is the one the finding begins on, as to
flake8: where a backslash or a string in triple quotes leads on to the next line, the comment stands at the end of that.

Only comments count, not the same characters in a string. Tokenising is slow, so it happens only when a plain search
finds something to look for.
"""

from __future__ import annotations

import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal

from tensorlint.codes import canonical, code_names
from tensorlint.findings import Finding
from tensorlint.source import NEWLINE, Source

Kind = Literal["noqa", "ignore", "flake8", "file"]

_WORTH_A_LOOK = re.compile(r"noqa|tensorlint:", re.IGNORECASE)
#: A bracket that is left open is read to the end of the comment, or to the next one.
_IGNORE = re.compile(
    r"#\s*tensorlint:\s*ignore(?:\[(?P<codes>[^\[\]#]*)\]|(?P<open>\[[^\[\]#]*\b|\[)|(?![-\w\[]))", re.IGNORECASE
)
_IGNORE_FILE = re.compile(r"#\s*tensorlint:\s*ignore-file\b", re.IGNORECASE)
_COMMENT_IN_LINE = re.compile(r"#.*")
_LONG_STRING = re.compile(r"\"{3}|'{3}")
_LONG_FORMATTED_STRING = re.compile(r"[ft]r?(?:\"{3}|'{3})", re.IGNORECASE)
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
    #: Whether the bracket of its codes is left open, so that it covers nothing.
    is_open: bool = False

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

    def covers(self, row: int, code: str) -> bool:
        """Whether a comment on this row, or for the whole file, covers the code."""
        return any(code.startswith(self._by_row.get(each, ())) for each in (0, row)) if self.comments else False

    def covers_finding(self, finding: Finding) -> bool:
        """Whether a comment covers the finding.

        What the tool could not judge is never covered: an internal error is not the reader's to accept.
        """
        return not finding.is_internal and self.covers(finding.noqa_row, finding.code)

    def used_by(self, finding: Finding) -> Iterator[tuple[Suppression, str]]:
        """The comments that cover the finding, each with the prefix that does."""
        for comment in self.comments:
            if comment.whole_file or comment.row == finding.noqa_row:
                yield from ((comment, prefix) for prefix in comment.prefixes if finding.code.startswith(prefix))


@dataclass(frozen=True)
class CommentRows:
    """For each row of a program, the one whose comment speaks about it, which is what flake8 makes of it.

    That is the row itself, except where it ends at a backslash or inside of a string: no comment can stand there.
    """

    source: Source

    def of(self, row: int) -> int:
        return self._joined.get(row, row) if self._leads_on(row) else row

    def _leads_on(self, row: int) -> bool:
        """Whether it is worth tokenising: most rows plainly end where they end."""
        line = self.source.lines[row - 1]
        return line.endswith("\\") or bool(_LONG_STRING.search(line)) or self._has_long_formatted_strings

    @cached_property
    def _has_long_formatted_strings(self) -> bool:
        return bool(_LONG_FORMATTED_STRING.search(self.source.text))  # the row may lie within one

    @cached_property
    def _joined(self) -> dict[int, int]:
        joined: dict[int, int] = {}
        first, last = 0, 0
        try:
            for token in _tokens(self.source):
                if token.type in {tokenize.ENDMARKER, tokenize.DEDENT}:
                    continue
                first, last = first or token.start[0], max(last, token.end[0])
                if token.type in {tokenize.NL, tokenize.NEWLINE}:
                    joined.update(dict.fromkeys(range(first, last), last))
                    first, last = 0, 0
        except (tokenize.TokenError, SyntaxError):  # what was read until then is right
            pass
        return joined


def begins_with_code(reason: str) -> bool:
    """Whether a reason would be read as more codes if it stood behind some."""
    return bool(re.match(rf"[,\s]*{_codes_pattern()}|[,\s]*[A-Z]+[0-9]", reason, re.IGNORECASE))


def _comments(source: Source) -> Iterator[tuple[int, int, str, bool]]:
    """Row, column, text, and whether nothing else stands on the line, of each comment."""
    found: list[tuple[int, int, str, bool]] = []
    try:
        for token in _tokens(source):
            if token.type == tokenize.COMMENT:
                row, column = token.start
                found.append((row, column + 1, token.string, not token.line[:column].strip()))
    except (tokenize.TokenError, SyntaxError):  # a program tokenize does not take: every "#" may begin a comment
        for row, line in enumerate(source.lines, start=1):
            if match := _COMMENT_IN_LINE.search(line):
                found.append((row, match.start() + 1, match.group(), not line[: match.start()].strip()))
        found = sorted(set(found))
    yield from found


def _tokens(source: Source) -> Iterator[tokenize.TokenInfo]:
    lines = iter(
        [line + "\n" for line in NEWLINE.split(source.program)]
    )  # one kind of newline, so that rows agree on every Python
    return tokenize.generate_tokens(lambda: next(lines, ""))


@lru_cache(maxsize=1)
def _codes_pattern() -> str:
    """Codes behind a colon. Other words there are the reason of a blanket comment, as they are to flake8."""
    names = "|".join(map(re.escape, code_names()))
    code = rf"(?:(?:[A-Z]+[0-9]+|TBX\w*)\b|(?:{names})(?![-\w]))"
    return rf"(?P<codes>{code}(?:[,\s]+{code})*)"


@lru_cache(maxsize=1)
def _noqa() -> re.Pattern[str]:
    return re.compile(rf"#\s*noqa\b(?!-)(?:\s*:\s*{_codes_pattern()})?", re.IGNORECASE)


@lru_cache(maxsize=1)
def _flake8() -> re.Pattern[str]:
    return re.compile(rf"#\s*flake8[:=]\s*noqa(?:\s*:\s*{_codes_pattern()})?\s*$", re.IGNORECASE)


def _read(row: int, column: int, comment: str, alone: bool) -> Iterator[Suppression]:
    def of(kind: Kind, match: re.Match[str], prefixes: tuple[str, ...], is_open: bool = False) -> Suppression:
        start, end = column + match.start(), column + match.end()
        return Suppression(row, start, end, column + len(comment), kind, prefixes, is_open)

    if alone and (match := _IGNORE_FILE.search(comment)):
        yield of("file", match, _EVERYTHING)
    if alone and (match := _flake8().search(comment)):
        yield of("flake8", match, _prefixes(match["codes"]))
        return  # the "noqa" in it is not one for the line
    if match := _IGNORE.search(comment):
        is_open = match["open"] is not None
        yield of("ignore", match, () if is_open else _prefixes(match["codes"]), is_open)
    if match := _noqa().search(comment):
        yield of("noqa", match, _prefixes(match["codes"]))


def _prefixes(codes: str | None) -> tuple[str, ...]:
    """No list at all covers everything; an empty one covers nothing."""
    return _EVERYTHING if codes is None else tuple(canonical(code) for code in _SEPARATOR.split(codes) if code)
