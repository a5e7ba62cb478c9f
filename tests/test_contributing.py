"""CONTRIBUTING.md, followed to the letter: its fixture, its rule and its program work as they stand there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tensorlint import rules
from tensorlint.findings import Certainty
from tensorlint.rules.base import Rule
from tensorlint.runner.judging import judge_source
from tensorlint.source import Source
from tests.flow.programs import Program, failures
from tests.test_fixtures import marked

TEXT = (Path(__file__).parent.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
#: Blocks in the order of the text; the rule stands in one with four ticks, as its docstring has blocks of its own.
BLOCKS = [found[2] for found in re.finditer(r"^(`{3,})python\n(.*?)^\1$", TEXT, re.MULTILINE | re.DOTALL)]


def block(start: str) -> str:
    (found,) = [text for text in BLOCKS if start in text]
    return found


def the_rule() -> type[Rule]:
    names: dict[str, object] = {}
    exec(compile(block("class FromNumpyOfList(Rule)"), "CONTRIBUTING.md", "exec"), names)  # noqa: S102
    rule = names["FromNumpyOfList"]
    assert isinstance(rule, type)
    assert issubclass(rule, Rule)
    return rule


def test_the_rule_finds_what_the_fixture_expects(monkeypatch: pytest.MonkeyPatch) -> None:
    fixture, rule = block("# claim: raises TypeError"), the_rule()
    known = {**rules.all_rules(), rule.code: rule}
    monkeypatch.setattr(rules, "all_rules", lambda: known)
    found = judge_source(Source("bad.py", fixture), frozenset({rule.code}), Certainty.LIKELY)
    assert {finding.span.row: {finding.code} for finding in found} == marked(fixture, "expect")


def test_the_program_says_what_is_known() -> None:
    assert not failures(Program("", "", block("reveal(")))
