"""``tensorlint verify``."""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tensorlint.cli.output import available_processors, emit, note, style_for
from tensorlint.codes import canonical, code_names, did_you_mean
from tensorlint.fixtures_path import fixtures_root

if TYPE_CHECKING:
    from tensorlint.verify.harness import Row
    from tensorlint.verify.program import Program

_INSTALL = "pip install 'tensorlint[verify]'"
_CODE = re.compile(r"TBX\d{0,3}", re.IGNORECASE)
_MOST_JOBS = 8


@click.command()
@click.argument("what", nargs=-1, metavar="[CODE|PATH]...")
@click.option(
    "--device",
    "devices",
    multiple=True,
    type=click.Choice(["cpu", "sim", "cuda", "mps", "all"]),
    help="Where to run; may be repeated (default: cpu, sim, and the real accelerators that are there).",
)
@click.option("--python", metavar="PATH", help="The interpreter that runs the programs (default: this one).")
@click.option("--knowledge", is_flag=True, help="Execute the knowledge tables, row by row, instead of fixtures.")
@click.option("--record", metavar="FILE", type=click.Path(dir_okay=False), help="Write a ledger of what was seen.")
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text", help="How to show it.")
@click.option("--explain", is_flag=True, help="Show each program with its claim, what was seen, and its fix.")
@click.option("-j", "--jobs", type=click.IntRange(min=1), help="How many programs to run at a time.")
@click.option("--timeout", type=click.FloatRange(min=0.1), default=20.0, help="Seconds a program may take.")
@click.option("--memory", type=click.IntRange(min=64), default=2048, help="Megabytes a program may add.")
def verify(
    what: tuple[str, ...],
    devices: tuple[str, ...],
    python: str | None,
    knowledge: bool,
    record: str | None,
    output_format: str,
    explain: bool,
    jobs: int | None,
    timeout: float,
    memory: int,
) -> int:
    """Run fixture programs, and say whether what they claim happens.

    CODE is a rule or a prefix (`TBX3`), or `claims`; PATH is a folder or a file with fixtures of your own, which are
    EXECUTED. Without arguments, every fixture of tensorlint is run. Exit 0 when nothing is refuted, 1 when something
    is, 2 on errors.
    """
    from tensorlint.verify import ledger, report
    from tensorlint.verify.harness import Harness, Verdict, find_devices
    from tensorlint.verify.pool import Limits, MissingTorchError, Pool, PoolError

    started = time.monotonic()
    # The programs run elsewhere, where a path that begins here leads nowhere. (A link is kept: it is what a venv is.)
    interpreter = os.path.abspath(python) if python and os.sep in python else python or sys.executable
    if knowledge:
        if what or devices or explain:
            raise click.UsageError("--knowledge takes no fixtures, no --device and no --explain")
        return _knowledge(interpreter, record, output_format)
    programs = _programs(what)
    count = jobs or min(available_processors(), _MOST_JOBS)
    rows: list[Row] = []
    try:
        with Pool(interpreter, count, Limits(timeout, memory)) as pool:
            environment = pool.environment()
            where = find_devices(devices, interpreter, programs)
            if absent := [device for device in devices if device in where.missing]:
                why = "; ".join(where.missing[device] for device in absent)
                raise click.ClickException(f"--device {absent[0]}: {why}; `--device sim` simulates an accelerator")
            harness = Harness(pool, environment, where)
            with _progress(harness.count(programs)) as step:
                for row in harness.verify(programs, count):
                    rows.append(row)
                    step(row)
    except MissingTorchError as error:
        raise click.ClickException(f"{interpreter} has no torch and NumPy ({error}): {_INSTALL}") from None
    except PoolError as error:
        raise click.ClickException(str(error)) from None
    rows.sort(key=lambda row: row.sort_key)
    if record is not None:
        _write(record, ledger.render_ledger(rows, environment, where))
    if output_format == "json":
        emit(ledger.render_json(rows, environment))
    else:
        style = style_for(sys.stdout)
        columns = shutil.get_terminal_size((120, 24)).columns
        if explain:
            emit("".join(f"{report.explain(row, columns, style)}\n" for row in rows))
        emit(report.table(rows, environment, time.monotonic() - started, style))
    return 1 if any(row.verdict is Verdict.REFUTED for row in rows) else 0


def _knowledge(interpreter: str, record: str | None, output_format: str) -> int:
    from tensorlint.verify import report
    from tensorlint.verify.knowledge import verify_knowledge

    started = time.monotonic()
    measured = verify_knowledge(interpreter)
    if "No module named" in measured.problem:
        raise click.ClickException(f"{interpreter} has no torch and NumPy ({measured.problem}): {_INSTALL}")
    if measured.problem:
        raise click.ClickException(measured.problem)
    if record is not None:
        _write(record, measured.to_json() + "\n")
    if output_format == "json":
        emit(measured.to_json() + "\n")
    else:
        emit(report.knowledge(measured, time.monotonic() - started, style_for(sys.stdout)))
    return 1 if measured.refuted else 0


def _programs(what: Sequence[str]) -> list[Program]:
    from tensorlint.verify.program import ProgramError, find_programs

    root = fixtures_root()
    folders = sorted(path for path in root.iterdir() if path.is_dir()) if root else []
    if not what and not folders:
        raise click.ClickException("the fixtures were left out of this installation")
    chosen: list[Path] = []
    own: list[str] = []
    for word in what or ("TBX", "claims"):
        word = canonical(word) if word.lower() in code_names() else word
        if _CODE.fullmatch(word) or word == "claims":
            matching = [path for path in folders if path.name.startswith(word.upper() if word != "claims" else word)]
            if not matching:
                known = [path.name.partition("_")[0] for path in folders]
                raise click.UsageError(f"no fixtures for `{word}`{did_you_mean(word.upper(), known)}")
            chosen += matching
        elif os.path.exists(word):
            chosen.append(Path(word).absolute())
            own.append(word)
        else:
            raise click.UsageError(f"`{word}` is neither the code of a rule nor a path that exists")
    if own:
        note(f"warning: this executes the programs in {', '.join(own)}, with your permissions; it is no sandbox")
    try:
        programs = find_programs(chosen)
    except ProgramError as error:
        raise click.ClickException(str(error)) from None
    if not programs:
        raise click.ClickException(f"no fixture programs in {', '.join(own)}: they start with a line `# claim: ...`")
    return programs


@contextmanager
def _progress(total: int) -> Iterator[_Step]:
    """One line on a terminal that counts; nothing where nobody watches."""
    watched = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    step = _Step(total, watched)
    try:
        yield step
    finally:
        if watched:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


class _Step:
    def __init__(self, total: int, watched: bool) -> None:
        self._total = total
        self._watched = watched
        self._done = 0
        self._refuted = 0

    def __call__(self, row: Row) -> None:
        self._done += 1
        self._refuted += row.verdict.value == "refuted"
        if self._watched:
            refuted = f", {self._refuted} refuted" if self._refuted else ""
            sys.stderr.write(f"\r\x1b[K{self._done}/{self._total}{refuted}  {row.program.name[:60]}")
            sys.stderr.flush()


def _write(path: str, text: str) -> None:
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{path}: cannot be written: {error.strerror or error}") from None
