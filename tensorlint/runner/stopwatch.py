"""Where the time of a run goes, for who wants to know."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class Stopwatch:
    """Seconds on the clock and of processors by the stage of a run, and of processors by file."""

    stages: dict[str, tuple[float, float]] = field(default_factory=dict)
    files: dict[str, float] = field(default_factory=dict)
    #: How many files were asked of a cache, and how many it knew.
    asked: int = 0
    known: int = 0

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count what is done meanwhile for a stage."""
        clock, processors = time.perf_counter(), _processors()
        try:
            yield
        finally:
            before = self.stages.get(name, (0.0, 0.0))
            passed = time.perf_counter() - clock, _processors() - processors
            self.stages[name] = before[0] + passed[0], before[1] + passed[1]

    def begin(self, files: int) -> None:
        """So many files are to be judged."""

    def done(self, path: str, seconds: float) -> None:
        """A file was judged."""
        self.files[path] = seconds

    def end(self) -> None:
        """All files were judged, or no more will be."""


def _processors() -> float:
    """Seconds that processors worked for this process, and for those of its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
