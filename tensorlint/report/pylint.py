"""``--output-format pylint``: one line a finding, as pylint's ``--output-format=parseable`` has it; for CI plug-ins."""

from __future__ import annotations

from tensorlint.report import Report, Style
from tensorlint.report.text import shown_path, visible


def render(report: Report, style: Style) -> str:
    return "".join(
        f"{shown_path(finding.path, style)}:{finding.span.row}: [{finding.code}] {visible(finding.message)}\n"
        for finding in report.findings
    )
