"""``--output-format github``: workflow commands that annotate a pull request."""

from __future__ import annotations

from tensorlint.report import Report, Style
from tensorlint.report.text import codes, shown_path, visible


def render(report: Report, style: Style) -> str:
    return "".join(
        f"::{'error' if finding.is_internal else 'warning'} title=tensorlint ({_property(codes(finding))}),"
        f"file={_property(shown_path(finding.path, style))},line={finding.span.row},col={finding.span.column},"
        f"endLine={finding.span.end_row},endColumn={finding.span.end_column}::{_data(finding.message)}\n"
        for finding in report.findings
    )


def _data(text: str) -> str:
    return visible(text).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
