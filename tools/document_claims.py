"""Write docs/claims.md: what the articles tensorlint grew from say, and what a run of it shows.

python tools/document_claims.py            write the page
python tools/document_claims.py --check    fail when it is not what would be written
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from tensorlint.evidence import seen
from tensorlint.verify.program import Program, find_programs

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "claims.md"
_EXPECTED = re.compile(r"# expect: (TBX\d{3}(?:, TBX\d{3})*)")
_INTRODUCTION = """\
<!-- Written by tools/document_claims.py; change the programs in fixtures/claims/ instead. -->

# Claims about conversion, executed

Articles about converting between torch tensors and NumPy arrays make claims. Each one here is a program in
`fixtures/claims/`, in words and code of our own, with what really happens in its header. `tensorlint verify claims`
runs them all. *refuted* means that the article's claim is wrong; what the run shows is confirmed either way.
"""


def page() -> str:
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    programs = sorted(find_programs([ROOT / "fixtures" / "claims"]), key=lambda program: _order(program.path.stem))
    yield _INTRODUCTION
    counts = [sum(program.verdict == verdict for program in programs) for verdict in ("confirmed", "refuted")]
    yield f"{len(programs)} programs: {counts[0]} of a claim that holds, {counts[1]} of one that does not."
    yield ""
    yield "| claim | verdict | what the run shows | tensorlint | executed on |"
    yield "|---|---|---|---|---|"
    for program in programs:
        yield _row(program)


def _row(program: Program) -> str:
    story = " ".join((ast.get_docstring(ast.parse(program.text)) or "").split())
    link = f"[{story.partition(':')[0]}](../fixtures/claims/{program.path.name})"
    codes = sorted({code for match in _EXPECTED.finditer(program.text) for code in match[1].split(", ")})
    cells = (
        f"{link}:{story.partition(':')[2]}",
        f"**{program.verdict}**" if program.verdict == "refuted" else program.verdict,
        "<br>".join(f"`{claim.text}`" for claim in program.claims),
        ", ".join(f"[{code}](rules/{code}.md)" for code in codes) or "silent",
        "<br>".join(_executed(program)) or "not yet",
    )
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


def _executed(program: Program) -> Iterator[str]:
    for each in seen(program.group, program.name):
        if each.bad:
            yield f"torch {each.torch}, {each.device}"
        elif each.refuted:
            yield f"**refuted on torch {each.torch}, {each.device}**"


def _order(stem: str) -> tuple[str, int, str]:
    found = re.match(r"([A-Z])(\d+)", stem)
    return (found[1], int(found[2]), stem) if found else ("", 0, stem)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when the page is stale")
    check = parser.parse_args().check
    wanted = page()
    stale = not PAGE.exists() or PAGE.read_text(encoding="utf-8") != wanted
    if stale and check:
        print("docs/claims.md is stale: run `make docs`")
        return 1
    if stale:
        PAGE.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
