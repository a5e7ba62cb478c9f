"""Templates of programs, as cookiecutter, copier and Jinja have them: named ``.py``, but no Python yet."""

from __future__ import annotations

import re

from tensorlint.source import Source

_PLACEHOLDER = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}")
#: Where doubled braces are those of a format string.
_STRING = re.compile(r"(['\"]).*?\1")
#: What no line of a program begins with.
_STATEMENT = re.compile(r"^[ \t]*\{[%#]-?[ \t]*\w", re.MULTILINE)
_COOKIECUTTER = re.compile(r"\{\{-?\s*(?:cookiecutter|copier__\w+)\b")


def is_template(source: Source, row: int) -> bool:
    """Whether a text that does not parse, because of this row, is a template, and not a program with a mistake."""
    return bool(
        _PLACEHOLDER.search(source.path)
        or _PLACEHOLDER.search(_STRING.sub("", source.lines[min(row, len(source.lines)) - 1]))
        or _STATEMENT.search(source.text)
        or _COOKIECUTTER.search(source.text)
    )
