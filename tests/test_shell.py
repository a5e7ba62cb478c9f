"""What stands between the program and the shell: completion, watching, terminals."""

from __future__ import annotations

import fcntl
import os
import pty
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.shell_completion import BashComplete

from tensorlint.cli import app
from tensorlint.cli.output import style_for
from tensorlint.config import KEYS
from tests.conftest import SCRIPTS, Outcome, Program, execute

BUG = "import torch\nx = torch.zeros(3).cuda().numpy()\n"
#: For what a busy machine does in time. Nothing waits that long unless it fails.
PATIENCE = 120
SILENT = {"NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "FORCE_HYPERLINK", "VTE_VERSION", "TERM_PROGRAM", "COLORTERM"}
LINKING = {"WT_SESSION", "KONSOLE_VERSION", "DOMTERM"}


# Completion


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        (("ru",), {"rule"}),
        (("b",), {"baseline"}),
        (("--sel",), {"--select"}),
        (("--vers",), {"--version"}),
        (("src", "--output-fo"), {"--output-format"}),
        (("--output-format", "gi"), {"github", "gitlab"}),
        (("--select", "TBX10"), {f"TBX10{digit}" for digit in (1, 2, 3, 4, 5, 6, 7, 8, 9)} | {"TBX10"}),
        (("--ignore", "TBX1,TBX903"), {"TBX1,TBX903"}),
        (("rule", "numpy-off"), {"numpy-off-cpu"}),
        (("config", "fix"), {key.name for key in KEYS if key.name.startswith("fix")}),
        (("baseline", "up"), {"update"}),
        (("completion", "f"), {"fish"}),
    ],
)
def test_words_are_completed(monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], completed: set[str]) -> None:
    monkeypatch.setenv("COMP_WORDS", " ".join(("tensorlint", *words)))
    monkeypatch.setenv("COMP_CWORD", str(len(words)))
    lines = BashComplete(app, {}, "tensorlint", "_TENSORLINT_COMPLETE").complete().splitlines()
    found = [line.partition(",") for line in lines]
    assert {value for kind, _, value in found if kind == "plain"} == completed


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_has_a_script(tensorlint: Program, shell: str) -> None:
    outcome = tensorlint("completion", shell)
    assert outcome.code == 0
    assert f"_TENSORLINT_COMPLETE={shell}_complete" in outcome.out


def test_bash_takes_the_script(tmp_path: Path) -> None:
    bash = shutil.which("bash")
    assert bash is not None
    script = (
        f'PATH="{SCRIPTS}:$PATH"; eval "$(tensorlint completion bash)"; COMP_WORDS=(tensorlint ru); COMP_CWORD=1; '
        '_tensorlint_completion tensorlint ru tensorlint; echo "${COMPREPLY[@]}"'
    )
    assert execute([bash, "--norc", "-c", script], tmp_path).out.split() == ["rule"]


# Watching


class Watched:
    """A program that watches, and what it has said so far."""

    def __init__(self, process: subprocess.Popen[bytes], output: int) -> None:
        self.process = process
        self._output = output
        self.said = ""

    def until(self, text: str, times: int = 1) -> str:
        """What is said until a text stands there so often."""
        end = time.monotonic() + PATIENCE
        while self.said.count(text) < times:
            assert time.monotonic() < end, self.said
            self.said += os.read(self._output, 65536).decode()
        return self.said


