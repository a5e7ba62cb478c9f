"""Where the documentation of a rule lives."""

from __future__ import annotations

HOME = "https://github.com/tensorlint/tensorlint"


def rule_url(code: str) -> str:
    return f"{HOME}/blob/main/docs/rules/{code}.md"
