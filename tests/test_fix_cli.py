"""Fixing by the installed program: options, exit codes, patches, standard input, settings."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import Outcome, Program

SAFE = "import torch\nx = torch.zeros(3).cuda().numpy()\n"
SAFE_FIXED = "import torch\nx = torch.zeros(3).cuda().cpu().numpy()\n"
UNSAFE = "import numpy as np\nx = np.array({}.values())\n"
UNSAFE_FIXED = "import numpy as np\nx = np.array(list({}.values()))\n"
STUCK = "import numpy as np\nimport torch\nout = np.zeros(3)\nout[:] = y = torch.zeros(3).cuda()\n"
GRAD = (
    "import torch\nx = torch.ones(3, requires_grad=True)\nx.numpy()\nx.cuda().numpy()\ntorch.zeros(2).cuda().numpy()\n"
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "safe.py").write_text(SAFE)
    (tmp_path / "stuck.py").write_text(STUCK)
    (tmp_path / "unsafe.py").write_text(UNSAFE)
    return tmp_path


def texts(project: Path) -> tuple[str, ...]:
    return tuple((project / f"{name}.py").read_text() for name in ("safe", "stuck", "unsafe"))


NOTHING, SAFELY, ALL = (SAFE, STUCK, UNSAFE), (SAFE_FIXED, STUCK, UNSAFE), (SAFE_FIXED, STUCK, UNSAFE_FIXED)


@pytest.mark.parametrize(
    ("arguments", "code", "result"),
    [
        ([], 1, NOTHING),
        (["--unsafe-fixes"], 1, NOTHING),
        (["--show-fixes"], 1, NOTHING),
        (["--fix"], 1, SAFELY),
        (["--fix", "--unsafe-fixes"], 1, ALL),
        (["--fix", "safe.py"], 0, SAFELY),
        (["--fix", "safe.py", "--exit-non-zero-on-fix"], 1, SAFELY),
        (["--fix", "safe.py", "--exit-non-zero-on-fix", "--exit-zero"], 1, SAFELY),
        (["--fix", "unsafe.py", "--exit-non-zero-on-fix"], 1, NOTHING),
        (["--exit-non-zero-on-fix", "--exit-zero"], 0, NOTHING),
        (["--fix", "--exit-zero"], 0, SAFELY),
        (["--fix-only"], 0, SAFELY),
        (["--fix-only", "--unsafe-fixes"], 0, ALL),
        (["--fix-only", "--exit-non-zero-on-fix"], 1, SAFELY),
        (["--fix-only", "stuck.py", "--exit-non-zero-on-fix"], 0, NOTHING),
        (["--diff"], 1, NOTHING),
        (["--diff", "--fix"], 1, NOTHING),
        (["--diff", "stuck.py"], 0, NOTHING),
        (["--diff", "unsafe.py"], 0, NOTHING),
        (["--diff", "unsafe.py", "--unsafe-fixes"], 1, NOTHING),
        (["--diff", "--exit-zero"], 0, NOTHING),
        (["--fix", "--fixable", "TBX1"], 1, SAFELY),
        (["--fix", "--fixable", "TBX2"], 1, NOTHING),
        (["--fix", "--fixable", "TBX101,TBX208", "--unsafe-fixes"], 1, ALL),
        (["--fix", "--unfixable", "TBX101"], 1, NOTHING),
        (["--fix", "--unfixable", "ALL", "--unsafe-fixes"], 1, NOTHING),
        (["--fix", "--fixable", "ALL", "--unfixable", "TBX2", "--unsafe-fixes"], 1, SAFELY),
        (["--fix", "--select", "TBX208", "--unsafe-fixes"], 0, (SAFE, STUCK, UNSAFE_FIXED)),
        (["--fix", "--ignore", "TBX101"], 1, NOTHING),
        (["--fix", "-j", "2"], 1, SAFELY),
        (["--fix", "--statistics"], 1, SAFELY),
    ],
)
def test_options(tensorlint: Program, project: Path, arguments: list[str], code: int, result: tuple[str, ...]) -> None:
    outcome = tensorlint(*arguments)
    assert (outcome.code, texts(project)) == (code, result)
    assert sorted(path.name for path in project.iterdir() if path.is_file()) == ["safe.py", "stuck.py", "unsafe.py"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--fix", "--add-noqa"], "--add-noqa cannot be combined with --fix, --fix-only or --diff"),
        (["--diff", "--add-noqa"], "--add-noqa cannot be combined"),
        (["--fix", "--fixable", "TBX1O1"], "--fixable: unknown code `TBX1O1` (did you mean `TBX101`?)"),
        (["--fix", "--unfixable", "F401"], "--unfixable: unknown code `F401`"),
    ],
)
def test_mistakes(tensorlint: Program, project: Path, arguments: list[str], message: str) -> None:
    outcome = tensorlint(*arguments)
    assert (outcome.code, outcome.out, texts(project)) == (2, "", NOTHING)
    assert message in outcome.err


def test_what_is_said(tensorlint: Program, project: Path) -> None:
    assert tensorlint("safe.py", "unsafe.py").out.endswith(
        "Found 2 findings in 2 files (2 certain). Checked 2 files.\n"
        "1 fixable with `--fix`, 1 more with `--fix --unsafe-fixes`.\n"
    )
    assert "[safe fix]\n" in tensorlint("safe.py").out
    assert "[unsafe fix: the array holds the elements then]\n" in tensorlint("unsafe.py").out
    assert " fix" not in tensorlint("stuck.py").out.replace("Fix", "")
    assert tensorlint("--fix", "safe.py") == Outcome(0, "Fixed 1 finding in 1 file. All clear: 1 file checked.\n", "")
    (project / "safe.py").write_text(SAFE)
    left = "Fixed 1 finding in 1 file. 2 findings left in 2 files (2 certain). Checked 3 files.\n"
    assert tensorlint("--fix").out.endswith(f"{left}1 fixable with `--fix --unsafe-fixes`.\n")
    shown = "Fixed 1 finding:\n- unsafe.py:\n    1 x TBX208 (object-array)\n\n"
    assert tensorlint("--fix", "--unsafe-fixes", "--show-fixes", "-q", "unsafe.py") == Outcome(0, shown, "")
    assert tensorlint("--fix", "--unsafe-fixes", "--show-fixes", "-q", "unsafe.py") == Outcome(0, "", "")


def test_fix_only_shows_errors_alone(tensorlint: Program, project: Path) -> None:
    (project / "broken.py").write_text("import torch\nx.numpy(\n")
    outcome = tensorlint("--fix-only", "-q", "--output-format", "concise")
    assert (outcome.code, texts(project)) == (2, SAFELY)
    assert "TBX901" in outcome.out
    assert outcome.out.count("\n") == 1


@pytest.mark.parametrize("option", ["--exit-zero", "--exit-non-zero-on-fix"])
def test_an_error_wins(tensorlint: Program, project: Path, option: str) -> None:
    (project / "safe.py").chmod(0o444)
    outcome = tensorlint("--fix", option)
    assert (outcome.code, texts(project)) == (2, NOTHING)
    assert "TBX902 the fixed file cannot be written: the file is read-only; nothing was changed" in outcome.out


# Settings


@pytest.mark.parametrize(
    ("table", "arguments", "result"),
    [
        ('fixable = ["TBX2"]', ["--fix"], NOTHING),
        ('fixable = ["TBX2"]', ["--fix", "--fixable", "TBX1"], SAFELY),
        ('unfixable = ["TBX101"]', ["--fix", "--unsafe-fixes"], (SAFE, STUCK, UNSAFE_FIXED)),
        ('unfixable = ["TBX208"]', ["--fix", "--unsafe-fixes", "--unfixable", "TBX101"], NOTHING),
        ('extend-safe-fixes = ["TBX208"]', ["--fix"], ALL),
        ('extend-safe-fixes = ["TBX2"]', ["--fix"], ALL),
        ('extend-unsafe-fixes = ["TBX101"]', ["--fix"], NOTHING),
        ('extend-unsafe-fixes = ["ALL"]', ["--fix", "--unsafe-fixes"], ALL),
        ("", ["--fix", "--isolated"], SAFELY),
        ('fixable = ["TBX2"]', ["--fix", "--isolated"], SAFELY),
    ],
)
def test_settings(
    tensorlint: Program, project: Path, table: str, arguments: list[str], result: tuple[str, ...]
) -> None:
    (project / "pyproject.toml").write_text(f"[tool.tensorlint]\n{table}\n")
    assert tensorlint(*arguments).code == 1
    assert texts(project) == result


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            'export-style = "chian"',
            'export-style: must be one of "chain", "force", not `chian` (did you mean `chain`?)',
        ),
        ('fixable = "TBX1"', "fixable: must be a list of strings, not a string"),
        ('unfixable = ["TBX1O1"]', "unfixable: unknown code `TBX1O1`"),
        ("extend-safe-fix = []", "unknown key `extend-safe-fix` (did you mean `extend-safe-fixes`?)"),
        ('extend-unsafe-fixes = ["no"]', "extend-unsafe-fixes: unknown code `no`"),
    ],
)
def test_mistakes_in_settings(tensorlint: Program, project: Path, line: str, message: str) -> None:
    (project / "pyproject.toml").write_text(f"[tool.tensorlint]\n{line}\n")
    outcome = tensorlint("--fix")
    assert (outcome.code, outcome.out, texts(project)) == (2, "", NOTHING)
    assert message in outcome.err


@pytest.mark.parametrize(
    ("style", "lines"),
    [
        ("chain", ["x.detach().numpy()", "x.cuda().detach().cpu().numpy()", "torch.zeros(2).cuda().cpu().numpy()"]),
        (
            "force",
            ["x.numpy(force=True)", "x.cuda().numpy(force=True)", "torch.zeros(2).cuda().numpy(force=True)"],
        ),
    ],
)
def test_the_style_of_exports(tensorlint: Program, tmp_path: Path, style: str, lines: list[str]) -> None:
    (tmp_path / "pyproject.toml").write_text(f'[tool.tensorlint]\nexport-style = "{style}"\n')
    (tmp_path / "x.py").write_text(GRAD)
    assert tensorlint("--fix", "x.py").code == 0
    assert (tmp_path / "x.py").read_text().splitlines()[2:] == lines


def test_each_file_is_fixed_by_its_own_settings(tensorlint: Program, project: Path) -> None:
    for name, line in (("a", 'export-style = "force"'), ("b", "fixable = []")):
        (project / name).mkdir()
        (project / name / "pyproject.toml").write_text(f"[tool.tensorlint]\n{line}\n")
        (project / name / "x.py").write_text(SAFE)
    assert tensorlint("--fix", "a", "b").code == 1
    assert "numpy(force=True)" in (project / "a" / "x.py").read_text()
    assert (project / "b" / "x.py").read_text() == SAFE


# Standard input


@pytest.mark.parametrize(
    ("arguments", "program", "code", "out"),
    [
        (["--fix"], SAFE, 0, SAFE_FIXED),
        (["--fix"], UNSAFE, 1, UNSAFE),
        (["--fix", "--unsafe-fixes"], UNSAFE, 0, UNSAFE_FIXED),
        (["--fix"], "x = 1", 0, "x = 1"),
        (["--fix"], "", 0, ""),
        (["--fix"], "x.numpy(\n", 2, "x.numpy(\n"),
        (["--fix-only"], STUCK, 0, STUCK),
        (["--fix", "--exit-non-zero-on-fix"], SAFE, 1, SAFE_FIXED),
        (["--fix", "--output-format", "json"], STUCK + SAFE, 1, STUCK + SAFE_FIXED),
        (["--fix"], SAFE.replace("\n", "\r\n"), 0, SAFE_FIXED.replace("\n", "\r\n")),
        (["--add-noqa"], SAFE, 0, SAFE.replace("()\n", "()  # noqa: TBX101\n")),
        (["--add-noqa"], "x = 1\n", 0, "x = 1\n"),
    ],
)
def test_standard_input(tensorlint: Program, arguments: list[str], program: str, code: int, out: str) -> None:
    outcome = tensorlint("-", *arguments, stdin=program)
    assert (outcome.code, outcome.out) == (code, out)


def test_what_is_said_about_standard_input_goes_elsewhere(tensorlint: Program) -> None:
    outcome = tensorlint("-", "--fix", "--show-fixes", "--output-format", "concise", stdin=SAFE + UNSAFE)
    assert outcome.out == SAFE_FIXED + UNSAFE
    assert outcome.err.startswith(
        "Fixed 1 finding:\n- <stdin>:\n    1 x TBX101 (numpy-off-cpu)\n\n<stdin>:4:5: TBX208 "
    )
    found = json.loads(tensorlint("-", "--fix", "--output-format", "json", stdin=UNSAFE).err)
    assert [finding["code"] for finding in found] == ["TBX208"]


def test_bytes_go_through_standard_input(tensorlint: Program, tmp_path: Path) -> None:
    program = b"\xef\xbb\xbf# coding: utf-8\r\n" + SAFE.encode() + b"y = '\xc3\xa9'"
    assert tensorlint("-", "--fix", stdin=program).out.encode() == program.replace(b"()\n", b"()\n").replace(
        b".cuda().numpy", b".cuda().cpu().numpy"
    )
    (tmp_path / "pyproject.toml").write_text("[tool.tensorlint]\nunfixable = ['TBX101']\n")
    assert tensorlint("-", "--fix", "--stdin-filename", "x.py", stdin=SAFE).out == SAFE
    assert not (tmp_path / "x.py").exists()


# Patches


def test_a_patch(tensorlint: Program, project: Path) -> None:
    expected = "--- safe.py\n+++ safe.py\n@@ -1,2 +1,2 @@\n import torch\n"
    expected += "-x = torch.zeros(3).cuda().numpy()\n+x = torch.zeros(3).cuda().cpu().numpy()\n"
    assert tensorlint("--diff") == Outcome(1, expected, "Would fix 1 finding in 1 file.\n")
    assert tensorlint("--diff", "-q") == Outcome(1, expected, "")
    assert tensorlint("--diff", "stuck.py") == Outcome(0, "", "Nothing to fix.\n")
    assert tensorlint("-", "--diff", "-q", stdin=SAFE) == Outcome(1, expected.replace("safe.py", "<stdin>"), "")
    coloured = tensorlint("--diff", "-q", env={"FORCE_COLOR": "1"}).out
    assert "\x1b[" in coloured
    (project / "broken.py").write_text("x.numpy(\n")
    outcome = tensorlint("--diff", "-q")
    assert (outcome.code, outcome.out) == (2, expected)
    assert outcome.err.startswith("broken.py:")


PATCHED = {
    "plain.py": SAFE.encode(),
    "sub/dir/deep.py": SAFE.encode() + b"\n" * 20 + SAFE.encode(),
    "no_newline.py": SAFE.rstrip().encode(),
    "crlf.py": SAFE.replace("\n", "\r\n").encode(),
    "cr.py": SAFE.replace("\n", "\r").encode(),
    "mixed.py": b"import torch\r\nx = torch.zeros(3).cuda().numpy()\nx = 1\r\n",
    "bom.py": b"\xef\xbb\xbf" + SAFE.encode(),
    "latin.py": "# coding: latin-1\nimport torch\né = 'ÿ'\nx = torch.zeros(3).cuda().numpy()  # ü\n".encode("latin-1"),
    "sjis.py": "# coding: shift-jis\nimport torch\ns = '日本ソ'\nx = torch.zeros(3).cuda().numpy()\n".encode(
        "shift-jis"
    ),
    "feed.py": b"import torch\n\x0c\ns = '\xe2\x80\xa8'\n\x0cx = torch.zeros(3).cuda().numpy()\n",
    "import.py": b"from torch import Tensor\nx = Tensor([1, 2])",
}


@pytest.mark.parametrize(
    "program", [["git", "apply", "-p0"], ["patch", "-p0", "--binary", "-s", "-i"]], ids=lambda p: p[0]
)
def test_a_patch_applies(tensorlint: Program, tmp_path: Path, program: list[str]) -> None:
    if shutil.which(program[0]) is None:
        pytest.skip(f"{program[0]} is not installed")
    for side in ("fixed", "patched"):
        for name, data in PATCHED.items():
            (tmp_path / side / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / side / name).write_bytes(data)
    outcome = subprocess.run(
        [*_program(), "--diff", "--isolated", "--extend-select", "TBX216", "."],
        cwd=tmp_path / "patched",
        capture_output=True,
        check=False,
    )
    assert outcome.returncode == 1
    (tmp_path / "fix.patch").write_bytes(outcome.stdout)
    assert tensorlint("--fix", "--isolated", "--extend-select", "TBX216", cwd=tmp_path / "fixed").code == 0
    done = subprocess.run([*program, "../fix.patch"], cwd=tmp_path / "patched", capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    for name, data in PATCHED.items():
        assert (tmp_path / "patched" / name).read_bytes() == (tmp_path / "fixed" / name).read_bytes() != data, name


def _program() -> list[str]:
    from tests.conftest import SCRIPTS

    return [str(SCRIPTS / "tensorlint")]


# JSON


def test_json_says_how_to_fix(tensorlint: Program, project: Path) -> None:
    program = "import torch\ndef f(model, opt):\n    best = model.state_dict()\n    opt.step()\n"
    (project / "copy_.py").write_text(program + "    model.load_state_dict(best)\n")
    found = {finding["code"]: finding for finding in json.loads(tensorlint("--output-format", "json").out)}
    assert set(found) == {"TBX101", "TBX208", "TBX105", "TBX302"}
    assert found["TBX105"]["fix"] is None
    here = {"row": 2, "column": 26}
    assert found["TBX101"]["fix"] == {
        "applicability": "safe",
        "message": "insert `.cpu()`",
        "reason": "",
        "edits": [{"content": ".cpu()", "location": here, "end_location": here}],
    }
    copied = found["TBX302"]["fix"]
    assert (copied["applicability"], copied["reason"]) == ("unsafe", "it no longer follows the training")
    places = [(edit["location"]["row"], edit["location"]["column"], edit["content"]) for edit in copied["edits"]]
    assert places == [(1, 1, "import copy\n\n"), (3, 12, "copy.deepcopy("), (3, 30, ")")]


def test_the_edits_in_json_make_the_program_that_fix_makes(tensorlint: Program, project: Path) -> None:
    program = (
        "import torch\r\nfrom torch import Tensor as T\r\n\tx, y = 1, 2\r\n".replace("\tx", "x")
        + "z = T([1, 2]); z.cuda().numpy()\r\n"
    )
    (project / "x.py").write_bytes(program.encode())
    lines = program.split("\r\n")
    edits = [
        edit
        for finding in json.loads(tensorlint("--output-format", "json", "--extend-select", "TBX216", "x.py").out)
        for edit in finding["fix"]["edits"]
    ]
    assert len(edits) == 3
    for edit in sorted(edits, key=lambda each: (each["location"]["row"], each["location"]["column"]), reverse=True):
        start, end = edit["location"], edit["end_location"]
        assert start["row"] == end["row"]
        line = lines[start["row"] - 1]
        lines[start["row"] - 1] = line[: start["column"] - 1] + edit["content"] + line[end["column"] - 1 :]
    assert tensorlint("--fix", "--extend-select", "TBX216", "x.py").code == 0
    assert (project / "x.py").read_bytes().decode() == "\r\n".join(lines)


def test_json_after_fixing_shows_what_is_left(tensorlint: Program, project: Path) -> None:
    found = json.loads(tensorlint("--fix", "--output-format", "json").out)
    assert [(finding["code"], Path(finding["filename"]).name) for finding in found] == [
        ("TBX105", "stuck.py"),
        ("TBX208", "unsafe.py"),
    ]
    assert json.loads(tensorlint("--fix-only", "--output-format", "json").out) == []


# Comments


def test_add_noqa(tensorlint: Program, project: Path) -> None:
    assert tensorlint("--add-noqa") == Outcome(0, "", "Added 3 comments in 3 files.\n")
    comments = [text.splitlines()[-1].partition("  ")[2] for text in texts(project)]
    assert comments == ["# noqa: TBX101", "# noqa: TBX105", "# noqa: TBX208"]
    assert tensorlint("-q") == Outcome(0, "", "")
    before = texts(project)
    assert tensorlint("--add-noqa") == Outcome(0, "", "Added 0 comments in 0 files.\n")
    assert texts(project) == before


def test_add_noqa_with_a_reason(tensorlint: Program, project: Path) -> None:
    assert tensorlint("--add-noqa=the CPU only, #12", "safe.py") == Outcome(0, "", "Added 1 comment in 1 file.\n")
    assert texts(project)[0] == SAFE.replace("()\n", "()  # noqa: TBX101  the CPU only, #12\n")
    assert tensorlint("safe.py").code == 0
    assert tensorlint("--add-noqa", "unsafe.py").err == "Added 1 comment in 1 file.\n"
    assert tensorlint("--add-noqa=a\nb").code == tensorlint("--add-noqa", "--ignore-noqa").code == 2


def test_add_noqa_takes_the_selection_and_what_goes_wrong(tensorlint: Program, project: Path) -> None:
    (project / "safe.py").chmod(0o444)
    outcome = tensorlint("--add-noqa", "--select", "TBX101,TBX208")
    assert (outcome.code, outcome.out) == (2, "")
    assert "safe.py:1:1: TBX902 no comment was added: the file is read-only" in outcome.err
    assert texts(project) == (SAFE, STUCK, UNSAFE.replace("())\n", "())  # noqa: TBX208\n"))


def test_unused_comments_are_found_and_taken_out(tensorlint: Program, project: Path) -> None:
    (project / "safe.py").write_text("x = 1  # noqa: TBX101\n")
    outcome = tensorlint("safe.py", "--output-format", "concise")
    assert (outcome.code, outcome.out.startswith("safe.py:1:8: TBX903 [*] `TBX101` suppresses nothing")) == (1, True)
    assert tensorlint("safe.py", "--ignore", "TBX903").code == 0
    assert tensorlint("safe.py", "--fix").code == 0
    assert (project / "safe.py").read_text() == "x = 1\n"
