"""The rules, found by walking this package: a module that defines a ``Rule`` subclass with a code is a rule."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from types import MappingProxyType

from tensorlint.rules.base import Rule


@cache
def all_rules() -> MappingProxyType[str, type[Rule]]:
    """Every rule by its code, in code order. Raises ``ValueError`` when two modules claim one code."""
    found: dict[str, type[Rule]] = {}
    for module_info in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{module_info.name}")
        for candidate in vars(module).values():
            if not isinstance(candidate, type) or not issubclass(candidate, Rule) or "code" not in vars(candidate):
                continue
            if found.setdefault(candidate.code, candidate) is not candidate:
                raise ValueError(
                    f"{candidate.code} is claimed by {found[candidate.code].__module__} and {candidate.__module__}"
                )
    return MappingProxyType(dict(sorted(found.items())))
