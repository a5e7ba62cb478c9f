"""Settings: the nearest configuration file above each file and what it extends, then the command line.

A pyproject.toml without `[tool.tensorlint]` is passed over, so that a nested package does not lose its project's
settings.
"""

from __future__ import annotations

from tensorlint.config.files import NAMES
from tensorlint.config.keys import DEFAULT_EXCLUDE, DEFAULT_INCLUDE, KEYS, Key
from tensorlint.config.pins import NAMES as PINNING
from tensorlint.config.resolver import Resolver
from tensorlint.config.selection import Selection, codes_of, resolve
from tensorlint.config.settings import Configuration, Layer, Settings
from tensorlint.config.values import ConfigError

#: The names of all files that settings may come from.
FILE_NAMES = tuple(dict.fromkeys((*NAMES, *PINNING)))

__all__ = [
    "DEFAULT_EXCLUDE",
    "DEFAULT_INCLUDE",
    "FILE_NAMES",
    "KEYS",
    "ConfigError",
    "Configuration",
    "Key",
    "Layer",
    "Resolver",
    "Selection",
    "Settings",
    "codes_of",
    "resolve",
]
