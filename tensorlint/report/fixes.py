"""What fixing did or would do: a patch, and a list of counts by file and rule."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterator, Mapping

from tensorlint.report import Report, Style
from tensorlint.report.text import paint, plural, shown_path

_NO_NEWLINE = "\\ No newline at end of file"
_LINE = re.compile(r"[^\n]*\n|[^\n]+")


def patch(report: Report, style: Style) -> bytes:
    """A unified diff of every changed file, for ``git apply -p0`` and ``patch -p0``: each in its own encoding."""
    lines = (line for path, (old, new) in sorted(report.changes.items()) for line in _file_patch(path, old, new, style))
    return "".join(lines).encode("utf-8", "surrogateescape")


def _file_patch(path: str, old: bytes, new: bytes, style: Style) -> Iterator[str]:
    colour = paint(style)
    name = shown_path(path, style)
    before, after = (_LINE.findall(data.decode("utf-8", "surrogateescape")) for data in (old, new))
    for line in difflib.unified_diff(before, after, name, name):
        shade = {"+": "green", "-": "red", "@": "cyan"}.get(line[0])
        body = line.removesuffix("\n")
        yield (colour(body, shade) if shade else body) + "\n"
        if not line.endswith("\n"):
            yield _NO_NEWLINE + "\n"


def counts(report: Report, style: Style, names: Mapping[str, str]) -> str:
    """What was fixed, file by file and rule by rule."""
    if not report.applied:
        return ""
    colour = paint(style)
    lines = [f"Fixed {plural(len(report.applied), 'finding')}:"]
    for path in sorted(report.changes):
        lines.append(f"- {colour(shown_path(path, style), 'bold')}:")
        counted = Counter(finding.code for finding in report.applied if finding.path == path)
        lines += [f"    {count} x {colour(code, 'red')} ({names[code]})" for code, count in sorted(counted.items())]
    return "\n".join(lines) + "\n"
