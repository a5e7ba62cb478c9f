"""Cells of a notebook as Python: what only IPython understands is passed over, and nothing else changes its place.

Commands (``%magic``, ``!shell``, ``help?``, ``%%`` cells) become statements that do nothing, rows and columns of all
that is Python stay. A command is known by where a statement begins, so ``%`` between operands, in brackets and in
strings is what it is to Python.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator

from tensorlint.source import NEWLINE

#: Cell magics whose body is executed as Python in the notebook's own namespace.
PYTHON_BODIES = frozenset(
    {"capture", "debug", "ipytest", "memit", "prun", "scalene", "snakeviz", "time", "timeit", "wandb"}
)
#: What stands for a command: a statement that does nothing, and a value that is not known.
_STATEMENT = "0"
_VALUE = "_()"
#: What stands above an indented block that nothing leads to.
BLOCK = "if 1:"

#: Blank lines and comments. A newline can be read in one way only, or hundreds of them would take for ever.
_BLANK = r"(?:[ \t]*(?:\#[^\r\n]*)?(?:\r?\n|\r(?!\n)))*"
_CELL_MAGIC = re.compile(_BLANK + r"%%(?P<name>\w*)")
#: What a session shows before its input, which is often copied with it.
_PROMPT = r"(?:>>>|\.\.\.)(?:[ ]|(?=[\r\n]|\Z))|[ \t]*\.{3,}:[ ]?"
_FIRST_PROMPT = r">>>(?:[ ]|(?=[\r\n]|\Z))|In[ ]\[\d+\]:[ ]"
_PROMPTED = re.compile(f"{_BLANK}(?:{_FIRST_PROMPT})")
_PROMPTS = re.compile(f"^(?:{_FIRST_PROMPT}|{_PROMPT})", re.MULTILINE)
#: What no statement of Python begins with, and shell commands that IPython takes without a sign.
_COMMAND = re.compile(
    r"(?P<indent>[ \t]*)(?:[%!?,;/]|(?:pip3?|conda|mamba)[ \t]+install\b"
    r"|(?:cd|ls|cp|mv|rm|mkdir|cat)[ \t]+(?!(?:and|else|for|if|in|is|not|or)\b)\w)"
)
#: One row, and those that a backslash at its end leads on to.
_ROWS = re.compile(r"(?:[^\r\n\\]+|\\(?:\r\n|[\s\S]|\Z))*(?:\r\n|\r|\n|\Z)")
#: ``%time statement``, which executes the statement like any other.
_TIMED = re.compile(r"(?P<indent>[ \t]*)(?P<magic>%time[ \t]+)(?P<statement>[^\s-][^\r\n]*)")
_INDENTED = re.compile(_BLANK + r"[ \t]+[^\s\#]")
_PIECE = re.compile(
    r"""
      (?P<skip> \#[^\r\n]* | '''(?:\\.|[^\\])*?''' | \"""(?:\\.|[^\\])*?\"""
              | '(?:\\(?:\r\n|.)|[^\\'\r\n])*' | "(?:\\(?:\r\n|.)|[^\\"\r\n])*" | \\(?:\r\n|\r|\n) )
    | (?P<open> [(\[{] )
    | (?P<close> [)\]}] )
    | (?P<newline> \r\n | \r | \n )
    | (?P<assigned> (?<![=!<>:]) = [ \t]* (?=[%!]) )
    | (?P<help> \? )
    """,
    re.VERBOSE | re.DOTALL,
)


def is_magic(cell: str) -> bool:
    """Whether a ``%%`` command says what becomes of the cell."""
    return _CELL_MAGIC.match(cell) is not None


def is_prompted(cell: str) -> bool:
    """Whether it was copied from a session with the prompts, which IPython takes off."""
    return _PROMPTED.match(cell) is not None


def is_indented(cell: str) -> bool:
    """Whether the first statement is indented as Python reads it, which IPython takes back for the cell."""
    return _INDENTED.match(cell) is not None or is_prompted(cell)


def as_python(cell: str) -> str:
    """The cell with all that is not Python passed over, in as many rows."""
    if is_prompted(cell):
        cell = _PROMPTS.sub(lambda prompt: " " * len(prompt[0]), cell)
    magic = _CELL_MAGIC.match(cell)
    if magic is None:
        return "".join(_statements(cell))
    if magic["name"] not in PYTHON_BODIES:
        return _rows_of(cell)
    at = magic.start("name") - len("%%")
    body = _end_of_rows(cell, at)
    word = BLOCK if is_indented(cell[body:]) else _STATEMENT
    return cell[:at] + _silent(cell[at:body], word) + "".join(_statements(cell[body:]))


def _statements(cell: str) -> Iterator[str]:
    at = 0
    while at < len(cell):
        command = _COMMAND.match(cell, at)
        if command is None:
            text, at = _statement(cell, at)
            yield text
        elif timed := _timed(cell, at):
            yield timed
            at += len(timed)
        else:
            end = _end_of_rows(cell, at)
            yield command["indent"] + _silent(cell[at:end], _STATEMENT)
            at = end


def _statement(cell: str, start: int) -> tuple[str, int]:
    """A statement of Python, or one with a command in it, and where the next one begins."""
    depth = 0
    for piece in _PIECE.finditer(cell, start):
        match piece.lastgroup:
            case "open":
                depth += 1
            case "close":
                depth -= 1
            case "newline" if depth <= 0:
                return cell[start : piece.end()], piece.end()
            case "assigned" if depth <= 0:
                end = _end_of_rows(cell, piece.end())
                return cell[start : piece.end()] + _silent(cell[piece.end() : end], _VALUE), end
            case "help":
                end = _end_of_rows(cell, piece.end())
                text = cell[start:end]
                return text[: len(text) - len(text.lstrip(" \t"))] + _silent(text, _STATEMENT), end
    return cell[start:], len(cell)


def _timed(cell: str, at: int) -> str:
    """The statement that ``%time`` executes, in its place; empty where there is none."""
    match = _TIMED.match(cell, at)
    if match is None or match["statement"].endswith("\\"):
        return ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(f"{_STATEMENT};{match['statement']}")
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return ""
    return match["indent"] + f"{_STATEMENT};".ljust(len(match["magic"])) + match["statement"]


def _end_of_rows(cell: str, at: int) -> int:
    match = _ROWS.match(cell, at)
    return len(cell) if match is None else match.end()


def _silent(command: str, word: str) -> str:
    return word + _rows_of(command)


def _rows_of(text: str) -> str:
    """As many rows with nothing in them. A carriage return and a newline that had words between them stay two."""
    rows = NEWLINE.findall(text)
    return "".join(
        " " + row if before == "\r" and row == "\n" else row for before, row in zip(["", *rows], rows, strict=False)
    )
