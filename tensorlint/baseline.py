"""What was found before: findings that a project knows of, so that only new ones are told.

A known finding is its rule, its file and the text of its line, so it stays known while the line moves and is indented
anew. One whose file is gone is looked for in the others: files are renamed.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import PurePath

from tensorlint.findings import Finding
from tensorlint.report import Report

_VERSION = 1


class BaselineError(Exception):
    """A baseline that cannot be read; the message says why."""


@dataclass(frozen=True, slots=True, order=True)
class Known:
    """One finding: its path, relative to the directory of the baseline, with slashes; its code; its line."""

    path: str
    code: str
    line: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """A report without what is known, how many findings that were, and the known ones that are there no more."""

    report: Report
    known: int
    gone: tuple[Known, ...]


def all_known(report: Report, directory: str) -> tuple[Known, ...]:
    """Every finding of a report, as a baseline in ``directory`` has it. What could not be judged is never known."""
    return tuple(sorted(_known(report, each, directory) for each in report.findings if not each.is_internal))


def to_text(known: Collection[Known]) -> str:
    """A baseline file: one finding a line, in order, so that its changes can be read in a review."""
    lines = ",\n".join("    " + json.dumps(asdict(each), ensure_ascii=False) for each in sorted(known))
    return f'{{\n  "version": {_VERSION},\n  "findings": [\n{lines}{chr(10) if lines else ""}  ]\n}}\n'


def from_bytes(data: bytes) -> tuple[Known, ...]:
    """What a baseline file says. Raises ``BaselineError``."""
    try:
        content = json.loads(data)
        if content["version"] != _VERSION:
            raise BaselineError(f"it is of version {content['version']}, which this tensorlint does not know")
        known = tuple(Known(**each) for each in content["findings"])
    except (ValueError, TypeError, KeyError) as error:
        raise BaselineError(f"it is no baseline: {error}") from None
    if not all(isinstance(part, str) for each in known for part in (each.path, each.code, each.line)):
        raise BaselineError("it is no baseline: a path, code or line is no text")
    return known


def compare(report: Report, known: Collection[Known], directory: str, checked: Collection[str]) -> Comparison:
    """Take out of a report what is known. ``checked`` are the files that were judged; of others nothing is gone."""
    left = Counter(known)
    others = [finding for finding in report.findings if not _take(left, _names(report, finding, directory))]
    judged = {_relative(path, directory) for path in checked}
    gone = [each for each in left.elements() if each.path in judged]
    missing = [each for each in left.elements() if each.path not in judged and _is_missing(each, directory)]
    homeless = Counter(replace(each, path="") for each in missing)
    new = tuple(
        finding
        for finding in others
        if not _take(homeless, [replace(name, path="") for name in _names(report, finding, directory)])
    )
    gone += [each for each in missing if _take(homeless, [replace(each, path="")])]
    return Comparison(replace(report, findings=new), len(report.findings) - len(new), tuple(sorted(gone)))


def updated(report: Report, known: Collection[Known], directory: str, checked: Collection[str]) -> tuple[Known, ...]:
    """What a baseline says after another run: of the files that were judged what was found, of others what it said."""
    judged = {_relative(path, directory) for path in checked}
    kept = (each for each in known if each.path not in judged and not _is_missing(each, directory))
    return tuple(sorted((*all_known(report, directory), *kept)))


def _is_missing(known: Known, directory: str) -> bool:
    return not os.path.exists(os.path.join(directory, known.path))


def _take(left: Counter[Known], names: Iterable[Known]) -> bool:
    """Whether one of these is left, which it is not afterwards."""
    found = next((name for name in names if left[name] > 0), None)
    if found is None:
        return False
    left[found] -= 1
    return True


def _names(report: Report, finding: Finding, directory: str) -> list[Known]:
    """By each rule that the finding stands for, as the one that it is told by depends on what is selected."""
    if finding.is_internal:
        return []
    first = _known(report, finding, directory)
    return [first, *(replace(first, code=code) for code in finding.also)]


def _known(report: Report, finding: Finding, directory: str) -> Known:
    return Known(_relative(finding.path, directory), finding.code, report.line_of(finding))


def _relative(path: str, directory: str) -> str:
    return PurePath(os.path.relpath(path, directory) if os.path.isabs(path) else path).as_posix()
