"""Which configuration applies to a file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from tensorlint.config.files import layers_in, layers_of
from tensorlint.config.pins import pins_in
from tensorlint.config.settings import Configuration, Layer, Settings


class Resolver:
    """Finds the settings of a file, reading each configuration file once.

    ``overrides`` are layers that change what the files say, in order. ``config`` is a file that takes the place of all
    others. Raises ``ConfigError``, here and where it is asked.
    """

    def __init__(
        self, *overrides: Layer, config: str | None = None, isolated: bool = False, ignore_noqa: bool = False
    ) -> None:
        self._overrides = overrides
        self._ignore_noqa = ignore_noqa
        self._directories: dict[str, Configuration] = {}
        self._fixed: Configuration | None = None
        if config is not None:
            self._fixed = self._with(layers_of(config, os.getcwd()))
        elif isolated:
            self._fixed = self._with(())

    def for_file(self, path: str) -> Settings:
        return self.for_directory(os.path.dirname(os.path.abspath(path)))

    def for_directory(self, directory: str) -> Settings:
        """``directory`` is absolute."""
        return self.configuration(directory).settings

    def configuration(self, directory: str) -> Configuration:
        """Goes up until a directory is known or has a configuration; remembers the way, and what is pinned on it."""
        if self._fixed is not None:
            return self._fixed
        found = self._directories.get(directory)
        if found is None:
            parent = os.path.dirname(directory)
            layers, pinned = layers_in(directory), pins_in(directory)
            if layers or parent == directory:
                found = self._with((*pinned, *layers))
            else:
                found = self.configuration(parent)
                if pinned:
                    # Over what is pinned above, and below all that is set.
                    pins = sum(not layer.is_file for layer in found.layers) - len(self._overrides)
                    found = replace(found, layers=(*found.layers[:pins], *pinned, *found.layers[pins:]))
            self._directories[directory] = found
        return found

    def _with(self, layers: Sequence[Layer]) -> Configuration:
        return Configuration((*layers, *self._overrides), self._ignore_noqa)
