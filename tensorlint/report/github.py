"""``--output-format github``: workflow commands that annotate a pull request."""

from __future__ import annotations

from tensorlint.report import Report, Style
from tensorlint.report.portable import message, shown_portable_path
from tensorlint.report.text import codes, visible


def render(report: Report, style: Style) -> str:
    return "".join(
        f"::{'error' if finding.is_internal else 'warning'} title=tensorlint ({_property(codes(finding))}),"
        f"file={_property(shown_portable_path(finding.path, style))},line={span.row},col={span.column},"
        f"endLine={span.end_row},endColumn={span.end_column}::{_data(message(finding, report))}\n"
        for finding in report.findings
        for span in (report.in_file(finding.path, finding.span),)
    )


def _data(text: str) -> str:
    return visible(text).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
