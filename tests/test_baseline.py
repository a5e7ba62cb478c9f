"""Findings that a project knows of."""

from __future__ import annotations

import json
import random
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands import Command, commander
from tests.conftest import Outcome, Program, execute

ROOT = Path(__file__).parent.parent

BUG = "import torch\nx = torch.zeros(3).cuda()\nprint(x.numpy())\n"
OTHER = "import torch\n\n\ndef size(n):\n    y = torch.zeros(n).cuda()\n    return y.numpy()\n"


@pytest.fixture
def known(tmp_path: Path, tensorlint: Program) -> Path:
    """A project whose two findings are in its baseline."""
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "bug.py").write_text(BUG)
    (tmp_path / "src" / "other.py").write_text(OTHER)
    outcome = tensorlint("src", "--write-baseline", "known.json")
    assert outcome == Outcome(0, "", "Wrote 2 findings to known.json.\n")
    return tmp_path


def new(tensorlint: Program, *arguments: str, cwd: Path) -> list[str]:
    outcome = tensorlint("--baseline", "known.json", "--output-format", "json", *arguments, cwd=cwd)
    return [f"{Path(each['filename']).name}:{each['location']['row']}" for each in json.loads(outcome.out)]


def test_what_is_known_is_not_shown(known: Path, tensorlint: Program) -> None:
    outcome = tensorlint("src", "--baseline", "known.json")
    assert outcome == Outcome(0, "All clear: 2 files checked.\n", "2 findings in the baseline.\n")


def test_what_is_new_is_shown(known: Path, tensorlint: Program) -> None:
    (known / "src" / "bug.py").write_text(BUG + "print(x.numpy(), 1)\n")
    assert new(tensorlint, "src", cwd=known) == ["bug.py:4"]


def test_the_same_line_once_more_is_new(known: Path, tensorlint: Program) -> None:
    (known / "src" / "bug.py").write_text(BUG + "print(x.numpy())\n")
    assert new(tensorlint, "src", cwd=known) == ["bug.py:4"]


def test_what_is_gone_is_said_of_files_that_were_judged(known: Path, tensorlint: Program) -> None:
    (known / "src" / "bug.py").write_text("x = 1\n")
    gone = "1 finding in the baseline; 1 finding of it gone: write it anew.\n"
    assert tensorlint("src", "--baseline", "known.json").err == gone
    assert tensorlint("src/other.py", "--baseline", "known.json").err == "1 finding in the baseline.\n"


def test_the_directory_it_is_run_in_does_not_matter(known: Path, tensorlint: Program) -> None:
    outcome = tensorlint(".", "--baseline", "../known.json", cwd=known / "src")
    assert (outcome.code, outcome.err) == (0, "2 findings in the baseline.\n")


def test_the_file_can_be_reviewed(known: Path) -> None:
    assert (known / "known.json").read_text() == (
        '{\n  "version": 1,\n  "findings": [\n'
        '    {"path": "src/bug.py", "code": "TBX101", "line": "print(x.numpy())"},\n'
        '    {"path": "src/other.py", "code": "TBX101", "line": "return y.numpy()"}\n'
        "  ]\n}\n"
    )


def test_no_findings_are_a_baseline_as_well(tmp_path: Path, tensorlint: Program) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    assert tensorlint("a.py", "--write-baseline", "known.json").code == 0
    assert tensorlint("a.py", "--baseline", "known.json").code == 0


def test_what_cannot_be_judged_is_never_known(tmp_path: Path, tensorlint: Program) -> None:
    (tmp_path / "a.py").write_text("def f(:\n")
    outcome = tensorlint("a.py", "--write-baseline", "known.json")
    assert outcome.code == 2
    assert "TBX901" in outcome.err
    assert tensorlint("a.py", "--baseline", "known.json").code == 2


def test_a_finding_is_known_by_each_of_its_rules(tmp_path: Path, tensorlint: Program) -> None:
    (tmp_path / "a.py").write_text(
        "import torch\nw = torch.ones(3, requires_grad=True).cuda()\nprint((w * 2).numpy())\n"
    )
    assert tensorlint("a.py", "--select", "TBX102", "--write-baseline", "known.json").code == 0
    assert "TBX102" in (tmp_path / "known.json").read_text()
    assert tensorlint("a.py", "--baseline", "known.json").code == 0


def moved(text: str, draw: random.Random) -> str:
    """The program with comments, empty lines and blocks put around its lines at the top."""
    lines: list[str] = []
    for line in text.splitlines():
        if not line.startswith(" ") and draw.random() < 0.5:
            lines += draw.choice([["# a comment"], ["", ""], ['"""a string"""'], ["if True:", "    pass"]])
        lines.append(line)
    return "\n".join(lines) + "\n"


def scattered(root: Path, draw: random.Random) -> Iterator[Path]:
    for path in sorted(root.glob("**/*.py")):
        path.write_text(moved(path.read_text(), draw))
        if draw.random() < 0.5:
            folder = root / f"part{draw.randrange(3)}"
            folder.mkdir(exist_ok=True)
            path = path.rename(folder / f"{path.stem}_{draw.randrange(100)}.py")
        yield path


