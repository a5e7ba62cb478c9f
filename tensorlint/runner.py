"""Many files: read, screen, judge (in several processes when that pays), gather into one ``Report``.

Cheapest first. Python itself says whether a file that does not pass the byte screen is a program at all, which costs a
tenth of what LibCST takes; LibCST is imported only when some file passes, or does not parse.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import symtable
import traceback
import warnings
from collections.abc import Iterable
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

from tensorlint.config import Resolver, resolve
from tensorlint.deep import with_deep_stack
from tensorlint.discovery import Discovered
from tensorlint.findings import Certainty, Finding, Span
from tensorlint.nesting import check_nesting
from tensorlint.report import Report
from tensorlint.screen import may_matter
from tensorlint.source import Source, SourceError, read_bytes

#: Below this many files, starting processes costs more than it saves.
PARALLEL_FROM = 20
#: Files are handed to processes in batches of this many.
_BATCH = 4


@dataclass(frozen=True, slots=True)
class Job:
    """One file that is to be judged, complete, so that it can travel to another process."""

    path: str
    data: bytes
    codes: frozenset[str]
    certainty: Certainty
    #: Whether it passed the byte screen. If not, it only has to be a program.
    matters: bool = True


def run(files: Iterable[Discovered], resolver: Resolver, jobs: int = 1) -> Report:
    """Lint files. The report does not depend on their order nor on the number of processes."""
    findings: list[Finding] = []
    work: list[Job] = []
    checked = 0
    for file in files:
        if file.error:
            findings.append(tool_finding("TBX902", file.path, f"the directory cannot be read: {file.error}"))
            continue
        checked += 1
        if file.path.endswith(".ipynb"):
            findings.append(tool_finding("TBX902", file.path, "notebooks are not read yet; export it as a script"))
            continue
        try:
            data = read_bytes(file.path)
        except SourceError as error:
            findings.append(source_finding(file.path, error))
        else:
            work.append(_job(file.path, data, resolver))
    findings += _judge_all(work, jobs)
    return _report(findings, checked, work)


def run_text(path: str, data: bytes, resolver: Resolver) -> Report:
    """Lint one program that does not come from a file."""
    work = [_job(path, data, resolver)]
    return _report(_judge_all(work, 1), 1, work)


def _job(path: str, data: bytes, resolver: Resolver) -> Job:
    if not may_matter(data):
        return Job(path, data, frozenset(), Certainty.POSSIBLE, matters=False)
    settings = resolver.for_file(path)
    return Job(path, data, resolve(settings, path), settings.certainty)


def _report(findings: list[Finding], checked: int, work: list[Job]) -> Report:
    shown = {finding.path for finding in findings}
    return Report(
        findings=tuple(sorted(findings, key=lambda finding: finding.sort_key)),
        checked=checked,
        judged=sum(job.matters for job in work),
        data={job.path: job.data for job in work if job.path in shown},
    )


def _judge_all(work: list[Job], jobs: int) -> list[Finding]:
    if jobs > 1 and sum(job.matters for job in work) > PARALLEL_FROM:
        return _judge_in_processes(work, jobs)
    return [finding for job in work for finding in judge(job)]


def _judge_in_processes(work: list[Job], jobs: int) -> list[Finding]:
    if multiprocessing.get_start_method() == "fork":
        # Once, before the processes are forked, instead of once in each of them.
        import tensorlint.flow.interpreter
        import tensorlint.rules

        tensorlint.rules.all_rules()
    largest_first = sorted(work, key=lambda job: (not job.matters, -len(job.data), job.path))
    batches = [largest_first[start :: -(-len(work) // _BATCH)] for start in range(-(-len(work) // _BATCH))]
    findings: list[Finding] = []
    left = {job.path: job for job in work}
    with ProcessPoolExecutor(min(jobs, len(batches)), initializer=_die_on_interrupt) as pool:
        try:
            futures: dict[Future[list[Finding]], list[Job]] = {
                pool.submit(_judge_batch, batch): batch for batch in batches
            }
            for future in as_completed(futures):
                findings += future.result()
                for job in futures[future]:
                    del left[job.path]
        except BrokenProcessPool:
            pass  # a process died; what it left undone follows one by one
        except KeyboardInterrupt:
            for process in multiprocessing.active_children():
                process.terminate()
            raise
    return findings + _judge_one_by_one(list(left.values()))


def _judge_one_by_one(work: list[Job]) -> list[Finding]:
    """Each file alone in a process, which is replaced when a file ends it, so that the file is known."""
    findings: list[Finding] = []
    while work:
        with ProcessPoolExecutor(1, initializer=_die_on_interrupt) as pool:
            try:
                while work:
                    findings += pool.submit(judge, work[-1]).result()
                    work.pop()
            except BrokenProcessPool:
                findings.append(
                    tool_finding("TBX900", work.pop().path, "internal error: the process that read this file died")
                )
    return findings


def _die_on_interrupt() -> None:
    """Let Ctrl-C end a worker without the traceback that each of them would print."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _judge_batch(batch: list[Job]) -> list[Finding]:
    return [finding for job in batch for finding in judge(job)]


