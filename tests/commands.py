"""The program driven within the process of the tests: what is asked for often has to be quick."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tensorlint.cli import main
from tests.conftest import Outcome

Command = Callable[..., Outcome]


def commander(root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Who runs the program in ``root``, or a directory below it."""
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "FORCE_HYPERLINK"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str, cwd: str = "") -> Outcome:
        monkeypatch.chdir(os.path.join(root, cwd))
        capsys.readouterr()
        code = main(arguments)
        said = capsys.readouterr()
        return Outcome(code, said.out, said.err)

    return run
