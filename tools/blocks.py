"""The blocks of code in a page written in Markdown, and the comments that say how they are checked.

A comment ``<!-- check ... -->`` right before a block has lines ``key: value``; CONTRIBUTING.md says which.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_FENCE = re.compile(
    r"^(?P<ticks>`{3,})(?P<language>\w*)(?: title=\"(?P<title>[^\"]+)\")?[^\n]*\n(?P<text>.*?)^(?P=ticks)[ \t]*$",
    re.MULTILINE | re.DOTALL,
)
_NOTE = re.compile(r"<!-- check\n((?:(?!-->).)*)-->\s*\Z", re.DOTALL)
_KEYS = {"claim", "device", "requires", "finds", "skip"}


@dataclass(frozen=True, slots=True)
class Block:
    page: Path
    #: Of its first line of text, from 1.
    row: int
    language: str
    text: str
    #: The name of the file that it is, where commands of the page need it.
    title: str = ""
    notes: tuple[tuple[str, str], ...] = field(default=())

    def note(self, key: str) -> str:
        """The first value of a key; empty where there is none."""
        return next((value for name, value in self.notes if name == key), "")


@dataclass(frozen=True, slots=True)
class Command:
    """A line that begins with ``$``, and the lines below it, which are what it prints."""

    row: int
    line: str
    output: tuple[str, ...]


def blocks(page: Path) -> list[Block]:
    """Raises ``ValueError`` for a comment with a key that there is not."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in _FENCE.finditer(text):
        note = _NOTE.search(text, 0, match.start())
        row = text.count("\n", 0, match.start()) + 2
        notes = tuple(_notes(note, page)) if note else ()
        found.append(Block(page, row, match["language"], match["text"], match["title"] or "", notes))
    return found


def _notes(note: re.Match[str], page: Path) -> Iterator[tuple[str, str]]:
    for line in note[1].splitlines():
        key, colon, value = line.partition(": ")
        if not colon or key not in _KEYS:
            raise ValueError(f"{page}: `{line}` is no `key: value` of a comment for a check")
        yield key, value.strip()


def commands(block: Block) -> Iterator[Command]:
    """Raises ``ValueError`` for output without a command before it."""
    lines = block.text.splitlines()
    starts = [row for row, line in enumerate(lines) if line.startswith("$ ")]
    if starts[:1] != [0]:
        raise ValueError(f"{block.page}:{block.row}: a console block begins with a command, `$ ...`")
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        output = [line.rstrip() for line in lines[start + 1 : end]]
        while output and not output[-1]:
            output.pop()
        yield Command(block.row + start, lines[start][2:], tuple(output))
