"""One file: source in, findings out, or a fixed program.

Rules subscribe to events of the interpreter by the names of their methods. A draft of a rule points at
nodes; the rows and columns are looked up at the end, for the drafts that survived, and so are those of its fix.
"""

from __future__ import annotations

import ast
import gc
import os
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tensorlint.findings import Applicability, Certainty, Finding, Fix, Span, TraceStep, tool_finding
from tensorlint.flow.file_facts import file_facts
from tensorlint.policy import Policy
from tensorlint.source import NEWLINE
from tensorlint.unused import UNKNOWN_SUPPRESSION, has_our_comments, looked_for, unknown, unused

if TYPE_CHECKING:
    import libcst as cst

    from tensorlint.doubts import Doubt, Doubts
    from tensorlint.fix.imports import Place
    from tensorlint.fix.repair import Repair
    from tensorlint.flow.events import Event
    from tensorlint.flow.positions import Places
    from tensorlint.flow.world import World
    from tensorlint.rules.base import Draft, Rule
    from tensorlint.source import Source
    from tensorlint.suppression import Suppressions

INTERNAL_ERROR = "TBX900"
SYNTAX_ERROR = "TBX901"
#: Fixes are applied and the result judged again this often. Two rounds are the rule: nested calls take one more each.
MAX_ROUNDS = 20


