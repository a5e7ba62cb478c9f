"""``--output-format pylint``: one line a finding, as flake8's ``--format=pylint`` and ruff's have it; for CI plug-ins.

Pylint's own lines name what is found by one letter and a number, a symbol and an object, which codes are not.
"""

from __future__ import annotations

from tensorlint.report import Report, Style
from tensorlint.report.portable import message, shown_portable_path
from tensorlint.report.text import visible


def render(report: Report, style: Style) -> str:
    return "".join(
        f"{shown_portable_path(finding.path, style)}:{report.in_file(finding.path, finding.span).row}: "
        f"[{finding.code}] {visible(message(finding, report))}\n"
        for finding in report.findings
    )
