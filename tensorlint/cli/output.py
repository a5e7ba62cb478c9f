"""Writing to the terminal."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TextIO

import click

from tensorlint.report import Style

#: When to colour, as ``--color`` has it.
COLOURS = ("auto", "always", "never")
#: Terminals that are known to take links, by a variable that they set; where it is empty, any value will do.
_LINKING = {
    "TERM_PROGRAM": ("iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper", "zed", "terminology"),
    "TERM": ("xterm-kitty", "xterm-ghostty", "alacritty", "foot"),
    "COLORTERM": ("xfce4-terminal",),
    "WT_SESSION": (),
    "KONSOLE_VERSION": (),
    "DOMTERM": (),
}


def style_for(stream: TextIO, colour: str = "auto") -> Style:
    """Colour and links on a terminal only, unless the environment or ``colour`` says otherwise; lines as wide as it."""
    coloured = colour == "always" or (colour == "auto" and _wants_colour(stream))
    links = colour != "never" and _wants_links(stream)
    return Style(colour=coloured, cwd=os.getcwd(), links=links, columns=_columns(stream))


def base_of(paths: Iterable[str], *directories: str) -> str:
    """The first of these directories that all of the paths which are absolute lie below; empty where none is."""
    absolute = [path for path in paths if os.path.isabs(path)]
    for directory in filter(None, directories):
        below = directory.rstrip(os.sep) + os.sep
        if all(path.startswith(below) for path in absolute):
            return directory
    return ""


def _wants_colour(stream: TextIO) -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    if any(os.environ.get(name, "0") not in {"", "0"} for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    return os.environ.get("TERM") != "dumb" and stream.isatty()


def _wants_links(stream: TextIO) -> bool:
    if (forced := os.environ.get("FORCE_HYPERLINK", "")) != "":
        return forced != "0"
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not stream.isatty():
        return False
    if (vte := os.environ.get("VTE_VERSION", "")).isdecimal() and int(vte) >= 5000:  # GNOME Terminal and its kin
        return True
    return any(
        value in wanted if wanted else value for name, wanted in _LINKING.items() if (value := os.environ.get(name))
    )


def _columns(stream: TextIO) -> int:
    """How wide the terminal is; 0 where there is none."""
    try:
        return os.get_terminal_size(stream.fileno()).columns if stream.isatty() else 0
    except (OSError, ValueError):  # a stream that is no file of the system
        return 0


def emit(text: str, stream: TextIO | None = None) -> None:
    """Write to standard output, or another stream; quiet when its reader (``| head``) has gone."""
    stream = stream or sys.stdout
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        close_quietly()


def emit_bytes(data: bytes) -> None:
    """Write a program to standard output as it is."""
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        close_quietly()


@contextmanager
def stream_to(path: str | None, otherwise: TextIO) -> Iterator[TextIO]:
    """The file at ``path``, which is there once all is written, or the other stream where there is no path."""
    if path is None:
        yield otherwise
        return
    text = io.StringIO()
    yield text
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.getvalue())
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror or error}") from None


def note(text: str) -> None:
    """Write a line to standard error."""
    sys.stderr.write(text + "\n")


def available_processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def close_quietly() -> None:
    """Point standard output at nothing, so that the interpreter does not complain when it flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
