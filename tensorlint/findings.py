"""The value objects every floor of the house hands upwards.

All are frozen: a finding is built once, by the engine, and only read afterwards. Rows and columns are
1-based and count characters of the decoded source, as editors show them; ``end_column`` is exclusive.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Certainty(enum.IntEnum):
    """How sure a finding is.

    ``certain`` on every execution that reaches the line (by default, and where there is an accelerator if it is about
    one), ``likely`` when the evidence points one way, ``possible`` when merely nothing proves the line safe.
    """

    POSSIBLE = 1
    LIKELY = 2
    CERTAIN = 3

    @property
    def label(self) -> str:
        return self.name.lower()

    @classmethod
    def parse(cls, text: str) -> Certainty:
        """Read a label; ``KeyError`` when it is none of the three."""
        return cls[text.upper()]


class Applicability(enum.Enum):
    """Whether a fix may be applied unasked (``safe``), on request (``unsafe``) or only shown."""

    SAFE = "safe"
    UNSAFE = "unsafe"
    DISPLAY = "display"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    row: int
    column: int
    end_row: int
    end_column: int


@dataclass(frozen=True, slots=True)
class Location:
    """Where people look for something: in a notebook the number of a cell, and rows counted from its beginning."""

    cell: int | None
    span: Span


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the text in ``span`` (empty for an insertion) by ``content``."""

    span: Span
    content: str


@dataclass(frozen=True, slots=True)
class Fix:
    """Edits that mend a finding. ``reason`` says what an unsafe one may change."""

    applicability: Applicability
    message: str
    edits: tuple[Edit, ...]
    reason: str = ""

    @property
    def is_safe(self) -> bool:
        return self.applicability is Applicability.SAFE


@dataclass(frozen=True, slots=True)
class TraceStep:
    """One stop on the way of the value to the finding: where it was made, moved, aliased, written.

    ``path`` is that of another file of the program, or empty where the stop is in the file of the finding.
    """

    span: Span
    message: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a reader should change, at the place they would change it.

    ``also`` names further rules the same line breaks and the same change mends, so that a reader meets
    the line once; ``noqa_row`` is the row on which a suppression comment is looked for (the first of
    the span, or where that leads on by a backslash or within a string, the row at whose end a comment can stand);
    ``help`` is the change in words.
    """

    code: str
    message: str
    path: str
    span: Span
    certainty: Certainty
    help: str = ""
    trace: tuple[TraceStep, ...] = ()
    also: tuple[str, ...] = ()
    fix: Fix | None = None
    noqa_row: int = 0

    @property
    def sort_key(self) -> tuple[str, Span, str, str]:
        return (self.path, self.span, self.code, self.message)

    @property
    def is_internal(self) -> bool:
        """Whether the tool itself failed on this file: TBX900 to TBX902."""
        return self.code in {"TBX900", "TBX901", "TBX902"}


def tool_finding(code: str, path: str, message: str, row: int = 1, column: int = 1) -> Finding:
    """A finding of the tool about itself: TBX900 to TBX902."""
    return Finding(code, message, path, Span(row, column, row, column), Certainty.CERTAIN, noqa_row=row)
