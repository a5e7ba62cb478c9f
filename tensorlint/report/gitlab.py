"""``--output-format gitlab``: a Code Quality report, one array of issues; the keys that Code Climate wants, too."""

from __future__ import annotations

import json

from tensorlint.findings import Certainty
from tensorlint.report import Report, Style
from tensorlint.report.portable import fingerprints, message, portable_path
from tensorlint.report.text import codes

_SEVERITY = {Certainty.CERTAIN: "major", Certainty.LIKELY: "minor", Certainty.POSSIBLE: "info"}


def render(report: Report, style: Style) -> str:
    issues = [
        {
            "type": "issue",
            "check_name": finding.code,
            "categories": ["Bug Risk"],
            "description": f"{codes(finding)}: {message(finding, report)}",
            "severity": "blocker" if finding.is_internal else _SEVERITY[finding.certainty],
            "fingerprint": fingerprint,
            "location": {
                "path": portable_path(finding.path, style),
                "positions": {
                    "begin": {"line": span.row, "column": span.column},
                    "end": {"line": span.end_row, "column": span.end_column},
                },
            },
        }
        for finding, fingerprint in zip(report.findings, fingerprints(report, style), strict=True)
        for span in (report.in_file(finding.path, finding.span),)
    ]
    return json.dumps(issues, indent=2) + "\n"
