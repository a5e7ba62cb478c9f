"""Whole-process time of ``tensorlint check`` against another linter over the same folder, in the same run.

    python benchmarks/against_peer.py FOLDER --peer "python -m torchfix --select ALL" [--rounds 5]

The commands take turns, so that a busy machine slows both. Printed are the seconds of wall clock and of CPU (children
included), and the ratios of the medians; no threshold is asserted.
"""

from __future__ import annotations

import argparse
import os
import shlex
import statistics
import subprocess
import time


def run(command: list[str]) -> tuple[float, float]:
    """Wall-clock and CPU seconds of one run. The exit code does not matter: linters exit 1 when they find something."""
    before = os.times()
    start = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    wall = time.perf_counter() - start
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return wall, cpu


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--peer", required=True, help="command of the other linter; the folder is appended")
    parser.add_argument("--ours", default="tensorlint check --isolated --no-cache --output-format json")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    commands = {"tensorlint": shlex.split(arguments.ours), "peer": shlex.split(arguments.peer)}
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for _ in range(arguments.rounds):
        for name, command in commands.items():
            times[name].append(run([*command, arguments.folder]))
    medians = {
        name: tuple(statistics.median(column) for column in zip(*rounds, strict=True)) for name, rounds in times.items()
    }
    for name, (wall, cpu) in medians.items():
        print(f"{name:12s} wall {wall:8.2f} s   CPU {cpu:8.2f} s   (median of {arguments.rounds})")
    wall, cpu = (theirs / ours for theirs, ours in zip(medians["peer"], medians["tensorlint"], strict=True))
    print(f"ratio        wall {wall:8.1f}     CPU {cpu:8.1f}")


if __name__ == "__main__":
    main()
