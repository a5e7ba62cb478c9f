"""What the tests share: the installed program, driven as a user drives it."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

SCRIPTS = Path(sysconfig.get_path("scripts"))
PLAIN = {"NO_COLOR": "", "FORCE_COLOR": "", "COLUMNS": "120", "PYTHONWARNINGS": ""}


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


Program = Callable[..., Outcome]


def execute(command: list[str], cwd: Path, stdin: str | bytes = "", env: dict[str, str] | None = None) -> Outcome:
    """Run a program to its end. A traceback is never a result."""
    done = subprocess.run(
        command,
        cwd=cwd,
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        capture_output=True,
        env={**os.environ, **PLAIN, **(env or {})},
        check=False,
    )
    outcome = Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())
    assert "Traceback (most recent call last)" not in outcome.out + outcome.err, outcome.err
    return outcome


@pytest.fixture
def tensorlint(tmp_path: Path) -> Program:
    """The console script, run in an empty directory."""

    def run(
        *arguments: str, stdin: str | bytes = "", cwd: Path = tmp_path, env: dict[str, str] | None = None
    ) -> Outcome:
        return execute([str(SCRIPTS / "tensorlint"), *arguments], cwd, stdin, env)

    return run


@pytest.fixture
def flake8(tmp_path: Path) -> Program:
    def run(*arguments: str, stdin: str | bytes = "", cwd: Path = tmp_path) -> Outcome:
        return execute([sys.executable, "-m", "flake8", *arguments], cwd, stdin)

    return run
