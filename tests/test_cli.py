"""The installed program, as a user drives it."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tensorlint import __version__
from tensorlint.codes import TOOL_CODES
from tensorlint.rules import all_rules
from tests.conftest import SCRIPTS, Outcome, Program, execute

BUG = "import torch\nx = torch.zeros(3).cuda().numpy()\n"
CAST = "import torch\ny = torch.Tensor([1, 20000001])\n"
UNSURE = "import torch\n\ndef f(x: torch.Tensor):\n    return x.numpy()\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "bug.py").write_text(BUG)
    (tmp_path / "src" / "cast.py").write_text(CAST)
    (tmp_path / "src" / "fine.py").write_text("x = 1\n")
    return tmp_path


def codes(outcome: Outcome) -> list[str]:
    return [finding["code"] for finding in json.loads(outcome.out)]


def lines(outcome: Outcome) -> list[str]:
    """File, row and code of each line of concise output."""
    return [" ".join((line.split(":")[0], line.split(":")[1], line.split()[1])) for line in outcome.out.splitlines()]


# Faces


def test_version(tensorlint: Program) -> None:
    assert tensorlint("--version") == Outcome(0, f"tensorlint {__version__}\n", "")


def test_as_a_module(project: Path) -> None:
    outcome = execute([sys.executable, "-m", "tensorlint", "-q", "--output-format", "concise", "src"], project)
    assert (outcome.code, lines(outcome)) == (1, ["src/bug.py 2 TBX101", "src/cast.py 2 TBX201"])


@pytest.mark.usefixtures("project")
def test_check_may_be_left_out(tensorlint: Program) -> None:
    outcomes = [tensorlint("check", "src"), tensorlint("src"), tensorlint("check"), tensorlint()]
    assert {(outcome.code, outcome.out) for outcome in outcomes} == {(1, outcomes[0].out)}
    summary = "\nFound 2 findings in 2 files (2 certain). Checked 3 files.\n"
    summary += "1 fixable with `--fix`, 1 more with `--fix --unsafe-fixes`.\n"
    assert outcomes[0].out == tensorlint("-q", "src").out + summary


@pytest.mark.usefixtures("project")
def test_the_default_output_shows_the_line(tensorlint: Program) -> None:
    outcome = tensorlint("src/bug.py")
    assert outcome.out.startswith("src/bug.py:2:5: TBX101 ")
    assert "2 | x = torch.zeros(3).cuda().numpy()\n  |     ^^^^" in outcome.out
    assert "  = help: " in outcome.out


@pytest.mark.usefixtures("project")
def test_clean(tensorlint: Program) -> None:
    assert tensorlint("src/fine.py") == Outcome(0, "All clear: 1 file checked.\n", "")
    assert tensorlint("-q", "src/fine.py") == Outcome(0, "", "")
    assert tensorlint("--output-format", "json", "src/fine.py") == Outcome(0, "[]\n", "")


def test_an_empty_directory(tensorlint: Program) -> None:
    assert tensorlint() == Outcome(0, "No Python files found.\n", "")


def test_json_has_an_absolute_file_name(tensorlint: Program, project: Path) -> None:
    finding = json.loads(tensorlint("--output-format", "json", "src/bug.py").out)[0]
    assert finding["filename"] == str(project / "src" / "bug.py")
    assert set(finding) >= {
        "code",
        "message",
        "location",
        "end_location",
        "cell",
        "certainty",
        "fix",
        "noqa_row",
        "url",
    }


@pytest.mark.usefixtures("project")
def test_exit_zero(tensorlint: Program, project: Path) -> None:
    assert tensorlint("--exit-zero").code == 0
    (project / "src" / "broken.py").write_text("x.numpy(\n")
    assert tensorlint("--exit-zero").code == 2


# What is selected


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["--select", "TBX1"], ["TBX101"]),
        (["--select", "TBX101,TBX201"], ["TBX101", "TBX201"]),
        (["--select", "TBX101", "--select", "TBX201"], ["TBX101", "TBX201"]),
        (["--select=TBX101", "--extend-select=TBX2"], ["TBX101", "TBX201"]),
        (["--ignore", "TBX1"], ["TBX201"]),
        (["--ignore", "TBX2", "--select", "TBX201"], ["TBX201"]),
        (["--per-file-ignores", "src/bug.py:TBX1"], ["TBX201"]),
        (["--per-file-ignores", "src/*:TBX101,TBX2"], []),
        (["--exclude", "bug.py"], ["TBX201"]),
        (["--extend-exclude", "src/c*.py,other"], ["TBX101"]),
    ],
)
@pytest.mark.usefixtures("project")
def test_choices(tensorlint: Program, arguments: list[str], found: list[str]) -> None:
    outcome = tensorlint("check", "--output-format", "json", *arguments)
    assert (codes(outcome), outcome.code) == (found, int(bool(found)))


def test_certainty(tensorlint: Program) -> None:
    def found(level: str) -> list[str]:
        return codes(
            tensorlint("-", "--output-format", "json", "--certainty", level, stdin=UNSURE + "x.cuda().numpy()\n")
        )

    assert len(found("possible")) > len(found("certain"))
    assert set(found("likely")) <= set(found("possible"))


def test_configuration(tensorlint: Program, project: Path) -> None:
    config = project / "src" / "pyproject.toml"
    config.write_text('[tool.tensorlint]\nignore = ["TBX2"]\n')
    elsewhere = project / "elsewhere.toml"
    elsewhere.write_text('[tool.tensorlint]\nselect = ["TBX2"]\n')

    def found(*arguments: str) -> list[str]:
        return codes(tensorlint("src", "--output-format", "json", *arguments))

    assert found() == ["TBX101"]
    assert found("--isolated") == ["TBX101", "TBX201"]
    assert found("--config", "elsewhere.toml") == ["TBX201"]
    assert found("--select", "TBX2", "--no-cache") == ["TBX201"]


def test_comments(tensorlint: Program) -> None:
    program = BUG.replace("\n", "  # noqa: TBX101\n") + CAST.replace("\n", "  # tensorlint: ignore[TBX101]\n")
    outcome = tensorlint("-", "--output-format", "json", stdin=program)
    assert [code for code in codes(outcome) if code != "TBX903"] == ["TBX201"]
    assert codes(tensorlint("-", "--output-format", "json", stdin="# tensorlint: ignore-file\n" + program)) == []


# Mistakes


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--selct", "TBX1"], "--select"),
        (["--select", "TBX1O1"], "--select: unknown code `TBX1O1` (did you mean `TBX101`?)"),
        (["--ignore", "F401"], "--ignore: unknown code `F401`"),
        (["--per-file-ignores", "TBX101"], "`TBX101` is not of the form PATTERN:CODE[,CODE...]"),
        (["--certainty", "sure"], "'certain', 'likely', 'possible'"),
        (["--output-format", "xml"], "'full', 'concise', 'grouped', 'json'"),
        (["--jobs", "0"], "0 is not in the range x>=1"),
        (["--config", "none.toml"], "none.toml: cannot be read: No such file or directory"),
        (["--config", "x", "--isolated"], "exclude each other"),
        (["-", "src"], "`-` cannot be combined with other paths"),
        (["chekc"], "no such file or directory: chekc (did you mean `tensorlint check`?)"),
        (["check", "rule"], "no such file or directory: rule (did you mean `tensorlint rule`?)"),
        (["rule"], "give either the code of a rule or --all"),
        (["rule", "TBX101", "--all"], "give either the code of a rule or --all"),
        (["rule", "TBX1O1"], "unknown rule `TBX1O1` (did you mean `TBX101`?)"),
    ],
)
@pytest.mark.usefixtures("project")
def test_a_mistake_is_told_with_what_was_meant(tensorlint: Program, arguments: list[str], message: str) -> None:
    outcome = tensorlint(*arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err


def test_a_mistake_in_the_configuration(tensorlint: Program, project: Path) -> None:
    (project / "pyproject.toml").write_text("[tool.tensorlint]\nselct = []\n")
    outcome = tensorlint()
    path = project / "pyproject.toml"
    assert outcome == Outcome(
        2, "", f"Error: {path}: [tool.tensorlint]: unknown key `selct` (did you mean `select`?)\n"
    )


# Standard input


def test_standard_input(tensorlint: Program, project: Path) -> None:
    outcome = tensorlint("-", "--output-format", "concise", "-q", stdin=BUG)
    assert (outcome.code, lines(outcome)) == (1, ["<stdin> 2 TBX101"])
    named = tensorlint("-", "--stdin-filename", "src/new.py", "--output-format", "concise", "-q", stdin=BUG)
    assert lines(named) == ["src/new.py 2 TBX101"]
    (project / "src" / "pyproject.toml").write_text('[tool.tensorlint]\nignore = ["TBX1"]\n')
    assert tensorlint("-", "--stdin-filename", "src/new.py", stdin=BUG).code == 0
    assert tensorlint("-", stdin=BUG.replace("torch", "тorch").encode("cp1251")).code == 2
    assert tensorlint("-", stdin="def f(:\n").code == 2
    assert tensorlint("-").code == 0


@pytest.mark.parametrize("way", [["--force-exclude"], []])
def test_excluded_means_excluded(tensorlint: Program, project: Path, way: list[str]) -> None:
    force = "" if way else "force-exclude = true\n"
    (project / "pyproject.toml").write_text(f'[tool.tensorlint]\nextend-exclude = ["bug.py"]\n{force}')
    assert lines(tensorlint("src/bug.py", "src/cast.py", "-q", "--output-format", "concise", *way)) == [
        "src/cast.py 2 TBX201"
    ]
    assert tensorlint("src/bug.py", *way) == Outcome(0, "No Python files found.\n", "")
    assert tensorlint("-", "--stdin-filename", "src/bug.py", "-q", *way, stdin=BUG) == Outcome(0, "", "")
    assert tensorlint("-", "--stdin-filename", "src/bug.py", "--fix", "-q", *way, stdin=BUG) == Outcome(0, BUG, "")
    assert tensorlint("-", "--stdin-filename", "src/new.py", *way, stdin=BUG).code == 1
    assert tensorlint("src/bug.py", "--no-force-exclude").code == 1
    assert tensorlint("src", *way, "--exclude", "src").out == "No Python files found.\n"
    (project / "build").mkdir()
    (project / "build" / "bug.py").write_text(BUG)
    assert tensorlint("build/bug.py", "--isolated", "--force-exclude").code == 0
    assert tensorlint("build/bug.py", "--isolated").code == 1


# Output


def test_templates_are_passed_over(tensorlint: Program, project: Path) -> None:
    (project / "src" / "cookie.py").write_text("from {{cookiecutter.package}} import x\n")
    (project / "src" / "jinja.py").write_text("import os\n{% if torch %}\nimport torch\n{% endif %}\n")
    (project / "{{name}}").mkdir()
    (project / "{{name}}" / "x.py").write_text("class !:\n")
    outcome = tensorlint("--output-format", "concise", "-q")
    assert (outcome.code, lines(outcome)) == (1, ["src/bug.py 2 TBX101", "src/cast.py 2 TBX201"])
    assert "Checked 3 files. Skipped 3 templates.\n" in tensorlint().out
    assert tensorlint("{{name}}") == Outcome(0, "No Python files found. Skipped 1 template.\n", "")
    named = tensorlint("src/cookie.py", "src/fine.py", "--output-format", "concise", "-q")
    assert (named.code, lines(named)) == (2, ["src/cookie.py 1 TBX901"])
    assert tensorlint("src/cookie.py", "src/fine.py").out.endswith("1 path could not be checked. Checked 1 file.\n")
    (project / "src" / "broken.py").write_text("x = '{{a}}', (\n")
    assert tensorlint("src").code == 2


def test_concise_output_marks_what_can_be_fixed(tensorlint: Program, project: Path) -> None:
    assert ": TBX101 [*] " in tensorlint("src/bug.py", "--output-format", "concise").out
    (project / "unsafe.py").write_text("import numpy as np\nx = np.array({}.values())\n")
    assert ": TBX208 [*] " not in tensorlint("unsafe.py", "--output-format", "concise").out
    assert ": TBX208 [*] " in tensorlint("unsafe.py", "--output-format", "concise", "--unsafe-fixes").out


def test_names_are_codes(tensorlint: Program, project: Path) -> None:
    assert codes(tensorlint("--select", "numpy-off-cpu", "--output-format", "json")) == ["TBX101"]
    assert codes(tensorlint("--select", "tbx2", "--output-format", "json")) == ["TBX201"]
    assert tensorlint("rule", "numpy-off-cpu").out == tensorlint("rule", "tbx101").out
    assert tensorlint("rule", "TBX904").out.startswith("TBX904: unknown-suppression\n")


def test_comments_can_be_ignored(tensorlint: Program, project: Path) -> None:
    (project / "src" / "bug.py").write_text("# tensorlint: ignore-file\n" + BUG)
    assert tensorlint("src/bug.py").code == 0
    assert codes(tensorlint("src/bug.py", "--ignore-noqa", "--output-format", "json")) == ["TBX101"]


def test_show_files(tensorlint: Program, project: Path) -> None:
    assert tensorlint("--show-files") == Outcome(0, "src/bug.py\nsrc/cast.py\nsrc/fine.py\n", "")
    assert tensorlint("--show-files", "..", cwd=project / "src").out == "bug.py\ncast.py\nfine.py\n"


@pytest.mark.usefixtures("project")
def test_statistics(tensorlint: Program) -> None:
    outcome = tensorlint("--statistics", "-q")
    assert outcome == Outcome(
        1, f"1  TBX101  {all_rules()['TBX101'].name}\n1  TBX201  {all_rules()['TBX201'].name}\n", ""
    )
    counts = json.loads(tensorlint("--statistics", "--output-format", "json").out)
    assert [(row["code"], row["count"]) for row in counts] == [("TBX101", 1), ("TBX201", 1)]


@pytest.mark.usefixtures("project")
def test_verbose_speaks_on_standard_error(tensorlint: Program) -> None:
    outcome = tensorlint("-v", "--output-format", "json")
    assert codes(outcome) == ["TBX101", "TBX201"]
    assert "3 files, settings from (defaults)" in outcome.err
    assert "2 of 3 files passed the byte screen" in outcome.err


@pytest.mark.parametrize(
    ("env", "coloured"),
    [
        ({}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "0"}, False),
        ({"CLICOLOR_FORCE": "1"}, True),
        ({"CLICOLOR_FORCE": "0"}, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ({"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, False),
    ],
)
@pytest.mark.usefixtures("project")
def test_colour_of_piped_output(tensorlint: Program, env: dict[str, str], coloured: bool) -> None:
    assert ("\x1b[" in tensorlint("src", env=env).out) is coloured


@pytest.mark.parametrize(
    ("env", "coloured"),
    [({"TERM": "xterm"}, True), ({"TERM": "dumb"}, False), ({"TERM": "xterm", "NO_COLOR": "1"}, False)],
)
def test_colour_on_a_terminal(project: Path, env: dict[str, str], coloured: bool) -> None:
    leader, follower = pty.openpty()
    environment = {key: value for key, value in os.environ.items() if key not in {"NO_COLOR", "FORCE_COLOR"}}
    with subprocess.Popen([SCRIPTS / "tensorlint", "src"], cwd=project, stdout=follower, env={**environment, **env}):
        os.close(follower)
        output = b""
        try:
            while chunk := os.read(leader, 4096):
                output += chunk
        except OSError:  # how a terminal says that its other end is closed
            pass
    os.close(leader)
    assert b"TBX101" in output
    assert (b"\x1b[" in output) is coloured


def test_a_reader_that_leaves_early(project: Path) -> None:
    (project / "src" / "bug.py").write_text("import torch\n" + "torch.zeros(3).cuda().numpy()\n" * 2_000)
    command = f"'{SCRIPTS / 'tensorlint'}' src | head -n 1"
    outcome = execute(["sh", "-c", command], project)
    assert (outcome.out.count("\n"), outcome.err) == (1, "")


def test_interrupted(tmp_path: Path) -> None:
    program = (
        "import sys; from tensorlint.cli import check, main\n"
        "def interrupt(*arguments): raise KeyboardInterrupt\n"
        "sys.modules['tensorlint.cli.check'].run_text = interrupt\n"
        "sys.exit(main(['-']))"
    )
    assert execute([sys.executable, "-c", program], tmp_path) == Outcome(130, "", "\n")


@pytest.mark.usefixtures("project")
def test_output_does_not_depend_on_hash_seed_or_order(tensorlint: Program) -> None:
    outputs = {
        tensorlint("--output-format", "json", *order, env={"PYTHONHASHSEED": str(seed)}).out
        for seed in range(4)
        for order in (["src/bug.py", "src/cast.py"], ["src/cast.py", "src/bug.py"])
    }
    assert len(outputs) == 1


def test_linting_imports_neither_torch_nor_numpy(project: Path) -> None:
    program = (
        "import sys; from tensorlint.cli import main; code = main(['-q', 'src']); "
        "assert code == 1, code; assert not {'torch', 'numpy'} & set(sys.modules)"
    )
    assert execute([sys.executable, "-c", program], project).code == 0


# Rules


def test_rule(tensorlint: Program) -> None:
    outcome = tensorlint("rule", "TBX101")
    assert outcome.code == 0
    for part in (
        f"TBX101: {all_rules()['TBX101'].name}\n",
        "What it does",
        "Flagged, from fixtures/TBX101_",
        "# expect: TBX101",
    ):
        assert part in outcome.out
    assert tensorlint("rule", all_rules()["TBX101"].name).out == outcome.out
    assert tensorlint("rule", "tbx101").out == outcome.out


def test_rule_as_json(tensorlint: Program) -> None:
    one = json.loads(tensorlint("rule", "TBX101", "--output-format", "json").out)
    every = json.loads(tensorlint("rule", "--all", "--output-format", "json").out)
    assert one in every
    assert [entry["code"] for entry in every] == sorted([*all_rules(), *TOOL_CODES])
    said = {"code", "name", "since", "fix", "default", "shown", "url", "documentation"}
    assert set(one) == said | {"examples", "evidence"}
    compile(one["examples"]["bad"]["source"], "bad.py", "exec")


def test_rule_all(tensorlint: Program) -> None:
    text = tensorlint("rule", "--all").out
    assert all(f"{code}: {rule.name}\n" in text for code, rule in all_rules().items())
