"""What a first pass learns: a value that outlives it, and does not depend on the order in which files taught it."""

from __future__ import annotations

import importlib
import pickle
import random
import re
from functools import reduce
from pathlib import Path

import libcst as cst
import pytest

from tensorlint.flow import events
from tensorlint.flow.domain.lattice import fingerprint
from tensorlint.flow.domain.tensors import Array, Tensor
from tensorlint.flow.domain.values import Unknown
from tensorlint.flow.interpreter import Interpreter
from tensorlint.flow.learned import Learned
from tensorlint.flow.scene import FileFacts

ROOT = Path(__file__).parents[2]
FIXTURES = sorted(ROOT.joinpath("fixtures").glob("TBX*/*.py"))[::4]
FACTS = FileFacts(imports_torch=True, mentions_device=True)


def learned(path: Path) -> tuple[cst.Module, Learned]:
    module = cst.parse_module(path.read_text(encoding="utf-8"))
    return module, Interpreter(FACTS, lambda event: None).learn(module)


def spoken(module: cst.Module, lessons: Learned | None) -> list[tuple[object, ...]]:
    """The events of a file, of one machine that learned by itself or one that is handed what was learned."""
    told: list[events.Event] = []
    machine = Interpreter(FACTS, told.append)
    if lessons is None:
        machine.run(module)
    else:
        machine.speak(module, lessons)
    return [
        (event.kind, machine.at(event.node), value := getattr(event, "value", None), _told(value)) for event in told
    ]


def _told(value: object) -> object:
    return fingerprint(value) if isinstance(value, (Tensor, Array, Unknown)) else None


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_the_second_pass_needs_nothing_else(path: Path) -> None:
    module, lessons = learned(path)
    again = pickle.loads(pickle.dumps(lessons))
    assert again == lessons
    assert spoken(module, again) == spoken(module, None)


def test_the_order_of_files_does_not_matter() -> None:
    lessons = [learned(path)[1] for path in FIXTURES]
    shuffled = random.Random(1)
    whole = reduce(Learned.joined, lessons)
    for _ in range(10):
        shuffled.shuffle(lessons)
        assert reduce(Learned.joined, lessons) == whole
    assert whole.functions
    assert whole.classes
    assert whole.trained


def test_nothing_learned_changes_nothing() -> None:
    _, lessons = learned(FIXTURES[0])
    assert lessons.joined(Learned()) == lessons == Learned().joined(lessons)


def test_the_tool_that_reads_real_files(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.syspath_prepend(ROOT / "tools")
    check_learned = importlib.import_module("check_learned")
    assert check_learned.main(FIXTURES[0].parent, 3) == 0
    assert re.match(r"3 files, \d+ summaries: 0 differ after pickling\n.*: 0 differ\n", capsys.readouterr().out)