def judge(job: Job) -> list[Finding]:
    """The findings of one file."""
    if not job.matters and _parses(job.data):
        return []
    try:
        source = Source.from_bytes(job.path, job.data)
    except SourceError as error:
        return [source_finding(job.path, error)]
    return judge_source(source, job.codes, job.certainty)


def judge_source(source: Source, codes: frozenset[str], certainty: Certainty) -> list[Finding]:
    """The findings of one program. Whatever goes wrong is one, too, so that the other files are still judged."""
    try:
        check_nesting(source)
        return with_deep_stack(lambda: _check(source, codes, certainty))
    except SourceError as error:
        return [source_finding(source.path, error)]
    except RecursionError:
        return [tool_finding("TBX902", source.path, "the file is nested too deeply to be analysed")]
    except Exception as error:  # noqa: BLE001  # the promise of TBX900
        return [tool_finding("TBX900", source.path, internal_error(error))]


def _check(source: Source, codes: frozenset[str], certainty: Certainty) -> list[Finding]:
    from tensorlint.engine import Policy, check  # here, because this is what imports LibCST

    # Who honours comments and selections itself (flake8) needs every code on a row of its own.
    return check(source, Policy(codes, certainty, merge=source.noqa))


def _parses(data: bytes) -> bool:
    """Whether Python itself takes the program. When not, the engine decides: it knows other versions' syntax, too.

    A symbol table costs a third of ``ast.parse``, as the tree is never turned into Python objects.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            # Bytes are taken as by ``compile``, cookie and all; typeshed only knows of text.
            with_deep_stack(lambda: symtable.symtable(data, "<program>", "exec"))  # type: ignore[arg-type]
        except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
            return False
    return True


def tool_finding(code: str, path: str, message: str, row: int = 1, column: int = 1) -> Finding:
    """A finding of the tool about itself: TBX900 to TBX902."""
    return Finding(code, message, path, Span(row, column, row, column), Certainty.CERTAIN, noqa_row=row)


def source_finding(path: str, error: SourceError) -> Finding:
    return tool_finding(error.code, path, error.message, error.row, error.column)


def internal_error(error: BaseException) -> str:
    """One line for a report: what was raised, by which rule, where."""
    error = error.__cause__ or error  # what a rule raised reaches us wrapped
    summary = " ".join(traceback.format_exception_only(type(error), error)[-1].split())
    frames = list(traceback.walk_tb(error.__traceback__))
    rules = [code for frame, _ in frames if (code := _rule_of(frame.f_globals))]
    where = [f"{os.path.basename(frame.f_code.co_filename)}:{line}" for frame, line in frames[-1:]]
    return f"internal error: {summary} ({', '.join(rules[-1:] + where)}); please report it"


def _rule_of(module: dict[str, object]) -> str | None:
    """The code of the rule that this module defines."""
    if not str(module.get("__name__", "")).startswith("tensorlint.rules."):
        return None
    from tensorlint.rules.base import Rule

    classes = (each for each in module.values() if isinstance(each, type) and issubclass(each, Rule))
    return next((each.code for each in classes if "code" in vars(each)), None)
