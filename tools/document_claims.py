"""Write docs/claims.md and docs/claims/: what the articles tensorlint grew from say, and what a run of it shows.

python tools/document_claims.py            write the pages
python tools/document_claims.py --check    fail when they are not what would be written
"""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from pages import DOCS, ROOT, first_printed, table, write_or_check

from tensorlint.codes import default_codes
from tensorlint.evidence import seen
from tensorlint.verify.program import Program, find_programs

PAGES = DOCS / "claims"
_EXPECTED = re.compile(r"# expect: (TBX\d{3}(?:, TBX\d{3})*)")
MARK = "<!-- Written by tools/document_claims.py; change the programs in fixtures/claims/ instead. -->"
_INTRODUCTION = f"""\
{MARK}

# Claims about conversion, executed

Articles about converting between torch tensors and NumPy arrays make claims. Each one here is a program in
`fixtures/claims/`, in words and code of our own, with what really happens in its header. `tensorlint verify claims`
runs them all. *refuted* means that the article's claim is wrong; what the run shows is confirmed either way.
The page of each has the program, what the run shows and on which releases it was seen, and what tensorlint prints.
"""


def pages() -> dict[Path, str]:
    programs = sorted(find_programs([ROOT / "fixtures" / "claims"]), key=lambda program: _order(program.path.stem))
    written = {DOCS / "claims.md": "\n".join(_overview(programs)) + "\n"}
    for idiom, group in groupby(programs, key=_idiom):
        written[PAGES / f"{idiom}.md"] = "\n".join(_page(list(group))) + "\n"
    return written


def _overview(programs: list[Program]) -> Iterator[str]:
    yield _INTRODUCTION
    counts = Counter(_verdict(program).strip("*") for program in programs)
    yield f"{len(programs)} programs: {', '.join(f'{count} {verdict}' for verdict, count in counts.most_common())}."
    yield ""
    yield from table(("claim", "verdict", "tensorlint"), *map(_row, programs))


def _row(program: Program) -> tuple[str, str, str]:
    label, story = _story(program)
    found = ", ".join(f"[{code}](rules/{code}.md)" for code in _codes(program)) or "silent"
    return f"[{label}](claims/{_idiom(program)}.md): {story}", _verdict(program), found


def _page(programs: list[Program]) -> Iterator[str]:
    yield MARK
    yield ""
    yield f"# {_idiom(programs[0])}: {_title(programs[0])}"
    for number, program in enumerate(programs):
        if number:
            yield ""
            yield f"## {_title(program)}"
        yield from _about(program)


def _about(program: Program) -> Iterator[str]:
    name = program.path.relative_to(ROOT).as_posix()
    _, story = _story(program)
    yield ""
    word = re.match(r"\w*", story)
    # A name of the program begins a sentence as it is.
    named = word is not None and re.search(rf"\b{word[0]}[.(]", program.text) is not None
    yield f"{story if named else story[0].upper() + story[1:]} The claim is {_verdict(program)}."
    yield ""
    yield f"[`{name}`](../../{name}):"
    yield ""
    yield "```python"
    yield program.text.rstrip("\n")
    yield "```"
    yield ""
    yield "What a run shows:"
    yield ""
    for claim in program.claims:
        yield f"- `{claim.text}`"
    yield ""
    executed = list(_executed(program))
    yield f"Executed on {'; '.join(executed)}." if executed else "Not executed yet, as it needs a real GPU."
    yield ""
    codes = _codes(program)
    if not codes:
        yield "tensorlint is silent about it: nothing here goes wrong that it would have to report."
        return
    yield f"tensorlint reports {' and '.join(f'[{code}](../rules/{code}.md)' for code in codes)}:"
    yield ""
    selected = [code for code in codes if code not in default_codes()]
    _, shown = first_printed([program.path], codes[0], *(["--select", ",".join(selected)] if selected else []))
    yield from shown.block()


def _idiom(program: Program) -> str:
    return program.path.stem.partition("_")[0]


def _story(program: Program) -> tuple[str, str]:
    """What a program is called (``A6, the half that holds``), and what it tells."""
    documentation = " ".join((ast.get_docstring(ast.parse(program.text)) or "").split())
    label, _, story = documentation.partition(": ")
    return label, story


def _title(program: Program) -> str:
    """The first sentence, or clause, of what it tells."""
    _, story = _story(program)
    return re.split(r"\.(?= |$)|;|: ", story)[0].rstrip(".")


def _codes(program: Program) -> list[str]:
    return sorted({code for match in _EXPECTED.finditer(program.text) for code in match[1].split(", ")})


def _verdict(program: Program) -> str:
    """What was seen; a claim that nobody ran yet is neither."""
    if not any(_executed(program)):
        return "not run yet"
    return f"**{program.verdict}**" if program.verdict == "refuted" else program.verdict


def _executed(program: Program) -> Iterator[str]:
    for each in seen(program.group, program.name):
        if each.bad:
            yield f"torch {each.torch}, {each.device}"
        elif each.refuted:
            yield f"**refuted on torch {each.torch}, {each.device}**"


def _order(stem: str) -> tuple[str, int, str]:
    found = re.match(r"([A-Z])(\d+)", stem)
    return (found[1], int(found[2]), stem) if found else ("", 0, stem)


if __name__ == "__main__":
    sys.exit(write_or_check(pages(), PAGES.glob("*.md"), __doc__))
