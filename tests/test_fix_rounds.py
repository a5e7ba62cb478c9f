"""Fixes of one file together: the safety net under wrong repairs, rounds, and whose fixes are made."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import libcst as cst
import pytest

from tensorlint import engine
from tensorlint.config import Resolver
from tensorlint.engine import check, fix
from tensorlint.findings import Certainty, Fix
from tensorlint.fix.edits import Layout
from tensorlint.fix.repair import Repair, replace
from tensorlint.fix.safety import UnsafeChangeError, check_unchanged
from tensorlint.flow.events import Export
from tensorlint.policy import FixPolicy, Policy
from tensorlint.rules import all_rules
from tensorlint.rules.base import Draft
from tensorlint.runner import run_text
from tensorlint.source import Source
from tests.fixing import ALL, CAST, TRAIN, TRAINED, WAS_CAST, after, assert_sound, edit, errors, fixed

# The safety net

PROGRAM = "import torch\nx = torch.zeros(3).cuda().numpy() ** 2  # c\ny = torch.Tensor([1, 2])\n"


def inject(monkeypatch: pytest.MonkeyPatch, repair: Callable[[Export], Repair | None], code: str = "TBX101") -> None:
    """Have a rule hand out this repair for every export off the CPU."""

    def on_export(self: object, event: Export) -> Iterator[Draft]:
        yield Draft(event.node, "m", Certainty.CERTAIN, repair=lambda style: repair(event))

    monkeypatch.setattr(all_rules()[code], "on_export", on_export)


def raising(event: Export) -> Repair:
    raise ZeroDivisionError("boo")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1 + 2", "the fix turns a Power beside it into a Add"),
        ("a if b else c", "the fix turns a BinaryOperation beside it into a IfExp"),
        ("(", "the fixed program does not parse (line 3)"),
        ("1\n", "the fixed program does not parse"),
        ("1; y = 3", "the fix adds or removes something beside it"),
        ("1  # ", "the fix turns a BinaryOperation beside it into a Integer"),
        ("lambda: 1", "the fix turns a BinaryOperation beside it into a Lambda"),
        ("np.zeros(3)", "the fix uses `np`, which nothing imports"),
        ("[copy for y in x]", "the fix uses `copy`, which nothing imports"),
        ("1, 2", "the fix turns a BinaryOperation beside it into a Tuple"),
    ],
)
def test_a_wrong_repair_changes_nothing_and_is_told(monkeypatch: pytest.MonkeyPatch, text: str, reason: str) -> None:
    inject(monkeypatch, lambda event: Repair("m", (replace(event.node, text),)))
    result = fixed(PROGRAM)
    assert result.source.text == PROGRAM
    assert result.applied == ()
    assert sorted(finding.code for finding in result.findings) == ["TBX101", "TBX216", "TBX900"]
    (message,) = errors(result.findings)
    assert message.startswith(f"internal error: TBX101: {reason}")
    assert message.endswith("; nothing in this file was changed; please report it")


def test_the_same_repairs_are_fine_where_they_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the test above does not pass because nothing is ever applied."""
    inject(monkeypatch, lambda event: Repair("m", (replace(event.node, "(1 + 2)"),)))
    assert after(PROGRAM).split("\n")[1] == "x = (1 + 2) ** 2  # c"


def test_a_name_that_only_type_checking_imports_is_not_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    inject(monkeypatch, lambda event: Repair("m", (replace(event.node, "np.zeros(3)"),)))
    head = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import numpy as np\n"
    assert errors(fixed(head + PROGRAM).findings)
    assert errors(fixed("import numpy as np\n" + PROGRAM).findings) == []
    assert errors(fixed(head + "else:\n    import numpy as np\n" + PROGRAM).findings) == []


def test_a_changed_neighbour_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """An edit that reaches further than the node it is for."""
    real = Layout.fix_of

    def too_far(*arguments: object) -> Fix:
        made = real(*arguments)  # type: ignore[arg-type]
        return Fix(made.applicability, made.message, (*made.edits, edit(2, 1, 2, 2, "z")))

    monkeypatch.setattr(Layout, "fix_of", too_far)
    result = fixed(PROGRAM, codes=frozenset({"TBX101"}))
    assert result.source.text == PROGRAM
    assert errors(result.findings)[0].startswith("internal error: TBX101: the fix turns 'x' beside it into 'z'")


@pytest.mark.parametrize(
    "old",
    ["x = 1\n", "if a:\n    x = 1\n", "f(a, b)\n", "import os\n", "x = 'a'\n", "def f(x): pass\n", "x = 1; y = 2\n"],
)
def test_what_counts_as_a_change(old: str) -> None:
    changes = [
        "y = 1\n",
        "x = 1\ny = 2\n",
        "if a:\n    x = 1\nelse:\n    x = 1\n",
        "f(b, a)\n",
        "import os, sys\n",
        "x = 'b'\n",
    ]
    changes += ["x = b'a'\n", "def f(x, y): pass\n", "async def f(x): pass\n", "x = 1\n", "f(a, *b)\n", "x = 'a' 'a'\n"]
    for new in changes:
        if new != old:
            with pytest.raises(UnsafeChangeError):
                check_unchanged(cst.parse_module(old), cst.parse_module(new), ())
    check_unchanged(cst.parse_module(old), cst.parse_module(old.replace(" = ", "=").replace("\n", "  # c\n")), ())


