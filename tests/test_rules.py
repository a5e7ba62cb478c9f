"""One walk over all rules: codes, names, documentation, fixtures."""

from __future__ import annotations

import ast
import inspect
import re
from importlib import import_module
from pkgutil import iter_modules

import pytest

from tensorlint import rules
from tensorlint.catalogue import catalogue
from tensorlint.codes import TOOL_CODES
from tensorlint.findings import Applicability
from tensorlint.fixtures_path import fixtures_root
from tensorlint.rules import all_rules
from tensorlint.rules.base import Rule

RULES = list(all_rules().values())
FIRST_RELEASE = {
    *("TBX101", "TBX102", "TBX103", "TBX104", "TBX105", "TBX113"),
    *("TBX201", "TBX202", "TBX203", "TBX204", "TBX208", "TBX210"),
    *("TBX301", "TBX302", "TBX303", "TBX304", "TBX305"),
}

each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)


def test_the_rules_of_the_first_release_are_there() -> None:
    assert set(all_rules()) >= FIRST_RELEASE


def test_codes_and_names_are_unique() -> None:
    names = [rule.name for rule in RULES] + list(TOOL_CODES.values())
    assert len(set(names)) == len(names)
    assert not set(all_rules()) & set(TOOL_CODES)


def test_one_code_in_two_modules_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = RULES[:2]
    monkeypatch.setattr(second, "code", first.code)
    all_rules.cache_clear()
    try:
        with pytest.raises(ValueError, match=f"{first.code} is claimed by"):
            all_rules()
    finally:
        monkeypatch.undo()
        all_rules.cache_clear()


def test_one_module_has_at_most_one_rule() -> None:
    for module_info in iter_modules(rules.__path__):
        module = import_module(f"{rules.__name__}.{module_info.name}")
        own = [each for each in vars(module).values() if isinstance(each, type) and each.__module__ == module.__name__]
        assert sum(issubclass(each, Rule) and "code" in vars(each) for each in own) <= 1, module_info.name


def test_a_method_for_no_event_is_an_error() -> None:
    with pytest.raises(TypeError, match="Misspelt: there is no event for on_exprot"):
        type("Misspelt", (Rule,), {"on_exprot": lambda self, event: ()})


@each_rule
def test_code_and_name_are_well_formed(rule: type[Rule]) -> None:
    assert re.fullmatch(r"TBX[1-5]\d\d", rule.code)
    assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)+", rule.name)
    assert re.fullmatch(r"\d+\.\d+\.\d+", rule.since)
    assert rule.fix is None or isinstance(rule.fix, Applicability)
    assert list(rule.subscriptions())


@each_rule
def test_documentation(rule: type[Rule]) -> None:
    text = inspect.cleandoc(rule.__doc__ or "")
    first = text.split("\n", 1)[0]
    assert 10 < len(first) <= 120
    assert first.endswith(".")
    for section in ("What it does", "Why is this bad", "Example"):
        assert f"## {section}" in text, section
    snippets = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert snippets
    for snippet in snippets:
        ast.parse(snippet)


@each_rule
def test_fixtures(rule: type[Rule]) -> None:
    root = fixtures_root()
    assert root is not None
    folders = [path for path in root.iterdir() if path.name.startswith(rule.code)]
    assert len(folders) == 1
    assert re.fullmatch(rf"{rule.code}_[a-z0-9_]+", folders[0].name)
    entry = catalogue()[rule.code]
    assert len(entry.bad) >= 6
    assert len(entry.good) >= 8
    assert any(f"# expect: {rule.code}" in path.read_text(encoding="utf-8") for path in entry.bad)


def test_every_code_is_in_the_catalogue_and_documented() -> None:
    entries = catalogue()
    assert list(entries) == sorted([*all_rules(), *TOOL_CODES])
    assert all(entry.documentation for entry in entries.values())
