"""Run what README.md and the pages that people write show: programs, commands with what they print, configurations.

python tools/check_docs.py            every page
python tools/check_docs.py PAGE...    these pages
python tools/check_docs.py --write    put what is printed now into the pages

Pages that are written by tools/document_*.py are compared as a whole there. CONTRIBUTING.md says how a block is
checked.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from blocks import Block, Command, blocks, commands
from pages import DOCS, ROOT

from tensorlint.codes import default_codes
from tensorlint.findings import Certainty
from tensorlint.runner.judging import judge_source
from tensorlint.source import Source

#: Commands that are not run here, and why.
NOT_RUN = (
    (r"pip install |pipx install |git clone ", "an installation"),
    (r"make ", "what .ci/run runs"),
    (r"tensorlint --diff-base origin/", "what asks a repository with a remote"),
    (r".*\| source\b", "a command of fish"),
    (r"tensorlint (--watch|server)\b", "what goes on until it is interrupted"),
    (r"tensorlint verify( --(device|record|python) \S+)*( +#.*)?$", "every fixture, as `make verify` runs them"),
)
#: Seconds that a command may take.
_LONGEST = 300
#: A line of output that stands for any number of lines.
ANY = "[...]"


def written_pages() -> list[Path]:
    """README.md and what lies in docs/, but for what is written by a tool."""
    found = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
    return [page for page in found if not page.read_text(encoding="utf-8").startswith("<!-- Written by tools/")]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that a page says and that is not so; ``printed`` is what a command printed instead."""

    page: Path
    row: int
    text: str
    command: Command | None = None
    printed: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.page.name}:{self.row}: {self.text}"


@dataclass
class Checked:
    """What is wrong with some pages, and the commands that were not run, by reason."""

    wrong: list[Problem] = field(default_factory=list)
    left: dict[str, list[str]] = field(default_factory=dict)


def check(pages: Sequence[Path]) -> Checked:
    checked = Checked()
    programs: list[Block] = []
    for page in pages:
        found = blocks(page)
        programs += [block for block in found if block.language == "python"]
        with tempfile.TemporaryDirectory() as folder:
            _furnish(Path(folder), found)
            for block in found:
                if block.language == "console":
                    checked.wrong += _console(block, Path(folder), checked.left)
                elif block.language == "toml" and "[tool.tensorlint" in block.text:
                    checked.wrong += _configuration(block, Path(folder))
    checked.wrong += [problem for block in programs for problem in _findings(block)]
    checked.wrong += _executed(programs)
    return checked


def _furnish(folder: Path, found: Sequence[Block]) -> None:
    """A project to run the commands of a page in: the examples, the same as src/, and the files that the page shows."""
    for name in ("examples", "src"):
        shutil.copytree(ROOT / "examples", folder / name)
    for name, origin in (("src/model.py", "train.py"), ("model.py", "train.py"), ("tools/export.py", "evaluate.py")):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / "examples" / origin, folder / name)
    (folder / "path" / "to" / "fixtures").mkdir(parents=True)
    shutil.copy(DOCS / "gallery" / "inverted_mask.py", folder / "path" / "to" / "fixtures")
    for name in ("fixtures", "tests", "docs"):
        (folder / name).symlink_to(ROOT / name)
    for block in found:
        if block.title:
            (folder / block.title).parent.mkdir(parents=True, exist_ok=True)
            (folder / block.title).write_text(block.text, encoding="utf-8")
    shell = folder / ".bin" / "tensorlint"
    shell.parent.mkdir()
    shell.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tensorlint "$@"\n', encoding="utf-8")
    shell.chmod(0o755)


def _console(block: Block, folder: Path, left: dict[str, list[str]]) -> Iterator[Problem]:
    for command in commands(block):
        reason = block.note("skip") or next((why for form, why in NOT_RUN if re.match(form, command.line)), "")
        if reason:
            left.setdefault(reason, []).append(f"{block.page.name}:{command.row}: {command.line}")
        else:
            yield from _run(command, block.page, folder)


