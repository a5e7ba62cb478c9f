"""Many files: read, screen, judge and fix (in several processes when that pays), gather into one ``Report``.

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
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import zip_longest
from typing import TYPE_CHECKING

from tensorlint.codes import TOOL_CODES
from tensorlint.config import Resolver, Settings, codes_of, resolve
from tensorlint.deep import with_deep_stack
from tensorlint.discovery import Discovered
from tensorlint.findings import Applicability, Certainty, Finding, tool_finding
from tensorlint.fix.comments import CommentError, with_comments
from tensorlint.fix.writing import WriteError, replace_file
from tensorlint.nesting import check_nesting
from tensorlint.notebook import SUFFIX, program_bytes, source_of
from tensorlint.policy import FixPolicy, Policy
from tensorlint.program import layout
from tensorlint.program.checkpoints import loads_in
from tensorlint.program.mentions import mentions_in
from tensorlint.report import Report
from tensorlint.screen import is_of_interest, may_matter
from tensorlint.source import Source, SourceError, read_bytes
from tensorlint.templates import is_template

if TYPE_CHECKING:
    from tensorlint.engine import Fixed
    from tensorlint.flow.world import World

#: Below this many files, starting processes costs more than it saves.
PARALLEL_FROM = 20
#: Files are handed to processes in batches of this many.
_BATCH = 4

#: Of how many bytes of source a process keeps what it knows.
_MAX_WORLD = 16_000_000

#: What a file is judged by that only has to be a program.
_NOTHING = Policy(frozenset(), fixes=None)


@dataclass(frozen=True, slots=True)
class Fixing:
    """That fixes are wanted: up to which applicability, and whether they are to be written to the files."""

    highest: Applicability = Applicability.SAFE
    write: bool = True


@dataclass(frozen=True, slots=True)
class Job:
    """One file that is to be judged, complete, so that it can travel to another process."""

    path: str
    data: bytes
    policy: Policy
    #: Whether it passed the byte screen. If not, it only has to be a program.
    matters: bool = True
    #: How little a fix may be trusted to be applied; None where nothing is to be fixed.
    highest: Applicability | None = None
    #: Whether somebody asked for this very file, so that it must be a program.
    named: bool = True


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of one file: what is left to find, and what was found before when something was fixed."""

    path: str
    findings: tuple[Finding, ...]
    applied: tuple[Finding, ...] = ()
    fixed: bytes | None = None
    before: tuple[Finding, ...] = ()
    #: What the file is, where it is no program of ours and was passed over.
    skipped: str = ""


def run(files: Iterable[Discovered], resolver: Resolver, jobs: int = 1, fixing: Fixing | None = None) -> Report:
    """Lint, and fix, files. The report does not depend on their order nor on the number of processes."""
    findings: list[Finding] = []
    work: list[Job] = []
    checked = 0
    for file in files:
        checked += 1
        if file.error:
            findings.append(tool_finding("TBX902", file.path, f"the directory cannot be read: {file.error}"))
            continue
        try:
            data = read_bytes(file.path)
        except SourceError as error:
            findings.append(source_finding(file.path, error))
        else:
            work.append(replace(_job(file.path, data, resolver, fixing), named=file.named))
    return _report(findings, checked, work, _judge_all(work, jobs), fixing)


def run_text(path: str, data: bytes, resolver: Resolver, fixing: Fixing | None = None) -> Report:
    """Lint, and fix, one program that does not come from a file. Nothing is written."""
    work = [_job(path, data, resolver, fixing)]
    return _report([], 1, work, _judge_all(work, 1), fixing and Fixing(fixing.highest, write=False))


def _job(path: str, data: bytes, resolver: Resolver, fixing: Fixing | None) -> Job:
    searched = program_bytes(path, data)
    if is_of_interest(searched):
        from tensorlint.rules import clues_of

        policy = policy_of(resolver.for_file(path), path)
        if may_matter(searched, clues_of(policy.codes)):
            return Job(path, data, policy, highest=None if fixing is None else fixing.highest)
    return Job(path, data, _NOTHING, matters=False)


def policy_of(settings: Settings, path: str) -> Policy:
    """What the settings say about one file."""
    fixable = codes_of(settings.fixable) - codes_of(settings.unfixable)
    safe, unsafe = codes_of(settings.extend_safe_fixes), codes_of(settings.extend_unsafe_fixes)
    fixes = FixPolicy(fixable, safe, unsafe, settings.export_style)
    return Policy(resolve(settings, path), settings.certainty, ignore_noqa=settings.ignore_noqa, fixes=fixes)


