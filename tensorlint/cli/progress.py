"""How far a run has come, while it runs, and where its time went."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from tensorlint.report.text import plural
from tensorlint.runner import Stopwatch

#: Nothing is shown of runs that take less, and nothing more often than this, in seconds.
_PATIENCE = 1.0
_EVERY = 0.1
#: How many of the slowest files are listed.
_SLOWEST = 10
_ERASE = "\r\x1b[K"


@dataclass(slots=True)
class Progress(Stopwatch):
    """Says on a terminal how many files were judged, and leaves no trace of that."""

    _files: int = 0
    _begun: float = 0.0
    _shown: float = 0.0
    _on: bool = field(default_factory=lambda: sys.stderr.isatty() and os.environ.get("TERM") != "dumb")

    def begin(self, files: int) -> None:
        self._files, self._begun, self._shown = files, time.monotonic(), 0.0

    def done(self, path: str, seconds: float) -> None:
        Stopwatch.done(self, path, seconds)
        now = time.monotonic()
        if self._on and now - self._begun >= _PATIENCE and now - self._shown >= _EVERY:
            rate = len(self.files) / (now - self._begun)
            text = f"{len(self.files)} of {plural(self._files, 'file')} judged, {rate:.0f} a second"
            self._shown = now
            import shutil

            self._write(_ERASE + text[: shutil.get_terminal_size().columns - 1])

    def end(self) -> None:
        if self._shown:
            self._write(_ERASE)
            self._shown = 0.0

    def summary(self) -> str:
        """Where the time went, by stage and by file."""
        return "\n".join([*self._lines(), ""])

    def _lines(self) -> Iterator[str]:
        yield "stage         wall     CPU"
        for name, (wall, processors) in self.stages.items():
            yield f"{name:10} {wall:6.2f} s {processors:6.2f} s"
        yield (
            f"{self.known} of {plural(self.asked, 'file')} known from the cache." if self.asked else "No cache used."
        )
        slowest = sorted(self.files.items(), key=lambda file: (-file[1], file[0]))[:_SLOWEST]
        if slowest:
            yield f"The slowest of {plural(len(self.files), 'file')} judged:"
        for path, seconds in slowest:
            yield f"{seconds:8.2f} s  {os.path.relpath(path)}"

    def _write(self, text: str) -> None:
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except OSError:
            self._on = False
