"""What a value of the configuration can be: how it is read, and how a JSON schema says the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tensorlint.codes import canonical, code_defaults, code_names, did_you_mean, is_known, near_code
from tensorlint.config.versions import SPECIFIER as RANGE
from tensorlint.config.versions import is_specifier
from tensorlint.globs import is_pattern

_CODE_SHAPE = re.compile(r"ALL|TBX[0-9]{0,3}")
_VERSION = r"[0-9]+(\.[0-9]+)*"


class ConfigError(Exception):
    """Settings that cannot be meant; the message names where they stand and what may have been meant."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of value. ``read(value, where)`` gives it in its plain form, or raises ``ConfigError``."""

    #: For people.
    name: str
    read: Callable[[object, str], Any]
    schema: Callable[[], Mapping[str, Any]]
    #: The words it can be, where these are few.
    choices: tuple[str, ...] = ()
    #: How an option that takes it shows it.
    metavar: str = "VALUE"


def one_of(*choices: str) -> Kind:
    """One of a few words."""

    def read(value: object, where: str) -> str:
        text = _text(value, where)
        if text not in choices:
            listed = ", ".join(f'"{choice}"' for choice in choices)
            raise ConfigError(f"{where}: must be one of {listed}, not `{text}`{did_you_mean(text, choices)}")
        return text

    *first, last = (f'`"{choice}"`' for choice in choices)
    name = f"{', '.join(first)} or {last}"
    return Kind(name, read, lambda: {"type": "string", "enum": list(choices)}, choices)


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise ConfigError(f"{where}: must be a string, not {_kind(value)}")
    return value


def _texts(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ConfigError(f"{where}: must be a list of strings, not {_kind(value)}")
    return tuple(_text(item, where) for item in value)


def _path(value: object, where: str) -> str:
    text = _text(value, where)
    if not text:
        raise ConfigError(f"{where}: must be a path")
    return text


def _patterns(value: object, where: str) -> tuple[str, ...]:
    return tuple(_pattern(item, where) for item in _texts(value, where))


def _pattern(text: str, where: str) -> str:
    if not is_pattern(text):
        raise ConfigError(f"{where}: not a pattern: `{text}`")
    return text


def _code(word: str, where: str) -> str:
    """The selector that a code, a prefix or a name stands for."""
    code = canonical(word)
    if _CODE_SHAPE.fullmatch(code) and (code == "ALL" or is_known(code)):
        return code
    raise ConfigError(f"{where}: unknown code `{word}`{near_code(word)}")


def _codes(value: object, where: str) -> tuple[str, ...]:
    return tuple(_code(word, where) for word in _texts(value, where))


def _ignores(value: object, where: str) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, dict):
        raise ConfigError(f"{where}: must be a table of pattern = [codes], not {_kind(value)}")
    return {_pattern(pattern, where): _codes(codes, f'{where} "{pattern}"') for pattern, codes in value.items()}


def _version(value: object, where: str) -> str:
    text = _text(value, where)
    if not re.fullmatch(_VERSION, text):
        raise ConfigError(f'{where}: must be a version such as "2.4", not `{text}`')
    return text


def _specifier(value: object, where: str) -> str:
    text = _text(value, where)
    if not is_specifier(text):
        raise ConfigError(f'{where}: must be a version such as "0.1.0" or ">=0.1,<2", not `{text}`')
    return text


def _flag(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise ConfigError(f"{where}: must be true or false, not {_kind(value)}")
    return value


def _kind(value: object) -> str:
    names = {str: "a string", bool: "a boolean", int: "a number", float: "a number", list: "a list", dict: "a table"}
    return names.get(type(value), type(value).__name__)


def _list_of_codes() -> Mapping[str, Any]:
    return {"type": "array", "items": {"$ref": "#/definitions/selector"}}


def selectors() -> list[str]:
    """All that can stand where a code can, as it is written by default: codes, their prefixes, names."""
    codes = list(code_defaults())
    prefixes = {code[:length] for code in codes for length in range(3, len(code))}
    return ["ALL", *sorted({*prefixes, *codes}), *sorted(code_names())]


_STRINGS = {"type": "array", "items": {"type": "string"}}

FLAG = Kind("`true` or `false`", _flag, lambda: {"type": "boolean"})
CODES = Kind("list of codes", _codes, _list_of_codes, metavar="CODES")
PATTERNS = Kind("list of patterns", _patterns, lambda: _STRINGS, metavar="PATTERNS")
IGNORES = Kind(
    "table of pattern = list of codes",
    _ignores,
    lambda: {"type": "object", "additionalProperties": _list_of_codes()},
    metavar="PATTERN:CODES",
)
DIRECTORY = Kind("path of a directory", _path, lambda: {"type": "string", "minLength": 1}, metavar="DIRECTORY")
PATH = Kind("path of a file", _path, lambda: {"type": "string", "minLength": 1}, metavar="FILE")
VERSION = Kind('version such as `"2.4"`', _version, lambda: {"type": "string", "pattern": f"^{_VERSION}$"})
SPECIFIER = Kind(
    'version such as `"0.1.0"`, or range such as `">=0.1,<2"`',
    _specifier,
    lambda: {"type": "string", "pattern": f"^{RANGE}$"},
)
