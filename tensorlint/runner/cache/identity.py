"""What judges: the text of this program, the parser it stands on, and the Python that runs both."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator

from tensorlint import __version__
from tensorlint.program.archive import Archive
from tensorlint.program.layout import digest_of

_PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))
#: Parts of this program that have no say in what is found in a file.
_APART = frozenset({"cli", "flake8_plugin", "report", "server", "verify", "fixtures", "ledgers", "__pycache__"})


def identity(archive: Archive) -> str:
    """What stands for all of it. Of an installation from sources each change counts, not the version alone."""
    texts = [f"{path} {archive.digest(path)}" for path in _modules(_PACKAGE)]
    return digest_of("\n".join([__version__, sys.version, _parser(archive), *texts]).encode("utf-8", "replace"))[:16]


def _modules(package: str) -> Iterator[str]:
    with os.scandir(package) as scan:
        entries = sorted(scan, key=lambda entry: entry.name)
    for entry in entries:
        if entry.name.endswith(".py"):
            yield entry.path
        elif entry.name not in _APART and entry.is_dir():
            yield from _modules(entry.path)


def _parser(archive: Archive) -> str:
    """What stands for LibCST, which is not imported for it."""
    spec = importlib.util.find_spec("libcst")
    if spec is None or spec.origin is None:
        return ""
    version = os.path.join(os.path.dirname(spec.origin), "_version.py")
    return f"{spec.origin} {archive.digest(version)}"
