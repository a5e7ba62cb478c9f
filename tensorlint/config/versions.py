"""``required-version``: which releases of tensorlint a configuration is for."""

from __future__ import annotations

import re

_ONE = r"((==|!=|>=|<=|<|>)?\s*[0-9]+(\.[0-9]+)*|~=\s*[0-9]+(\.[0-9]+)+)"
#: Clauses between commas. A clause without an operator stands for that very release.
SPECIFIER = rf"\s*{_ONE}\s*(,\s*{_ONE}\s*)*"
_CLAUSE = re.compile(r"\s*(==|!=|>=|<=|~=|<|>|)\s*([0-9.]+)\s*")


def is_specifier(text: str) -> bool:
    """Whether this is a version or a range of versions."""
    return re.fullmatch(SPECIFIER, text) is not None


def satisfies(version: str, specifier: str) -> bool:
    """Whether a release lies in a range. Of ``version`` only the numbers at the front count: 2.0rc1 is 2.0."""
    release = _numbers((re.match(r"[0-9]+(\.[0-9]+)*", version) or [""])[0])
    return all(_holds(release, clause) for clause in specifier.split(","))


def _holds(release: tuple[int, ...], clause: str) -> bool:
    found = _CLAUSE.fullmatch(clause)
    if found is None:
        return False
    operator, text = found.groups()
    wanted = _numbers(text)
    match operator:
        case ">=":
            return release >= wanted
        case "<=":
            return release <= wanted
        case ">":
            return release > wanted
        case "<":
            return release < wanted
        case "!=":
            return release != wanted
        case "~=":  # the last number may grow
            same = text.count(".")
            return release >= wanted and (*release, *(0,) * same)[:same] == (*wanted, *(0,) * same)[:same]
    return release == wanted


def _numbers(text: str) -> tuple[int, ...]:
    """The numbers of a release without zeros at the end, as 2.0 is 2."""
    numbers = [int(part) for part in text.split(".") if part]
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)
