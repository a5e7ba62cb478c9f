"""Runs in which little is to be done: with a warm cache, and of one file, beside an interpreter that does nothing.

    python benchmarks/small_runs.py [REPOSITORY...] [--rounds 5] [--limit 300]

A repository is copied, checked once to fill a cache, and then checked again as it is, and with a comment more at the
end of one file that names torch. A file is checked without a cache.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from measuring import Run, in_turn, median, run, table
from scaling import hash_of

_CHECK = (sys.executable, "-m", "tensorlint", "check", "--isolated")
_HEAD = ["", "wall s", "CPU s", "peak MB"]
_CLEAN = "import torch\n\n\ndef f(x):\n    return x.detach().cpu().numpy()\n"
#: Six lines with a finding.
_FUNCTION = """\
def step_{0}(n):
    x = torch.ones(n, device="cuda")
    y = x * {0}
    return y.numpy()


"""
_LINES = 500


def one_file(rounds: int, limit: float) -> str:
    """A run for nothing, one of a small file that is right, and one of 500 lines with findings."""
    with tempfile.TemporaryDirectory() as folder:
        # Each in a folder of its own, as what lies beside a file may call it.
        clean, found = Path(folder, "clean", "clean.py"), Path(folder, "found", "found.py")
        functions = [_FUNCTION.format(number) for number in range(_LINES // _FUNCTION.count("\n"))]
        for path, text in ((clean, _CLEAN), (found, "import torch\n\n\n" + "".join(functions))):
            path.parent.mkdir()
            path.write_text(text, encoding="utf-8")
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "a file of 5 lines, clean": [*_CHECK, "--no-cache", str(clean)],
            f"{_LINES} lines, {len(functions)} findings": [*_CHECK, "--no-cache", str(found)],
        }
        runs = in_turn(commands, rounds, limit)
    return table(_HEAD, [_row(name, each) for name, each in runs.items()])


def warm(path: str, rounds: int, limit: float) -> str:
    """The first run over a copy of a repository, and those after it: nothing has changed, or one file has."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, Path(path).resolve().name)
        shutil.copytree(path, copy, symlinks=True, ignore=shutil.ignore_patterns(".git"))
        (copy / ".git").mkdir(exist_ok=True)  # where the project ends
        command = [*_CHECK, "--cache-dir", str(Path(folder, "cache")), "."]
        first = run(command, limit, cwd=str(copy))
        changed = _one_of(copy)
        same: list[Run] = []
        other: list[Run] = []
        for number in range(rounds):
            same.append(run(command, limit, cwd=str(copy)))
            with changed.open("a", encoding="utf-8") as file:
                file.write(f"# {number}\n")
            other.append(run(command, limit, cwd=str(copy)))
        rows = [
            _row("nothing is kept yet", first),
            _row("nothing has changed", median(same)),
            _row("one file has changed", median(other)),
        ]
        name = changed.relative_to(copy).as_posix()
    return f"{copy.name}, with a cache; the file is `{name}`\n\n{table(_HEAD, rows)}"


def _one_of(folder: Path) -> Path:
    """A file that names torch, drawn without regard to what it is called."""
    files = sorted(folder.rglob("*.py"), key=lambda file: hash_of(file.relative_to(folder).as_posix()))
    return next((file for file in files if b"torch" in file.read_bytes()), files[0])


def _row(name: str, each: Run) -> list[str]:
    return [name, f"{each.wall:.2f}" if each.ended else "-", f"{each.cpu:.2f}", f"{each.memory / 1e6:.0f}"]


def section(paths: Sequence[str], rounds: int, limit: float) -> str:
    """What is written down of it."""
    return "\n\n".join(["## Small runs", one_file(rounds, limit), *(warm(path, rounds, limit) for path in paths)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repositories", nargs="*")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--limit", type=float, default=300)
    arguments = parser.parse_args()
    print(section(arguments.repositories, arguments.rounds, arguments.limit))


if __name__ == "__main__":
    main()
