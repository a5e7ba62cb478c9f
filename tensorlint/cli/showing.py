"""What `tensorlint check` shows, beyond what the formats say."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import replace
from typing import TextIO

from tensorlint.cli.output import emit, emit_bytes, note, style_for
from tensorlint.discovery import Discovered
from tensorlint.report import FOR_PEOPLE, Report, RuleText, Style, render
from tensorlint.report.text import plural, shown_path


def show(report: Report, output_format: str, stream: TextIO, style: Style, *, statistics: bool, quiet: bool) -> None:
    """The findings in a format, or their counts, and a summary where people read it."""
    if statistics:
        emit(_statistics(report, output_format, style), stream)
    else:
        if output_format == "sarif":
            style = replace(style, rules=_described(report))
        emit(render(report, output_format, style), stream)
    if not quiet and output_format in FOR_PEOPLE:
        from tensorlint.report import summary

        blank = "\n" if report.findings and (output_format != "concise" or statistics) else ""
        emit(blank + summary.render(report, style), stream)


def show_files(files: Iterable[Discovered], colour: str) -> int:
    """The files that would be checked."""
    style = style_for(sys.stdout, colour)
    emit("".join(f"{shown_path(file.path, style)}\n" for file in files if not file.error))
    return 0


def show_diff(report: Report, colour: str, *, quiet: bool, exit_zero: bool) -> int:
    """The patch that fixing would be."""
    from tensorlint.report import fixes

    emit_bytes(fixes.patch(report, style_for(sys.stdout, colour)))
    show_errors(report, colour)
    if not quiet:
        what = f"{plural(len(report.applied), 'finding')} in {plural(len(report.changes), 'file')}"
        note(f"Would fix {what}." if report.applied else "Nothing to fix.")
    if report.has_errors:
        return 2
    return 1 if report.changes and not exit_zero else 0


def show_added_noqa(result: Report, colour: str, program: bytes | None) -> int:
    """What became of suppressing every finding. A program from standard input goes to the output."""
    if program is not None:
        emit_bytes(next((new for _, new in result.changes.values()), program))
    show_errors(result, colour)
    note(f"Added {plural(result.comments, 'comment')} in {plural(len(result.changes), 'file')}.")
    return 2 if result.has_errors else 0


def show_errors(report: Report, colour: str = "auto") -> None:
    """What could not be judged, on standard error."""
    emit(render(report.only_errors(), "concise", style_for(sys.stderr, colour)), sys.stderr)


def show_fixes(report: Report, style: Style) -> str:
    """The list of what was fixed; empty where nothing was."""
    from tensorlint.catalogue import catalogue
    from tensorlint.report import fixes

    names = {code: entry.name for code, entry in catalogue().items()} if report.applied else {}
    listed = fixes.counts(report, style, names)
    return listed + "\n" if listed else ""


def _described(report: Report) -> dict[str, RuleText]:
    """What there is to say about the codes of this report."""
    from tensorlint.catalogue import catalogue

    entries = catalogue()
    return {code: RuleText(entries[code].name, entries[code].documentation) for code in report.counts}


def _statistics(report: Report, output_format: str, style: Style) -> str:
    from tensorlint.catalogue import catalogue
    from tensorlint.report import statistics

    names = {code: entry.name for code, entry in catalogue().items()} if report.findings else {}
    return statistics.render(report, style, names, as_json=output_format == "json")
