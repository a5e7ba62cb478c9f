"""What the text formats share: paths, colour, and text that is safe to put on a terminal."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable

from tensorlint.findings import Certainty, Finding, Location
from tensorlint.report import Style

_SGR = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "magenta": "35",
    "cyan": "36",
}
_CERTAINTY_COLOUR = {Certainty.CERTAIN: "red", Certainty.LIKELY: "yellow", Certainty.POSSIBLE: "cyan"}


def paint(style: Style) -> Callable[..., str]:
    """A function ``(text, *attributes)`` that colours when the style says so."""
    if not style.colour:
        return lambda text, *attributes: text

    def coloured(text: str, *attributes: str) -> str:
        return f"\x1b[{';'.join(_SGR[name] for name in attributes)}m{text}\x1b[0m" if text else text

    return coloured


def shown_path(path: str, style: Style) -> str:
    """Relative to the working directory where that is shorter to read, and without control characters."""
    if style.cwd and os.path.isabs(path):
        relative = os.path.relpath(path, style.cwd)
        if not relative.startswith(os.pardir + os.sep):
            path = relative
    return visible(path)


def position(location: Location) -> str:
    """``2:5``, or ``cell 3:2:5`` in a notebook."""
    cell = "" if location.cell is None else f"cell {location.cell}:"
    return f"{cell}{location.span.row}:{location.span.column}"


def visible(text: str) -> str:
    """The text with control characters and lone surrogates spelled out, so that output is one line and encodable."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def codes(finding: Finding) -> str:
    """``TBX101``, or ``TBX101 (also TBX102)``."""
    return f"{finding.code} (also {', '.join(finding.also)})" if finding.also else finding.code


def certainty_colour(certainty: Certainty) -> str:
    return _CERTAINTY_COLOUR[certainty]


def width(text: str) -> int:
    """Columns on a terminal: wide East Asian characters take two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
