"""``--output-format sarif``: SARIF 2.1.0, for code scanning. The trace of a finding is its code flow."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from tensorlint import __version__
from tensorlint.findings import Applicability, Certainty, Finding, Fix, Span, TraceStep
from tensorlint.links import HOME, rule_url
from tensorlint.report import Report, Style
from tensorlint.report.portable import fingerprints, in_cell, message, portable_uri

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVEL = {Certainty.CERTAIN: "error", Certainty.LIKELY: "warning", Certainty.POSSIBLE: "note"}


def render(report: Report, style: Style) -> str:
    codes = sorted({finding.code for finding in report.findings})
    run = {
        "tool": {
            "driver": {
                "name": "tensorlint",
                "informationUri": HOME,
                "version": __version__,
                "rules": [_rule(code, style) for code in codes],
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": not report.has_errors}],
        "results": [
            _result(finding, codes.index(finding.code), fingerprint, report, style)
            for finding, fingerprint in zip(report.findings, fingerprints(report, style), strict=True)
        ],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(code: str, style: Style) -> dict[str, Any]:
    rule: dict[str, Any] = {"id": code, "helpUri": rule_url(code)}
    if (text := style.rules.get(code)) is not None:
        summary, _, rest = text.documentation.partition("\n\n")
        summary = summary.replace("\n", " ")
        does = rest.partition("## What it does\n")[2].partition("\n## ")[0].strip()
        rule |= {
            "name": "".join(word.capitalize() for word in text.name.split("-")),
            "shortDescription": {"text": summary},
            "fullDescription": {"text": does or summary},
            "help": {"text": text.documentation, "markdown": text.documentation},
        }
    return rule


def _result(finding: Finding, index: int, fingerprint: str, report: Report, style: Style) -> dict[str, Any]:
    said = message(finding, report)
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": "error" if finding.is_internal else _LEVEL[finding.certainty],
        "message": {"text": f"{said}. {finding.help[:1].upper()}{finding.help[1:]}." if finding.help else said},
        "locations": [
            _place(finding.path, report.in_file(finding.path, finding.span), style, _snippet(finding, report))
        ],
        "partialFingerprints": {"tensorlint/v1": fingerprint},
        "properties": {"certainty": finding.certainty.label, "also": list(finding.also)},
    }
    if finding.trace:
        end = TraceStep(finding.span, finding.message)
        result["codeFlows"] = [_flow([_step(step, finding.path, report) for step in (*finding.trace, end)], style)]
    # An edit of a cell is no edit of the text of the file.
    editable = report.location(finding.path, finding.span).cell is None
    if editable and finding.fix is not None and finding.fix.applicability is not Applicability.DISPLAY:
        result["fixes"] = [_fix(finding.path, finding.fix, style)]
    return result


def _step(step: TraceStep, path: str, report: Report) -> tuple[str, Span, str]:
    if step.path:
        return step.path, step.span, step.message
    return path, report.in_file(path, step.span), step.message + in_cell(report.location(path, step.span))


def _flow(steps: Iterable[tuple[str, Span, str]], style: Style) -> dict[str, Any]:
    locations = [{"location": {**_place(path, span, style), "message": {"text": text}}} for path, span, text in steps]
    return {"threadFlows": [{"locations": locations}]}


def _fix(path: str, fix: Fix, style: Style) -> dict[str, Any]:
    reason = f" ({fix.applicability.value}{': ' if fix.reason else ''}{fix.reason})"
    replacements = [
        {"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.content}} for edit in fix.edits
    ]
    return {
        "description": {"text": fix.message + reason},
        "artifactChanges": [{"artifactLocation": _artifact(path, style), "replacements": replacements}],
    }


def _place(path: str, span: Span, style: Style, snippet: str = "") -> dict[str, Any]:
    region = {**_region(span), "snippet": {"text": snippet}} if snippet else _region(span)
    return {"physicalLocation": {"artifactLocation": _artifact(path, style), "region": region}}


def _snippet(finding: Finding, report: Report) -> str:
    """The text of the region; none in a notebook, where the region is one of the JSON."""
    span = finding.span
    lines = report.lines(finding.path)[span.row - 1 : span.end_row]
    if not lines or report.location(finding.path, span).cell is not None:
        return ""
    return "\n".join((*lines[:-1], lines[-1][: span.end_column - 1]))[span.column - 1 :]


def _artifact(path: str, style: Style) -> dict[str, Any]:
    return {"uri": portable_uri(path, style)}


def _region(span: Span) -> dict[str, int]:
    return {
        "startLine": span.row,
        "startColumn": span.column,
        "endLine": span.end_row,
        "endColumn": span.end_column,
    }
