"""Findings and policies as values that JSON has."""

from __future__ import annotations

from typing import Any

from tensorlint.findings import Applicability, Certainty, Edit, Finding, Fix, Span, TraceStep
from tensorlint.policy import Policy


def written(finding: Finding) -> list[Any]:
    """A finding without its path."""
    fix = finding.fix
    return [
        finding.code,
        finding.message,
        _numbers(finding.span),
        int(finding.certainty),
        finding.help,
        [[_numbers(step.span), step.message, step.path] for step in finding.trace],
        finding.also,
        fix and [fix.applicability.value, fix.message, [[_numbers(e.span), e.content] for e in fix.edits], fix.reason],
        finding.noqa_row,
    ]


def read(path: str, value: Any) -> Finding:
    """The finding in a file that was written so. Raises ``ValueError`` or ``TypeError`` for something else."""
    code, message, span, certainty, remedy, trace, also, fix, row = value
    return Finding(
        code,
        message,
        path,
        Span(*span),
        Certainty(certainty),
        remedy,
        tuple(TraceStep(Span(*where), words, elsewhere) for where, words, elsewhere in trace),
        tuple(also),
        fix and _fix(*fix),
        row,
    )


def _fix(applicability: str, message: str, edits: list[Any], reason: str) -> Fix:
    changes = tuple(Edit(Span(*span), content) for span, content in edits)
    return Fix(Applicability(applicability), message, changes, reason)


def _numbers(span: Span) -> list[int]:
    return [span.row, span.column, span.end_row, span.end_column]


def policy_text(policy: Policy) -> str:
    """All that a policy says, in one order."""
    fixes = policy.fixes
    return repr(
        (
            sorted(policy.codes),
            policy.certainty and policy.certainty.label,
            policy.merge,
            policy.ignore_noqa,
            fixes and (fixes.codes and sorted(fixes.codes), sorted(fixes.safe), sorted(fixes.unsafe), fixes.style),
        )
    )
