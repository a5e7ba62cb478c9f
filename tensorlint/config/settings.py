"""Layers of values, and the settings that come of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import Any

from tensorlint.codes import did_you_mean
from tensorlint.config.keys import BY_NAME, KEYS, Key, Merge
from tensorlint.config.selection import Selection
from tensorlint.config.values import ConfigError
from tensorlint.findings import Certainty
from tensorlint.globs import Globs
from tensorlint.policy import ExportStyle


@dataclass(frozen=True, slots=True)
class Layer:
    """Values from one place, checked and in their plain form. Patterns among them are relative to ``root``."""

    values: Mapping[str, Any] = field(default_factory=dict)
    #: What people call the place: the path of a file, or what stands for the command line.
    origin: str = ""
    root: str = ""
    is_file: bool = False

    @classmethod
    def read(cls, table: Mapping[str, Any], origin: str, root: str, where: Callable[[str], str]) -> Layer:
        """The values of a table. ``where`` names a key in an error. Raises ``ConfigError`` for what cannot be meant."""
        for name in table:
            if name not in BY_NAME:
                raise ConfigError(f"{where('')}: unknown key `{name}`{did_you_mean(name, BY_NAME)}")
        values = {name: BY_NAME[name].kind.read(value, where(name)) for name, value in table.items()}
        return cls(values, origin, root)

    @classmethod
    def of_options(cls, root: str = "", **values: Any) -> Layer:
        """What the options of the command line say: ``extend_select=["TBX1"]``. None where they say nothing."""
        table = {name.replace("_", "-"): value for name, value in values.items() if value is not None}
        return cls.read(table, "command line", root, lambda name: f"--{name}")


@dataclass(frozen=True, slots=True)
class Settings:
    """What one file is judged by, and what a run that begins here does."""

    selections: tuple[Selection, ...] = ()
    per_file_ignores: tuple[tuple[Globs, tuple[str, ...]], ...] = ()
    include: tuple[Globs, ...] = ()
    exclude: tuple[Globs, ...] = ()
    #: Whether ``exclude`` holds for files that are named, too.
    force_exclude: bool = False
    respect_gitignore: bool = True
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
    output_format: str = "full"
    #: Absolute, or relative to the working directory; empty where nobody chose one.
    cache_dir: str = ""
    fix: bool = False
    fix_only: bool = False
    unsafe_fixes: bool = False
    show_fixes: bool = False


@dataclass(frozen=True)
class Configuration:
    """The layers that apply in a directory, first to last: what a file extends, the file, the command line."""

    layers: tuple[Layer, ...] = ()
    ignore_noqa: bool = False

    @property
    def files(self) -> tuple[str, ...]:
        """The files that were read, the nearest first."""
        return tuple(layer.origin for layer in reversed(self.layers) if layer.is_file)

    @property
    def root(self) -> str:
        """What the patterns of the nearest file are relative to; empty where none was read."""
        return next((layer.root for layer in reversed(self.layers) if layer.is_file), "")

    def given(self, key: Key) -> tuple[Any, ...]:
        """The values of a key that count, first to last; none for a default."""
        return tuple(value for _, value in self._counting(key))

    def origins(self, key: Key) -> tuple[str, ...]:
        """Where each of these comes from."""
        return tuple(layer.origin for layer, _ in self._counting(key))

    def value(self, key: Key) -> Any:
        """What a key comes to. That of a selecting key is what its last layer says."""
        given = self.given(key)
        if key.merge is not Merge.ADD or not given:
            return given[-1] if given else key.default
        if isinstance(key.default, dict):
            return {name: each for value in given for name, each in value.items()}
        return tuple(each for value in given for each in value)

    @cached_property
    def settings(self) -> Settings:
        """All of it together."""
        value = {key.name: self.value(key) for key in KEYS}
        certainty = value["certainty"]
        return Settings(
            selections=tuple(selection for layer in self.layers if (selection := _selection(layer))),
            per_file_ignores=(*self._ignores("per-file-ignores", 1), *self._ignores("extend-per-file-ignores")),
            include=self._globs("include", "extend-include"),
            exclude=self._globs("exclude", "extend-exclude"),
            force_exclude=value["force-exclude"],
            respect_gitignore=value["respect-gitignore"],
            certainty=certainty and Certainty.parse(certainty),
            ignore_noqa=self.ignore_noqa,
            target_torch=value["target-torch"],
            target_numpy=value["target-numpy"],
            export_style=value["export-style"],
            fixable=(*value["fixable"], *value["extend-fixable"]),
            unfixable=value["unfixable"],
            extend_safe_fixes=value["extend-safe-fixes"],
            extend_unsafe_fixes=value["extend-unsafe-fixes"],
            output_format=value["output-format"],
            cache_dir=self._path("cache-dir"),
            fix=value["fix"],
            fix_only=value["fix-only"],
            unsafe_fixes=value["unsafe-fixes"],
            show_fixes=value["show-fixes"],
        )

    def _counting(self, key: Key) -> list[tuple[Layer, Any]]:
        given = self._given(key.name)
        if key.merge is Merge.ADD:
            return given
        if key.merge is Merge.SELECT:
            # What stands before the last `select` is thrown away.
            selecting = [at for at, layer in enumerate(self.layers) if "select" in layer.values]
            since = self.layers[selecting[-1] if selecting else 0 :]
            return [(layer, value) for layer, value in given if layer in since]
        return given[-1:]

    def _given(self, name: str) -> list[tuple[Layer, Any]]:
        return [(layer, layer.values[name]) for layer in self.layers if name in layer.values]

    def _path(self, name: str) -> str:
        """The path that a key says, empty for none."""
        given = self._given(name)
        if not given:
            return ""
        layer, path = given[-1]
        return os.path.join(layer.root, os.path.expanduser(os.path.expandvars(path)))

    def _ignores(self, name: str, last: int = 0) -> Iterator[tuple[Globs, tuple[str, ...]]]:
        for layer, table in self._given(name)[-last:]:
            yield from ((Globs(layer.root, (pattern,)), codes) for pattern, codes in table.items())

    def _globs(self, name: str, more: str) -> tuple[Globs, ...]:
        """Patterns of a key and of the one that adds to it; those with one root together, as `!` takes back."""
        given = self._given(name)[-1:] or [(Layer(root=self.root), BY_NAME[name].default)]
        pairs = [(layer.root, patterns) for layer, patterns in (*given, *self._given(more))]
        return tuple(
            Globs(root, tuple(pattern for _, patterns in group for pattern in patterns))
            for root, group in groupby(pairs, key=lambda pair: pair[0])
        )


def _selection(layer: Layer) -> Selection:
    values = layer.values
    return Selection(values.get("select"), values.get("extend-select", ()), values.get("ignore", ()))
