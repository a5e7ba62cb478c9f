"""What the tools that write pages share: the tables that several pages take from, what tensorlint prints of a program,
and pages that are written, or found to be stale."""

from __future__ import annotations

import argparse
import csv
import io
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tensorlint.cli import main as tensorlint

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
READ_BY_HAND = ROOT / "benchmarks" / "read_by_hand.tsv"
BUGS_FOUND = ROOT / "benchmarks" / "bugs_found.tsv"


@dataclass(frozen=True, slots=True)
class Reading:
    """Findings of a rule, or of several together, that were read by hand in some rounds."""

    rounds: str
    rules: str
    #: How many were read of those that ``--certainty likely`` (rounds 1 to 8) or the defaults (from round 10 on) show.
    read: str
    right: str
    #: How many of those that ``--certainty likely`` shows, and the defaults do not (from round 10 on).
    hidden_read: str
    hidden_right: str
    others: str

    @property
    def is_of_defaults(self) -> bool:
        return self.rounds != "1 to 8"

    @property
    def right_between(self) -> tuple[int, int]:
        """How many of those read are right to the strictest reader, and to the most lenient one."""
        return between(self.right)

    @property
    def hidden_right_between(self) -> tuple[int, int]:
        return between(self.hidden_right)

    def is_of(self, code: str) -> bool:
        return code in self.rules.split(", ")


@dataclass(frozen=True, slots=True)
class Bug:
    """A real bug that a rule found, and the program in docs/gallery/ that has the same mistake."""

    repository: str
    lines: str
    code: str
    what: str
    program: str


def between(numbers: str) -> tuple[int, int]:
    """``3 to 15`` as two numbers; one number as both, and none as zeros."""
    first, _, last = numbers.partition(" to ")
    return int(first or 0), int(last or first or 0)


def readings() -> list[Reading]:
    return [Reading(**row) for row in _rows(READ_BY_HAND)]


def bugs() -> list[Bug]:
    return [Bug(**row) for row in _rows(BUGS_FOUND)]


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)


@dataclass(frozen=True, slots=True)
class Printed:
    """A command, and what tensorlint prints for it."""

    command: str
    output: str

    def block(self) -> Iterator[str]:
        yield "```console"
        yield f"$ {self.command}"
        yield self.output.rstrip("\n")
        yield "```"


@cache
def printed(program: Path, *options: str) -> Printed:
    """What tensorlint prints of this program, which lies in a folder alone; nothing where nothing is found."""
    name = program.relative_to(ROOT).as_posix()
    said = io.StringIO()
    with tempfile.TemporaryDirectory() as folder:
        alone = Path(folder, name)
        alone.parent.mkdir(parents=True)
        alone.write_bytes(program.read_bytes())
        with _standing_in(folder), redirect_stdout(said), redirect_stderr(said):
            code = tensorlint(["check", "--isolated", *options, name])
    if code not in {0, 1}:
        raise RuntimeError(f"tensorlint {name}: exit code {code}\n{said.getvalue()}")
    return Printed(" ".join(["tensorlint", *options, name]), said.getvalue() if code else "")


def first_printed(programs: Sequence[Path], code: str, *options: str) -> tuple[Path, Printed]:
    """The first program of which a finding of this rule is shown, by default if there is one, and what is printed."""
    for more in ((), ("--certainty", "likely")):
        for program in programs:
            shown = printed(program, *options, *more)
            if code in shown.output:
                return program, shown
    raise ValueError(f"no finding of {code} in {', '.join(map(str, programs))}")


@contextmanager
def _standing_in(folder: str) -> Iterator[None]:
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def table(*rows: tuple[str, ...]) -> Iterator[str]:
    """A table in Markdown; the first row is its head."""
    head, *body = rows
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    for row in body:
        yield "|" + "".join(f" {cell.replace('|', '&#124;')} |" if cell else " |" for cell in row)


def with_part(text: str, name: str, lines: Iterator[str]) -> str:
    """The text of a page, with other lines between its comments ``begin NAME`` and ``end NAME``."""
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    new, count = re.subn(
        f"{re.escape(begin)}\n.*?{re.escape(end)}",
        lambda _: "\n".join([begin, *lines, end]),
        text,
        flags=re.DOTALL,
    )
    if count != 1:
        raise ValueError(f"no place, or several, for `{name}`")
    return new


def write_or_check(wanted: Mapping[Path, str], present: Iterator[Path], description: str | None) -> int:
    """Write what differs, and remove what is not wanted any more; with ``--check``, say so and return 1."""
    parser = argparse.ArgumentParser(description=description and description.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a page is stale")
    check = parser.parse_args().check
    old = {path: path.read_text(encoding="utf-8") for path in {*present, *wanted} if path.exists()}
    stale = sorted(path for path in wanted.keys() | old.keys() if wanted.get(path) != old.get(path))
    for path in stale:
        if check:
            print(f"{path.relative_to(ROOT).as_posix()} is stale: run `make docs`")
        elif path in wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[path], encoding="utf-8")
        else:
            path.unlink()
    return 1 if check and stale else 0
