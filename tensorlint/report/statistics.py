"""``--statistics``: how often each code was found."""

from __future__ import annotations

import json

from tensorlint.report import Report, Style
from tensorlint.report.text import linked, paint


def render(report: Report, style: Style, names: dict[str, str], *, as_json: bool = False) -> str:
    """``names`` has the name of each code."""
    counts = report.counts
    if as_json:
        rows = [{"code": code, "name": names.get(code), "count": count} for code, count in counts.items()]
        return json.dumps(rows, indent=2) + "\n"
    colour = paint(style)
    digits = max((len(str(count)) for count in counts.values()), default=0)
    return "".join(
        f"{count:>{digits}}  {colour(linked(code, style), 'red', 'bold')}  {names.get(code, '')}".rstrip() + "\n"
        for code, count in counts.items()
    )
