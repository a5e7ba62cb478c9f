"""What became of many files, gathered into one ``Report``; files are written here, and nowhere else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from tensorlint.codes import TOOL_CODES
from tensorlint.contents import source_of
from tensorlint.findings import Finding, tool_finding
from tensorlint.report import Report
from tensorlint.runner.jobs import Fixing, Judged


def report_of(
    unread: Iterable[Finding],
    checked: int,
    read: Mapping[str, bytes],
    judged: Iterable[Judged],
    fixing: Fixing | None,
    matter: int,
) -> Report:
    """One report of all; ``unread`` are findings of paths that could not even be read."""
    findings = list(unread)
    data = dict(read)
    applied: list[Finding] = []
    changes: dict[str, tuple[bytes, bytes]] = {}
    outcomes = sorted(judged, key=lambda item: item.path)
    for each in outcomes:
        if each.fixed is not None and fixing is not None:
            from tensorlint.fix.writing import WriteError, replace_file

            try:
                if fixing.write:
                    replace_file(each.path, read[each.path], each.fixed)
            except WriteError as error:
                why = f"the fixed file cannot be written: {error}; nothing was changed"
                findings += (*each.before, tool_finding("TBX902", each.path, why))
                continue
            changes[each.path] = (read[each.path], each.fixed)
            data[each.path] = each.fixed
            applied += each.applied
        findings += each.findings
    skipped = Counter(each.skipped for each in outcomes if each.skipped)
    shown = {finding.path for finding in findings}
    return Report(
        findings=tuple(sorted(findings, key=lambda finding: finding.sort_key)),
        checked=checked - skipped.total(),
        skipped=dict(sorted(skipped.items())),
        judged=matter,
        data={path: content for path, content in data.items() if path in shown},
        applied=tuple(applied),
        changes=changes,
    )


def suppress(report: Report, *, write: bool, reason: str = "") -> Report:
    """Put a ``# noqa`` for each finding of the report at the end of its line. The report must hold the files' bytes.

    Findings about comments are not among them: a comment that says so would be one more of them.
    """
    from tensorlint.fix.comments import CommentError, with_comments
    from tensorlint.fix.writing import WriteError, replace_file

    errors = [finding for finding in report.findings if finding.is_internal]
    changes: dict[str, tuple[bytes, bytes]] = {}
    comments = 0
    for path, data in sorted(report.data.items()):
        rows: dict[int, set[str]] = {}
        for finding in report.findings:
            if finding.path == path and finding.code not in TOOL_CODES:
                rows.setdefault(finding.noqa_row, set()).update((finding.code, *finding.also))
        if not rows:
            continue
        try:
            new = with_comments(source_of(path, data), rows, reason)
            if write and new != data:
                replace_file(path, data, new)
        except (WriteError, CommentError) as error:
            errors.append(tool_finding("TBX902", path, f"no comment was added: {error}"))
        else:
            if new != data:
                changes[path] = (data, new)
                comments += len(rows)
    return replace(report, findings=tuple(errors), changes=changes, comments=comments)
