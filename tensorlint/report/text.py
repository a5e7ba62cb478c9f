"""What the text formats share: paths, colour, and text that is safe to put on a terminal."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable

from tensorlint.findings import Certainty, Finding, Location
from tensorlint.links import rule_url
from tensorlint.report import Style

PLAIN = Style()
_ESCAPES = re.compile(r"\x1b\[[0-9;]*m|\x1b\]8;[^\x1b]*\x1b\\\\")
#: Colours a text.
Dress = Callable[[str], str]
_SGR = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "94",  # the bright one can be read on black and on white; the other is lost on black
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


def codes(finding: Finding, style: Style = PLAIN) -> str:
    """``TBX101``, or ``TBX101 (also TBX102)``."""
    first = linked(finding.code, style)
    return f"{first} (also {', '.join(linked(code, style) for code in finding.also)})" if finding.also else first


def linked(code: str, style: Style) -> str:
    """A code that leads to its documentation, where the style says so."""
    return f"\x1b]8;;{rule_url(code)}\x1b\\{code}\x1b]8;;\x1b\\" if style.links else code


def certainty_colour(certainty: Certainty) -> str:
    return _CERTAINTY_COLOUR[certainty]


def width(text: str) -> int:
    """Columns on a terminal: wide East Asian characters take two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def seen_width(text: str) -> int:
    """The width of a text without the colours and links in it."""
    return width(_ESCAPES.sub("", text))


def folded(text: str, dress: Dress, used: int, indent: int, style: Style) -> list[str]:
    """The text in lines that end between words, where the terminal would break them within; coloured by ``dress``.

    The first begins ``used`` columns from the left, the others are indented here. One line where there is no terminal.
    """
    lines: list[str] = []
    for word in text.split(" "):
        room = style.columns - (indent if lines[1:] else used)
        if lines and style.columns and width(f"{lines[-1]} {word}") > room:
            lines.append(word)
        else:
            lines[-1:] = [f"{lines[-1]} {word}" if lines else word]
    return [dress(lines[0]), *(" " * indent + dress(line) for line in lines[1:])]


def plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