class RuleError(Exception):
    """A rule failed on an event: an error of the tool, never of the file."""

    def __init__(self, code: str, error: Exception) -> None:
        super().__init__(f"{code}: {type(error).__name__}: {error}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Fixed:
    """A program after fixing: what is left to find in it, which findings were mended, and all there were before."""

    source: Source
    findings: tuple[Finding, ...]
    applied: tuple[Finding, ...]
    before: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class _Judgement:
    """Findings of one program, and what lies behind their fixes."""

    findings: tuple[Finding, ...]
    module: cst.Module | None = None
    repairs: Mapping[Finding, Repair] = field(default_factory=dict)


def check(source: Source, policy: Policy, world: World | None = None) -> list[Finding]:
    """Findings of one file in the program ``world``, sorted, with suppressed ones already taken out.

    A file that does not parse gives the one finding TBX901. Raises ``RuleError`` when a rule fails. A fix that cannot
    be built costs no finding: there is a TBX900 beside it.
    """
    with _collector_paused():
        return list(_judge(source, policy, world).findings)


def fix(
    source: Source, policy: Policy, highest: Applicability = Applicability.SAFE, world: World | None = None
) -> Fixed:
    """Apply fixes until none is left, judging the result after each round.

    ``highest`` is how little a fix may be trusted to be applied: ``SAFE`` only, or ``UNSAFE`` ones, too. When the
    result of a round must not be kept, nothing is: the program comes back as it was, with a TBX900 that names the
    rule. Raises ``RuleError`` as ``check`` does.
    """
    from tensorlint.fix.safety import UnsafeChangeError

    with _collector_paused():
        first = judged = _judge(source, policy, world)
        applied: list[Finding] = []
        text = source
        for _ in range(MAX_ROUNDS):
            chosen = _chosen(judged, highest)
            if not chosen:
                return Fixed(text, judged.findings, tuple(applied), first.findings)
            try:
                changed = _apply(text, judged, chosen)
            except UnsafeChangeError as error:
                return _kept(source, first, _culprits(text, judged, chosen), str(error))
            text = changed
            judged = _judge(text, policy, world)
            applied += chosen
        return _kept(source, first, chosen, "its fix does not settle")


def _chosen(judged: _Judgement, highest: Applicability) -> list[Finding]:
    from tensorlint.fix.edits import choose

    wanted = [
        (finding, finding.fix)
        for finding in judged.findings
        if finding.fix is not None and finding.fix.applicability in {Applicability.SAFE, highest}
    ]
    return [wanted[index][0] for index in choose([each for _, each in wanted])]


def _apply(source: Source, judged: _Judgement, chosen: list[Finding]) -> Source:
    """The program with these findings fixed, proved to be the old program everywhere else."""
    from tensorlint.fix.edits import EditError, apply
    from tensorlint.fix.safety import UnsafeChangeError, check_unchanged, parse

    try:
        text = apply(source.text, [finding.fix for finding in chosen if finding.fix is not None])
        changed = replace(source, text=text)
    except EditError as error:
        raise UnsafeChangeError(str(error)) from error
    if not changed.is_whole:
        raise UnsafeChangeError("the fix reaches beyond the end of a cell")
    assert judged.module is not None
    repairs = [judged.repairs[finding] for finding in chosen if finding in judged.repairs]
    targets = [change.target for repair in repairs for change in repair.changes]
    check_unchanged(
        judged.module, parse(changed.program), targets, sorted({name for each in repairs for name in each.imports})
    )
    return changed


def _culprits(source: Source, judged: _Judgement, chosen: list[Finding]) -> list[Finding]:
    """Those whose fix is wrong by itself; all of them when it takes several."""
    from tensorlint.fix.safety import UnsafeChangeError

    wrong: list[Finding] = []
    for finding in chosen:
        try:
            _apply(source, judged, [finding])
        except UnsafeChangeError:
            wrong.append(finding)
    return wrong or chosen


def _kept(source: Source, judged: _Judgement, culprits: list[Finding], reason: str) -> Fixed:
    """The program as it was, because of these."""
    rules = ", ".join(sorted({finding.code for finding in culprits}))
    at = culprits[0].span
    message = f"internal error: {rules}: {reason}; nothing in this file was changed; please report it"
    internal = tool_finding(INTERNAL_ERROR, source.path, message, at.row, at.column)
    findings = tuple(sorted((*judged.findings, internal), key=lambda finding: finding.sort_key))
    return Fixed(source, findings, (), judged.findings)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """A syntax tree is a hundred thousand objects that stay alive: to collect among them is a quarter of the parse."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _judge(source: Source, policy: Policy, world: World | None) -> _Judgement:
    import libcst as cst

    from tensorlint.flow.interpreter import interpret
    from tensorlint.parsing import parse_module
    from tensorlint.suppression import Suppressions

    try:
        module = parse_module(source.program)
    except cst.ParserSyntaxError as error:
        return _Judgement((_syntax_error(source, error),))
    reports_unused = looked_for(source, policy)
    reports_comments = reports_unused or (UNKNOWN_SUPPRESSION in policy.codes and has_our_comments(source))
    drafts: dict[tuple[str, int], tuple[type[Rule], Draft]] = {}
    listeners = _listeners(policy)

    def judge(event: Event) -> None:
        for rule, listen in listeners.get(event.kind, ()):
            try:
                for draft in listen(event):
                    # What is too uncertain to be shown still says that a comment has something to suppress.
                    if reports_unused or policy.accompanies(draft.certainty):
                        _keep(drafts, rule, draft)
            except Exception as error:
                raise RuleError(rule.code, error) from error

    interpret(module, file_facts(source), judge, world)
    if not drafts and not reports_comments:
        return _Judgement(())
    suppressions = Suppressions.parse(source)
    judged = _findings(source, module, drafts.values(), suppressions, policy, world)
    idle = unused(source, suppressions, judged.suppressed, policy) if reports_unused else ()
    meaningless = unknown(source, suppressions, policy) if reports_comments else ()
    findings = sorted((*judged.findings, *idle, *meaningless), key=lambda finding: finding.sort_key)
    return _Judgement(tuple(findings), module, judged.repairs)


def _keep(drafts: dict[tuple[str, int], tuple[type[Rule], Draft]], rule: type[Rule], draft: Draft) -> None:
    """One draft a rule and place: the surest."""
    key = (rule.code, id(draft.node))
    known = drafts.get(key)
    if known is None or known[1].certainty < draft.certainty:
        drafts[key] = (rule, draft)


def _listeners(policy: Policy) -> dict[str, list[tuple[type[Rule], Callable[[Event], Iterable[Draft]]]]]:
    from tensorlint.rules import all_rules

    listeners: dict[str, list[tuple[type[Rule], Callable[[Event], Iterable[Draft]]]]] = defaultdict(list)
    for code, rule in all_rules().items():
        if code in policy.codes:
            judge = rule()
            for event, method in rule.subscriptions():
                listeners[event].append((rule, getattr(judge, method)))
    return listeners


def _syntax_error(source: Source, error: cst.ParserSyntaxError) -> Finding:
    """Python's own words for it when it agrees, as they are the ones people know."""
    row, column, message = error.raw_line, error.raw_column + 1, " ".join(error.message.split())
    for part in source.parts:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                ast.parse(part.text)
        except SyntaxError as own:
            # What is missing at the end of a part is missing on its last row.
            last = len(NEWLINE.split(part.text.removesuffix("\n")))
            row, column, message = part.row + min(own.lineno or 1, last) - 1, own.offset or 1, own.msg
            break
    return tool_finding(SYNTAX_ERROR, source.path, f"syntax error: {message}", max(row, 1), max(column, 1))


@dataclass(frozen=True, slots=True)
class _Shown:
    """What became of the drafts."""

    findings: list[Finding]
    repairs: Mapping[Finding, Repair]
    suppressed: list[Finding]


def _findings(
    source: Source,
    module: cst.Module,
    drafts: Iterable[tuple[type[Rule], Draft]],
    suppressions: Suppressions,
    policy: Policy,
    world: World | None,
) -> _Shown:
    from tensorlint.fix.edits import Layout
    from tensorlint.fix.imports import place_import
    from tensorlint.flow.positions import locate
    from tensorlint.flow.tree import Sites
    from tensorlint.suppression import CommentRows

    kept = list(drafts)
    repairs, failures = _repairs(source, kept, policy)
    needed = {name for repair in repairs.values() for name in repair.imports}
    closed = _closed(source, module) if needed and source.closed else frozenset()
    imports = {name: place_import(module, name, closed) for name in sorted(needed)}
    sites = Sites(module, source.path)
    notes = {note: sites.node(note.site) for _, draft in kept for note in draft.notes}
    nodes = [draft.node for _, draft in kept] + [node for node in notes.values() if node is not None]
    nodes += [change.node for repair in repairs.values() for change in repair.changes]
    nodes += [place.statement for place in imports.values() if place.statement is not None]
    places = locate(module, nodes, source.program)
    rows = CommentRows(source)
    layout = Layout(places, source.lines, module.default_newline)
    doubts = _doubts(source, kept, policy, world)
    groups: dict[object, list[Finding]] = {}
    shown: set[object] = set()
    suppressed: list[Finding] = []
    behind: dict[Fix, Repair] = {}
    for rule, draft in kept:
        span = places.spans[id(draft.node)]
        # Only of what would be shown is it worth a look who reaches it.
        doubt = None if doubts is None else doubts.of(span.row, asks_callers=draft.certainty >= rule.shown)
        certainty = draft.certainty if doubt is None else min(draft.certainty, Certainty.LIKELY)
        trace = {
            TraceStep(places.spans[id(notes[note])], note.message)
            for note in draft.notes
            if places.spans.get(id(notes[note]), span) != span
        }
        trace |= {
            TraceStep(elsewhere[1], note.message, _spelled_like(source.path, elsewhere[0]))
            for note in draft.notes
            if world is not None and (elsewhere := world.place(note.site)) is not None
        }
        if doubt is not None:
            trace.update(_told(doubt, source.path))
        repair, fix = repairs.get(id(draft)), None
        if repair is not None and (
            not source.closed or all(_runs_before(span, imports[name], places) for name in repair.imports)
        ):
            try:
                fix = policy.trusted(rule.code, layout.fix_of(repair, [imports[name] for name in repair.imports]))
            except Exception as error:  # noqa: BLE001  # such as a node that is not in this program
                failures[rule.code] = _not_built(rule.code, error, source)
        finding = Finding(
            rule.code,
            draft.message,
            source.path,
            span,
            certainty,
            draft.help,
            tuple(sorted(trace, key=lambda step: (step.path, step.span, step.message))),
            fix=fix,
            noqa_row=rows.of(span.row),
        )
        if suppressions.covers_finding(finding):
            suppressed.append(finding)
            if not policy.ignore_noqa:
                continue
        if policy.accompanies(certainty):
            together = id(draft.mend) if policy.merge and draft.mend is not None else (rule.code, id(draft.node))
            groups.setdefault(together, []).append(finding)
            if policy.shows(certainty, rule.shown if doubt is None else Certainty.CERTAIN):
                shown.add(together)
            if repair is not None and finding.fix is not None:
                behind[finding.fix] = repair
    harmless = {rule.code for rule, _ in kept if rule.harmless}
    merged = [_merged(findings, harmless) for together, findings in groups.items() if together in shown]
    return _Shown(
        [*merged, *failures.values()],
        {finding: behind[finding.fix] for finding in merged if finding.fix is not None},
        suppressed,
    )


def _doubts(
    source: Source, drafts: Iterable[tuple[type[Rule], Draft]], policy: Policy, world: World | None
) -> Doubts | None:
    """Why findings may not be reached: asked where one is shown that nobody would see if that is so."""
    if not any(policy.shows(draft.certainty, rule.shown) for rule, draft in drafts):
        return None
    from tensorlint.doubts import Doubts

    return Doubts(source, policy.numpy, around=world is not None)


def _told(doubt: Doubt, path: str) -> Iterator[TraceStep]:
    for step in doubt.steps:
        yield replace(step, path=_spelled_like(path, step.path)) if step.path else step


def _closed(source: Source, module: cst.Module) -> frozenset[int]:
    """The ``id`` of the statements at the top that stand where nothing can be put."""
    from tensorlint.flow.positions import locate

    spans = locate(module, module.body, source.program).spans
    return frozenset(key for key, span in spans.items() if any(span.row in rows for rows in source.closed))


def _runs_before(span: Span, place: Place, places: Places) -> bool:
    """Whether an import that goes to this place is executed before what stands in ``span``."""
    return place.statement is not None and places.spans[id(place.statement)].row <= span.row


def _spelled_like(path: str, absolute: str) -> str:
    """Another file by a path of the kind that this one was named by."""
    return absolute if os.path.isabs(path) else os.path.relpath(absolute)


def _repairs(
    source: Source, drafts: list[tuple[type[Rule], Draft]], policy: Policy
) -> tuple[dict[int, Repair], dict[str, Finding]]:
    """The repairs by the ``id`` of their drafts, and a TBX900 for each rule whose repair could not be built."""
    from tensorlint.fix.repair import loses_comment

    found: dict[int, Repair] = {}
    failures: dict[str, Finding] = {}
    for rule, draft in drafts:
        if draft.repair is None or policy.fixes is None or not policy.fixes.covers(rule.code):
            continue
        try:
            repair = draft.repair(policy.fixes.style)
        except Exception as error:  # noqa: BLE001  # a fix must never cost a finding
            failures[rule.code] = _not_built(rule.code, error, source)
        else:
            if repair is not None and not loses_comment(repair):
                found[id(draft)] = repair
    return found, failures


def _not_built(code: str, error: Exception, source: Source) -> Finding:
    message = f"internal error: {code}: its fix cannot be built: {type(error).__name__}: {error}; please report it"
    return tool_finding(INTERNAL_ERROR, source.path, message)


def _merged(findings: list[Finding], harmless: set[str]) -> Finding:
    """Findings that one change mends are read once: under what does harm, the surest rule, and the lowest code."""
    first, *others = sorted(findings, key=lambda each: (each.code in harmless, -each.certainty, each.code))
    if not others:
        return first
    trace = {step: None for finding in (first, *others) for step in finding.trace}
    rest = "; ".join(finding.message for finding in others)
    return replace(
        first,
        message=f"{first.message}; {rest}",
        also=tuple(finding.code for finding in others),
        help=max((finding.help for finding in findings), key=len),
        trace=tuple(sorted(trace, key=lambda step: (step.path, step.span, step.message))),
        fix=next((finding.fix for finding in (first, *others) if finding.fix is not None), None),
    )
