"""``--output-format grouped``: the findings of a file below its name."""

from __future__ import annotations

from itertools import groupby

from tensorlint.report import Report, Style
from tensorlint.report.concise import line
from tensorlint.report.text import paint, position, shown_path


def render(report: Report, style: Style) -> str:
    colour = paint(style)
    blocks: list[str] = []
    for path, group in groupby(report.findings, key=lambda finding: finding.path):
        placed = [(f"{position(report.location(path, finding.span))}:", line(finding, style)) for finding in group]
        width = max(len(place) for place, _ in placed)
        lines = [f"  {place:<{width}} {text}\n" for place, text in placed]
        blocks.append(f"{colour(shown_path(path, style), 'bold')}:\n{''.join(lines)}")
    return "\n".join(blocks)
