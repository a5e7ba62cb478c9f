"""What is known of the files of a program from earlier runs, where somebody keeps it; else what this run has seen."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from tensorlint.program.layout import FILE, digest_of, kind_of

#: What changes a file so soon after it was read may leave no trace in its times, which some file systems only keep in
#: whole seconds.
_RACY_NS = 2_500_000_000


class Stamp(NamedTuple):
    """By what a file is told from what it was before, without reading it; and what stands for its text."""

    modified: int
    changed: int
    size: int
    inode: int
    digest: str


class Archive:
    """Digests of files by their stamps, and values by name. This one remembers them for as long as it lives."""

    def __init__(self, stamps: Mapping[str, Stamp] | None = None) -> None:
        #: As they were kept; and those that are true now, where a digest of "" is that of a file nobody can read.
        self._kept = stamps or {}
        self.stamps: dict[str, Stamp] = {}
        #: Files that were changed too lately for their stamps to be trusted later on.
        self.racy: set[str] = set()

    def digest(self, path: str) -> str:
        """What stands for the text of a file; empty where it cannot be read."""
        return self._stamp(path).digest

    def size(self, path: str) -> int:
        """How many bytes a file has; 0 where it cannot be read."""
        return self._stamp(path).size

    def read(self, path: str) -> bytes | None:
        """The bytes of a file; None where it cannot be read."""
        before = _stat(path)
        data = None
        try:
            # A pipe would never be read to its end.
            if kind_of(path) == FILE:
                with open(path, "rb") as file:
                    data = file.read()
        except (OSError, ValueError):
            pass
        self._keep(path, before, "" if data is None else digest_of(data))
        return data

    def load(self, name: str) -> Any:
        """What was kept under a name; None where nothing was."""
        return None

    def save(self, name: str, value: Any) -> None:
        """Keep a value, which JSON has to have, if this archive keeps any."""

    def _stamp(self, path: str) -> Stamp:
        known = self.stamps.get(path)
        if known is None:
            before = _stat(path)
            kept = self._kept.get(path)
            if kept is not None and kept[:4] == before[:4]:
                self.stamps[path] = known = kept
            else:
                self.read(path)
                known = self.stamps[path]
        return known

    def _keep(self, path: str, before: Stamp, digest: str) -> None:
        self.stamps[path] = before._replace(digest=digest)
        if max(before.modified, before.changed) > time.time_ns() - _RACY_NS:
            self.racy.add(path)


def _stat(path: str) -> Stamp:
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return Stamp(0, 0, 0, 0, "")
    return Stamp(found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino, "")


_archives = [Archive()]


def archive() -> Archive:
    """What this process knows of files."""
    return _archives[-1]


def begin(with_archive: Archive) -> None:
    """Have what is asked from now on be asked of this one."""
    _archives[:] = [with_archive]
