"""Findings and policies as values that JSON has."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from tensorlint.findings import Applicability, Certainty, Edit, Finding, Fix, Span, TraceStep
from tensorlint.policy import FixPolicy, Policy


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
    return repr(_in_order(policy))


def _in_order(value: Any) -> Any:
    """What has the same text wherever it says the same: a set has no order of its own."""
    if isinstance(value, Policy | FixPolicy):
        return [(field.name, _in_order(getattr(value, field.name))) for field in fields(value)]
    return sorted(value) if isinstance(value, frozenset) else value