@pytest.mark.parametrize("seed", range(5))
def test_lines_that_move_and_files_that_are_renamed_report_nothing_new(
    known: Path, tensorlint: Program, seed: int
) -> None:
    draw = random.Random(seed)
    for _ in range(3):
        assert list(scattered(known / "src", draw))
    assert new(tensorlint, "src", cwd=known) == []


def test_the_examples_moved_about(tmp_path: Path) -> None:
    tool = [sys.executable, str(ROOT / "tools" / "move_lines.py"), str(ROOT / "examples"), "--moves", "60"]
    outcome = execute(tool, ROOT)
    said = re.fullmatch(r"(\d+) line moves, (\d+) renames: 0 new of (\d+) known", outcome.out.splitlines()[-1])
    assert said is not None, outcome
    lines, renames, known = map(int, said.groups())
    assert (outcome.code, lines + renames) == (0, 60)
    assert min(lines, renames, known) > 5


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, "cannot be read: No such file or directory"),
        ("", "it is no baseline"),
        ("[]", "it is no baseline"),
        ('{"version": 1, "findings": [{"path": 3, "code": "TBX101", "line": ""}]}', "it is no baseline"),
        ('{"version": 1, "findings": [{"file": "a.py"}]}', "it is no baseline"),
        ('{"version": 9, "findings": []}', "it is of version 9, which this tensorlint does not know"),
    ],
)
def test_a_bad_baseline_is_an_error(tmp_path: Path, tensorlint: Program, text: str | None, why: str) -> None:
    (tmp_path / "a.py").write_text(BUG)
    if text is not None:
        (tmp_path / "known.json").write_text(text)
    outcome = tensorlint("a.py", "--baseline", "known.json")
    assert (outcome.code, outcome.out) == (2, "")
    assert "known.json" in outcome.err
    assert why in outcome.err


# The command


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    return commander(tmp_path, capsys, monkeypatch)


def test_create_update_and_show(tmp_path: Path, command: Command) -> None:
    (tmp_path / "src").mkdir()
    bug, other = tmp_path / "src" / "bug.py", tmp_path / "src" / "other.py"
    bug.write_text(BUG)
    other.write_text(OTHER)
    written = "Wrote 2 findings to tensorlint-baseline.json.\n"
    assert command("baseline", "create", "src") == Outcome(0, "", written)
    again = command("baseline", "create", "src")
    assert (again.code, "is there already" in again.err) == (2, True)
    assert command("baseline", "create", "--force", "src").err == written
    nothing = "0 new, 0 gone, 2 still there; the baseline has 2 findings.\n"
    assert command("baseline", "show", "src") == Outcome(0, "", nothing)
    bug.write_text(BUG.replace("print(x.numpy())", "print(x.numpy(), 1)"))
    shown = command("baseline", "show", "src")
    assert shown.out == (
        "New:\nsrc/bug.py:3:7: TBX101 [*] `x` is off the CPU: `.numpy()` raises TypeError [certain]\n"
        "\nGone:\nsrc/bug.py: TBX101 print(x.numpy())\n"
    )
    assert (shown.code, shown.err) == (1, "1 new, 1 gone, 1 still there; the baseline has 2 findings.\n")
    # What is not checked stays as it is.
    updated = command("baseline", "update", "src/bug.py")
    assert updated == Outcome(0, "", "Wrote 2 findings to tensorlint-baseline.json: 1 added, 1 taken out.\n")
    assert command("baseline", "show", "src").err == nothing
    other.unlink()
    gone = command("baseline", "show", "src/bug.py")
    assert (gone.code, gone.out) == (0, "Gone:\nsrc/other.py: TBX101 return y.numpy()\n")
    assert command("baseline", "update", "src/bug.py").err.endswith(": 0 added, 1 taken out.\n")
    assert command("check", "src", "--baseline", "tensorlint-baseline.json").code == 0


def test_the_command_takes_what_check_takes(tmp_path: Path, command: Command) -> None:
    (tmp_path / "a.py").write_text(BUG)
    (tmp_path / "tensorlint.toml").write_text('ignore = ["TBX1"]\n')
    assert command("baseline", "create", "-f", "none.json", "-q") == Outcome(0, "", "")
    assert json.loads((tmp_path / "none.json").read_text())["findings"] == []
    assert command("baseline", "create", "--isolated", "-f", "one.json").err == "Wrote 1 finding to one.json.\n"
    for arguments, why in (
        (["show"], "tensorlint-baseline.json cannot be read: No such file or directory"),
        (["update", "-f", "none.json", "gone"], "no such file or directory: gone"),
        (["show", "-f", "none.json", "--select", "TBX999"], "--select: unknown code `TBX999`"),
    ):
        outcome = command("baseline", *arguments)
        assert (outcome.code, outcome.out) == (2, "")
        assert why in outcome.err


@pytest.mark.parametrize("other", ["--fix", "--diff", "--add-noqa", "--write-baseline=x.json"])
def test_what_does_not_go_together_is_an_error(known: Path, tensorlint: Program, other: str) -> None:
    assert tensorlint("src", "--baseline", "known.json", other).code == 2
