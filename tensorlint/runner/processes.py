"""Judging in several processes, when that pays."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterable
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from itertools import zip_longest

from tensorlint.findings import tool_finding
from tensorlint.program import layout, mentions
from tensorlint.runner.jobs import Job, Judged, Outcome
from tensorlint.runner.judging import outcome_of
from tensorlint.runner.stopwatch import Stopwatch

#: Files are handed to processes in batches of this many.
_BATCH = 4
_LARGE = 60_000


def judge_in_processes(work: list[Job], jobs: int, stopwatch: Stopwatch) -> list[Outcome]:
    """What becomes of these files. A process that dies costs the one file that it died of."""
    if multiprocessing.get_start_method() == "fork":
        # Once, before the processes are forked, instead of once in each of them.
        import tensorlint.flow.interpreter
        import tensorlint.rules

        tensorlint.rules.all_rules()
        for project in {layout.project(job.path) for job in work if job.matters}:
            mentions.mentions_in(project)
    batches = _batches(work)
    judged: list[Outcome] = []
    left = {job.path: job for job in work}
    with ProcessPoolExecutor(min(jobs, len(batches)), initializer=_die_on_interrupt) as pool:
        try:
            futures: dict[Future[list[Outcome]], list[Job]] = {
                pool.submit(_judge_batch, batch): batch for batch in batches
            }
            for future in as_completed(futures):
                for outcome in future.result():
                    judged.append(outcome)
                    del left[outcome.judged.path]
                    stopwatch.done(outcome.judged.path, outcome.seconds)
        except BrokenProcessPool:
            pass  # a process died; what it left undone follows one by one
        except KeyboardInterrupt:
            for process in multiprocessing.active_children():
                process.terminate()
            raise
    return judged + _judge_one_by_one(list(left.values()))


def _batches(work: list[Job]) -> list[list[Job]]:
    """Files side by side in a batch, and the batches from both ends of the tree in turn.

    What lies around one file mostly lies around its neighbours, too, and each process reads that for itself. Large
    files come first, each for itself: none of them is left to the end, when other processes are idle.
    """
    large = sorted((job for job in work if len(job.data) > _LARGE), key=lambda job: (-len(job.data), job.path))
    work = [job for job in work if len(job.data) <= _LARGE]

    def cut(jobs: Iterable[Job]) -> list[list[Job]]:
        in_order = sorted(jobs, key=lambda job: job.path)
        return [in_order[start : start + _BATCH] for start in range(0, len(in_order), _BATCH)]

    judged = cut(job for job in work if job.matters)
    half = len(judged) // 2
    ends = zip_longest(judged[: len(judged) - half], reversed(judged[len(judged) - half :]))
    small = [batch for pair in ends for batch in pair if batch] + cut(job for job in work if not job.matters)
    return [*([job] for job in large), *small]


def _judge_one_by_one(work: list[Job]) -> list[Outcome]:
    """Each file alone in a process, which is replaced when a file ends it, so that the file is known."""
    judged: list[Outcome] = []
    while work:
        with ProcessPoolExecutor(1, initializer=_die_on_interrupt) as pool:
            try:
                while work:
                    judged.append(pool.submit(outcome_of, work[-1]).result())
                    work.pop()
            except BrokenProcessPool:
                path = work.pop().path
                died = tool_finding("TBX900", path, "internal error: the process that read this file died")
                judged.append(Outcome(Judged(path, (died,))))
    return judged


def _die_on_interrupt() -> None:
    """Let Ctrl-C end a worker without the traceback that each of them would print."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _judge_batch(batch: list[Job]) -> list[Outcome]:
    return [outcome_of(job) for job in batch]
