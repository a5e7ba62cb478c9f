"""Settings: ``[tool.tensorlint]`` of the nearest pyproject.toml above each file, then the command line.

A pyproject.toml without that table is passed over, so that a nested package does not lose its project's settings.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar, cast

from tensorlint.codes import canonical, code_defaults, did_you_mean, is_known, near_code
from tensorlint.findings import Certainty
from tensorlint.globs import Globs, is_pattern
from tensorlint.policy import ExportStyle
from tensorlint.tabulated import tabulated

TABLE = "[tool.tensorlint]"
DEFAULT_EXCLUDE = (
    ".bzr", ".direnv", ".eggs", ".git", ".hg", ".hypothesis", ".ipynb_checkpoints", ".mypy_cache", ".nox",
    ".pyenv", ".pytest_cache", ".pytype", ".ruff_cache", ".svn", ".tensorlint_cache", ".tox", ".venv", ".vscode",
    "__pycache__", "__pypackages__", "_build", "buck-out", "build", "dist", "node_modules", "site-packages", "venv",
    "*.egg-info",
)  # fmt: skip

_T = TypeVar("_T")
_CODE_SHAPE = re.compile(r"ALL|TBX[0-9]{0,3}")


class ConfigError(Exception):
    """Settings that cannot be meant; the message names where they stand and what may have been meant."""


@dataclass(frozen=True, slots=True)
class Selection:
    """One layer of choices. ``select`` replaces what earlier layers chose, the other two change it."""

    select: tuple[str, ...] | None = None
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.select is not None or bool(self.extend_select or self.ignore)


@dataclass(frozen=True, slots=True)
class Settings:
    """What one file is judged by. ``origin`` is the file they come from, if any."""

    origin: str | None = None
    selections: tuple[Selection, ...] = ()
    per_file_ignores: tuple[tuple[Globs, tuple[str, ...]], ...] = ()
    exclude: tuple[Globs, ...] = ()
    #: Whether ``exclude`` holds for files that are named, too.
    force_exclude: bool = False
    #: None leaves it to each rule.
    certainty: Certainty | None = None
    ignore_noqa: bool = False
    target_torch: str | None = None
    target_numpy: str | None = None
    export_style: ExportStyle = "chain"
    #: Selectors, as in ``Selection``.
    fixable: tuple[str, ...] = ("ALL",)
    unfixable: tuple[str, ...] = ()
    extend_safe_fixes: tuple[str, ...] = ()
    extend_unsafe_fixes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the command line says; None or empty where it says nothing. Patterns are relative to ``root``."""

    root: str = ""
    selection: Selection = Selection()
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] | None = None
    exclude: tuple[str, ...] | None = None
    extend_exclude: tuple[str, ...] = ()
    force_exclude: bool | None = None
    certainty: Certainty | None = None
    ignore_noqa: bool = False
    fixable: tuple[str, ...] | None = None
    unfixable: tuple[str, ...] = ()

    def checked(self) -> Overrides:
        """The same with codes in place of names. Raises ``ConfigError`` for one that does not exist."""

        def codes(words: tuple[str, ...], option: str) -> tuple[str, ...]:
            return tuple(_code(word, option) for word in words)

        chosen, ignores = self.selection, self.per_file_ignores
        return replace(
            self,
            selection=Selection(
                None if chosen.select is None else codes(chosen.select, "--select"),
                codes(chosen.extend_select, "--extend-select"),
                codes(chosen.ignore, "--ignore"),
            ),
            per_file_ignores=None
            if ignores is None
            else tuple((pattern, codes(each, "--per-file-ignores")) for pattern, each in ignores),
            fixable=None if self.fixable is None else codes(self.fixable, "--fixable"),
            unfixable=codes(self.unfixable, "--unfixable"),
        )

    def apply(self, settings: Settings) -> Settings:
        if self.selection:
            settings = replace(settings, selections=(*settings.selections, self.selection))
        if self.per_file_ignores is not None:
            pairs = tuple((Globs(self.root, (pattern,)), codes) for pattern, codes in self.per_file_ignores)
            settings = replace(settings, per_file_ignores=pairs)
        if self.exclude is not None:
            settings = replace(settings, exclude=(Globs(self.root, self.exclude),))
        if self.extend_exclude:
            settings = replace(settings, exclude=(*settings.exclude, Globs(self.root, self.extend_exclude)))
        if self.force_exclude is not None:
            settings = replace(settings, force_exclude=self.force_exclude)
        if self.certainty is not None:
            settings = replace(settings, certainty=self.certainty)
        if self.ignore_noqa:
            settings = replace(settings, ignore_noqa=True)
        if self.fixable is not None:
            settings = replace(settings, fixable=self.fixable)
        return replace(settings, unfixable=(*settings.unfixable, *self.unfixable)) if self.unfixable else settings


