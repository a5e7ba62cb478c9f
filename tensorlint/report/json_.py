"""``--output-format json``: one array of objects shaped like ruff's."""

from __future__ import annotations

import json
from typing import Any

from tensorlint.findings import Edit, Finding, Fix, Location, Span, TraceStep
from tensorlint.links import rule_url
from tensorlint.report import Report, Style


def render(report: Report, style: Style) -> str:
    return json.dumps([as_object(finding, report) for finding in report.findings], indent=2) + "\n"


def as_object(finding: Finding, report: Report) -> dict[str, Any]:
    """One finding, as JSON has it. In a notebook rows are those of a cell, and what may lie in another one names it."""
    location = report.location(finding.path, finding.span)
    noqa_row = finding.noqa_row or finding.span.row

    def cell(place: Location) -> dict[str, Any]:
        return {} if place.cell is None else {"cell": place.cell}

    def edit(change: Edit) -> dict[str, Any]:
        place = report.location(finding.path, change.span)
        return {"content": change.content, **cell(place), **_span(place.span)}

    def step(stop: TraceStep) -> dict[str, Any]:
        if stop.path:
            return {"filename": stop.path, **_start(stop.span), "message": stop.message}
        place = report.location(finding.path, stop.span)
        return {**cell(place), **_start(place.span), "message": stop.message}

    return {
        "code": finding.code,
        "also": list(finding.also),
        "message": finding.message,
        "filename": finding.path,
        **_span(location.span),
        "cell": location.cell,
        "certainty": finding.certainty.label,
        "help": finding.help,
        "fix": finding.fix and _fix(finding.fix, [edit(each) for each in finding.fix.edits]),
        "noqa_row": report.location(finding.path, Span(noqa_row, 1, noqa_row, 1)).span.row,
        "url": rule_url(finding.code),
        "trace": [step(each) for each in finding.trace],
    }


def _fix(fix: Fix, edits: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "applicability": fix.applicability.value,
        "message": fix.message,
        "reason": fix.reason,
        "edits": edits,
    }


def _start(span: Span) -> dict[str, int]:
    return {"row": span.row, "column": span.column}


def _span(span: Span) -> dict[str, Any]:
    return {
        "location": _start(span),
        "end_location": {"row": span.end_row, "column": span.end_column},
    }
