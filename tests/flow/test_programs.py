"""What the interpreter knows at each point of the programs in ``programs/``."""

from __future__ import annotations

from collections import Counter

import pytest

from tensorlint.flow.domain.values import UNKNOWN
from tests.flow.programs import Program, describe, failures, programs

PROGRAMS = list(programs())


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_program(program: Program) -> None:
    found = failures(program)
    if program.is_limit:
        assert found, "it is known now: take `(not yet)` from the heading"
    else:
        assert not found, "\n".join(["", *found])


def test_each_program_has_a_name_of_its_own_and_asks_something() -> None:
    (_, most), *_ = Counter(program.name for program in PROGRAMS).most_common(1)
    assert most == 1
    assert not [program.name for program in PROGRAMS if "reveal(" not in program.text and "#!" not in program.text]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("reveal(torch.zeros(2))  # array", "is tensor, not array"),
        ("reveal(torch.zeros(2))  # device: yes", "device: no, not yes"),
        ("reveal(torch.zeros(2))  # colour: red", "colour: None, not red"),
        ("reveal(torch.zeros(2))", "says nothing of what it expects"),
        ("if False:\n    pass\nelse:\n    raise\nreveal(1)  # int", "is never reached"),
        ("x = np.zeros(2)\nreveal(x)  # storage: a\nreveal(x.copy())  # storage: a", "storage: a is not other memory"),
        ("x = np.zeros(2)\nreveal(x)  # storage: a\nreveal(x)  # storage: b", "storage: b is not a"),
        ("x = np.zeros(2)\nx += 1  #! nothing", "causes write"),
    ],
)
def test_what_is_wrong_is_said(line: str, complaint: str) -> None:
    assert [complaint in failure for failure in failures(Program("", "", line + "\n"))] == [True]


def test_what_is_not_known_is_described() -> None:
    assert describe(UNKNOWN)["kind"] == "unknown"
