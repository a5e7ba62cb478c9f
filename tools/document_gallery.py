"""Write docs/gallery.md: real bugs by kind, a program of our own with the same mistake, and what tensorlint prints.

The programs lie in docs/gallery/, with the header of a fixture, so that `tensorlint verify docs/gallery` executes them.

python tools/document_gallery.py            write the page
python tools/document_gallery.py --check    fail when it is not what would be written
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from functools import lru_cache

from pages import DOCS, Bug, bugs, first_printed, write_or_check

from tensorlint.verify.program import Program, read_program

PAGE = DOCS / "gallery.md"
PROGRAMS = DOCS / "gallery"
_INTRODUCTION = """\
<!-- Written by tools/document_gallery.py; change docs/gallery/ or benchmarks/bugs_found.tsv instead. -->

# Gallery of real bugs

Bugs that tensorlint found in public repositories, by kind. [Quality](quality.md#bugs-found) says how they were found
and read, and counts what was found beside them. Each program here was written for this page and has the same mistake;
what stands in its first lines was seen to happen by `tensorlint verify docs/gallery`. Whether the repositories have
mended the lines since was not looked up."""


def page() -> str:
    return "\n".join(_lines()) + "\n"


def anchor_of(name: str) -> str:
    """Where on the page the kind of mistake of a program begins."""
    return slug(_story(name)[0])


def slug(title: str) -> str:
    """The anchor that GitHub, and the site, give to a title of letters and spaces."""
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def _lines() -> Iterator[str]:
    yield _INTRODUCTION
    kinds: dict[str, list[Bug]] = {}
    for bug in bugs():
        kinds.setdefault(bug.program, []).append(bug)
    unused = {path.stem for path in PROGRAMS.glob("*.py")} - kinds.keys()
    if unused:
        raise ValueError(f"no bug in {', '.join(sorted(unused))}")
    for name, found in kinds.items():
        yield from _kind(read_program(PROGRAMS / f"{name}.py"), found)


def _kind(program: Program, found: list[Bug]) -> Iterator[str]:
    title, story = _story(program.path.stem)
    codes = sorted({bug.code for bug in found})
    yield ""
    yield f"## {title}"
    yield ""
    yield f"{', '.join(f'[{code}](rules/{code}.md)' for code in codes)}. {story}"
    yield ""
    yield "```python"
    yield program.text.rstrip("\n")
    yield "```"
    yield ""
    yield from first_printed([program.path], codes[0])[1].block()
    yield ""
    yield "Found in:"
    yield ""
    for bug in found:
        yield f"- {bug.repository}, {bug.lines}: {bug.what}"


@lru_cache
def _story(name: str) -> tuple[str, str]:
    """The title of a kind, and what there is to say of it: the docstring of its program."""
    documentation = ast.get_docstring(ast.parse((PROGRAMS / f"{name}.py").read_text(encoding="utf-8"))) or ""
    title, _, story = documentation.partition("\n\n")
    return title, story


if __name__ == "__main__":
    sys.exit(write_or_check({PAGE: page()}, iter(()), __doc__))
