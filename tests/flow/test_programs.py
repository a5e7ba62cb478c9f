"""What the interpreter knows at each point of the programs in ``programs/``."""

from __future__ import annotations

from collections import Counter

import libcst as cst
import pytest

from tensorlint.flow import events
from tensorlint.flow.domain.devices import NO_DATA
from tensorlint.flow.domain.facts import Truth
from tensorlint.flow.domain.tensors import Tensor
from tensorlint.flow.domain.values import UNKNOWN, Unknown
from tensorlint.flow.interpreter import Interpreter
from tensorlint.flow.scene import FileFacts
from tests.flow.programs import HEADER, Program, describe, failures, programs

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


@pytest.mark.parametrize(("defined", "known"), [(False, Truth.YES), (True, Truth.MAYBE)])
def test_what_has_a_numpy_of_its_own_may_bring_itself_to_the_cpu(defined: bool, known: Truth) -> None:
    class Around(Interpreter):
        def is_defined_around(self, name: str) -> bool:
            return defined and name == "numpy"

    told: list[events.Event] = []
    module = cst.parse_module(HEADER + "def f(x):\n    return x.cuda().numpy()\n")
    Around(FileFacts(imports_torch=True), told.append).run(module)
    (export,) = (event for event in told if isinstance(event, events.Export))
    assert isinstance(export.value, Unknown)
    assert export.value.device.truth is known


def told_of(text: str) -> list[events.Event]:
    told: list[events.Event] = []
    Interpreter(FileFacts(imports_torch=True, mentions_device=True), told.append).run(cst.parse_module(HEADER + text))
    return told


@pytest.mark.parametrize(
    ("device", "reason"), [("cuda", "made on the default device, which is set here"), ("meta", NO_DATA)]
)
def test_of_what_is_made_on_the_default_device_it_is_told_why_it_is_not_on_the_cpu(device: str, reason: str) -> None:
    told = told_of(f"torch.set_default_device({device!r})\ntorch.zeros(2).numpy()\n")
    (export,) = (event for event in told if isinstance(event, events.Export))
    assert isinstance(export.value, Tensor)
    assert (export.value.device.truth, export.value.device.reason) == (Truth.YES, reason)


@pytest.mark.parametrize(
    ("spelled", "is_told"), [("x.cpu().item()", True), ("x.item()", False), ("x.cpu('first').item()", False)]
)
def test_something_unseen_is_a_tensor_where_it_is_brought_to_the_cpu(spelled: str, is_told: bool) -> None:
    told = told_of(f"def f(x):\n    return {spelled}\n")
    assert [event.name for event in told if isinstance(event, events.MethodCall)] == ["item"] * is_told
