"""Write the tables of docs/quality.md that other pages take from as well, from benchmarks/.

python tools/document_quality.py            write them
python tools/document_quality.py --check    fail when they are not what would be written
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from document_gallery import anchor_of
from pages import DOCS, bugs, readings, table, with_part, write_or_check

PAGE = DOCS / "quality.md"


def page() -> str:
    text = PAGE.read_text(encoding="utf-8")
    rounds = (
        (f"read-{number}", _round(number))
        for number in ("10", "11", "12", "13", "14", "15", "16", "17", "18", "20", "21")
    )
    for name, lines in (("read-1-8", _first_rounds()), *rounds, ("bugs", _bugs())):
        text = with_part(text, name, lines)
    return text


def _first_rounds() -> Iterator[str]:
    rows = [(each.rules, each.read, each.right, each.others) for each in readings() if each.rounds == "1 to 8"]
    return table(("rule", "read", "right", "what the others were, in rounds 5 to 8"), *rows)


def _round(number: str) -> Iterator[str]:
    rows = [
        (each.rules, each.read, each.right, each.others, each.hidden_read, each.hidden_right)
        for each in readings()
        if each.rounds == number
    ]
    return table(("rule", "shown: read", "right", "what the others were", "not shown: read", "right"), *rows)


def _bugs() -> Iterator[str]:
    rows = [
        (each.repository, f"{each.lines} ([{each.code}](gallery.md#{anchor_of(each.program)}))", each.what)
        for each in bugs()
    ]
    return table(("repository, commit", "line", "what happens"), *rows)


if __name__ == "__main__":
    sys.exit(write_or_check({PAGE: page()}, iter(()), __doc__))
