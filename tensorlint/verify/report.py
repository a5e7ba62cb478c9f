"""Rows as text: a table, what was refuted, why something was not run; and one row explained."""

from __future__ import annotations

import difflib
import textwrap
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from tensorlint.findings import Applicability
from tensorlint.report import Style
from tensorlint.report.text import paint, plural, visible, width
from tensorlint.verify.harness import FixCheck, Row, Verdict
from tensorlint.verify.measuring.report import CONFIRMED, NOT_RUN, REFUTED, KnowledgeReport
from tensorlint.verify.pool import Environment

_COLOUR = {Verdict.CONFIRMED: "green", Verdict.REFUTED: "red", Verdict.NOT_RUN: "yellow"}
_SHOWN = {"sim": "simulated"}
_HEAD = ("rule", "device", "bad", "good", "refuted", "not run", "safe fixes", "unsafe fixes")


def table(rows: Sequence[Row], environment: Environment, seconds: float, style: Style) -> str:
    """The whole report of a run."""
    return "\n".join(_table(rows, environment, seconds, style)) + "\n"


def knowledge(measured: KnowledgeReport, seconds: float, style: Style) -> str:
    """The report of a run of the knowledge tables."""
    return "\n".join(_knowledge(measured, seconds, style)) + "\n"


def _knowledge(measured: KnowledgeReport, seconds: float, style: Style) -> Iterator[str]:
    colour = paint(style)
    heads = (CONFIRMED, REFUTED, NOT_RUN)
    yield colour(f"{'table':<10}" + "".join(f"{head:>11}" for head in heads), "bold")
    totals: Counter[str] = Counter()
    for name, counts in measured.rows().items():
        totals.update(counts)
        yield f"{name:<10}" + "".join(f"{counts.get(head, 0):>11}" for head in heads)
    for fact in measured.refuted:
        yield ""
        yield f"{colour('refuted', 'red')} {visible(str(fact))}"
    if measured.refuted and not measured.comparable:
        yield ""
        yield "The tables speak of torch 2.13 to 2.15 with NumPy 2.4 and later: these may be differences of versions."
    reasons = Counter(fact.observed for fact in measured.not_run)
    if reasons:
        yield ""
    for reason, count in sorted(reasons.items(), key=lambda item: (-item[1], item[0])):
        yield f"{colour('not run', 'yellow')} {count}: {visible(reason)[:110]}"
    yield ""
    yield f"{plural(totals.total(), 'row')}: " + ", ".join(f"{totals[head]} {head}" for head in heads) + "."
    yield f"torch {measured.torch}, numpy {measured.numpy}; {seconds:.1f} s"


def _table(rows: Sequence[Row], environment: Environment, seconds: float, style: Style) -> Iterator[str]:
    colour = paint(style)
    groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.program.group, row.device].append(row)
    lines = [_HEAD, *(_line(group, device, members) for (group, device), members in groups.items())]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEAD))]
    for number, line in enumerate(lines):
        cells = [
            cell.ljust(wide) if column < 2 else cell.rjust(wide)
            for column, (cell, wide) in enumerate(zip(line, widths, strict=True))
        ]
        text = "  ".join(cells).rstrip()
        yield colour(text, "bold") if not number else colour(text, "red") if line[4] != "0" else text
    refuted = [row for row in rows if row.verdict is Verdict.REFUTED]
    for row in refuted:
        yield ""
        yield f"{colour('refuted', 'red')} {visible(row.program.name)} ({device_name(row.device)})"
        yield textwrap.indent("\n".join(textwrap.wrap(visible(row.observation), 110)), "    ")
    not_run = Counter((row.device, row.observation) for row in rows if row.verdict is Verdict.NOT_RUN)
    if not_run:
        yield ""
    for (device, reason), count in sorted(not_run.items()):
        yield f"{colour('not run', 'yellow')} {count} on {device_name(device)}: {visible(reason)}"
    counts = Counter(row.verdict for row in rows)
    yield ""
    yield (
        f"{plural(len(rows), 'run')}: {counts[Verdict.CONFIRMED]} confirmed, {counts[Verdict.REFUTED]} refuted, "
        f"{counts[Verdict.NOT_RUN]} not run. {_fix_counts(rows)}"
    )
    yield (
        f"torch {environment.torch}, numpy {environment.numpy}, Python {environment.python}, "
        f"{environment.platform}; {seconds:.1f} s"
    )


def _line(group: str, device: str, rows: Sequence[Row]) -> tuple[str, ...]:
    confirmed = [row for row in rows if row.verdict is Verdict.CONFIRMED]
    checks = [check for row in rows for check in row.fixes]
    return (
        group,
        device_name(device),
        str(sum(not row.program.good for row in confirmed)),
        str(sum(row.program.good for row in confirmed)),
        str(sum(row.verdict is Verdict.REFUTED for row in rows)),
        str(sum(row.verdict is Verdict.NOT_RUN for row in rows)),
        _share(checks, Applicability.SAFE),
        _share(checks, Applicability.UNSAFE),
    )


def _share(checks: Iterable[FixCheck], applicability: Applicability) -> str:
    own = [check for check in checks if check.applicability is applicability]
    return f"{sum(not check.problems for check in own)} of {len(own)}" if own else ""


def _fix_counts(rows: Sequence[Row]) -> str:
    checks = [check for row in rows for check in row.fixes]
    words = [
        f"{share} {kind.value}"
        for kind in (Applicability.SAFE, Applicability.UNSAFE)
        if (share := _share(checks, kind))
    ]
    return f"Fixes as promised: {', '.join(words)}." if words else "No fix was run."


def device_name(device: str) -> str:
    """``sim`` is never taken for a real device."""
    return _SHOWN.get(device, device)


# ------------------------------------------------------------------------------------------------------------- explain


def explain(row: Row, columns: int, style: Style) -> str:
    """Program on the left, what happened on the right; one below the other when there is no room."""
    colour = paint(style)
    title = f"{row.program.name} on {device_name(row.device)}: "
    text = [colour(title, "bold") + colour(row.verdict.value, _COLOUR[row.verdict]), ""]
    left, right = [visible(line) for line in row.program.text.splitlines()], list(_happened(row))
    widest = max((width(line) for line in left), default=0)
    room = columns - widest - 3
    if room >= 50:
        right = [part for line in right for part in (_wrapped(line, room) or [""])]
        for number in range(max(len(left), len(right))):
            one = left[number] if number < len(left) else ""
            other = right[number] if number < len(right) else ""
            text.append(f"{one}{' ' * (widest - width(one))} | {other}".rstrip())
    else:
        text += [*left, "", *(part for line in right for part in (_wrapped(line, columns) or [""]))]
    return "\n".join(text) + "\n"


def _wrapped(line: str, room: int) -> list[str]:
    return textwrap.wrap(line, max(room, 20), subsequent_indent="    ", drop_whitespace=False)


def _happened(row: Row) -> Iterator[str]:
    for claim, judgement in row.claims:
        yield f"claim: {visible(claim.text)}"
        yield f"seen: {visible(judgement.seen)}"
    if row.program.good:
        yield "claim: none"
    if row.verdict is not Verdict.CONFIRMED or not row.claims:
        yield f"{row.verdict.value}: {visible(row.observation)}"
    for check in row.fixes:
        yield ""
        yield f"{check.applicability.value} fix ({', '.join(check.codes)}):"
        before, after = row.program.text.splitlines(), check.text.splitlines()
        yield from (visible(line) for line in list(difflib.unified_diff(before, after, lineterm="", n=0))[2:])
        yield f"seen: {visible('; '.join(check.problems) or check.seen)}"
