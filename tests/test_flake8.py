"""The plugin inside a real flake8."""

from __future__ import annotations

import ast
import contextlib
from pathlib import Path

import pytest

from tensorlint.flake8_plugin import Plugin
from tests.conftest import Program

BUG = "import torch\nx = torch.zeros(3).cuda().numpy()\n"
LIKELY = "import torch\n\n\ndef f(model, x, device):\n    return model(x.to(device)).detach().numpy()\n"


def rows(text: str) -> list[str]:
    """Place and code of each line."""
    return [" ".join(line.split(" ")[:2]).removeprefix("./") for line in text.splitlines()]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "bug.py").write_text(BUG)
    return tmp_path


@pytest.mark.usefixtures("project")
def test_the_plugin_is_registered(flake8: Program) -> None:
    assert "tensorlint: " in flake8("--version").out


@pytest.mark.parametrize("arguments", [["--select", "TBX"], ["--select", "TBX101"], ["--select", "TBX1,E"], []])
@pytest.mark.usefixtures("project")
def test_found_at_the_column_of_our_own_program(flake8: Program, tensorlint: Program, arguments: list[str]) -> None:
    outcome = flake8(*arguments, "bug.py")
    assert (outcome.code, rows(outcome.out)) == (1, ["bug.py:2:5: TBX101"])
    assert tensorlint("bug.py").out.startswith("bug.py:2:5: TBX101")


@pytest.mark.parametrize("arguments", [["--select", "E"], ["--ignore", "TBX"], ["--extend-ignore", "TBX101"]])
@pytest.mark.usefixtures("project")
def test_flake8_deselects(flake8: Program, arguments: list[str]) -> None:
    assert flake8(*arguments, "bug.py").out == ""


@pytest.mark.parametrize(
    ("comment", "found", "with_noqa_off"),
    [
        ("# noqa: TBX101", [], ["bug.py:2:5: TBX101"]),
        ("# noqa", [], ["bug.py:2:5: TBX101"]),
        ("# tensorlint: ignore[TBX101]", [], []),
        ("# noqa: TBX2", ["bug.py:2:5: TBX101"], ["bug.py:2:5: TBX101"]),
    ],
)
def test_comments(flake8: Program, project: Path, comment: str, found: list[str], with_noqa_off: list[str]) -> None:
    (project / "bug.py").write_text(BUG.rstrip("\n") + f"  {comment}\n")
    assert rows(flake8("--select", "TBX", "bug.py").out) == found
    assert rows(flake8("--select", "TBX", "--disable-noqa", "bug.py").out) == with_noqa_off


SHAPES = """\
import torch
c = torch.ones(3, requires_grad=True).cuda()
c.numpy()
y = f(
    c.numpy(),
    c
    .numpy(),
)
z = c.numpy() + \\
    c.numpy() + \\
    1
s = f(c.numpy(), '''
''', c.numpy(),
)
t = f'''
{c.numpy()}
''', c.numpy()
if (c.numpy() is
        None): c.numpy(); c.numpy()
for each in f(  # why
    c.numpy()
): pass
"""


def test_comments_are_where_flake8_has_them(flake8: Program, tensorlint: Program, tmp_path: Path) -> None:
    """With a comment on any one line, and with those that are added, both find the same."""
    lines = SHAPES.splitlines()
    for row in range(len(lines)):
        changed = [line + "  # noqa: TBX" if row == number else line for number, line in enumerate(lines)]
        with contextlib.suppress(SyntaxError):
            if ast.dump(ast.parse("\n".join(changed))) != ast.dump(ast.parse(SHAPES)):
                continue  # within a string, where flake8 looks, too, and we do not
            (tmp_path / f"at_{row + 1:02}.py").write_text("\n".join(changed) + "\n")
    (tmp_path / "no.py").write_text(SHAPES)
    (tmp_path / "pyproject.toml").write_text('[tool.tensorlint]\nignore = ["TBX9"]\n')
    files = sorted(path.name for path in tmp_path.glob("*.py"))
    theirs = rows(flake8("--select", "TBX", *files).out)
    assert len(theirs) > len(files)
    assert {row.split()[0] for row in rows(tensorlint("--output-format", "concise", "-q", *files).out)} == {
        row.split()[0] for row in theirs
    }
    assert tensorlint("--add-noqa", *files).code == 0
    assert flake8("--select", "TBX", *files).out == tensorlint("-q", *files).out == ""


