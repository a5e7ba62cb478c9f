"""Fixed programs on the disk: whole or not at all, and the bytes around a fix as they were."""

from __future__ import annotations

import errno
import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from tensorlint import runner
from tensorlint.config import Resolver
from tensorlint.discovery import Discovered
from tensorlint.fix import writing
from tensorlint.fix.writing import WriteError, replace_file
from tensorlint.report import Report
from tensorlint.runner import Fixing, Job, Outcome, Stopwatch, run
from tests.conftest import SCRIPTS, execute

BUG = b"import torch\nx = torch.zeros(3).cuda().numpy()\n"
FIXED = b"import torch\nx = torch.zeros(3).cuda().cpu().numpy()\n"
IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


def fix_files(*paths: Path) -> Report:
    return run([Discovered(str(path), named=True) for path in paths], Resolver(isolated=True), fixing=Fixing())


@pytest.fixture
def bug(tmp_path: Path) -> Path:
    path = tmp_path / "bug.py"
    path.write_bytes(BUG)
    return path


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


# Bytes

LINE, NEW = "x = torch.zeros(3).cuda().numpy()", "x = torch.zeros(3).cuda().cpu().numpy()"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("import torch\nLINE\n", "utf-8"),
        ("import torch\nLINE", "utf-8"),
        ("import torch\r\nLINE\r\n", "utf-8"),
        ("import torch\rLINE\r", "utf-8"),
        ("import torch\r\nLINE\ny = 1\rz = 2\r\n\r\n\n\r", "utf-8"),
        ("import torch\nLINE\n", "utf-8-sig"),
        ("# coding: utf-8\r\nimport torch\r\nLINE", "utf-8-sig"),
        ("# -*- coding: latin-1 -*-\nimport torch\né = 'ÿ'; LINE  # naïve\n", "latin-1"),
        ("#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\nimport torch\nLINE  # €\n", "cp1252"),
        ("# coding: euc-jp\nimport torch\ns = '日本'; LINE\n", "euc-jp"),
        ("# coding: shift-jis\nimport torch\ns = '日本ソ'; LINE\n", "shift-jis"),
        ("import torch\nif True:\n\t日本 = 1;\tLINE \t\n", "utf-8"),
        ("import torch\n\x0c\n\x0cLINE\n\x0c# c\n", "utf-8"),
        ("import torch\nif True:\n\tz = 1\n\x0c\tLINE\n", "utf-8"),
        ("import torch\ns = '''\x0b\x1c\u2028\x85'''; LINE\n", "utf-8"),
        ("import torch\nz = [\n  1 ,\n\n]; \\\n  LINE ;\n\n\n", "utf-8"),
        ("import torch\n😀 = 1\n".replace("😀", "𝑥") + "s = '😀é'; LINE\n", "utf-8"),
        ("\n\n# c\nimport torch\nLINE  \n   \n\t\n", "utf-8"),
    ],
)
def test_everything_but_the_fix_stays_as_it_was(tmp_path: Path, text: str, encoding: str) -> None:
    path = tmp_path / "x.py"
    path.write_bytes(text.replace("LINE", LINE).encode(encoding))
    report = fix_files(path)
    assert (report.exit_code, len(report.applied)) == (0, 1)
    assert path.read_bytes() == text.replace("LINE", NEW).encode(encoding)
    assert fix_files(path).changes == {}


def test_bytes_that_their_encoding_does_not_give_back(tmp_path: Path) -> None:
    path = tmp_path / "x.py"
    program = b"# coding: utf-7\nimport torch\ny = '+AGE-'\nx = torch.zeros(3).cuda().numpy()\n"
    path.write_bytes(program)
    report = fix_files(path)
    assert path.read_bytes() == program
    assert [finding.code for finding in report.findings] == ["TBX902", "TBX101"]
    assert "utf-7 does not give the same bytes back" in report.findings[0].message
    assert (report.exit_code, report.applied, report.changes) == (2, (), {})


# What else there is to a file


@pytest.mark.parametrize("mode", [0o644, 0o600, 0o755, 0o664, 0o200 | 0o444])
def test_the_mode_stays(bug: Path, mode: int) -> None:
    bug.chmod(mode)
    before = os.umask(0o077)
    try:
        assert fix_files(bug).exit_code == 0
    finally:
        os.umask(before)
    assert bug.read_bytes() == FIXED
    assert stat.S_IMODE(bug.stat().st_mode) == mode
    assert names(bug.parent) == ["bug.py"]


