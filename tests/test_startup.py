"""What a run loads that judges little, and what it says of the time it takes."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from tensorlint import screen
from tensorlint.cli import progress
from tensorlint.tabulated import ask_rules, modules, tabulated
from tests.conftest import Program, execute
from tests.projects import write


def test_timing(tensorlint: Program, tmp_path: Path) -> None:
    write(tmp_path, {"alone.py": "import torch\n\nx = torch.zeros(2).cuda().numpy()\n", "other.py": "x = 1\n"})
    first, second = tensorlint("--timing", "-q"), tensorlint("--timing", "-q")
    assert first.out == second.out
    stages = [line.split()[0] for line in first.err.splitlines()[1:7]]
    assert stages == ["discovery", "reading", "screen", "judging", "cache", "reporting"]
    assert "0 of 2 files known from the cache.\nThe slowest of 2 files judged:\n" in first.err
    assert first.err.splitlines()[-2].endswith(" s  alone.py")
    assert second.err.endswith("2 of 2 files known from the cache.\n")
    assert tensorlint("--timing", "-q", "--no-cache").err.count("No cache used.") == 1


def test_progress_leaves_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    for patience, shown in ((0.0, True), (1000.0, False)):
        monkeypatch.setattr(progress, "_PATIENCE", patience)
        monkeypatch.setattr(progress, "_EVERY", 0.0)
        monkeypatch.setattr(sys, "stderr", stream := Terminal())
        stopwatch = progress.Progress()
        stopwatch.begin(2)
        stopwatch.done("a.py", 0.5)
        stopwatch.done("b.py", 0.5)
        stopwatch.end()
        written = stream.getvalue()
        assert ("1 of 2 files judged" in written) is shown
        assert written.rpartition("\x1b[K")[2] == ""
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert not progress.Progress()._on


# What is imported

#: What judges, what few runs ask for, and what of Python nobody needs for others.
FOR_SOME = (
    *("libcst", "tensorlint.rules", "tensorlint.flow"),
    *("tensorlint.baseline", "tensorlint.changes", "tensorlint.cli.baseline", "tensorlint.cli.settings"),
    *("tensorlint.cli.watch", "tensorlint.ipynb", "tensorlint.notebook", "tensorlint.runner.processes"),
    *("difflib", "ipaddress", "multiprocessing", "shlex", "socket", "subprocess"),
)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--version",), ""),
        (("--no-cache", "a.py"), "x = 1\n"),
        # It speaks of tensors, but nothing that a rule asks for.
        (("--no-cache", "a.py"), "import torch\n\nx = torch.nn.Linear(2, 2)\n"),
        (("a.py",), "import torch\n\nx = torch.zeros(2).cuda().numpy()\n"),
    ],
)
def test_what_does_not_judge_imports_no_more_than_it_needs(
    tmp_path: Path, arguments: tuple[str, ...], text: str
) -> None:
    (tmp_path / "a.py").write_text(text)
    script = (
        "import sys\nbefore = set(sys.modules)\nfrom tensorlint.cli import main\ncode = main(sys.argv[1:])\n"
        f"print([name for name in {FOR_SOME} if name in set(sys.modules) - before])\n"
    )
    for _ in range(2):
        outcome = execute([sys.executable, "-c", script, *arguments], tmp_path)
    assert outcome.out.splitlines()[-1] == "[]"


def test_the_table_is_what_the_rules_say() -> None:
    assert tabulated() == ask_rules(), "run `make docs`"
    assert {name for rule in tabulated().values() for name in rule.clues} <= vars(screen).keys()


def test_a_rule_that_the_table_lacks_is_asked_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tensorlint.rule_table.MODULES", modules()[1:])
    monkeypatch.setattr("tensorlint.rule_table.RULES", {})
    tabulated.cache_clear()
    try:
        assert tabulated() == ask_rules()
    finally:
        tabulated.cache_clear()