def test_certainty_from_the_command_line_from_flake8_and_from_pyproject(flake8: Program, project: Path) -> None:
    (project / "bug.py").write_text(LIKELY)

    def found(*arguments: str) -> list[str]:
        return rows(flake8("--select", "TBX", *arguments, "bug.py").out)

    assert found() == []
    assert found("--tensorlint-certainty", "certain") == []
    (project / "pyproject.toml").write_text('[tool.tensorlint]\ncertainty = "likely"\n')
    assert found() == ["bug.py:5:12: TBX101"]
    (project / "pyproject.toml").write_text('[tool.tensorlint]\ncertainty = "certain"\n')
    assert found() == []
    assert found("--tensorlint-certainty", "likely") == ["bug.py:5:12: TBX101"]
    (project / "setup.cfg").write_text("[flake8]\ntensorlint-certainty = likely\n")
    assert found() == ["bug.py:5:12: TBX101"]


def test_codes_from_pyproject(flake8: Program, project: Path) -> None:
    (project / "pyproject.toml").write_text('[tool.tensorlint]\nignore = ["TBX101"]\n')
    assert flake8("--select", "TBX", "bug.py").out == ""


def test_the_release_that_a_project_pins(flake8: Program, project: Path) -> None:
    (project / "bug.py").write_text("import numpy as np\nimport torch\ntorch.ones(3).cuda().numpy().astype(np.int)\n")
    assert flake8("--select", "TBX", "bug.py").out == ""
    (project / "requirements.txt").write_text("numpy<1.24\n")
    assert rows(flake8("--select", "TBX", "bug.py").out) == ["bug.py:3:1: TBX101"]


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["--select", "TBX"], []),
        (["--select", "TBX2"], []),
        (["--select", "TBX216"], ["style.py:2:5: TBX216"]),
        (["--select", "TBX216,TBX999"], ["style.py:2:5: TBX216"]),
        (["--extend-select", "TBX216"], ["style.py:2:5: TBX216"]),
        (["--select", "TBX216", "--ignore", "TBX216"], []),
    ],
)
def test_a_rule_that_is_off_by_default_is_selected_by_its_code(
    flake8: Program, project: Path, arguments: list[str], found: list[str]
) -> None:
    (project / "style.py").write_text("import torch\nx = torch.Tensor([1.0])\n")
    assert rows(flake8(*arguments, "style.py").out) == found


def test_a_mistake_in_pyproject_is_a_row_and_other_plugins_go_on(flake8: Program, project: Path) -> None:
    (project / "pyproject.toml").write_text("[tool.tensorlint]\nselct = []\n")
    (project / "other.py").write_text("import os\n")
    outcome = flake8(".")
    assert rows(outcome.out) == ["bug.py:1:1: TBX900", "other.py:1:1: F401"]
    assert "unknown key `selct` (did you mean `select`?)" in outcome.out


def test_an_error_inside_hides_nothing(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import ast

    from tensorlint.runner import judging

    def fail(*arguments: object) -> None:
        raise ZeroDivisionError("boo")

    monkeypatch.setattr(judging, "judge_source", fail)
    found = list(Plugin(ast.parse(BUG), str(project / "bug.py"), BUG.splitlines(keepends=True)).run())
    assert [(row, column, kind) for row, column, _, kind in found] == [(1, 0, Plugin)]
    assert found[0][2].startswith("TBX900 internal error: ZeroDivisionError: boo (test_flake8.py:")


def test_a_syntax_error_is_flake8s_own(flake8: Program, project: Path) -> None:
    (project / "bug.py").write_text("x.numpy(\n")
    assert {row.split()[1] for row in rows(flake8("bug.py").out)} <= {"E999", "E902", "E901"}


def test_standard_input_and_other_encodings(flake8: Program, project: Path) -> None:
    assert rows(flake8("--select", "TBX", "-", stdin=BUG).out) == ["stdin:2:5: TBX101"]
    (project / "latin.py").write_bytes("# coding: latin-1\né = 'é'\n".encode("latin-1") + BUG.encode())
    (project / "bom.py").write_bytes(b"\xef\xbb\xbf" + BUG.encode())
    found = rows(flake8("--select", "TBX", "latin.py", "bom.py").out)
    assert found == ["bom.py:2:5: TBX101", "latin.py:4:5: TBX101"]


def test_many_files_in_processes(flake8: Program, project: Path) -> None:
    for number in range(20):
        (project / f"f{number:02}.py").write_text(BUG)
    found = rows(flake8("--select", "TBX", "-j", "2", "--tensorlint-certainty", "certain", ".").out)
    assert found == sorted(["bug.py:2:5: TBX101", *(f"f{number:02}.py:2:5: TBX101" for number in range(20))])


def test_a_file_without_tokens_costs_a_search(monkeypatch: pytest.MonkeyPatch) -> None:
    import ast

    monkeypatch.setattr(Plugin, "_findings", lambda self, text: pytest.fail("should not be looked at"))
    assert list(Plugin(ast.parse("x = 1\n"), "x.py", ["x = 1\n"]).run()) == []
