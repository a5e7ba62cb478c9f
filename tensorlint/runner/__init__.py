"""Many files: read, screen, judge and fix (in several processes when that pays), gather into one ``Report``.

What judges is imported when there is something to judge: not for files that a cache knows.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tensorlint import doubts
from tensorlint.config import Resolver
from tensorlint.discovery import Discovered
from tensorlint.findings import Finding, tool_finding
from tensorlint.policy import Policy
from tensorlint.program import archive, layout, mentions
from tensorlint.program.archive import Archive
from tensorlint.report import Report
from tensorlint.runner import worlds
from tensorlint.runner.gathering import report_of
from tensorlint.runner.jobs import Fixing, Job, Judged, Outcome, job_of, policy_of
from tensorlint.runner.stopwatch import Stopwatch
from tensorlint.source import SourceError, read_bytes, source_finding

if TYPE_CHECKING:
    from tensorlint.runner.cache import Cache

#: More files than this, or together more bytes, are judged in several processes: starting them costs something, too.
PARALLEL_FROM = 20
_PARALLEL_BYTES = 150_000

__all__ = ["Fixing", "Job", "Judged", "Stopwatch", "forget", "run", "run_text"]


def run(
    files: Iterable[Discovered],
    resolver: Resolver,
    jobs: int = 1,
    fixing: Fixing | None = None,
    cache: Cache | None = None,
    stopwatch: Stopwatch | None = None,
) -> Report:
    """Lint, and fix, files. The report does not depend on their order, the number of processes, or the cache."""
    stopwatch = stopwatch or Stopwatch()
    forget(None if cache is None else cache.archive)
    checked = matter = 0
    unread: list[Finding] = []
    judged: list[Judged] = []
    data: dict[str, bytes] = {}
    read: list[tuple[Discovered, Policy]] = []
    with stopwatch.stage("reading"):
        for file in files:
            checked += 1
            if file.error:
                unread.append(tool_finding("TBX902", file.path, f"the directory cannot be read: {file.error}"))
                continue
            policy = policy_of(resolver.for_file(file.path), file.path)
            known = (
                None if cache is None else cache.find(file.path, policy, named=file.named, fixing=fixing is not None)
            )
            try:
                if known is None:
                    data[file.path] = (cache and cache.read(file.path)) or read_bytes(file.path)
                    read.append((file, policy))
                    continue
            except SourceError as error:
                unread.append(source_finding(file.path, error))
            else:
                judged.append(known.judged)
                matter += known.matters
                data[file.path] = known.data
    if cache is not None:
        stopwatch.asked, stopwatch.known = cache.asked, cache.known
    with stopwatch.stage("screen"):
        work = [
            job_of(file.path, data[file.path], policy, fixing, named=file.named, traced=cache is not None)
            for file, policy in read
        ]
    with stopwatch.stage("judging"):
        outcomes = _judge_all(work, jobs, stopwatch)
    if cache is not None:
        with stopwatch.stage("cache"):
            cache.keep({job.path: job for job in work}, outcomes)
    judged += [outcome.judged for outcome in outcomes]
    return report_of(unread, checked, data, judged, fixing, matter + sum(job.matters for job in work))


def run_text(path: str, data: bytes, resolver: Resolver, fixing: Fixing | None = None) -> Report:
    """Lint, and fix, one program that does not come from a file. Nothing is written."""
    job = job_of(path, data, policy_of(resolver.for_file(path), path), fixing)
    judged = [outcome.judged for outcome in _judge_all([job], 1, Stopwatch())]
    return report_of([], 1, {path: data}, judged, fixing and Fixing(fixing.highest, write=False), int(job.matters))


def forget(kept: Archive | None = None) -> None:
    """Let nothing be known of the files of programs, some of which may have changed, but what is kept of them."""
    archive.begin(kept or Archive())
    layout.forget()
    mentions.forget()
    doubts.forget()
    worlds.forget()


def _judge_all(work: list[Job], jobs: int, stopwatch: Stopwatch) -> list[Outcome]:
    if not work:
        return []
    matter = [job for job in work if job.matters]
    many = len(matter) > PARALLEL_FROM or sum(len(job.data) for job in matter) > _PARALLEL_BYTES
    stopwatch.begin(len(work))
    try:
        if many and min(jobs, len(matter)) > 1:
            from tensorlint.runner.processes import judge_in_processes

            return judge_in_processes(work, jobs, stopwatch)
        from tensorlint.runner.judging import outcome_of

        outcomes = []
        for job in work:
            outcomes.append(outcome_of(job))
            stopwatch.done(job.path, outcomes[-1].seconds)
        return outcomes
    finally:
        stopwatch.end()
