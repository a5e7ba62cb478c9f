"""Whether the time that tensorlint takes grows with what it reads, and no faster.

    python benchmarks/scaling.py [REPOSITORY...] [--rounds 5] [--limit 120]

Generated programs that are hard in one way each are judged at a quarter, a half and all of their size; of repositories
parts of growing size. Printed are CPU seconds of the whole process, less those of a file of five lines, and the
exponent of a fit of time against size: 1 is linear.
"""

from __future__ import annotations

import argparse
import math
import shutil
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from hard_files import HARD
from measuring import in_turn, table

OURS = (sys.executable, "-m", "tensorlint", "check", "--isolated", "--no-cache", "--jobs", "1")
_PARTS = (4, 2, 1)


def exponent(points: Iterable[tuple[float, float]]) -> float:
    """The slope of the straight line through the logarithms of sizes and seconds, by least squares."""
    logs = [(math.log(size), math.log(max(seconds, 1e-3))) for size, seconds in points]
    x, y = (sum(column) / len(logs) for column in zip(*logs, strict=True))
    return sum((a - x) * (b - y) for a, b in logs) / (sum((a - x) ** 2 for a, _ in logs) or math.inf)


def seconds_of(targets: dict[str, str], rounds: int, limit: float) -> dict[str, float | None]:
    """CPU seconds for each target, above those for nothing; None where its time was up."""
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder, "empty.py")
        empty.write_text("import torch\n\n\ndef f(x):\n    return x.numpy()\n")
        commands = {name: [*OURS, path] for name, path in {"": str(empty), **targets}.items()}
        runs = in_turn(commands, rounds, limit)
    return {name: runs[name].cpu - runs[""].cpu if runs[name].ended else None for name in targets}


def hard_files(rounds: int, limit: float, share: float = 1) -> str:
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, (make, whole) in HARD.items():
            largest = int(whole * share)
            targets, sizes = {}, {}
            for part in _PARTS:
                # In a folder of its own, as what lies beside a file may call it.
                path = Path(folder, f"{len(rows)}_{part}", "hard.py")
                path.parent.mkdir()
                path.write_text(make(largest // part))
                targets[str(largest // part)], sizes[str(largest // part)] = str(path), path.stat().st_size
            megabytes = f"{max(sizes.values()) / 1e6:.2f}"
            rows.append([name, f"{largest:,}", megabytes, *_timed(targets, sizes, rounds, limit)])
    return table(["hard in", "up to", "MB", "s, a quarter", "s, a half", "s, all", "exponent"], rows)


def repositories(paths: Sequence[str], rounds: int, limit: float) -> str:
    """Parts of each repository, drawn without regard to where their files lie."""
    rows = []
    for path in paths:
        files = sorted(Path(path).rglob("*.py"), key=lambda file: hash_of(file.relative_to(path).as_posix()))
        with tempfile.TemporaryDirectory() as folder:
            targets, sizes = {}, {}
            for part in _PARTS:
                chosen = files[: len(files) // part]
                for file in chosen:
                    copy = Path(folder, f"part_{part}", file.relative_to(path))
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(file, copy)
                name = f"1/{part}"
                targets[name], sizes[name] = str(Path(folder, f"part_{part}")), sum(f.stat().st_size for f in chosen)
            megabytes = f"{max(sizes.values()) / 1e6:.2f}"
            rows.append([Path(path).name, f"{len(files):,}", megabytes, *_timed(targets, sizes, rounds, limit)])
    return table(["repository", "files", "MB", "s, a quarter", "s, a half", "s, all", "exponent"], rows)


def hash_of(text: str) -> int:
    """An order that has nothing to do with names, and is the same each time."""
    from zlib import crc32

    return crc32(text.encode())


def _timed(targets: dict[str, str], sizes: dict[str, int], rounds: int, limit: float) -> list[str]:
    seconds = seconds_of(targets, rounds, limit)
    known = [(float(sizes[name]), taken) for name, taken in seconds.items() if taken is not None]
    slope = f"{exponent(known):.2f}" if len(known) > 1 else "-"
    return [*(f"> {limit:g}" if taken is None else f"{taken:.2f}" for taken in seconds.values()), slope]


def section(paths: Sequence[str], rounds: int, limit: float, share: float = 1) -> str:
    """What is written down of it."""
    parts = [
        "## Growth",
        "CPU seconds above those for a file of five lines, in one process. An exponent of 1 is linear.",
        hard_files(rounds, limit, share),
    ]
    if paths:
        parts.append(repositories(paths, rounds, limit))
    return "\n\n".join(parts) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repositories", nargs="*")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--limit", type=float, default=120)
    parser.add_argument("--share", type=float, default=1, help="make the generated programs this much of their size")
    arguments = parser.parse_args()
    sys.stdout.write(section(arguments.repositories, arguments.rounds, arguments.limit, arguments.share))


if __name__ == "__main__":
    main()
