"""Each fixture program is judged, and what is found is compared with the comments in it."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import defaultdict
from pathlib import Path

import pytest

from tensorlint.codes import default_codes
from tensorlint.findings import Certainty
from tensorlint.fixtures_path import fixtures_root
from tensorlint.rules import all_rules
from tensorlint.runner.judging import judge_source
from tensorlint.screen import is_of_interest, may_matter
from tensorlint.source import Source
from tensorlint.verify.program import read_program

ROOT = fixtures_root()
assert ROOT is not None
PROGRAMS = sorted(ROOT.glob("*/*.py"))
OF_RULES = [path for path in PROGRAMS if path.parent.name.startswith("TBX")]
CODES = re.compile(r"TBX\d{3}(?:\s*,\s*TBX\d{3})*")


def name(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


def marked(text: str, marker: str) -> dict[int, set[str]]:
    """Codes by row, from comments such as ``# expect: TBX101, TBX102``."""
    rows: dict[int, set[str]] = {}
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT and (found := re.search(rf"# {marker}: ({CODES.pattern})", token.string)):
            rows[token.start[0]] = set(re.split(r"\s*,\s*", found[1]))
    return rows


def judged(path: Path) -> dict[int, set[str]]:
    source = Source.read(str(path))
    short = Source(f"{path.parent.name}/{path.name}", source.text)  # where the checkout lies must not matter
    rows: dict[int, set[str]] = defaultdict(set)
    asked = {code for code in all_rules() if path.parent.name.startswith(code) or f"# expect: {code}" in source.text}
    for finding in judge_source(short, default_codes() | asked, Certainty.LIKELY):
        rows[finding.span.row] |= {finding.code, *finding.also}
    return dict(rows)


@pytest.mark.parametrize("path", PROGRAMS, ids=name)
def test_what_is_found_is_what_the_comments_say(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    expected, misses, found = marked(text, "expect"), marked(text, "miss"), judged(path)
    for row, codes in misses.items():
        seen = codes & found.get(row, set())
        assert not seen, f"row {row}: {seen} is found now; turn `# miss:` into `# expect:`"
    assert found == expected


@pytest.mark.parametrize("path", OF_RULES, ids=name)
def test_a_program_states_its_claim_and_tells_its_story(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    program = read_program(path)  # raises for a header that is not in the vocabulary
    assert program.good == path.name.startswith("good_")
    assert not program.verdict
    assert ast.get_docstring(ast.parse(text))
    assert path.name.startswith(("bad_", "good_"))


@pytest.mark.parametrize("path", [path for path in OF_RULES if path.name.startswith("bad_")], ids=name)
def test_a_bad_program_says_where_and_passes_the_screen(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    expected = marked(text, "expect")
    assert expected or marked(text, "miss")
    # Our own comments would let every file through.
    data = re.sub(r"# (?:expect|miss|later|claim): .*", "", text).encode()
    assert is_of_interest(data)
    for code in {code for each in expected.values() for code in each}:
        assert may_matter(data, all_rules()[code].clues), code


@pytest.mark.parametrize("path", [path for path in OF_RULES if path.name.startswith("good_")], ids=name)
def test_a_good_program_expects_nothing(path: Path) -> None:
    assert marked(path.read_text(encoding="utf-8"), "expect") == {}


def test_what_is_to_come_later_is_not_there_yet() -> None:
    later = {
        code
        for path in PROGRAMS
        for each in marked(path.read_text(encoding="utf-8"), "later").values()
        for code in each
    }
    assert not later & all_rules().keys()
