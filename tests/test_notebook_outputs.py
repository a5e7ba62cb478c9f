"""What the outputs and tags of cells say: some are known to raise, others to have raised nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tensorlint.findings import Certainty, Location, Span
from tests.conftest import Program
from tests.notebooks import CELLS, FOUND, cell, fixed, lint, notebook, places

# -------------------------------------------------------------------------------------- cells that are known to raise

RAISED = {"output_type": "error", "ename": "TypeError", "evalue": "can't convert cuda:0", "traceback": []}


def with_cell(number: int, **members: object) -> str:
    """The notebook of ``CELLS``, with these members in one of its cells."""
    content = json.loads(notebook(*CELLS))
    content["cells"][number - 1] |= members
    return json.dumps(content)


@pytest.mark.parametrize(
    "members",
    [
        {"outputs": [RAISED]},
        {"outputs": [{"output_type": "stream", "name": "stdout", "text": []}, {**RAISED, "output_type": "pyerr"}]},
        {"metadata": {"tags": ["raises-exception"]}},
        {"metadata": {"tags": ["demo", "raises-exception"]}, "outputs": [{**RAISED, "ename": "NameError"}]},
    ],
)
def test_an_error_that_its_own_cell_shows_or_is_tagged_with_is_known(members: dict[str, object]) -> None:
    assert places(lint(with_cell(5, **members))) == []
    assert places(lint(with_cell(4, **members))) == [FOUND]


@pytest.mark.parametrize(
    "members",
    [
        {"outputs": [{**RAISED, "ename": "KeyboardInterrupt"}]},
        {"outputs": [{**RAISED, "ename": 1}, "text"]},
        {"outputs": {"ename": "TypeError"}},
        {"metadata": {"tags": ["hide-input"]}},
        {"metadata": {"tags": "raises-exception"}},
    ],
)
def test_another_error_says_nothing(members: dict[str, object]) -> None:
    assert places(lint(with_cell(5, **members))) == [FOUND]


@pytest.mark.parametrize(
    ("members", "certainty"),
    [
        ({"execution_count": 7, "outputs": []}, "likely"),
        ({"prompt_number": 7}, "likely"),
        ({"outputs": [{"output_type": "stream", "name": "stdout", "text": ["1"]}]}, "likely"),
        ({"execution_count": None, "outputs": []}, "certain"),
        ({"execution_count": 7, "outputs": [{**RAISED, "ename": "KeyboardInterrupt"}]}, "certain"),
    ],
)
def test_that_a_cell_raises_which_ran_to_its_end_is_not_certain(members: dict[str, object], certainty: str) -> None:
    (finding,) = lint(with_cell(5, **members), Certainty.LIKELY).findings
    assert (finding.code, finding.certainty and finding.certainty.label) == ("TBX101", certainty)


def test_a_cell_that_ran_where_there_was_no_accelerator_says_nothing() -> None:
    device = "device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')"
    content = json.loads(notebook(f"import torch\n{device}\nx = torch.zeros(3).to(device)", "x.numpy()"))
    content["cells"][1]["execution_count"] = 2
    assert places(lint(json.dumps(content))) == [("TBX101", 2, 1, 1)]


@pytest.mark.parametrize("name", ["NameError", "ModuleNotFoundError", "AttributeError"])
def test_a_notebook_that_stopped_for_want_of_something_is_certain_of_nothing(name: str) -> None:
    text = with_cell(4, outputs=[{**RAISED, "ename": name}])
    assert places(lint(text)) == []
    report = lint(text, Certainty.LIKELY)
    (finding,) = report.findings
    assert finding.certainty is Certainty.LIKELY
    (step,) = [each for each in finding.trace if name in each.message]
    assert report.location(finding.path, step.span) == Location(4, Span(1, 1, 1, 1))


STUB = "def step(x):\n    # YOUR CODE HERE\n    raise NotImplementedError()\n\n\nstep(1)"


@pytest.mark.parametrize(
    ("stub", "row"),
    [
        (STUB, 3),
        (STUB.replace("YOUR CODE HERE", "Your code for SGD here\n\n    # (two lines)"), 5),
        ("for x in ():\n    # ваш код\n    raise NotImplementedError", 3),
        (STUB.replace("# YOUR CODE HERE\n    ", ""), None),
        (STUB.replace("raise NotImplementedError()", "return x"), None),
        (STUB.replace("raise", "pass\n    raise"), None),
    ],
)
def test_a_notebook_with_an_exercise_in_it_is_certain_of_nothing(stub: str, row: int | None) -> None:
    report = lint(notebook(*CELLS, stub), Certainty.LIKELY)
    (finding,) = report.findings
    assert finding.certainty is (Certainty.CERTAIN if row is None else Certainty.LIKELY)
    told = [
        report.location(finding.path, each.span).span.row for each in finding.trace if "to be written" in each.message
    ]
    assert told == ([] if row is None else [row])


def test_only_the_cell_is_known_to_raise() -> None:
    again = json.loads(with_cell(5, outputs=[RAISED]))
    again["cells"] += [cell("z = torch.ones(3).cuda()"), cell("\n\nz.numpy()")]
    assert places(lint(json.dumps(again))) == [("TBX101", 7, 3, 1)]


def test_a_cell_of_a_percent_script_may_be_tagged(tensorlint: Program, tmp_path: Path) -> None:
    cells = (
        '# %%\nimport torch\nx = torch.zeros(3).cuda()\n# %% tags=["raises-exception"]\nx.numpy()\n# %%\nx.numpy()\n'
    )
    (tmp_path / "a.py").write_text(cells)
    shown = tensorlint("--output-format", "concise", "-q").out
    assert [line.split()[0] for line in shown.splitlines()] == ["a.py:7:1:"]


def test_a_fix_elsewhere_leaves_what_a_cell_raised() -> None:
    known = json.loads(with_cell(5, outputs=[RAISED]))
    known["cells"].append(cell("x.numpy()"))
    changed = json.loads(fixed(json.dumps(known)))["cells"]
    assert changed[:-1] == known["cells"][:-1]
    assert changed[-1]["source"] == ["x.cpu().numpy()"]
