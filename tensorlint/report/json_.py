"""``--output-format json``: one array of objects shaped like ruff's."""

from __future__ import annotations

import json
from typing import Any

from tensorlint.findings import Finding, Fix, Span
from tensorlint.links import rule_url
from tensorlint.report import Report, Style


def render(report: Report, style: Style) -> str:
    return json.dumps([as_object(finding) for finding in report.findings], indent=2) + "\n"


def as_object(finding: Finding) -> dict[str, Any]:
    """One finding, as JSON has it."""
    return {
        "code": finding.code,
        "also": list(finding.also),
        "message": finding.message,
        "filename": finding.path,
        **_span(finding.span),
        "cell": None,
        "certainty": finding.certainty.label,
        "help": finding.help,
        "fix": finding.fix and _fix(finding.fix),
        "noqa_row": finding.noqa_row or finding.span.row,
        "url": rule_url(finding.code),
        "trace": [
            {
                **({"filename": step.path} if step.path else {}),
                "row": step.span.row,
                "column": step.span.column,
                "message": step.message,
            }
            for step in finding.trace
        ],
    }


def _fix(fix: Fix) -> dict[str, Any]:
    return {
        "applicability": fix.applicability.value,
        "message": fix.message,
        "reason": fix.reason,
        "edits": [{"content": edit.content, **_span(edit.span)} for edit in fix.edits],
    }


def _span(span: Span) -> dict[str, Any]:
    return {
        "location": {"row": span.row, "column": span.column},
        "end_location": {"row": span.end_row, "column": span.end_column},
    }