@contextmanager
def watching(directory: Path, *arguments: str, terminal: bool = False) -> Iterator[Watched]:
    output, other_end = pty.openpty() if terminal else os.pipe()
    process = subprocess.Popen(
        [str(SCRIPTS / "tensorlint"), "--watch", *arguments],
        cwd=directory,
        stdout=other_end,
        stderr=other_end,
        env={**os.environ, "NO_COLOR": "1"},
        start_new_session=True,
        # A shell that starts the suite in the background has its children ignore Ctrl-C, and so would this one.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    os.close(other_end)
    try:
        yield Watched(process, output)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        os.close(output)


def test_watch(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    with watching(tmp_path, "--output-format", "concise") as watched:
        assert "All clear: 1 file checked." in watched.until("Watching for changes")
        (tmp_path / "b.py").write_text(BUG)
        said = watched.until("Watching for changes", 2)
        assert "b.py:2:5: TBX101" in said
        assert "\x1b" not in said
        (tmp_path / "tensorlint.toml").write_text("selct = []\n")
        assert "unknown key `selct`" in watched.until("Watching for changes", 3)
        (tmp_path / "tensorlint.toml").write_text('ignore = ["TBX1"]\n')
        assert "All clear: 2 files checked." in watched.until("Watching for changes", 4)
        os.killpg(watched.process.pid, signal.SIGINT)
        assert watched.process.wait(PATIENCE) == 130
        assert "Traceback" not in watched.said


def test_watch_clears_a_terminal(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(BUG)
    with watching(tmp_path, terminal=True) as watched:
        said = watched.until("Watching for changes")
        assert said.startswith("\x1b[2J")
        assert said.count("\x1b[2J") == 1


@pytest.mark.parametrize(
    ("argument", "why"), [("-", "--watch needs files"), ("--select=TBX999", "--select: unknown code `TBX999`")]
)
def test_watch_does_not_begin_with_a_mistake(tensorlint: Program, argument: str, why: str) -> None:
    outcome = tensorlint("--watch", argument)
    assert (outcome.code, outcome.out) == (2, "")
    assert why in outcome.err


# Terminals


def on_terminal(directory: Path, columns: int, env: dict[str, str], *arguments: str) -> str:
    """What the program says on a terminal this wide."""
    output, other_end = pty.openpty()
    fcntl.ioctl(other_end, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    kept = {name: value for name, value in os.environ.items() if name not in SILENT | LINKING}
    said = b""
    with subprocess.Popen(
        [str(SCRIPTS / "tensorlint"), *arguments], cwd=directory, stdout=other_end, env={**kept, "TERM": "xterm", **env}
    ):
        os.close(other_end)
        try:
            while chunk := os.read(output, 65536):
                said += chunk
        except OSError:  # how a terminal says that its other end is closed
            pass
    os.close(output)
    return said.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("columns", [80, 200])
def test_lines_are_as_wide_as_the_terminal(tmp_path: Path, columns: int) -> None:
    call = ", ".join(f"number_{number}" for number in range(40))
    (tmp_path / "a.py").write_text(f"import torch\nx = torch.zeros(3).cuda(); f({call}); print(x.numpy())\n")
    said = on_terminal(tmp_path, columns, {"NO_COLOR": "1"}, "a.py")
    assert columns - 10 < max(len(line) for line in said.splitlines()) <= columns
    assert "^^^^^^^^^" in said


@pytest.mark.parametrize(
    ("env", "linked"),
    [
        ({}, False),
        ({"TERM": "xterm-kitty"}, True),
        ({"TERM_PROGRAM": "vscode"}, True),
        ({"TERM_PROGRAM": "Apple_Terminal"}, False),
        ({"VTE_VERSION": "7006"}, True),
        ({"VTE_VERSION": "4600"}, False),
        ({"WT_SESSION": "x"}, True),
        ({"WT_SESSION": "x", "NO_COLOR": "1"}, False),
        ({"WT_SESSION": "x", "TERM": "dumb"}, False),
        ({"WT_SESSION": "x", "FORCE_HYPERLINK": "0"}, False),
        ({"FORCE_HYPERLINK": "1", "NO_COLOR": "1"}, True),
    ],
)
def test_links_where_the_terminal_takes_them(
    monkeypatch: pytest.MonkeyPatch, env: dict[str, str], linked: bool
) -> None:
    for name in SILENT | LINKING:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    output, other_end = pty.openpty()
    with open(output, "rb"), open(other_end, "w") as stream:
        assert style_for(stream).links is linked
        assert not style_for(stream, "never").links


def test_no_links_without_a_terminal(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(BUG)
    outcome = execute([sys.executable, "-m", "tensorlint", "-q", "a.py"], tmp_path, env={"WT_SESSION": "x"})
    assert isinstance(outcome, Outcome)
    assert "\x1b" not in outcome.out


def test_links_on_a_terminal(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(BUG)
    said = on_terminal(tmp_path, 80, {"WT_SESSION": "x"}, "a.py")
    assert (
        "\x1b]8;;https://github.com/tensorlint/tensorlint/blob/main/docs/rules/TBX101.md\x1b\\TBX101\x1b]8;;\x1b\\"
        in said
    )
