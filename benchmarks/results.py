"""tensorlint beside its peers over repositories, what of it is parsing, small runs, and growth, with the machine.

    python benchmarks/results.py REPOSITORY... [--rounds 5] [--limit 300] [--peers ruff,flake8,torchfix] [--output FILE]

Each repository is read whole by each tool, from its own folder, without a cache; the tools take turns. Tools that are
not installed are left out; one that does not end within the limit is started once. The output is Markdown. The parts
have scripts of their own: parse_floor.py, small_runs.py, scaling.py.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path

import parse_floor
import scaling
import small_runs
from measuring import Run, in_turn, machine, size_of, table, versions

_OURS = "tensorlint"
#: What is run in the folder of a repository. flake8 runs twice: with its own checks alone, and with tensorlint's.
COMMANDS: dict[str, tuple[str, ...]] = {
    _OURS: (sys.executable, "-m", "tensorlint", "check", "--isolated", "--no-cache", "."),
    "ruff": ("ruff", "check", "--isolated", "--no-cache", "--quiet", "."),
    "flake8": (sys.executable, "-c", "{without_us}", "--isolated", "--quiet", "."),
    "flake8 + tensorlint": (sys.executable, "-m", "flake8", "--isolated", "--quiet", "."),
    "torchfix": (sys.executable, "-m", "torchfix", "."),
}
#: flake8 loads every plugin that is installed; this leaves ours out.
_WITHOUT_US = (
    "import sys, flake8.plugins.finder as f, flake8.main.cli as c; own = f._import_plugins;"
    " f._import_plugins = lambda plugins, opts: own([p for p in plugins if p.package != 'tensorlint'], opts);"
    " sys.exit(c.main(sys.argv[1:]))"
)
#: The aims, written beside the figures.
WANTED = {
    "ruff": "at most 8 to 10 times ruff",
    "flake8": "at least 10 times faster than flake8",
    "flake8 + tensorlint": "at most 1.40 times flake8 alone",
    "torchfix": "at least 60 times faster than TorchFix",
}


def commands_for(peers: Sequence[str]) -> dict[str, list[str]]:
    """What can be run here, ours first."""
    chosen = {}
    for name, command in COMMANDS.items():
        module = command[2] if command[1] == "-m" else ""
        there = shutil.which(command[0]) is not None or Path(command[0]).exists()
        beside = shutil.which(command[0], path=os.path.dirname(sys.executable))
        if name != _OURS and name.partition(" ")[0] not in peers:
            continue
        if (module and not _has(module)) or not (there or beside):
            continue
        start = beside if beside and os.sep not in command[0] else command[0]
        chosen[name] = [start, *(each.format(without_us=_WITHOUT_US) for each in command[1:])]
    return chosen


def _has(module: str) -> bool:
    from importlib.util import find_spec

    return find_spec(module) is not None


def beside_peers(path: str, commands: Mapping[str, Sequence[str]], rounds: int, limit: float) -> str:
    runs = in_turn(commands, rounds, limit, cwd=path)
    ours = runs[_OURS]
    files, size = size_of(path)
    rows = [_row(name, each, ours, runs.get("flake8"), limit) for name, each in runs.items()]
    head = ["", "wall s", "CPU s", "peak MB", "wall, to ours", "CPU, to ours", "wanted"]
    return f"{Path(path).name}: {files:,} files, {size / 1e6:.1f} MB\n\n{table(head, rows)}"


def _row(name: str, run: Run, ours: Run, flake8: Run | None, limit: float) -> list[str]:
    wanted = WANTED.get(name, "")
    if not run.ended:
        return [name, f"> {limit:g}", "", "", "", "", wanted]
    if name == "flake8 + tensorlint" and flake8 is not None:
        wanted += f" (CPU: {run.cpu / flake8.cpu:.2f})"
    ratios = [f"{run.wall / ours.wall:.2f}", f"{run.cpu / ours.cpu:.2f}"]
    return [name, f"{run.wall:.2f}", f"{run.cpu:.2f}", f"{run.memory / 1e6:.0f}", *ratios, wanted]


def parsing(path: str, limit: float) -> str:
    floor = parse_floor.measured(["."], limit, cwd=path)
    return f"{Path(path).name}: {f'more than {limit:g} s' if floor is None else floor.words}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repositories", nargs="+")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--limit", type=float, default=300)
    parser.add_argument("--peers", default="ruff,flake8,torchfix")
    parser.add_argument("--without-growth", action="store_true", help="leave out the generated files and the parts")
    parser.add_argument("--output", help="the file to write, such as benchmarks/RESULTS.md")
    arguments = parser.parse_args()
    commands = commands_for(arguments.peers.split(","))
    rounds, limit = arguments.rounds, arguments.limit
    found = versions("tensorlint", "libcst", "ruff", "flake8", "torchfix")
    today = datetime.now(timezone.utc).date().isoformat()
    parts = [
        "# Results",
        "Written by `benchmarks/results.py`; nothing in here is typed by hand.",
        f"{today}. {machine()}; {found}. Medians of {rounds}; a run was given {limit:g} s.",
        "## Beside other linters",
        *(beside_peers(path, commands, rounds, limit) for path in arguments.repositories),
        "Memory is that of all processes at one time, what they share counted once. A ratio above 1: slower than ours.",
    ]
    parts.append("## The floor")
    parts.append("What LibCST's parser takes of a run in one process, without a cache; all includes start and imports.")
    parts += [parsing(path, limit) for path in arguments.repositories]
    parts.append(small_runs.section(arguments.repositories, rounds, limit))
    if not arguments.without_growth:
        parts.append(scaling.section(arguments.repositories, rounds, limit).rstrip())
    text = "\n\n".join(parts) + "\n"
    if arguments.output:
        Path(arguments.output).write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
