"""Bytes to text, as Python itself reads a program: byte order mark, PEP 263 cookie, and newlines left alone."""

from __future__ import annotations

import codecs
import os
import re
import tokenize
from dataclasses import dataclass
from functools import cached_property

from tensorlint.findings import Finding, Location, Span, tool_finding

#: Where Python ends a line. ``str.splitlines`` also splits at form feeds and other separators, which would shift rows.
NEWLINE = re.compile(r"\r\n|\r|\n")
_NEWLINE_BYTES = re.compile(rb"\r\n|\r|\n")
_FOREIGN_BOMS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


UNREADABLE = "TBX902"


class SourceError(Exception):
    """A file that cannot be turned into text; becomes the finding TBX902."""

    def __init__(self, code: str, message: str, row: int = 1, column: int = 1) -> None:
        super().__init__(code, message, row, column)
        self.code = code
        self.message = message
        self.row = row
        self.column = column

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a program that has to be one by itself, and the row that it begins on."""

    row: int
    text: str


@dataclass(frozen=True)
class Source:
    """One program as text, with what is needed to write it back byte for byte.

    ``text`` has no byte order mark and keeps every newline as it is. ``noqa`` is off for a caller that honours
    ``# noqa`` comments itself, as flake8 does.

    Rows and columns are those of ``text`` everywhere. A program that does not stand in its file as Python reads it, a
    notebook, is a subclass; ``location`` and ``in_file`` say where people find what is in it.
    """

    path: str
    text: str
    encoding: str = "utf-8"
    bom: bool = False
    noqa: bool = True

    @classmethod
    def read(cls, path: str) -> Source:
        return cls.from_bytes(path, read_bytes(path))

    @classmethod
    def from_bytes(cls, path: str, data: bytes) -> Source:
        for mark, name in _FOREIGN_BOMS:
            if data.startswith(mark):
                raise SourceError(UNREADABLE, f"the file is {name}, which Python does not read; save it as UTF-8")
        if (nul := data.find(b"\0")) >= 0:
            raise SourceError(UNREADABLE, "the file contains a NUL byte", *_position(data[:nul]))
        bom = data.startswith(codecs.BOM_UTF8)
        encoding = _declared_encoding(data)
        body = data.removeprefix(codecs.BOM_UTF8)
        try:
            text = body.decode(encoding)
            if encoding != "utf-8":
                text.encode()  # some codecs make lone surrogates, which no parser takes
        except UnicodeDecodeError as error:
            what = f"byte 0x{body[error.start]:02x} is not {encoding}"
            raise SourceError(
                UNREADABLE, f"the file cannot be decoded: {what}", *_position(body[: error.start])
            ) from None
        except (UnicodeError, LookupError) as error:
            raise SourceError(UNREADABLE, f"the file cannot be decoded as {encoding}: {error}") from None
        return cls(path, text, encoding, bom)

    def to_bytes(self) -> bytes:
        """The program as it stands in a file. Raises ``UnicodeError`` for text its encoding does not have."""
        return (codecs.BOM_UTF8 if self.bom else b"") + self.text.encode(self.encoding)

    @property
    def program(self) -> str:
        """What Python reads, row by row and column by column the same as ``text``."""
        return self.text

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts that the program is made of, each of which has to parse."""
        return (Part(1, self.text),)

    @property
    def is_whole(self) -> bool:
        """Whether an edit has left the parts what they were."""
        return True

    @property
    def stops(self) -> tuple[int, str] | None:
        """Where the program is known to come to an end before its own: the row, and why."""
        return None

    @property
    def language(self) -> str:
        """The language of the program, of which only ``python`` is judged."""
        return "python"

    @property
    def closed(self) -> tuple[range, ...]:
        """Rows where nothing can be put that the rest of the program is to see."""
        return ()

    def location(self, span: Span) -> Location:
        """Where people look for what stands in ``span``."""
        return Location(None, span)

    def in_file(self, span: Span) -> Span:
        """Where ``span`` stands in the file as it is."""
        return span

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The lines without their ends; row ``n`` is ``lines[n - 1]``. A final newline leaves an empty last line."""
        return tuple(NEWLINE.split(self.text))


def file_bytes(text: str) -> bytes:
    """A program that is being edited as its file would hold it, in the encoding that its first lines declare.

    Characters which that encoding does not have become question marks, so that columns stay what they are.
    """
    data = text.encode("utf-8", "replace")
    try:
        return text.encode(_declared_encoding(data), "replace")
    except (SourceError, LookupError, UnicodeError):
        return data


def read_bytes(path: str) -> bytes:
    """The bytes of a file; a ``SourceError`` that says why when there are none to be had."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        target = " (dangling symbolic link)" if isinstance(error, FileNotFoundError) and os.path.islink(path) else ""
        raise SourceError(UNREADABLE, f"the file cannot be read: {reason}{target}") from None


def source_finding(path: str, error: SourceError) -> Finding:
    """What is said of a file that cannot be read."""
    return tool_finding(error.code, path, error.message, error.row, error.column)


def _declared_encoding(data: bytes) -> str:
    """What the first two lines say; UTF-8 when they say nothing. Split here, as ``BytesIO`` ends lines at \\n only."""
    first_lines = iter([line + b"\n" for line in _NEWLINE_BYTES.split(data, maxsplit=2)[:2]])
    try:
        encoding, _ = tokenize.detect_encoding(lambda: next(first_lines))
    except SyntaxError as error:
        if "missing encoding" in str(error):
            return "utf-8"  # and let decoding name the byte that is not
        raise SourceError(UNREADABLE, f"the file cannot be decoded: {error}") from None
    return "utf-8" if encoding == "utf-8-sig" else encoding


def _position(before: bytes) -> tuple[int, int]:
    """Row and column of the character after these bytes, as well as undecodable bytes allow."""
    lines = NEWLINE.split(before.decode("utf-8", "replace"))
    return len(lines), len(lines[-1]) + 1
