"""A folder of our own beside a project, in which values are kept as JSON.

Nothing in it is ever needed: what cannot be read is not there, what cannot be written is left. A value is written
beside the one before and takes its name in one step, so that whoever reads meanwhile, in another process or after one
that was killed, finds a whole one. It begins with what stands for its bytes: damage is noticed.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from typing import Any

from tensorlint.program.layout import digest_of

_TAG = "CACHEDIR.TAG"
_TAG_TEXT = (
    "Signature: 8a477f597d28d172789f06886806bc55\n"
    "# This file is a cache directory tag created by tensorlint.\n"
    "# For information about cache directory tags see https://bford.info/cachedir/\n"
)
_SUFFIX = ".json"
#: What nobody used for so long, or what is more than this together, is thrown away, the oldest first.
_MAX_AGE = 30 * 24 * 3600
_MAX_SIZE = 512 << 20
_A_DAY = 24 * 3600


class Folder:
    """The folder at a path, which is made when the first value is kept."""

    def __init__(self, path: str) -> None:
        self.path = path

    def load(self, name: str) -> Any:
        """The value of a name; None where there is none, or it is damaged."""
        path = self._file(name)
        try:
            with open(path, "rb") as file:
                written = os.fstat(file.fileno()).st_mtime
                mark, _, body = file.read().partition(b"\n")
            if mark.decode("ascii", "replace") != digest_of(body):
                return None
            value = json.loads(body)
        except (OSError, ValueError, RecursionError):
            return None
        if time.time() - written > _A_DAY:
            with contextlib.suppress(OSError):
                os.utime(path)
        return value

    def stamp(self, name: str) -> tuple[int, int]:
        """By what a value is told from the one before; zeros where there is none."""
        try:
            found = os.stat(self._file(name))
        except OSError:
            return 0, 0
        return found.st_mtime_ns, found.st_ino

    def save(self, name: str, value: Any) -> None:
        """Keep a value, if that can be done."""
        import tempfile  # here, as most runs save nothing

        body = json.dumps(value, separators=(",", ":")).encode()
        with contextlib.suppress(OSError):
            self._make()
            descriptor, beside = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=self.path)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(digest_of(body).encode() + b"\n" + body)
                os.replace(beside, self._file(name))
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(beside)
                raise

    def tidy(self) -> None:
        """Throw away what nobody used for long, what is too much, and what was left half written."""
        found: list[tuple[float, int, str]] = []
        with contextlib.suppress(OSError), os.scandir(self.path) as scan:
            for entry in scan:
                if entry.name.endswith((_SUFFIX, ".tmp")):
                    status = entry.stat(follow_symlinks=False)
                    found.append((status.st_mtime, status.st_size, entry.path))
        size, now = 0, time.time()
        for used, length, path in sorted(found, reverse=True):
            size += length
            if now - used > (_A_DAY if path.endswith(".tmp") else _MAX_AGE) or size > _MAX_SIZE:
                with contextlib.suppress(OSError):
                    os.unlink(path)

    def _file(self, name: str) -> str:
        return os.path.join(self.path, name + _SUFFIX)

    def _make(self) -> None:
        """Make the folder, with what tells git and backups to pass it over."""
        if os.path.isfile(os.path.join(self.path, _TAG)):
            return
        os.makedirs(self.path, exist_ok=True)
        for name, text in ((".gitignore", "*\n"), (_TAG, _TAG_TEXT)):
            with open(os.path.join(self.path, name), "w", encoding="ascii") as file:
                file.write(text)


def is_folder(path: str) -> bool:
    """Whether a directory is one of these."""
    try:
        with open(os.path.join(path, _TAG), encoding="ascii", errors="replace") as file:
            return file.read() == _TAG_TEXT
    except OSError:
        return False


def remove(path: str) -> None:
    """Remove such a folder. Raises ``OSError`` where that cannot be done."""
    import shutil

    shutil.rmtree(path)