@pytest.mark.skipif(not IS_ROOT, reason="only root may give files away")
def test_the_owner_stays(bug: Path) -> None:
    os.chown(bug, 12345, 23456)
    bug.chmod(0o4755)
    assert fix_files(bug).exit_code == 0
    after = bug.stat()
    assert (after.st_uid, after.st_gid, bug.read_bytes()) == (12345, 23456, FIXED)


def test_an_owner_that_cannot_be_kept_is_no_error(bug: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "chown", refuse)
    assert fix_files(bug).exit_code == 0
    assert bug.read_bytes() == FIXED


def test_a_symbolic_link_stays_one(bug: Path) -> None:
    (bug.parent / "sub").mkdir()
    middle, link = bug.parent / "sub" / "middle.py", bug.parent / "link.py"
    middle.symlink_to(Path("..") / "bug.py")
    link.symlink_to(middle)
    assert fix_files(link).exit_code == 0
    assert (link.is_symlink(), middle.is_symlink(), bug.is_symlink()) == (True, True, False)
    assert bug.read_bytes() == FIXED
    assert names(bug.parent / "sub") == ["middle.py"]


def test_a_file_under_two_names_is_fixed_once(bug: Path) -> None:
    link = bug.parent / "link.py"
    link.symlink_to(bug)
    assert fix_files(bug, link).exit_code == 0
    assert bug.read_bytes() == FIXED
    assert link.is_symlink()


