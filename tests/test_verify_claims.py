"""The vocabulary of claims, headers of programs, and how two runs are compared."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tensorlint.verify.claims import VOCABULARY, ClaimError, Warns, parse_claim
from tensorlint.verify.judge import differences, unstable_names
from tensorlint.verify.observed import Raised, Run, State
from tensorlint.verify.program import ProgramError, Requirement, find_programs, read_program, release
from tests.verifying import ROOT, write

# ---------------------------------------------------------------------------------------------------- claims, programs

CLAIMS = (
    'raises TypeError "can\'t convert"',
    'warns UserWarning "not writable"',
    "shares-memory a b[0]",
    'copies x net.state["w"]',
    "value-changes a.sum() between one and two",
    "dtype x.y is torch.float32",
    "value tuple(x.shape) is (1, 2)",
    "grad net.weight is None",
    "gradient differs from good_reference.py",
    "exit-signal SIGSEGV",
    "slower-than good_batched.py by 2.5",
    "alias on cpu, copy on accelerator: a b",
)


@pytest.mark.parametrize("text", CLAIMS)
def test_claims_are_parsed(text: str) -> None:
    assert parse_claim(text).text == text


def test_each_claim_of_the_vocabulary_is_tried_and_documented() -> None:
    documented = (ROOT / "README.md").read_text(encoding="utf-8")
    assert {type(parse_claim(text)) for text in CLAIMS} == set(VOCABULARY)
    for text in CLAIMS:
        word = text.partition(" ")[0]
        assert re.search(rf"`(\S+` / `)?{word} ", documented), f"fixtures/README.md does not explain `{word}`"


@pytest.mark.parametrize(
    "text", ["raises TypeError", "raises", "crashes", "exit-signal SIGKILL", "slower-than x by 2", "dtype x float", ""]
)
def test_what_is_no_claim_is_an_error(text: str) -> None:
    with pytest.raises(ClaimError):
        parse_claim(text)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("", "no `# claim:` line"),
        ("# claim: explodes", "not a claim: `explodes`"),
        ("# claim: none\n# device: gpu", "not a device: `gpu`"),
        ("# claim: none\n# colour: red", "not a header: `colour`"),
        ("# claim: none\n# verdict: perhaps", "not a verdict: `perhaps`"),
        ("# claim: none\n# requires: torch=2", "not a requirement: `torch=2`"),
    ],
)
def test_a_header_that_cannot_be_meant_is_an_error(tmp_path: Path, header: str, message: str) -> None:
    path = write(tmp_path, f'{header}\n"""Story."""\n')
    with pytest.raises(ProgramError, match=re.escape(f"{path}: ")) as error:
        read_program(path)
    assert message in str(error.value)


def test_every_shipped_header_parses() -> None:
    programs = find_programs([ROOT])
    assert {program.path for program in programs} == set(ROOT.glob("*/*.py"))


def test_requirements() -> None:
    packages = {"torch": "2.2.2+cu121", "numpy": "1.26.4"}
    assert Requirement("torch", ">=", "2.2").missing_from(packages) == ""
    assert Requirement("torch", "<", "2.2").missing_from(packages) == "needs torch<2.2, this is 2.2.2+cu121"
    assert Requirement("numpy", ">=", "2").missing_from(packages) == "needs numpy>=2, this is 1.26.4"
    assert Requirement("pandas").missing_from(packages) == "needs pandas, which is not installed"
    assert release("2.13.0+cpu") == (2, 13) > release("2.2") > release("1.13.1")


# ------------------------------------------------------------------------------------------------------------- equality


def ended(*, stdout: str = "", **values: str) -> Run:
    return Run(complete=True, stdout=stdout, state=State(values))


def test_two_equal_runs_do_not_differ() -> None:
    assert differences(ended(a="1", stdout="x"), ended(a="1", b="new", stdout="x")) == []


def test_what_a_safe_fix_may_not_change() -> None:
    assert differences(ended(a="1"), ended(a="2")) == ["`a` is 2 instead of 1 at the end"]
    assert differences(ended(a="1"), ended()) == ["`a` is None instead of 1 at the end"]
    assert differences(ended(stdout="x"), ended(stdout="y")) == ["prints 'y' instead of 'x'"]
    shared = Run(complete=True, state=State({}, frozenset({("a", "b")})))
    assert differences(shared, ended()) == ["`a`, `b` no longer share memory at the end"]
    assert differences(ended(), shared) == ["`a`, `b` now share memory at the end"]


def test_warnings_are_equal_but_for_the_claimed_one() -> None:
    claim = parse_claim('warns UserWarning "not writable"')
    assert isinstance(claim, Warns)
    loud = replace(ended(), warnings=(("UserWarning", "it is not writable"), ("DeprecationWarning", "old")))
    quiet = replace(ended(), warnings=(("DeprecationWarning", "old"),))
    assert differences(loud, quiet, [claim]) == []
    assert len(differences(loud, quiet)) == 1
    assert len(differences(loud, ended(), [claim])) == 1


def test_of_a_program_that_raised_what_came_before_is_compared() -> None:
    raised = Raised(("TypeError", "Exception"), "no", 3)
    before = Run(complete=True, raised=raised, before=State({"a": "1"}), state=State({"a": "7"}), stdout="one\n")
    after = Run(complete=True, before=State({"a": "1"}), state=State({"a": "9"}), stdout="one\ntwo\n")
    assert differences(before, after) == []
    assert differences(before, replace(after, stdout="two\n")) != []
    assert differences(before, replace(after, before=State({"a": "2"}))) != []
    assert differences(before, replace(after, before=None)) == ["the state before the failing line was not reached"]


def test_what_differs_between_two_runs_of_one_program_is_not_compared() -> None:
    assert unstable_names(ended(a="1", b="2"), ended(a="1", b="3")) == {"b"}
    assert differences(ended(a="1", b="2"), ended(a="1", b="9"), unstable={"b"}) == []