class Resolver:
    """Finds the settings of a file, reading each pyproject.toml once."""

    def __init__(self, overrides: Overrides | None = None, config: str | None = None, isolated: bool = False) -> None:
        self._overrides = (overrides or Overrides()).checked()
        self._directories: dict[str, Settings] = {}
        self._fixed: Settings | None = None
        if config is not None:
            table = read_table(config)
            if table is None:
                raise ConfigError(f"{config}: there is no {TABLE} table in this file")
            self._fixed = self._overrides.apply(parse_table(table, config, os.getcwd()))
        elif isolated:
            self._fixed = self._default()

    def for_file(self, path: str) -> Settings:
        return self.for_directory(os.path.dirname(os.path.abspath(path)))

    def for_directory(self, directory: str) -> Settings:
        """``directory`` is absolute. Goes up until a directory is known or has a table; remembers the way."""
        if self._fixed is not None:
            return self._fixed
        passed: list[str] = []
        here = directory
        while (settings := self._directories.get(here) or self._of(here)) is None:
            passed.append(here)
            parent = os.path.dirname(here)
            if parent == here:
                settings = self._default()
                break
            here = parent
        for below in (*passed, here):
            self._directories[below] = settings
        return settings

    def _of(self, directory: str) -> Settings | None:
        path = os.path.join(directory, "pyproject.toml")
        table = read_table(path) if os.path.isfile(path) else None
        return None if table is None else self._overrides.apply(parse_table(table, path, directory))

    def _default(self) -> Settings:
        return self._overrides.apply(parse_table({}, None, ""))


def read_table(path: str) -> Mapping[str, Any] | None:
    """The ``[tool.tensorlint]`` table of a TOML file, or None when it has none."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from None
    if b"tensorlint" not in data:
        return None  # most are someone else's; also, a broken one is none of our business then
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    try:
        document = tomllib.loads(data.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None
    tool = document.get("tool", {})
    table = tool.get("tensorlint") if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        raise ConfigError(f"{path}: tool.tensorlint must be a table")
    return table


def parse_table(table: Mapping[str, Any], origin: str | None, root: str) -> Settings:
    """Settings from a table; patterns in it are relative to ``root``."""
    where = f"{origin}: {TABLE}"
    for key in table:
        if key not in _READERS:
            raise ConfigError(f"{where}: unknown key `{key}`{did_you_mean(key, _READERS)}")
    values = {key: _READERS[key](value, f"{where} {key}") for key, value in table.items()}

    def get(key: str, default: _T) -> _T:
        return cast(_T, values.get(key, default))

    ignores: Mapping[str, tuple[str, ...]] = get("per-file-ignores", {})
    selection = Selection(get("select", None), get("extend-select", ()), get("ignore", ()))
    return Settings(
        origin=origin,
        selections=(selection,) if selection else (),
        per_file_ignores=tuple((Globs(root, (pattern,)), codes) for pattern, codes in ignores.items()),
        exclude=(Globs(root, get("exclude", DEFAULT_EXCLUDE) + get("extend-exclude", ())),),
        force_exclude=get("force-exclude", False),
        certainty=get("certainty", None),
        target_torch=get("target-torch", None),
        target_numpy=get("target-numpy", None),
        export_style=get("export-style", "chain"),
        fixable=get("fixable", ("ALL",)),
        unfixable=get("unfixable", ()),
        extend_safe_fixes=get("extend-safe-fixes", ()),
        extend_unsafe_fixes=get("extend-unsafe-fixes", ()),
    )


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


def _code(word: str, where: str) -> str:
    """The selector that a code, a prefix or a name stands for."""
    code = canonical(word)
    if _CODE_SHAPE.fullmatch(code) and (code == "ALL" or is_known(code)):
        return code
    raise ConfigError(f"{where}: unknown code `{word}`{near_code(word)}")


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise ConfigError(f"{where}: must be a string, not {_kind(value)}")
    return value


def _texts(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ConfigError(f"{where}: must be a list of strings, not {_kind(value)}")
    return tuple(_text(item, where) for item in value)


def _patterns(value: object, where: str) -> tuple[str, ...]:
    return tuple(_pattern(item, where) for item in _texts(value, where))


def _pattern(text: str, where: str) -> str:
    if not is_pattern(text):
        raise ConfigError(f"{where}: not a pattern: `{text}`")
    return text


def _code_list(value: object, where: str) -> tuple[str, ...]:
    return tuple(_code(word, where) for word in _texts(value, where))


def _ignores(value: object, where: str) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, dict):
        raise ConfigError(f"{where}: must be a table of pattern = [codes], not {_kind(value)}")
    return {_pattern(pattern, where): _code_list(codes, f'{where} "{pattern}"') for pattern, codes in value.items()}


def _one_of(choices: Mapping[str, _T]) -> Callable[[object, str], _T]:
    def read(value: object, where: str) -> _T:
        text = _text(value, where)
        if text not in choices:
            listed = ", ".join(f'"{choice}"' for choice in choices)
            raise ConfigError(f"{where}: must be one of {listed}, not `{text}`{did_you_mean(text, choices)}")
        return choices[text]

    return read


def _version(value: object, where: str) -> str:
    text = _text(value, where)
    if not re.fullmatch(r"\d+(\.\d+)*", text):
        raise ConfigError(f'{where}: must be a version such as "2.4", not `{text}`')
    return text


def _flag(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise ConfigError(f"{where}: must be true or false, not {_kind(value)}")
    return value


def _kind(value: object) -> str:
    names = {str: "a string", bool: "a boolean", int: "a number", float: "a number", list: "a list", dict: "a table"}
    return names.get(type(value), type(value).__name__)


_READERS: Mapping[str, Callable[[object, str], Any]] = {
    "select": _code_list,
    "extend-select": _code_list,
    "ignore": _code_list,
    "per-file-ignores": _ignores,
    "exclude": _patterns,
    "extend-exclude": _patterns,
    "force-exclude": _flag,
    "certainty": _one_of({certainty.label: certainty for certainty in reversed(Certainty)}),
    "target-torch": _version,
    "target-numpy": _version,
    "export-style": _one_of({"chain": "chain", "force": "force"}),
    "fixable": _code_list,
    "unfixable": _code_list,
    "extend-safe-fixes": _code_list,
    "extend-unsafe-fixes": _code_list,
}
