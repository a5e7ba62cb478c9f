"""``--output-format concise``: one line a finding."""

from __future__ import annotations

from tensorlint.report import Report, Style
from tensorlint.report.text import certainty_colour, codes, paint, shown_path, visible


def render(report: Report, style: Style) -> str:
    colour = paint(style)
    return "".join(
        f"{colour(shown_path(finding.path, style), 'bold')}:{finding.span.row}:{finding.span.column}: "
        f"{colour(codes(finding), 'red', 'bold')} {visible(finding.message)} "
        f"{colour(f'[{finding.certainty.label}]', certainty_colour(finding.certainty))}\n"
        for finding in report.findings
    )
