"""Which codes judge a file: layers of selectors, the ignores of its path, the releases it is for."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from tensorlint.codes import code_defaults
from tensorlint.tabulated import tabulated

if TYPE_CHECKING:
    from tensorlint.config.settings import Settings


@dataclass(frozen=True, slots=True)
class Selection:
    """One layer of choices. ``select`` replaces what earlier layers chose, the other two change it."""

    select: tuple[str, ...] | None = None
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.select is not None or bool(self.extend_select or self.ignore)


def resolve(settings: Settings, path: str) -> frozenset[str]:
    """The codes that judge this file."""
    codes = _selected(settings.selections) - _out_of_date(settings.target_torch, settings.target_numpy)
    ignored = tuple(
        prefix
        for globs, prefixes in settings.per_file_ignores
        if globs.matches(os.path.abspath(path))
        for prefix in ("TBX" if each == "ALL" else each for each in prefixes)
    )
    return frozenset(code for code in codes if not code.startswith(ignored)) if ignored else codes


@lru_cache(maxsize=256)
def _out_of_date(torch: str | None, numpy: str | None) -> frozenset[str]:
    """Rules whose claim does not hold on the releases that the code is written for."""
    if torch is None and numpy is None:
        return frozenset()
    return frozenset(code for code, rule in tabulated().items() if not rule.versions.cover(torch, numpy))


@lru_cache(maxsize=256)
def _selected(selections: tuple[Selection, ...]) -> frozenset[str]:
    """As in ruff: within a layer the more specific selector wins, and ``ignore`` wins a tie.

    ``TBX`` stands for every rule that is on by default, ``ALL`` for every rule there is.
    """
    every = code_defaults()
    chosen = {code for code, default in every.items() if default}
    for layer in selections:
        if layer.select is not None:
            chosen = set()
        enabled = (*(layer.select or ()), *layer.extend_select)
        for length in sorted({_specificity(selector) for selector in (*enabled, *layer.ignore)}):
            for selector in enabled:
                if _specificity(selector) == length:
                    chosen |= _matched(selector, every)
            for selector in layer.ignore:
                if _specificity(selector) == length:
                    chosen = {code for code in chosen if not code.startswith("TBX" if selector == "ALL" else selector)}
    return frozenset(chosen)


@lru_cache(maxsize=256)
def codes_of(selectors: tuple[str, ...]) -> frozenset[str]:
    """Every code that one of the selectors stands for."""
    every = code_defaults()
    return frozenset(code for selector in selectors for code in _matched(selector, every))


def _specificity(selector: str) -> int:
    return 0 if selector == "ALL" else len(selector)


def _matched(selector: str, every: Mapping[str, bool]) -> set[str]:
    if selector == "TBX":
        return {code for code, default in every.items() if default}
    return {code for code in every if selector == "ALL" or code.startswith(selector)}
