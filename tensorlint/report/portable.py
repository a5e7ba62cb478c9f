"""What the formats that other programs read share: paths for any machine, and names for findings that outlive edits."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import PurePath
from urllib.parse import quote

from tensorlint.findings import Finding, Location
from tensorlint.report import Report, Style
from tensorlint.report.text import visible


def portable_path(path: str, style: Style) -> str:
    """With slashes, relative to the base of all paths, or the working directory, where the file lies below it."""
    base = style.base or style.cwd
    if base and os.path.isabs(path):
        relative = os.path.relpath(path, base)
        if relative != os.pardir and not relative.startswith(os.pardir + os.sep):
            path = relative
    return PurePath(path).as_posix()


def shown_portable_path(path: str, style: Style) -> str:
    """The same without control characters."""
    return visible(portable_path(path, style))


def portable_uri(path: str, style: Style) -> str:
    """The same as a reference that RFC 3986 allows: percent-encoded, and ``file:`` in front of what is absolute."""
    if os.path.isabs(portable_path(path, style)):
        return PurePath(path).as_uri()
    return quote(os.fsencode(portable_path(path, style)))


def message(finding: Finding, report: Report) -> str:
    """What a finding says. In a notebook its rows are those of the file, so that the cell has to be named, too."""
    return finding.message + in_cell(report.location(finding.path, finding.span))


def in_cell(location: Location) -> str:
    return "" if location.cell is None else f" (cell {location.cell}, line {location.span.row})"


def fingerprints(report: Report, style: Style) -> Iterator[str]:
    """A name for each finding: of its rule, its path and the text of its line without its indentation.

    So it stays the same while the line moves. Of several findings that agree in this each has its number.
    """
    seen: Counter[str] = Counter()
    for finding in report.findings:
        key = "\0".join((finding.code, portable_path(finding.path, style), report.line_of(finding)))
        seen[key] += 1
        text = f"{key}\0{seen[key]}".encode("utf-8", "surrogateescape")
        yield hashlib.sha256(text).hexdigest()[:32]