def _report(
    findings: list[Finding], checked: int, work: list[Job], judged: list[Judged], fixing: Fixing | None
) -> Report:
    """``findings`` are those of paths that could not even be read."""
    read = {job.path: job.data for job in work}
    data = dict(read)
    applied: list[Finding] = []
    changes: dict[str, tuple[bytes, bytes]] = {}
    for each in sorted(judged, key=lambda item: item.path):
        if each.fixed is not None and fixing is not None:
            try:
                if fixing.write:
                    replace_file(each.path, read[each.path], each.fixed)
            except WriteError as error:
                why = f"the fixed file cannot be written: {error}; nothing was changed"
                findings += (*each.before, tool_finding("TBX902", each.path, why))
                continue
            changes[each.path] = (read[each.path], each.fixed)
            data[each.path] = each.fixed
            applied += each.applied
        findings += each.findings
    skipped = Counter(each.skipped for each in judged if each.skipped)
    shown = {finding.path for finding in findings}
    return Report(
        findings=tuple(sorted(findings, key=lambda finding: finding.sort_key)),
        checked=checked - skipped.total(),
        skipped=dict(sorted(skipped.items())),
        judged=sum(job.matters for job in work),
        data={path: content for path, content in data.items() if path in shown},
        applied=tuple(applied),
        changes=changes,
    )


def suppress(report: Report, *, write: bool, reason: str = "") -> Report:
    """Put a ``# noqa`` for each finding of the report at the end of its line. The report must hold the files' bytes.

    Findings about comments are not among them: a comment that says so would be one more of them.
    """
    errors = [finding for finding in report.findings if finding.is_internal]
    changes: dict[str, tuple[bytes, bytes]] = {}
    comments = 0
    for path, data in sorted(report.data.items()):
        rows: dict[int, set[str]] = {}
        for finding in report.findings:
            if finding.path == path and finding.code not in TOOL_CODES:
                rows.setdefault(finding.noqa_row, set()).update((finding.code, *finding.also))
        if not rows:
            continue
        try:
            new = with_comments(source_of(path, data), rows, reason)
            if write and new != data:
                replace_file(path, data, new)
        except (WriteError, CommentError) as error:
            errors.append(tool_finding("TBX902", path, f"no comment was added: {error}"))
        else:
            if new != data:
                changes[path] = (data, new)
                comments += len(rows)
    return replace(report, findings=tuple(errors), changes=changes, comments=comments)


def _judge_all(work: list[Job], jobs: int) -> list[Judged]:
    if jobs > 1 and sum(job.matters for job in work) > PARALLEL_FROM:
        return _judge_in_processes(work, jobs)
    return [judge(job) for job in work]


def _judge_in_processes(work: list[Job], jobs: int) -> list[Judged]:
    if multiprocessing.get_start_method() == "fork":
        # Once, before the processes are forked, instead of once in each of them.
        import tensorlint.flow.interpreter
        import tensorlint.rules

        tensorlint.rules.all_rules()
    batches = _batches(work)
    judged: list[Judged] = []
    left = {job.path: job for job in work}
    with ProcessPoolExecutor(min(jobs, len(batches)), initializer=_die_on_interrupt) as pool:
        try:
            futures: dict[Future[list[Judged]], list[Job]] = {
                pool.submit(_judge_batch, batch): batch for batch in batches
            }
            for future in as_completed(futures):
                judged += future.result()
                for job in futures[future]:
                    del left[job.path]
        except BrokenProcessPool:
            pass  # a process died; what it left undone follows one by one
        except KeyboardInterrupt:
            for process in multiprocessing.active_children():
                process.terminate()
            raise
    return judged + _judge_one_by_one(list(left.values()))


def _batches(work: list[Job]) -> list[list[Job]]:
    """Files side by side in a batch, and the batches from both ends of the tree in turn.

    What lies around one file mostly lies around its neighbours, too, and each process reads that for itself.
    """

    def cut(jobs: Iterable[Job]) -> list[list[Job]]:
        in_order = sorted(jobs, key=lambda job: job.path)
        return [in_order[start : start + _BATCH] for start in range(0, len(in_order), _BATCH)]

    judged = cut(job for job in work if job.matters)
    half = len(judged) // 2
    ends = zip_longest(judged[: len(judged) - half], reversed(judged[len(judged) - half :]))
    return [batch for pair in ends for batch in pair if batch] + cut(job for job in work if not job.matters)


