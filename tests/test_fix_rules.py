"""The fix of each rule, applied to the rule's own fixtures."""

from __future__ import annotations

from pathlib import Path

import pytest

from tensorlint.findings import Applicability, Certainty
from tensorlint.fixtures_path import fixtures_root
from tensorlint.rules import all_rules
from tests.fixing import assert_sound, codes_in, errors, fixed

ROOT = fixtures_root()
assert ROOT is not None
PROGRAMS = sorted(ROOT.glob("*/*.py"))
#: Those that are found; the others are known misses.
BAD = [path for path in PROGRAMS if "# expect: TBX" in path.read_text(encoding="utf-8")]


def name(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", BAD, ids=name)
def test_fixing_a_bad_program(path: Path) -> None:
    result = assert_sound(text_of(path), path=name(path) + ".py")
    assert result.before, "a bad program has findings"
    fixable = [finding for finding in result.before if finding.fix is not None]
    assert bool(result.applied) == bool(fixable)
    assert len(result.before) - len(result.findings) == len(result.applied)
    assert codes_in(result.before) == codes_in(result.findings) + codes_in(result.applied)
    assert all(finding.fix is None for finding in result.findings)


@pytest.mark.parametrize("path", PROGRAMS, ids=name)
def test_fixing_what_is_merely_possible(path: Path) -> None:
    assert_sound(text_of(path), Certainty.POSSIBLE, path=name(path) + ".py")


@pytest.mark.parametrize("path", BAD, ids=name)
def test_safe_fixes_leave_what_needs_unsafe_ones(path: Path) -> None:
    result = fixed(text_of(path), Applicability.SAFE, path=name(path) + ".py")
    assert errors(result.findings) == []
    assert all(finding.fix is not None and finding.fix.is_safe for finding in result.applied)
    assert not any(finding.fix is not None and finding.fix.is_safe for finding in result.findings)
    assert bool(result.applied) == any(each.fix is not None and each.fix.is_safe for each in result.before)


@pytest.mark.parametrize("code", sorted(all_rules()))
def test_every_rule_with_a_fix_applies_it_somewhere(code: str) -> None:
    rule = all_rules()[code]
    applied = {
        finding.fix.applicability
        for path in BAD
        if path.parent.name.startswith(code)
        for finding in fixed(text_of(path), path=name(path) + ".py").applied
        if code in (finding.code, *finding.also) and finding.fix is not None
    }
    assert bool(applied) == (rule.fix is not None)
    assert rule.fix is None or rule.fix in applied


@pytest.mark.parametrize(
    "path", [path for path in BAD if path.parent.name[:6] in {"TBX101", "TBX102", "TBX105"}], ids=name
)
def test_the_other_style_is_sound_too(path: Path) -> None:
    result = assert_sound(text_of(path), style="force", path=name(path) + ".py")
    if any(finding.code in {"TBX101", "TBX102"} for finding in result.applied):
        assert "force=True" in result.source.text
