"""What selection and the byte screen have to know of the rules, so that the rules are imported by who judges alone.

It stands in ``rule_table``, which ``make docs`` writes. While a rule is missing there, or one that is gone is not, the
rules are asked themselves.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from tensorlint import rule_table, screen
from tensorlint.versions import Versions


@dataclass(frozen=True, slots=True)
class Tabulated:
    """One rule: its name, whether it is on unless said otherwise, its clues by their names in ``screen``, releases."""

    name: str
    default: bool
    clues: tuple[str, ...]
    versions: Versions


@lru_cache(maxsize=1)
def tabulated() -> Mapping[str, Tabulated]:
    """Every rule by its code, in order."""
    if modules() != rule_table.MODULES:
        return ask_rules()
    return {
        code: Tabulated(name, default, clues, Versions(*versions))
        for code, (name, default, clues, versions) in rule_table.RULES.items()
    }


@lru_cache(maxsize=64)
def clues_of(codes: frozenset[str]) -> tuple[screen.Clue, ...]:
    """What a file contains that one of the rules with these codes has a finding in, each once."""
    names = dict.fromkeys(name for code, rule in tabulated().items() if code in codes for name in rule.clues)
    return tuple(getattr(screen, name) for name in names)


def modules() -> tuple[str, ...]:
    """The modules that rules are looked for in; those of the table where they are not to be listed."""
    try:
        names = os.listdir(os.path.join(os.path.dirname(__file__), "rules"))
    except OSError:
        return rule_table.MODULES
    return tuple(sorted(name.removesuffix(".py") for name in names if name.endswith(".py") and name[0] != "_"))


def ask_rules() -> Mapping[str, Tabulated]:
    """The same as ``tabulated``, from the rules themselves."""
    from tensorlint.rules import all_rules

    names = {id(clue): name for name, clue in vars(screen).items() if name.isupper() and isinstance(clue, tuple)}
    return {
        code: Tabulated(
            rule.name,
            bool(getattr(rule, "default", True)),
            tuple(names[id(clue)] for clue in rule.clues),
            rule.versions,
        )
        for code, rule in all_rules().items()
    }
