"""A cheap look at how large a program is, and how deep it nests, before a recursive parser does.

A syntax tree takes some 700 times the memory of the text, and more where the text is numbers: 2 MB of them take 3.6 GB.
Time and memory of the parser grow with the square of the depth, and on a chain of some thousand operators it takes
gigabytes. CPython itself refuses more than 200 open brackets; no program in use comes near either limit.
"""

from __future__ import annotations

import math
import re

from tensorlint.source import UNREADABLE, Source, SourceError

#: No program that people write comes near it; what is larger was generated.
MAX_SIZE = 2_000_000
MAX_BRACKETS = 200
MAX_CHAIN = 1000

#: Strings and comments first, so that what is in them does not count; then what opens, closes, ends or extends a
#: chain.
_TOKEN = re.compile(
    r"""
      (?P<skip> \#[^\r\n]* | '''(?:\\.|[^\\])*?'''
              | \"""(?:\\.|[^\\])*?\""" | '(?:\\.|[^\\'\r\n])*' | "(?:\\.|[^\\"\r\n])*")
    | (?P<open> [(\[{] )
    | (?P<close> [)\]}] )
    | (?P<stop> [,;] )
    | (?P<newline> \\?(?:\r\n|\r|\n) )
    | (?P<link> [-+*/%@&|^~<>.:] | \b(?:not|and|or|if|else|await|lambda|in|is)\b )
    """,
    re.VERBOSE | re.DOTALL,
)


#: Where a statement begins that no bracket can be open at: most files consist of short pieces between two of these.
_STATEMENT = re.compile(r"\n[ \t]*(?=(?:def|class|return|raise|import|with|assert|try|while|pass)\b)")
_LINK = re.compile(r"[-+*/%@&|^~<>.:]|\b(?:not|and|or|if|else|await|lambda|in|is)\b")


def _is_shallow(text: str) -> bool:
    """Whether no piece between two statements has as much of anything as would be too much."""
    return all(
        len(piece) < 2 * MAX_BRACKETS
        or (
            piece.count("(") + piece.count("[") + piece.count("{") <= MAX_BRACKETS
            and (len(piece) < 2 * MAX_CHAIN or len(_LINK.findall(piece)) <= MAX_CHAIN)
        )
        for piece in _STATEMENT.split(text)
    )


def check_size(source: Source) -> None:
    """Raise ``SourceError`` where the program is larger than a parser should be asked to read."""
    size = len(source.program)
    if size > MAX_SIZE:
        told = f"{math.ceil(size / 100_000) / 10:.1f} MB, at most {MAX_SIZE / 1_000_000:.0f} MB"
        raise SourceError(UNREADABLE, f"the file is too large to judge: {told}")


def check_nesting(source: Source) -> None:
    """Raise ``SourceError`` where brackets or an expression go deeper than a parser should be asked to."""
    text = source.program
    if _is_shallow(text):
        return
    open_at: list[int] = []  # length of the chain that each open bracket interrupts
    chain = 0
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind == "link":
            chain += 1
        elif kind == "open":
            open_at.append(chain)
            chain = 0
        elif kind == "close":
            chain = open_at.pop() + 1 if open_at else 0
        elif kind == "stop" or (kind == "newline" and not open_at and match.group()[0] != "\\"):
            chain = 0
        if chain > MAX_CHAIN or len(open_at) > MAX_BRACKETS:
            what = (
                f"more than {MAX_BRACKETS} open brackets"
                if chain <= MAX_CHAIN
                else f"over {MAX_CHAIN} operators in a row"
            )
            before = text[: match.start()]
            row = before.count("\n") + 1
            column = match.start() - (before.rfind("\n") + 1) + 1
            raise SourceError(UNREADABLE, f"the file is nested too deeply to be analysed: {what}", row, column)
