"""One file after another, in one process: judged and fixed, so that whatever goes wrong is a finding, too.

Cheapest first. Python itself says whether a file that does not pass the byte screen is a program at all, which costs a
tenth of what LibCST takes; LibCST is imported only when some file passes, or does not parse.
"""

from __future__ import annotations

import os
import symtable
import time
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

from tensorlint.contents import SUFFIX, source_of
from tensorlint.deep import with_deep_stack
from tensorlint.findings import Certainty, Finding, tool_finding
from tensorlint.nesting import MAX_SIZE, check_nesting, check_size
from tensorlint.policy import Policy
from tensorlint.program.dependencies import Dependencies, Dependency, recording
from tensorlint.runner.jobs import Job, Judged, Outcome
from tensorlint.runner.worlds import forget, world
from tensorlint.source import Source, SourceError, source_finding
from tensorlint.templates import is_template

#: What a file is judged by that only has to be a program.
_NOTHING = Policy(frozenset(), fixes=None)

if TYPE_CHECKING:
    from tensorlint.engine import Fixed


def outcome_of(job: Job) -> Outcome:
    """What becomes of one file, with what it depends on."""
    start = time.process_time()
    with recording(Dependencies()) as asked:
        judged = judge(job)
    depends_on = frozenset(asked.all()) if job.traced else frozenset[Dependency]()
    return Outcome(judged, time.process_time() - start, depends_on)


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
    policy = job.policy if job.matters else _NOTHING

    def work() -> list[Finding]:
        if job.highest is None:
            return _check(source, policy)
        from tensorlint.engine import fix

        outcome.append(fix(source, policy, job.highest, world()))
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


def judge_source(
    source: Source, codes: frozenset[str], certainty: Certainty | None, numpy: str | None = None
) -> list[Finding]:
    """The findings of one program for who honours comments and selections himself (flake8), or wants no fixes.

    ``numpy`` is the release that the program is for.
    """
    policy = Policy(codes, certainty, merge=source.noqa, numpy=numpy, fixes=None)
    return _guarded(source, lambda: _check(source, policy))


def _check(source: Source, policy: Policy) -> list[Finding]:
    from tensorlint.engine import check  # here, because this is what imports LibCST

    return check(source, policy, world())


def _guarded(source: Source, work: Callable[[], list[Finding]]) -> list[Finding]:
    """What ``work`` finds. Whatever goes wrong is a finding, too, so that the other files are still judged."""
    try:
        check_size(source)
        check_nesting(source)
        return with_deep_stack(work)
    except SourceError as error:
        return [source_finding(source.path, error)]
    except RecursionError:
        forget()
        return [tool_finding("TBX902", source.path, "the file is nested too deeply to be analysed")]
    except Exception as error:  # noqa: BLE001  # the promise of TBX900
        # What was being found out of the files around may be left half done.
        forget()
        return [tool_finding("TBX900", source.path, internal_error(error))]


def _parses(program: bytes | str) -> bool:
    """Whether Python itself takes the program. When not, the engine decides: it knows other versions' syntax, too.

    A symbol table costs a third of ``ast.parse``, as the tree is never turned into Python objects. What is too large to
    judge is not asked: it would take gigabytes to find that there is nothing to say.
    """
    if len(program) > MAX_SIZE:
        return True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            # Bytes are taken as by ``compile``, cookie and all; typeshed only knows of text.
            with_deep_stack(lambda: symtable.symtable(program, "<program>", "exec"))  # type: ignore[arg-type]
        except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
            return False
    return True


def internal_error(error: BaseException) -> str:
    """One line for a report: what was raised, by which rule, where."""
    import traceback  # here, as nothing should go wrong

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
