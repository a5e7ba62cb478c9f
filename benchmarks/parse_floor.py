"""What of a run is LibCST's parser, below which no run without a cache can come.

    python benchmarks/parse_floor.py PATH...

Checks the paths in one process, without a cache, and prints the bytes that LibCST parsed, the seconds of a processor
that this took, those of the whole process, and how many times the parser's they are.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from io import StringIO
from typing import Any


@dataclass(frozen=True, slots=True)
class Floor:
    """Texts that were parsed, their bytes, and seconds of a processor: of the parser, and of all."""

    texts: int
    size: int
    parser: float
    all: float

    @property
    def words(self) -> str:
        """The same as a sentence."""
        if not self.texts:
            return f"LibCST parsed nothing; all took {self.all:.2f} s of CPU."
        return (
            f"LibCST parsed {self.texts:,} texts, {self.size / 1e6:.2f} MB, in {self.parser:.2f} s of CPU:"
            f" {self.parser / self.all:.0%} of the {self.all:.2f} s of all, which are"
            f" {self.all / self.parser:.1f} times the parser's."
        )


def measured(paths: Sequence[str], limit: float, cwd: str | None = None) -> Floor | None:
    """The same of a process of its own; None where its time was up."""
    try:
        done = subprocess.run(
            [sys.executable, __file__, "--json", *paths],
            cwd=cwd,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            timeout=limit,
        )
    except subprocess.TimeoutExpired:
        return None
    return Floor(**json.loads(done.stdout))


def _here(paths: Sequence[str]) -> Floor:
    """Check the paths in this process, and count what is parsed. What is imported for it counts as well."""
    import libcst

    parse: Callable[..., libcst.Module] = libcst.parse_module
    texts = size = 0
    parser = 0.0

    def counted(text: str, *arguments: Any) -> libcst.Module:
        nonlocal texts, size, parser
        began = time.thread_time()
        try:
            return parse(text, *arguments)
        finally:
            parser += time.thread_time() - began
            texts, size = texts + 1, size + len(text.encode())

    libcst.parse_module = counted
    from tensorlint.cli import main as tensorlint

    with redirect_stdout(StringIO()):
        code = tensorlint(["check", "--isolated", "--no-cache", "--jobs", "1", *paths])
    if code not in {0, 1}:
        raise SystemExit(code)
    return Floor(texts, size, parser, time.process_time())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+")
    parser.add_argument("--json", action="store_true", help="print the figures for programs")
    arguments = parser.parse_args()
    floor = _here(arguments.paths)
    print(json.dumps(asdict(floor)) if arguments.json else floor.words)


if __name__ == "__main__":
    main()
