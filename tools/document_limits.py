"""Write what docs/limits.md lists of the fixtures: every line that is wrong and not found, from its ``# miss:``.

python tools/document_limits.py            write it
python tools/document_limits.py --check    fail when it is not what would be written
"""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pages import DOCS, ROOT, table, with_part, write_or_check

PAGE = DOCS / "limits.md"
_MISS = re.compile(r"(?P<line>.*?)\s*# miss: (?P<codes>TBX\d{3}(?:, TBX\d{3})*)")


@dataclass(frozen=True, slots=True)
class Miss:
    """A line of a fixture that is wrong and that no rule sees; ``story`` is what its program says of itself."""

    code: str
    program: Path
    line: str
    story: str


def misses() -> list[Miss]:
    """Every one, by code and program."""
    found = [miss for path in (ROOT / "fixtures").rglob("*.py") for miss in _misses_in(path)]
    return sorted(found, key=lambda miss: (miss.code, miss.program))


def _misses_in(path: Path) -> Iterator[Miss]:
    text = path.read_text(encoding="utf-8")
    marked = [match for row in text.splitlines() if (match := _MISS.fullmatch(row))]
    story = " ".join((ast.get_docstring(ast.parse(text)) or "").split()) if marked else ""
    for match in marked:
        for code in match["codes"].split(", "):
            yield Miss(code, path, match["line"].strip(), story)


def page() -> str:
    return with_part(PAGE.read_text(encoding="utf-8"), "misses", _lines(misses()))


def _lines(found: list[Miss]) -> Iterator[str]:
    programs = {miss.program for miss in found}
    yield f"{len(found)} lines in {len(programs)} programs:"
    yield ""
    rows = [
        (miss.code, f"[{miss.program.stem}]({_link(miss.program)})", f"`{miss.line}`", miss.story) for miss in found
    ]
    yield from table(("rule", "program", "the line that is not found", "its story"), *rows)


def _link(program: Path) -> str:
    return os.path.relpath(program, PAGE.parent).replace(os.sep, "/")


if __name__ == "__main__":
    sys.exit(write_or_check({PAGE: page()}, iter(()), __doc__))