def _run(command: Command, page: Path, folder: Path) -> Iterator[Problem]:
    path = os.pathsep.join([str(folder / ".bin"), str(Path(sys.executable).parent), os.environ["PATH"]])
    home = {"HOME": str(folder), "NO_COLOR": "1", "COLUMNS": "120", "PYTHONPATH": str(ROOT), "PATH": path}
    try:
        done = subprocess.run(
            ["bash", "-c", command.line],
            cwd=folder,
            env={**os.environ, **home},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            check=False,
            timeout=_LONGEST,
        )
    except subprocess.TimeoutExpired:
        yield Problem(page, command.row, f"`{command.line}` did not end in {_LONGEST} s")
        return
    printed = [line.rstrip() for line in done.stdout.splitlines()]
    while printed and not printed[-1]:
        printed.pop()
    verifies = command.line.startswith("tensorlint verify")
    if done.returncode not in ({0} if verifies else {0, 1}):
        yield Problem(page, command.row, f"`{command.line}` has exit code {done.returncode}:\n{done.stdout}")
    elif command.output and not is_shown(printed, command.output):
        text = "\n".join([f"`{command.line}` prints", *printed, "where the page says", *command.output])
        yield Problem(page, command.row, text, command, tuple(printed))


def rewrite(page: Path, problems: Sequence[Problem]) -> None:
    """Put what was printed in the place of what the page says, unless it leaves lines out."""
    lines = page.read_text(encoding="utf-8").splitlines()
    for problem in sorted(problems, key=lambda each: each.row, reverse=True):
        if problem.command is not None and ANY not in problem.command.output:
            lines[problem.row : problem.row + len(problem.command.output)] = problem.printed
    page.write_text("\n".join(lines) + "\n", encoding="utf-8")


def is_shown(printed: Sequence[str], expected: Sequence[str]) -> bool:
    """Whether the page shows what was printed; a line ``[...]`` stands for any number of lines."""
    parts = [".*" if line == ANY else re.escape(f"{line}\n") for line in expected]
    return re.fullmatch("".join(parts), "".join(f"{line}\n" for line in printed), re.DOTALL) is not None


def _configuration(block: Block, folder: Path) -> Iterator[Problem]:
    file = folder / "checked.toml"
    file.write_text(block.text, encoding="utf-8")
    yield from _run(Command(block.row, f"tensorlint --config {file.name} --show-files src", ()), block.page, folder)


def _findings(block: Block) -> Iterator[Problem]:
    """A program has the findings that its comment names, and no others."""
    expected = {code.strip() for code in block.note("finds").split(",") if code.strip()}
    found = judge_source(Source("program.py", block.text), default_codes() | expected, Certainty.LIKELY)
    codes = {code for finding in found for code in (finding.code, *finding.also)}
    if codes != expected:
        named = [", ".join(sorted(each)) or "nothing" for each in (codes, expected)]
        text = f"tensorlint finds {named[0]} in this program, where its comment says {named[1]}"
        yield Problem(block.page, block.row, text)


def _executed(programs: Sequence[Block]) -> Iterator[Problem]:
    """Each program does what its comment claims, or runs to its end without a warning."""
    with tempfile.TemporaryDirectory() as folder:
        places = {}
        for block in programs:
            path = Path(folder, f"{block.page.stem}-pages", f"line_{block.row}.py")
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"{''.join(_header(block))}{block.text}", encoding="utf-8")
            places[f"{path.parent.name}/{path.name}"] = block
        if not places:
            return
        ledger = Path(folder, "ledger.json")
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "tensorlint",
                "verify",
                folder,
                *["--device", "cpu", "--device", "sim", "--record"],
                ledger,
            ],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        if not ledger.exists():
            yield Problem(programs[0].page, programs[0].row, f"tensorlint verify: {done.stderr}")
            return
        for row in json.loads(ledger.read_text(encoding="utf-8"))["rows"]:
            if row["verdict"] != "confirmed":
                block = places[row["fixture"]]
                yield Problem(block.page, block.row, f"{row['verdict']} on {row['device']}: {row['observation']}")


def _header(block: Block) -> Iterator[str]:
    for key, value in block.notes:
        if key in {"claim", "device", "requires"}:
            yield f"# {key}: {value}\n"
    if not block.note("claim"):
        yield "# claim: none\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__ and __doc__.splitlines()[0])
    parser.add_argument("pages", nargs="*", type=Path, metavar="PAGE")
    parser.add_argument("--write", action="store_true", help="put what is printed now into the pages")
    options = parser.parse_args()
    checked = check([page.resolve() for page in options.pages] or written_pages())
    for problem in checked.wrong:
        print(problem)
    if options.write:
        for page in {problem.page for problem in checked.wrong}:
            rewrite(page, [problem for problem in checked.wrong if problem.page == page])
    for reason, lines in checked.left.items():
        print(f"not run, as it is {reason}: {len(lines)}")
        for line in lines:
            print(f"    {line}")
    return 1 if checked.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
