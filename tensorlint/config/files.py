"""Configuration files: which there are in a directory, what they say, and what they extend."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from tensorlint import __version__
from tensorlint.config.keys import BY_NAME
from tensorlint.config.settings import Layer
from tensorlint.config.values import ConfigError
from tensorlint.config.versions import satisfies

TABLE = "[tool.tensorlint]"
#: Files that settings are taken from. The first that there is in a directory counts.
NAMES = (".tensorlint.toml", "tensorlint.toml", "pyproject.toml")


@dataclass(frozen=True, slots=True)
class File:
    """A configuration file as it was read, before its keys are looked at."""

    path: str
    table: Mapping[str, Any]
    #: Whether the keys stand at the top, not in `[tool.tensorlint]`.
    at_top: bool = False

    def where(self, key: str) -> str:
        """How an error names a key of it, or the file itself."""
        if self.at_top:
            return f"{self.path}: {key}" if key else self.path
        return f"{self.path}: {TABLE} {key}".rstrip()

    def layer(self, root: str) -> Layer:
        """What it says, with patterns relative to ``root``. Raises ``ConfigError``."""
        check_version(self.table, self.where("required-version"))
        return replace(Layer.read(self.table, self.path, root, self.where), is_file=True)


def layers_in(directory: str) -> tuple[Layer, ...]:
    """The layers of the configuration in this directory, none where there is none. Raises ``ConfigError``."""
    for name in NAMES:
        path = os.path.join(directory, name)
        if os.path.isfile(path) and (file := read_file(path)) is not None:
            return _layers(file, directory, ())
    return ()


def layers_of(path: str, root: str) -> tuple[Layer, ...]:
    """The layers of a file that was named, with patterns relative to ``root``. Raises ``ConfigError``."""
    return _layers(_existing(path), root, ())


def inline(text: str, root: str) -> Layer:
    """``KEY = VALUE`` of the command line. Raises ``ConfigError``."""
    import shlex

    try:
        table = read_toml(text)
    except ValueError as error:
        raise ConfigError(f"--config: neither a file nor KEY = VALUE in TOML: `{text}`: {error}") from None
    if "extend" in table:
        raise ConfigError("--config: `extend` stands in files only; give the path of the file instead")
    check_version(table, "--config required-version")
    return Layer.read(table, f"--config {shlex.quote(text)}", root, lambda name: f"--config {name}".rstrip())


def check_version(table: Mapping[str, Any], where: str) -> None:
    """Raise ``ConfigError`` where a table is for other releases than this one."""
    if "required-version" in table:
        wanted = BY_NAME["required-version"].kind.read(table["required-version"], where)
        if not satisfies(__version__, wanted):
            raise ConfigError(f"{where}: it is for tensorlint {wanted}, and this is {__version__}")


def read_file(path: str) -> File | None:
    """A configuration file, or None when it is a pyproject.toml without `[tool.tensorlint]`.

    In files of any other name the keys stand at the top, or in that table where the name is none of ours.
    Raises ``ConfigError``.
    """
    name = os.path.basename(path)
    try:
        with open(path, "rb") as opened:
            data = opened.read()
        if name == "pyproject.toml" and b"tensorlint" not in data:
            return None  # most are someone else's; also, a broken one is none of our business then
        document = read_toml(data.decode("utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None
    if name != "pyproject.toml" and (name in NAMES or "tool" not in document):
        return File(path, document, at_top=True)
    tool = document.get("tool", {})
    table = tool.get("tensorlint") if isinstance(tool, dict) else None
    if table is None:
        return None
    if not isinstance(table, dict):
        raise ConfigError(f"{path}: tool.tensorlint must be a table")
    return File(path, table)


def read_toml(text: str) -> dict[str, Any]:
    """A document. Raises ``ValueError`` for what is none."""
    if sys.version_info >= (3, 11):  # here, as most runs have no such file to read
        import tomllib
    else:
        import tomli as tomllib

    return tomllib.loads(text)


def _existing(path: str) -> File:
    file = read_file(path)
    if file is None:
        raise ConfigError(f"{path}: there is no {TABLE} table in this file")
    return file


def _layers(file: File, root: str, below: tuple[str, ...]) -> tuple[Layer, ...]:
    """The layer of a file, after those of the file that it extends. ``below`` are the files that led to it."""
    layer = file.layer(root)
    if "extend" not in layer.values:
        return (layer,)
    target = os.path.expanduser(os.path.expandvars(layer.values["extend"]))
    base = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(file.path)), target))
    chain = (*below, os.path.realpath(file.path))
    if os.path.realpath(base) in chain:
        circle = " extends ".join((*chain, os.path.realpath(base)))
        raise ConfigError(f"{file.where('extend')}: goes in a circle: {circle}")
    try:
        extended = _existing(base)
    except ConfigError as error:
        raise ConfigError(f"{file.where('extend')}: {error}") from None
    return (*_layers(extended, os.path.dirname(base), chain), layer)
