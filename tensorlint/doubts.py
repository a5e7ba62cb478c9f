"""Why a line of a program may never be executed, so that what is found there may be nothing to act on.

What stands there is true all the same: it counts as ``likely``, and its trace says why.
"""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING

from tensorlint.findings import Span, TraceStep

if TYPE_CHECKING:
    from tensorlint.policy import Policy
    from tensorlint.program.reached import Reached
    from tensorlint.source import Source

_UNREACHED = "nothing else in this project reaches `{}`"


class Doubts:
    """Those about the lines of one file, each found out when somebody asks."""

    def __init__(self, source: Source, policy: Policy, *, in_project: bool) -> None:
        self._source = source
        #: Why none of it may be.
        self.of_file = _stopped(source) or _outdated(source, policy)
        #: Whether the files around it are looked at.
        self._in_project = in_project

    def of(self, row: int) -> TraceStep | None:
        """Why this row may never be executed; None where nothing says so."""
        if self.of_file is not None or self._reached is None:
            return self.of_file
        found = self._reached.unreached(row)
        return None if found is None else TraceStep(Span(found.row, 1, found.row, 1), _UNREACHED.format(found.name))

    @cached_property
    def _reached(self) -> Reached | None:
        from tensorlint.program.reached import reached

        return reached(self._source.program, os.path.abspath(self._source.path)) if self._in_project else None


def _stopped(source: Source) -> TraceStep | None:
    """A cell of a notebook recorded that it did not find what it needs, or is an exercise."""
    if source.stops is None:
        return None
    row, why = source.stops
    return TraceStep(Span(row, 1, row, 1), why)


def _outdated(source: Source, policy: Policy) -> TraceStep | None:
    """It asks NumPy or torch for what they have no more, and runs on older releases only, if at all."""
    from tensorlint.knowledge.gone import outdated

    found = outdated(source.program, policy.numpy)
    if found is None:
        return None
    return TraceStep(Span(found.row, found.column, found.row, found.column + found.length), found.message)
