"""Suppression comments that do nothing: TBX903 for those that suppress nothing, TBX904 for those that name nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from tensorlint.codes import is_known, near_code
from tensorlint.findings import Certainty, Finding, Fix, Span
from tensorlint.fix.comments import without

if TYPE_CHECKING:
    from tensorlint.policy import Policy
    from tensorlint.source import Source
    from tensorlint.suppression import Suppression, Suppressions

UNUSED_SUPPRESSION = "TBX903"
UNKNOWN_SUPPRESSION = "TBX904"
#: Comments that speak to this tool alone.
_OUR_COMMENT = re.compile(r"#.*(?:TBX|tensorlint:)", re.IGNORECASE)


def looked_for(source: Source, policy: Policy) -> bool:
    """Whether this file may have a comment that suppresses nothing, and it matters."""
    return UNUSED_SUPPRESSION in policy.codes and has_our_comments(source)


def has_our_comments(source: Source) -> bool:
    return bool(_OUR_COMMENT.search(source.text))


def _is_ours(comment: Suppression) -> bool:
    """Whether a comment for one line speaks to this tool: other tools' codes, and ``# noqa`` for all, do not."""
    return not comment.whole_file and (
        comment.kind == "ignore" or any(prefix.startswith("TBX") for prefix in comment.prefixes)
    )


def unused(
    source: Source, suppressions: Suppressions, suppressed: Iterable[Finding], policy: Policy
) -> Iterator[Finding]:
    """TBX903 for each comment of ours, or code in it, that suppresses nothing under any certainty.

    A code is only judged when every rule it stands for was asked.
    """
    from tensorlint.rules import all_rules

    if suppressions.file_ignored:
        return
    used = {each for finding in suppressed for each in suppressions.used_by(finding)}
    known = all_rules().keys()
    for comment in filter(_is_ours, suppressions.comments):
        idle = [
            prefix
            for prefix in comment.prefixes
            if (comment, prefix) not in used
            and prefix[:3] in ("", "TBX")
            and not prefix.startswith("TBX9")
            and is_known(prefix)
            and all(code in policy.codes for code in known if code.startswith(prefix))
        ]
        if not idle:
            continue
        what = f"`{', '.join(idle)}`" if any(idle) else "this comment"
        fix = without(source, comment, idle)
        message = f"{what} suppresses nothing"
        finding = _finding(UNUSED_SUPPRESSION, message, "take it out", source, comment, policy, fix)
        # A comment for all codes must not cover what is said about itself.
        if policy.ignore_noqa or comment.kind == "ignore" or not suppressions.covers(comment.row, UNUSED_SUPPRESSION):
            yield finding


def unknown(source: Source, suppressions: Suppressions, policy: Policy) -> Iterator[Finding]:
    """TBX904 for each comment of ours that names no code there is. Codes of other tools are theirs to judge."""
    if UNKNOWN_SUPPRESSION not in policy.codes or suppressions.file_ignored:
        return
    for comment in suppressions.comments:
        wrong = [
            prefix
            for prefix in comment.prefixes
            if not is_known(prefix) and (comment.kind == "ignore" or prefix.startswith("TBX"))
        ]
        fix = None
        if comment.is_open:
            message, remedy = "this comment suppresses nothing: its bracket is not closed", "close the bracket"
        elif not comment.prefixes:
            message, remedy = "this comment suppresses nothing: it names no rule", "name a rule, or take it out"
        elif wrong:
            near = "" if len(wrong) > 1 or wrong[0][3:].isdigit() else near_code(wrong[0])
            message, remedy = f"there is no rule `{', '.join(wrong)}`{near}", "name a rule, or take it out"
            fix = without(source, comment, wrong)
        else:
            continue
        if policy.ignore_noqa or not suppressions.covers(comment.row, UNKNOWN_SUPPRESSION):
            yield _finding(UNKNOWN_SUPPRESSION, message, remedy, source, comment, policy, fix)


def _finding(
    code: str, message: str, remedy: str, source: Source, comment: Suppression, policy: Policy, fix: Fix | None
) -> Finding:
    return Finding(
        code,
        message,
        source.path,
        Span(comment.row, comment.start, comment.row, comment.end),
        Certainty.CERTAIN,
        remedy,
        fix=fix and policy.trusted(code, fix),
        noqa_row=comment.row,
    )