@pytest.mark.parametrize("name", ["with space.py", "nöñ-äscii.py", "-dash.py", "new\nline.py", "a" * 200 + ".py"])
def test_names_of_all_kinds(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(BUG)
    assert fix_files(path).exit_code == 0
    assert path.read_bytes() == FIXED
    assert names(tmp_path) == [name]


# What goes wrong


def refused(path: Path, message: str, content: bytes = BUG) -> None:
    """The file is as it was, the finding is still told, and so is the reason."""
    report = fix_files(path)
    assert path.read_bytes() == content
    assert [finding.code for finding in report.findings] == ["TBX902", "TBX101"]
    assert report.findings[0].message == f"the fixed file cannot be written: {message}; nothing was changed"
    assert (report.applied, report.changes, report.exit_code) == ((), {}, 2)
    assert [name for name in names(path.parent) if "tensorlint" in name] == []


def test_a_read_only_file(bug: Path) -> None:
    bug.chmod(0o444)
    refused(bug, "the file is read-only")
    assert stat.S_IMODE(bug.stat().st_mode) == 0o444


@pytest.mark.skipif(IS_ROOT, reason="root may write everywhere")
def test_a_read_only_directory(bug: Path) -> None:
    bug.parent.chmod(0o555)
    try:
        refused(bug, "Permission denied")
    finally:
        bug.parent.chmod(0o755)


def test_a_directory_that_takes_no_file(bug: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**arguments: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(tempfile, "mkstemp", refuse)
    refused(bug, "Permission denied")


@pytest.mark.parametrize("function", ["fsync", "chmod", "replace"])
def test_a_full_disk(bug: Path, monkeypatch: pytest.MonkeyPatch, function: str) -> None:
    def fail(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, function, fail)
    refused(bug, "No space left on device")


@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_an_interrupt_leaves_nothing_behind(bug: Path, monkeypatch: pytest.MonkeyPatch, function: str) -> None:
    def interrupt(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, function, interrupt)
    with pytest.raises(KeyboardInterrupt):
        fix_files(bug)
    assert (bug.read_bytes(), names(bug.parent)) == (BUG, ["bug.py"])


def test_a_file_that_would_be_too_large(bug: Path) -> None:
    """The file system refuses while the text is written, for real."""
    command = f"ulimit -f 0; '{SCRIPTS / 'tensorlint'}' --fix --isolated --no-cache --output-format concise bug.py"
    outcome = execute(["sh", "-c", command], bug.parent)
    assert outcome.code == 2
    assert "TBX902 the fixed file cannot be written: File too large; nothing was changed" in outcome.out
    assert (bug.read_bytes(), names(bug.parent)) == (BUG, ["bug.py"])


@pytest.mark.parametrize(
    ("change", "content", "message"),
    [
        ("append", BUG + b"# mine\n", "the file was changed by somebody else in the meantime"),
        ("rewrite", b"mine\n", "the file was changed by somebody else in the meantime"),
        ("read-only", BUG, "the file is read-only"),
    ],
)
def test_a_file_that_changes_between_reading_and_writing(
    bug: Path, monkeypatch: pytest.MonkeyPatch, change: str, content: bytes, message: str
) -> None:
    real = runner._judge_all

    def judge_and_change(work: list[Job], jobs: int, stopwatch: Stopwatch) -> list[Outcome]:
        judged = real(work, jobs, stopwatch)
        if change == "read-only":
            bug.chmod(0o444)
        else:
            bug.write_bytes(content)
        return judged

    monkeypatch.setattr(runner, "_judge_all", judge_and_change)
    refused(bug, message, content)


def test_a_file_that_is_gone_or_a_directory_by_then(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="No such file"):
        replace_file(str(tmp_path / "gone.py"), BUG, FIXED)
    (tmp_path / "directory.py").mkdir()
    with pytest.raises(WriteError, match="directory"):
        replace_file(str(tmp_path / "directory.py"), BUG, FIXED)
    assert names(tmp_path) == ["directory.py"]


def test_one_file_that_cannot_be_written_leaves_the_others(bug: Path) -> None:
    other = bug.parent / "other.py"
    other.write_bytes(BUG)
    bug.chmod(0o444)
    report = fix_files(bug, other)
    assert (bug.read_bytes(), other.read_bytes()) == (BUG, FIXED)
    assert (report.exit_code, len(report.applied), list(report.changes)) == (2, 1, [str(other)])


def test_the_new_text_is_on_the_disk_before_it_takes_the_name(bug: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    for name in ("fsync", "chmod", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *arguments, real=real, name=name: steps.append(name) or real(*arguments))
    replace_file(str(bug), BUG, FIXED)
    assert steps == ["fsync", "chmod", "replace"]
    assert bug.read_bytes() == FIXED


def test_a_file_that_needs_no_fix_is_not_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "fine.py"
    path.write_bytes(FIXED)
    monkeypatch.setattr(writing, "_write_beside", lambda *arguments: pytest.fail("written"))
    assert fix_files(path).exit_code == 0


# kill -9

_KILLED = """
import os, random, signal, sys, time
from tensorlint.fix.writing import replace_file

path, times = sys.argv[1], int(sys.argv[2])
texts = [b"old\\n" * 60_000, b"new!\\n" * 60_000]
open(path, "wb").write(texts[0])
random.seed(7)
seen = [0, 0]
for _ in range(times):
    child = os.fork()
    if child == 0:
        while True:
            before = open(path, "rb").read()
            replace_file(path, before, texts[before == texts[0]])
    time.sleep(random.uniform(0.001, 0.03))
    os.kill(child, signal.SIGKILL)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    seen[texts.index(open(path, "rb").read())] += 1
print(*seen)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_process_killed_a_hundred_times_while_it_writes_damages_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.py"
    outcome = execute([sys.executable, "-c", _KILLED, str(path), "100"], tmp_path)
    assert (outcome.code, outcome.err) == (0, "")
    old, new = map(int, outcome.out.split())  # anything else would not have been found in the list of the two
    assert old + new == 100
    assert min(old, new) > 0
    left = [name for name in names(tmp_path) if name != "x.py"]
    assert len(left) >= 10, "the kills did not hit the writing"
    assert all(name.startswith(".x.py.tensorlint-") for name in left)


def test_the_program_killed_while_it_fixes_leaves_old_or_new(tmp_path: Path) -> None:
    random.seed(7)
    command = [SCRIPTS / "tensorlint", "--fix", "--isolated", "-q", "-j", "1", "."]
    states: set[bytes] = set()
    for attempt in range(3):
        directory = tmp_path / str(attempt)
        directory.mkdir()
        for number in range(40):
            (directory / f"f{number:02}.py").write_bytes(BUG)
        with subprocess.Popen(command, cwd=directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            deadline = time.monotonic() + 30
            while (directory / "f00.py").read_bytes() == BUG and process.poll() is None and time.monotonic() < deadline:
                pass
            time.sleep(random.uniform(0, 0.02))
            process.send_signal(signal.SIGKILL)
        found = {path.read_bytes() for path in directory.glob("f*.py")}
        assert len(list(directory.glob("f*.py"))) == 40
        assert found <= {BUG, FIXED}
        states |= found
        shutil.rmtree(directory)
    assert FIXED in states
