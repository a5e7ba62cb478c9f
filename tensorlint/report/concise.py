"""``--output-format concise``: one line a finding."""

from __future__ import annotations

from tensorlint.findings import Applicability, Finding
from tensorlint.report import Report, Style
from tensorlint.report.text import certainty_colour, codes, paint, position, shown_path, visible


def render(report: Report, style: Style) -> str:
    colour = paint(style)
    return "".join(
        f"{colour(shown_path(finding.path, style), 'bold')}:{position(report.location(finding.path, finding.span))}: "
        f"{line(finding, style)}\n"
        for finding in report.findings
    )


def line(finding: Finding, style: Style) -> str:
    """What a finding says, without its place."""
    colour = paint(style)
    return (
        f"{colour(codes(finding, style), 'red', 'bold')} {_mark(finding, style)}{visible(finding.message)} "
        f"{colour(f'[{finding.certainty.label}]', certainty_colour(finding.certainty))}"
    )


def _mark(finding: Finding, style: Style) -> str:
    """A star, as ruff has it, where ``--fix`` with the options of this run would mend the finding."""
    fixable = {Applicability.SAFE, Applicability.UNSAFE} if style.unsafe_fixes else {Applicability.SAFE}
    star = paint(style)("*", "cyan")
    return f"[{star}] " if finding.fix is not None and finding.fix.applicability in fixable else ""
