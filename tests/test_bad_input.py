"""Files nobody should have written, given to the installed program: a finding or an error, never a traceback."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Outcome, Program

BUG = b"import torch\nx = torch.zeros(3).cuda().numpy()\n"
TOKEN = b"x.numpy()\n"


def judged(outcome: Outcome) -> list[dict[str, Any]]:
    findings: list[dict[str, Any]] = json.loads(outcome.out)
    return findings


def only_other_file_fine(outcome: Outcome, name: str, code: str, row: int) -> str:
    """The broken file has one finding, of this code and row; bug.py beside it is judged. Returns the message."""
    findings = judged(outcome)
    by_file = {os.path.basename(finding["filename"]): finding for finding in findings}
    assert by_file["bug.py"]["code"] == "TBX101"
    assert [(f["code"], f["location"]["row"]) for f in findings if f["filename"].endswith(name)] == [(code, row)]
    assert outcome.code == 2
    message: str = by_file[name]["message"]
    return message


@pytest.mark.parametrize(
    ("data", "code", "row", "message"),
    [
        (TOKEN + b"def f(:\n    pass\n", "TBX901", 2, "syntax error"),
        (TOKEN + b"x = (\n", "TBX901", None, "syntax error"),
        (TOKEN + b"if x:\n  y\n z\n", "TBX901", None, "syntax error"),
        (TOKEN + b"print 'python 2'\n", "TBX901", 2, "syntax error"),
        (TOKEN + b"x = '\xe9'\n", "TBX902", 2, "not utf-8"),
        (b"# coding: klingon\n" + TOKEN, "TBX902", 1, "unknown encoding: klingon"),
        (TOKEN + b"\0", "TBX902", 2, "NUL byte"),
        (b"\xff\xfe" + TOKEN, "TBX902", 1, "UTF-16"),
        (TOKEN + b"y = 1\n" * 400_000, "TBX902", 1, "the file is too large to judge: 2.5 MB, at most 2 MB"),
        (TOKEN + b"x = " + b"(" * 1000 + b")" * 1000 + b"\n", "TBX902", 2, "nested too deeply"),
        (TOKEN + b"x = " + b"[" * 1000 + b"]" * 1000 + b"\n", "TBX902", 2, "nested too deeply"),
        (TOKEN + b"x = " + b"-" * 100_000 + b"1\n", "TBX902", 2, "nested too deeply"),
        (TOKEN + b"x = 1" + b"+1" * 5_000 + b"\n", "TBX902", 2, "nested too deeply"),
        (TOKEN + b"x = a" + b".b" * 5_000 + b"\n", "TBX902", 2, "nested too deeply"),
        (
            TOKEN + b"".join(b" " * n + b"if x:\n" for n in range(1_000)) + b" " * 1_000 + b"y\n",
            "TBX901",
            None,
            "indent",
        ),
    ],
)
@pytest.mark.parametrize("named", [False, True])
def test_a_broken_program(
    tensorlint: Program, tmp_path: Path, data: bytes, code: str, row: int | None, message: str, named: bool
) -> None:
    (tmp_path / "broken.py").write_bytes(data)
    (tmp_path / "bug.py").write_bytes(BUG)
    outcome = tensorlint("check", "--output-format", "json", *(["broken.py", "bug.py"] if named else []))
    if row is None:
        findings = [f for f in judged(outcome) if f["filename"].endswith("broken.py")]
        assert [f["code"] for f in findings] == [code]
        row = findings[0]["location"]["row"]
    assert message in only_other_file_fine(outcome, "broken.py", code, row)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"\xef\xbb\xbf",
        b"# only a comment: x.numpy()",
        b"\x0c\n" + TOKEN,
        TOKEN.replace(b"\n", b"\r"),
        b"# coding: latin-1\nx = '\xe9'\n",
        TOKEN + b"x = '''" + b"(" * 100_000 + b"'''\n",
        TOKEN + b"x = " + b"(" * 150 + b")" * 150 + b"\n",
        TOKEN + b"x = 1" + b"+1" * 900 + b"\n",
        # Too large for the question whether it parses, which is all that there would be to say.
        b"x = (\n" + b"y = 1\n" * 400_000,
        TOKEN + b"if x:\n    y\n" + b"elif x:\n    y\n" * 3_000,
        TOKEN + b"".join(b" " * n + b"if x:\n" for n in range(90)) + b" " * 90 + b"y\n",
    ],
)
def test_a_strange_program_that_is_fine(tensorlint: Program, tmp_path: Path, data: bytes) -> None:
    (tmp_path / "strange.py").write_bytes(data)
    outcome = tensorlint("strange.py", "--select", "TBX2", "--output-format", "json")
    assert (outcome.code, outcome.out) == (0, "[]\n")


def test_fifty_thousand_lines(tensorlint: Program, tmp_path: Path) -> None:
    (tmp_path / "long.py").write_bytes(BUG + b"def f(a, b):\n    return a + b\n" * 25_000)
    outcome = tensorlint("long.py", "--output-format", "json")
    assert [(finding["code"], finding["location"]["row"]) for finding in judged(outcome)] == [("TBX101", 2)]
    assert outcome.code == 1


def test_links(tensorlint: Program, tmp_path: Path) -> None:
    (tmp_path / "bug.py").write_bytes(BUG)
    (tmp_path / "gone.py").symlink_to("nowhere.py")
    assert "dangling" in only_other_file_fine(tensorlint("--output-format", "json"), "gone.py", "TBX902", 1)
    assert "dangling" in only_other_file_fine(
        tensorlint("--output-format", "json", "gone.py", "bug.py"), "gone.py", "TBX902", 1
    )
    (tmp_path / "gone.py").unlink()
    (tmp_path / "loop.py").symlink_to("loop.py")
    (tmp_path / "up").symlink_to(tmp_path)
    assert "symbolic links" in only_other_file_fine(tensorlint("--output-format", "json"), "loop.py", "TBX902", 1)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_no_permission(tensorlint: Program, tmp_path: Path) -> None:
    (tmp_path / "bug.py").write_bytes(BUG)
    (tmp_path / "secret.py").write_bytes(BUG)
    (tmp_path / "secret.py").chmod(0)
    message = only_other_file_fine(tensorlint("--output-format", "json"), "secret.py", "TBX902", 1)
    assert message == "the file cannot be read: Permission denied"
    (tmp_path / "secret.py").unlink()
    (tmp_path / "closed").mkdir(mode=0)
    message = only_other_file_fine(tensorlint("--output-format", "json"), "closed", "TBX902", 1)
    assert message == "the directory cannot be read: Permission denied"


def test_a_path_that_does_not_exist(tensorlint: Program) -> None:
    outcome = tensorlint("nowhere/x.py")
    assert (outcome.code, outcome.out, outcome.err) == (2, "", "Error: no such file or directory: nowhere/x.py\n")


def test_file_names_that_are_no_text(tensorlint: Program, tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/na\xffme\n\x1b[31m.py"
    with open(path, "wb") as file:
        file.write(BUG)
    for output_format in ("full", "concise", "github", "json"):
        outcome = tensorlint("--output-format", output_format, env={"PYTHONIOENCODING": "ascii"})
        assert outcome.code == 1
        assert "\x1b" not in outcome.out
    assert json.loads(outcome.out)[0]["filename"] == os.fsdecode(path)


def test_source_lines_a_terminal_cannot_show(tensorlint: Program, tmp_path: Path) -> None:
    (tmp_path / "bug.py").write_bytes(BUG.replace(b"\nx =", "\n日本 =".encode()))
    outcome = tensorlint("bug.py", env={"PYTHONIOENCODING": "ascii"})
    assert outcome.code == 1
    assert "\\u65e5\\u672c" in outcome.out