def _judge_one_by_one(work: list[Job]) -> list[Judged]:
    """Each file alone in a process, which is replaced when a file ends it, so that the file is known."""
    judged: list[Judged] = []
    while work:
        with ProcessPoolExecutor(1, initializer=_die_on_interrupt) as pool:
            try:
                while work:
                    judged.append(pool.submit(judge, work[-1]).result())
                    work.pop()
            except BrokenProcessPool:
                path = work.pop().path
                died = tool_finding("TBX900", path, "internal error: the process that read this file died")
                judged.append(Judged(path, (died,)))
    return judged


def _die_on_interrupt() -> None:
    """Let Ctrl-C end a worker without the traceback that each of them would print."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _judge_batch(batch: list[Job]) -> list[Judged]:
    return [judge(job) for job in batch]


def judge(job: Job) -> Judged:
    """The findings of one file, and what it looks like when they are fixed."""
    if not job.matters and not job.path.endswith(SUFFIX) and _parses(job.data):
        return Judged(job.path, ())
    try:
        source = source_of(job.path, job.data)
    except SourceError as error:
        return Judged(job.path, (source_finding(job.path, error),))
    if source.language != "python":
        return Judged(job.path, (), skipped="notebook of another language")
    if not job.matters and _parses(source.program):
        return Judged(job.path, ())
    outcome: list[Fixed] = []

    def work() -> list[Finding]:
        if job.highest is None:
            return _check(source, job.policy)
        from tensorlint.engine import fix

        outcome.append(fix(source, job.policy, job.highest, world()))
        return list(outcome[0].findings)

    found = tuple(_guarded(source, work))
    if not job.named and any(finding.code == "TBX901" and is_template(source, finding.span.row) for finding in found):
        return Judged(job.path, (), skipped="template")
    if not outcome or not outcome[0].applied:
        return Judged(job.path, found)
    if source.to_bytes() != job.data:
        why = f"it cannot be fixed, as {source.encoding} does not give the same bytes back"
        return Judged(job.path, (*outcome[0].before, tool_finding("TBX902", job.path, why)))
    return Judged(job.path, found, outcome[0].applied, outcome[0].source.to_bytes(), outcome[0].before)


def judge_source(source: Source, codes: frozenset[str], certainty: Certainty | None) -> list[Finding]:
    """The findings of one program for who honours comments and selections himself (flake8), or wants no fixes."""
    return _guarded(source, lambda: _check(source, Policy(codes, certainty, merge=source.noqa, fixes=None)))


def _check(source: Source, policy: Policy) -> list[Finding]:
    from tensorlint.engine import check  # here, because this is what imports LibCST

    return check(source, policy, world())


def world() -> World:
    """The program around the files, as far as this process has read it. Begun anew where that was too much to keep."""
    if _world().size > _MAX_WORLD:
        _world.cache_clear()
    return _world()


def forget() -> None:
    """Let nothing be known of the files of programs, so that they are read anew: some have changed."""
    _world.cache_clear()
    layout.forget()
    mentions_in.cache_clear()
    loads_in.cache_clear()


@lru_cache(maxsize=1)
def _world() -> World:
    from tensorlint.flow.world import World

    return World()


def _guarded(source: Source, work: Callable[[], list[Finding]]) -> list[Finding]:
    """What ``work`` finds. Whatever goes wrong is a finding, too, so that the other files are still judged."""
    try:
        check_nesting(source)
        return with_deep_stack(work)
    except SourceError as error:
        return [source_finding(source.path, error)]
    except RecursionError:
        _world.cache_clear()
        return [tool_finding("TBX902", source.path, "the file is nested too deeply to be analysed")]
    except Exception as error:  # noqa: BLE001  # the promise of TBX900
        # What was being found out of the files around may be left half done.
        _world.cache_clear()
        return [tool_finding("TBX900", source.path, internal_error(error))]


def _parses(program: bytes | str) -> bool:
    """Whether Python itself takes the program. When not, the engine decides: it knows other versions' syntax, too.

    A symbol table costs a third of ``ast.parse``, as the tree is never turned into Python objects.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            # Bytes are taken as by ``compile``, cookie and all; typeshed only knows of text.
            with_deep_stack(lambda: symtable.symtable(program, "<program>", "exec"))  # type: ignore[arg-type]
        except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
            return False
    return True


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
