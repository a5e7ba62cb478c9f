"""A new text onto the disk: whole, or not at all.

The text goes into a file beside the old one, to the disk, and takes its name in one step (``os.replace``): whoever
looks, whenever the process or the machine stops, finds the old program or the new one. What is left behind at worst is
a file named ``.<name>.tensorlint-<random>``.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path


class WriteError(Exception):
    """A file that was left as it was; the message says why."""


def replace_file(path: str, old: bytes, new: bytes) -> None:
    """Put ``new`` in the place of ``old``, behind symbolic links, with the same mode and, where allowed, owner.

    Raises ``WriteError``, and changes nothing, when the file is read-only, holds something else than ``old`` by now, or
    cannot be written.
    """
    target = os.path.realpath(path)
    try:
        before = os.stat(target)
        if not before.st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH) or not os.access(target, os.W_OK):
            raise WriteError("the file is read-only")
        if Path(target).read_bytes() == new:  # it has been here already, under another name
            return
        beside = _write_beside(target, new)
    except OSError as error:
        raise WriteError(error.strerror or str(error)) from None
    try:
        os.chmod(beside, stat.S_IMODE(before.st_mode))
        with contextlib.suppress(OSError, AttributeError):  # only root may give files away, and Windows knows no owner
            if (os.stat(beside).st_uid, os.stat(beside).st_gid) != (before.st_uid, before.st_gid):
                os.chown(beside, before.st_uid, before.st_gid)
        if Path(target).read_bytes() != old:
            raise WriteError("the file was changed by somebody else in the meantime")
        os.replace(beside, target)
    except OSError as error:
        _remove(beside)
        raise WriteError(error.strerror or str(error)) from None
    except BaseException:
        _remove(beside)
        raise


def _write_beside(target: str, data: bytes) -> str:
    """The path of a new file in the same directory that holds ``data``, on the disk."""
    directory, name = os.path.split(target)
    descriptor, path = tempfile.mkstemp(prefix=f".{name}.tensorlint-", dir=directory)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        _remove(path)
        raise
    return path


def _remove(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)
