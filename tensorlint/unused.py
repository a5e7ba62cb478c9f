"""TBX903: suppression comments that suppress nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from tensorlint.findings import Certainty, Finding, Span
from tensorlint.fix.comments import without

if TYPE_CHECKING:
    from tensorlint.policy import Policy
    from tensorlint.source import Source
    from tensorlint.suppression import Suppression, Suppressions

UNUSED_SUPPRESSION = "TBX903"
#: Comments that speak to this tool alone.
_OUR_COMMENT = re.compile(r"#.*(?:TBX|tensorlint:)", re.IGNORECASE)


def looked_for(source: Source, policy: Policy) -> bool:
    """Whether this file may have such a comment, and it matters."""
    return UNUSED_SUPPRESSION in policy.codes and bool(_OUR_COMMENT.search(source.text))


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
            and all(code in policy.codes for code in known if code.startswith(prefix))
        ]
        if not idle:
            continue
        named = [prefix for prefix in idle if prefix]
        what = f"`{', '.join(named)}`" if named else "this comment"
        unknown = all(not any(code.startswith(prefix) for code in known) for prefix in named) if named else False
        finding = Finding(
            UNUSED_SUPPRESSION,
            f"{what} suppresses nothing" + (": there is no such rule" if unknown else ""),
            source.path,
            Span(comment.row, comment.start, comment.row, comment.end),
            Certainty.CERTAIN,
            "take it out",
            fix=policy.trusted(UNUSED_SUPPRESSION, without(source, comment, idle)),
            noqa_row=comment.row,
        )
        if not suppressions.covers(comment.row, UNUSED_SUPPRESSION) or comment.kind == "ignore":
            yield finding
