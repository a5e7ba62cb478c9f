"""The keys as a JSON schema, for editors that complete and check TOML."""

from __future__ import annotations

from typing import Any

from tensorlint.config.keys import KEYS, Key, plain
from tensorlint.config.values import selectors
from tensorlint.links import HOME


def schema() -> dict[str, Any]:
    """Draft 7, of a tensorlint.toml or the table `[tool.tensorlint]`. It takes codes in their usual spelling only."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": f"{HOME}/raw/main/tensorlint.schema.json",
        "title": "tensorlint",
        "description": "The keys of a tensorlint.toml, or of [tool.tensorlint] in a pyproject.toml.",
        "type": "object",
        "additionalProperties": False,
        "properties": {key.name: _property(key) for key in KEYS},
        "definitions": {
            "selector": {
                "description": "A code, a prefix of codes, the name of a rule, or ALL.",
                "type": "string",
                "enum": selectors(),
            }
        },
    }


def _property(key: Key) -> dict[str, Any]:
    description = f"{key.summary} {key.details}".rstrip()
    default = {} if key.default is None else {"default": plain(key.default)}
    return {"description": description, **key.kind.schema(), **default}
