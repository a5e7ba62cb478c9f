"""Where the documentation of a rule lives."""

from __future__ import annotations

_RULES = "https://github.com/tensorlint/tensorlint/blob/main/docs/rules"


def rule_url(code: str) -> str:
    return f"{_RULES}/{code}.md"