@pytest.mark.parametrize("asked", [check, fix])
def test_a_repair_that_raises_costs_no_finding(monkeypatch: pytest.MonkeyPatch, asked: object) -> None:
    inject(monkeypatch, raising)
    source = Source("program.py", PROGRAM)
    found = check(source, Policy(ALL)) if asked is check else fix(source, Policy(ALL)).findings
    codes = sorted(finding.code for finding in found)
    assert codes == (["TBX101", "TBX216", "TBX900"] if asked is check else ["TBX101", "TBX900"])
    assert "TBX101: its fix cannot be built: ZeroDivisionError: boo" in errors(found)[0]


def test_a_repair_of_a_node_of_nowhere_costs_no_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    inject(monkeypatch, lambda event: Repair("m", (replace(cst.Name("x"), "y"),)))
    found = check(Source("program.py", PROGRAM), Policy(ALL))
    assert sorted(finding.code for finding in found) == ["TBX101", "TBX216", "TBX900"]
    assert "TBX101: its fix cannot be built: KeyError" in errors(found)[0]


def test_no_repair_is_built_where_nobody_wants_fixes(monkeypatch: pytest.MonkeyPatch) -> None:
    inject(monkeypatch, raising)
    source = Source("program.py", PROGRAM)
    for policy in (Policy(ALL, fixes=None), Policy(ALL, fixes=FixPolicy(codes=ALL - {"TBX101"}))):
        assert sorted(finding.code for finding in check(source, policy)) == ["TBX101", "TBX216"]


def test_only_the_wrong_one_of_several_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    inject(monkeypatch, lambda event: Repair("m", (replace(event.node, "("),)))
    result = fixed(PROGRAM)
    assert errors(result.findings)[0].startswith("internal error: TBX101: the fixed")


def test_a_repair_that_never_settles(monkeypatch: pytest.MonkeyPatch) -> None:
    inject(monkeypatch, lambda event: Repair("m", (replace(event.receiver, "torch.zeros(3).cuda().float()"),)))
    result = fixed(PROGRAM)
    assert (result.source.text, result.applied) == (PROGRAM, ())
    assert errors(result.findings)[0].startswith("internal error: TBX101: its fix does not settle")


def test_a_rule_that_fails_on_the_fixed_program_leaves_the_old_one(monkeypatch: pytest.MonkeyPatch) -> None:
    real = all_rules()["TBX101"].on_export  # type: ignore[attr-defined]

    def on_export(self: object, event: Export) -> Iterator[Draft]:
        yield from real(self, event)
        if ".cpu()" in cst.Module(()).code_for_node(event.node):
            raise ZeroDivisionError("boo")

    monkeypatch.setattr(all_rules()["TBX101"], "on_export", on_export)
    from tensorlint.runner import Fixing

    report = run_text("program.py", PROGRAM.encode(), Resolver(isolated=True), Fixing())
    assert (report.changes, report.exit_code) == ({}, 2)
    assert "ZeroDivisionError: boo" in report.findings[0].message


# Convergence


def test_nested_conversions_are_all_fixed() -> None:
    program = "import torch\nx = " + "torch.Tensor(" * 8 + "[2]" + ").cuda().numpy()" * 8 + "\n"
    result = assert_sound(program)
    assert [finding.code for finding in result.applied].count("TBX101") == 8
    assert {finding.code for finding in result.findings} == {"TBX407"}
    assert result.source.text.count(".cpu().numpy()") == 8


def test_a_conflict_waits_for_the_next_round(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = []
    real = engine._apply
    monkeypatch.setattr(engine, "_apply", lambda *arguments: rounds.append(1) or real(*arguments))
    program = "from torch import Tensor\n" + TRAIN + CAST  # both imports go to the same place
    result = fixed(program)
    assert len(rounds) == 2
    assert result.source.text == "import copy\n\nimport torch\nfrom torch import Tensor\n" + TRAINED + WAS_CAST
    assert (len(result.applied), result.findings) == (2, ())


def test_two_findings_of_one_cause_are_fixed_at_once() -> None:
    program = "import numpy as np\nimport torch\nclass Rows:\n    a = np.ones(3)\n    def f(self):\n"
    program += "        t = torch.from_numpy(self.a)\n        t += 1\n        t *= 2\n        return t\n"
    result = assert_sound(program)
    assert [finding.code for finding in result.applied] == ["TBX303", "TBX303"]
    assert result.source.text == program.replace("from_numpy(self.a)", "from_numpy(self.a).clone()")


@pytest.mark.parametrize(
    ("policy", "done"),
    [
        (FixPolicy(), ["TBX101", "TBX216"]),
        (FixPolicy(codes=frozenset({"TBX216"})), ["TBX216"]),
        (FixPolicy(codes=frozenset()), []),
        (FixPolicy(unsafe=frozenset({"TBX216"})), ["TBX101"]),
    ],
)
def test_what_is_fixed_by_whom(policy: FixPolicy, done: list[str]) -> None:
    result = fix(Source("program.py", PROGRAM), Policy(ALL, fixes=policy))
    assert [finding.code for finding in result.applied] == done
    assert len(result.findings) == 2 - len(done)


def test_an_unsafe_fix_can_be_trusted() -> None:
    policy = Policy(ALL, fixes=FixPolicy(safe=frozenset({"TBX302"})))
    assert (
        fix(Source("program.py", "import torch\n" + TRAIN), policy).source.text
        == "import copy\n\nimport torch\n" + TRAINED
    )
