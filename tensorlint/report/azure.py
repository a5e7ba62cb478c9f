"""``--output-format azure``: logging commands of Azure Pipelines."""

from __future__ import annotations

from tensorlint.report import Report, Style
from tensorlint.report.portable import message, shown_portable_path
from tensorlint.report.text import visible


def render(report: Report, style: Style) -> str:
    return "".join(
        f"##vso[task.logissue type={'error' if finding.is_internal else 'warning'};"
        f"sourcepath={_property(shown_portable_path(finding.path, style))};linenumber={span.row};"
        f"columnnumber={span.column};code={finding.code};]{_data(message(finding, report))}\n"
        for finding in report.findings
        for span in (report.in_file(finding.path, finding.span),)
    )


def _data(text: str) -> str:
    """The percent sign begins an escape, and has one of its own: Azure Pipelines, "Logging commands"."""
    return visible(text).replace("%", "%AZP25")


def _property(text: str) -> str:
    return _data(text).replace(";", "%3B").replace("]", "%5D")
