"""Runs of commands: wall clock, CPU and peak memory of each with all its processes, in turn, as medians."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
#: How often memory is looked at, in seconds: what comes and goes in between is not seen.
_EVERY = 0.02


@dataclass(frozen=True, slots=True)
class Run:
    """Seconds and bytes of one run, or of several in the middle; ``ended`` is false where its time was up."""

    wall: float
    cpu: float
    memory: int
    ended: bool = True


def run(command: Sequence[str], limit: float, cwd: str | None = None) -> Run:
    """One run, its output thrown away. The exit code does not matter: linters exit 1 when they find something."""
    start = time.perf_counter()
    # A session of its own, so that all of it can be ended at once.
    process = subprocess.Popen(
        command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    memory, ended = 0, True
    while True:
        pid, _, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        memory = max(memory, _memory_of(process.pid))
        if ended and time.perf_counter() - start > limit:
            ended = False
            os.killpg(process.pid, 9)
        time.sleep(_EVERY)
    process.returncode = 0
    own = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return Run(time.perf_counter() - start, usage.ru_utime + usage.ru_stime, max(memory, own), ended)


def in_turn(commands: Mapping[str, Sequence[str]], rounds: int, limit: float, cwd: str | None = None) -> dict[str, Run]:
    """The median run of each command. They take turns, so that a busy machine slows all of them.

    One that did not end in time is not started again.
    """
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            if all(each.ended for each in runs[name]):
                runs[name].append(run(command, limit, cwd))
    return {name: median(each) for name, each in runs.items()}


def median(runs: Sequence[Run]) -> Run:
    """The run in the middle, of each of its figures by itself."""
    return Run(
        statistics.median(each.wall for each in runs),
        statistics.median(each.cpu for each in runs),
        int(statistics.median(each.memory for each in runs)),
        all(each.ended for each in runs),
    )


def _memory_of(pid: int) -> int:
    """The memory of a process and all below it, what they share counted once; 0 where that cannot be seen."""
    total, pending = 0, [pid]
    while pending:
        current = pending.pop()
        try:
            rollup = (_PROC / str(current) / "smaps_rollup").read_text()
            total += sum(int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Pss:"))
            for task in (_PROC / str(current) / "task").iterdir():
                pending += map(int, (task / "children").read_text().split())
        except (OSError, ValueError):
            continue
    return total


def machine() -> str:
    """What it was measured on, without what would tell whose it is."""
    load = f", load average {os.getloadavg()[1]:.1f} over five minutes" if hasattr(os, "getloadavg") else ""
    return (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores{load}; "
        f"Python {platform.python_version()} ({platform.python_implementation()})"
    )


def versions(*packages: str) -> str:
    """The releases of what is installed beside tensorlint, and of itself."""
    from importlib.metadata import PackageNotFoundError, version

    found = []
    for package in packages:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)


def size_of(folder: str) -> tuple[int, int]:
    """How many Python files lie below a folder, and their bytes."""
    sizes = [path.stat().st_size for path in Path(folder).rglob("*.py") if path.is_file()]
    return len(sizes), sum(sizes)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose columns are aligned in the source, too; all but the first to the right."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        first, *others = zip(cells, widths, strict=True)
        return f"| {' | '.join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)])} |"

    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join([line(head), f"| {' | '.join(rule)} |", *map(line, rows)])
