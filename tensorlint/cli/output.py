"""Writing to the terminal."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import click

from tensorlint.report import Style


def style_for(stream: TextIO) -> Style:
    """Colour on a terminal only, unless the environment says otherwise."""
    return Style(colour=_wants_colour(stream), cwd=os.getcwd())


def _wants_colour(stream: TextIO) -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    if any(os.environ.get(name, "0") not in {"", "0"} for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    return os.environ.get("TERM") != "dumb" and stream.isatty()


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
        Path(path).write_text(text.getvalue(), encoding="utf-8")
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
