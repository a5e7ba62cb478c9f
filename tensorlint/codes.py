"""What a finding can be called: the codes of the rules and of the tool itself, and their names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from tensorlint.tabulated import tabulated

#: Codes of the tool itself, which no rule module defines.
TOOL_CODES: Mapping[str, str] = {
    "TBX900": "internal-error",
    "TBX901": "syntax-error",
    "TBX902": "unreadable-file",
    "TBX903": "unused-suppression",
    "TBX904": "unknown-suppression",
}


@lru_cache(maxsize=1)
def code_defaults() -> Mapping[str, bool]:
    """Every code, and whether it is on unless said otherwise."""
    rules = {code: rule.default for code, rule in tabulated().items()}
    return {**rules, **dict.fromkeys(TOOL_CODES, True)}


@lru_cache(maxsize=1)
def default_codes() -> frozenset[str]:
    """The rules that are on unless said otherwise."""
    return frozenset(code for code, default in code_defaults().items() if default and code not in TOOL_CODES)


@lru_cache(maxsize=1)
def code_names() -> Mapping[str, str]:
    """The code that each name stands for."""
    return {rule.name: code for code, rule in tabulated().items()} | {name: code for code, name in TOOL_CODES.items()}


def is_known(prefix: str) -> bool:
    """Whether some code begins like this."""
    return any(code.startswith(prefix) for code in code_defaults())


def canonical(word: str) -> str:
    """A code, prefix or name as the code or prefix that it stands for; a misspelt name as it is."""
    return code_names().get(word.lower(), word if "-" in word else word.upper())


def did_you_mean(word: str, candidates: Iterable[str]) -> str:
    """`` (did you mean `x`?)``, or nothing when no candidate is near."""
    import difflib  # here, as it is for mistakes only

    near = [(-difflib.SequenceMatcher(None, word, candidate).ratio(), candidate) for candidate in candidates]
    score, best = min(near, default=(0.0, ""))
    return f" (did you mean `{best}`?)" if -score >= 0.6 else ""


def near_code(word: str) -> str:
    """``did_you_mean`` of codes, ``ALL``, and names."""
    return did_you_mean(word.upper(), (*code_defaults(), "ALL")) or did_you_mean(word.lower(), code_names())
