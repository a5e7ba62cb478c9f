"""The last lines of a run."""

from __future__ import annotations

from collections import Counter

from tensorlint.findings import Applicability, Certainty
from tensorlint.report import Report, Style
from tensorlint.report.text import paint, plural


def render(report: Report, style: Style) -> str:
    colour = paint(style)
    fixed = ""
    if report.applied:
        done = colour(f"Fixed {plural(len(report.applied), 'finding')}", "green", "bold")
        fixed = f"{done} in {plural(len(report.changes), 'file')}. "
    skipped = "".join(f" Skipped {_many(count, what)}." for what, count in report.skipped.items())
    if not report.findings:
        if not report.checked:
            return colour("No Python files found.", "yellow") + f"{skipped}\n"
        clear = colour("All clear:", "green", "bold")
        return f"{fixed}{clear} {plural(report.checked, 'file')} checked.{skipped}\n"
    failed = {finding.path for finding in report.findings if finding.is_internal}
    findings = [finding for finding in report.findings if not finding.is_internal]
    sentences: list[str] = []
    if findings:
        certainties = Counter(finding.certainty for finding in findings)
        details = ", ".join(f"{certainties[each]} {each.label}" for each in reversed(Certainty) if certainties[each])
        count = plural(len(findings), "finding")
        found = f"{count} left" if report.applied else f"Found {count}"
        files = plural(len({finding.path for finding in findings}), "file")
        sentences.append(f"{colour(found, 'red', 'bold')} in {files} ({details}).")
    if failed:
        sentences.append(colour(f"{plural(len(failed), 'path')} could not be checked.", "red", "bold"))
    sentences.append(f"Checked {plural(max(report.checked - len(failed), 0), 'file')}.")
    return fixed + " ".join(sentences) + f"{skipped}\n" + _fixable(report)


def _many(count: int, what: str) -> str:
    noun, space, rest = what.partition(" ")
    return plural(count, noun) + space + rest


def _fixable(report: Report) -> str:
    """What ``--fix`` could do about it."""
    safe, unsafe = report.fixable(Applicability.SAFE), report.fixable(Applicability.UNSAFE)
    if safe and unsafe:
        return f"{safe} fixable with `--fix`, {unsafe} more with `--fix --unsafe-fixes`.\n"
    if safe:
        return f"{safe} fixable with `--fix`.\n"
    return f"{unsafe} fixable with `--fix --unsafe-fixes`.\n" if unsafe else ""
