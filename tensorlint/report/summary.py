"""The last line of a run."""

from __future__ import annotations

from collections import Counter

from tensorlint.findings import Certainty
from tensorlint.report import Report, Style
from tensorlint.report.text import paint, plural


def render(report: Report, style: Style) -> str:
    colour = paint(style)
    if not report.findings:
        if not report.checked:
            return colour("No Python files found.", "yellow") + "\n"
        return f"{colour('All clear:', 'green', 'bold')} {plural(report.checked, 'file')} checked.\n"
    failed = {finding.path for finding in report.findings if finding.is_internal}
    findings = [finding for finding in report.findings if not finding.is_internal]
    sentences: list[str] = []
    if findings:
        certainties = Counter(finding.certainty for finding in findings)
        details = ", ".join(f"{certainties[each]} {each.label}" for each in reversed(Certainty) if certainties[each])
        fixable = f"; {report.fixable} fixable" if report.fixable else ""
        found = f"Found {plural(len(findings), 'finding')}"
        files = plural(len({finding.path for finding in findings}), "file")
        sentences.append(f"{colour(found, 'red', 'bold')} in {files} ({details}{fixable}).")
    if failed:
        sentences.append(colour(f"{plural(len(failed), 'path')} could not be checked.", "red", "bold"))
    sentences.append(f"Checked {plural(report.checked, 'file')}.")
    return " ".join(sentences) + "\n"
