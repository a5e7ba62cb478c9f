"""``--output-format json-lines``: the objects of ``json``, one a line."""

from __future__ import annotations

import json

from tensorlint.report import Report, Style
from tensorlint.report.json_ import as_object


def render(report: Report, style: Style) -> str:
    return "".join(json.dumps(as_object(finding, report)) + "\n" for finding in report.findings)
