"""One file: source in, findings out.

Rules subscribe to events of the interpreter by the names of their methods. A draft of a rule points at
nodes; the rows and columns are looked up at the end, for the drafts that survived.
"""

from __future__ import annotations

import ast
import gc
import re
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tensorlint.findings import Certainty, Finding, Span, TraceStep

if TYPE_CHECKING:
    import libcst as cst

    from tensorlint.flow.events import Event, FileFacts
    from tensorlint.rules.base import Draft, Rule
    from tensorlint.source import Source
    from tensorlint.suppression import Suppressions

SYNTAX_ERROR = "TBX901"
#: A device that is not spelled "cpu": only then can something of this file be anywhere else.
_DEVICE_WORDS = re.compile(
    r"""\.cuda\b|\.cpu\(|["']cuda|\bgpu\b|is_available\(|\.to\([^)]*device|\bdevice\s*=(?!\s*(?:torch\.device\()?["']cpu)"""
)
_IMPORT = re.compile(r"^[ \t]*(?:import|from)[ \t]+([\w.]+(?:[ \t]*,[ \t]*[\w.]+)*)", re.MULTILINE)
_NUMPY_METHOD = re.compile(r"^[ \t]+(?:async[ \t]+)?def[ \t]+numpy[ \t]*\(", re.MULTILINE)
_DATA_PATH = re.compile(
    r"(^|/)(data|datasets?|data_?loaders?|data_?managers?|data_?parsers?|data_?utils|transforms?|pre_?process\w*|augment\w*)(/|\.py$)"
)
_TEST_PATH = re.compile(r"(^|/)(tests?|testing|test_\w+|\w+_test)(\.py|/)")


class RuleError(Exception):
    """A rule failed on an event: an error of the tool, never of the file."""

    def __init__(self, code: str, error: Exception) -> None:
        super().__init__(f"{code}: {type(error).__name__}: {error}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Policy:
    """Which rules judge, and how sure a finding must be to be shown."""

    codes: frozenset[str]
    certainty: Certainty = Certainty.LIKELY
    #: Whether findings that one change mends are told as one. Off where the caller selects by code afterwards.
    merge: bool = True


def check(source: Source, policy: Policy) -> list[Finding]:
    """Findings of one file, sorted, with suppressed ones already taken out.

    A file that does not parse gives the one finding TBX901. Raises ``RuleError`` when a rule fails.
    """
    with _collector_paused():
        return _check(source, policy)


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


def _check(source: Source, policy: Policy) -> list[Finding]:
    import libcst as cst

    from tensorlint.flow.interpreter import interpret
    from tensorlint.suppression import Suppressions

    try:
        module = cst.parse_module(source.text)
    except cst.ParserSyntaxError as error:
        return [_syntax_error(source, error)]
    drafts: dict[tuple[str, int], tuple[type[Rule], Draft]] = {}
    listeners = _listeners(policy)

    def judge(event: Event) -> None:
        for rule, listen in listeners.get(event.kind, ()):
            try:
                for draft in listen(event):
                    if draft.certainty >= policy.certainty:
                        _keep(drafts, rule, draft)
            except Exception as error:
                raise RuleError(rule.code, error) from error

    interpret(module, file_facts(source), judge)
    if not drafts:
        return []
    suppressions = Suppressions.parse(source)
    findings = _findings(source, module, drafts.values(), suppressions, merge=policy.merge)
    return sorted(findings, key=lambda finding: finding.sort_key)


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
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(source.text)
    except SyntaxError as own:
        row, column, message = own.lineno or row, own.offset or 1, own.msg
    row, column = max(row, 1), max(column, 1)
    span = Span(row, column, row, column)
    return Finding(SYNTAX_ERROR, f"syntax error: {message}", source.path, span, Certainty.CERTAIN, noqa_row=row)


def file_facts(source: Source) -> FileFacts:
    """What the text of the whole file says about itself."""
    from tensorlint.flow.events import FileFacts
    from tensorlint.knowledge.frameworks import FOREIGN_NUMPY_METHOD, TORCH_ECOSYSTEM

    modules = {
        name.strip().split(".")[0] for match in _IMPORT.finditer(source.text) for name in match.group(1).split(",")
    }
    path = source.path.replace("\\", "/")
    return FileFacts(
        imports_torch=bool(modules & TORCH_ECOSYSTEM),
        mentions_device=bool(_DEVICE_WORDS.search(source.text)),
        foreign=frozenset(modules & FOREIGN_NUMPY_METHOD),
        defines_numpy=bool(_NUMPY_METHOD.search(source.text)),
        is_test=bool(_TEST_PATH.search(path)),
        is_data_code=bool(_DATA_PATH.search(path)),
    )


def _findings(
    source: Source,
    module: cst.Module,
    drafts: Iterable[tuple[type[Rule], Draft]],
    suppressions: Suppressions,
    *,
    merge: bool,
) -> list[Finding]:
    from tensorlint.flow.positions import locate

    kept = list(drafts)
    places = locate(module, [node for _, draft in kept for node in (draft.node, *(note.node for note in draft.notes))])
    shown: dict[object, list[Finding]] = {}
    for rule, draft in kept:
        span = places.spans[id(draft.node)]
        trace = {
            TraceStep(places.spans[id(note.node)], note.message)
            for note in draft.notes
            if id(note.node) in places.spans and places.spans[id(note.node)] != span
        }
        finding = Finding(
            rule.code,
            draft.message,
            source.path,
            span,
            draft.certainty,
            draft.help,
            tuple(sorted(trace, key=lambda step: (step.span, step.message))),
            noqa_row=places.last_row(span),
        )
        if not suppressions.covers_finding(finding):
            together = id(draft.mend) if merge and draft.mend is not None else (rule.code, id(draft.node))
            shown.setdefault(together, []).append(finding)
    return [_merged(findings) for findings in shown.values()]


def _merged(findings: list[Finding]) -> Finding:
    """Findings that one change mends are read once: under the surest rule, then the lowest code."""
    first, *others = sorted(findings, key=lambda finding: (-finding.certainty, finding.code))
    if not others:
        return first
    trace = {step: None for finding in (first, *others) for step in finding.trace}
    rest = "; ".join(finding.message for finding in others)
    return replace(
        first,
        message=f"{first.message}; {rest}",
        also=tuple(finding.code for finding in others),
        help=max((finding.help for finding in findings), key=len),
        trace=tuple(sorted(trace, key=lambda step: (step.span, step.message))),
    )
