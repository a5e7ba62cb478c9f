"""``tensorlint check --show-settings``."""

from __future__ import annotations

import json
import os
import sys
import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

from tensorlint.cli.output import emit, style_for
from tensorlint.config import KEYS, Configuration, Key, Resolver, resolve
from tensorlint.config.keys import Merge, as_toml, plain
from tensorlint.discovery import DiscoveryError
from tensorlint.report import Style
from tensorlint.report.text import paint, plural, shown_path

#: A value that is longer does not push what stands behind the others to the right.
_WIDE = 60


def show_settings(paths: Iterable[str], resolver: Resolver, colour: str, output_format: str | None) -> int:
    """What applies to each path, and where each value is said."""
    style = style_for(sys.stdout, colour)
    placed = []
    for path in paths:
        absolute = os.path.abspath(path)
        if not os.path.lexists(absolute):
            raise DiscoveryError(path)
        directory = absolute if os.path.isdir(absolute) else os.path.dirname(absolute)
        placed.append((absolute, resolver.configuration(directory)))
    if output_format == "json":
        emit(json.dumps([_object(path, each) for path, each in placed], indent=2) + "\n")
    else:
        emit("\n".join("".join(f"{line}\n" for line in _page(path, each, style)) for path, each in placed))
    return 0


def _page(path: str, configuration: Configuration, style: Style) -> Iterator[str]:
    colour = paint(style)
    yield colour(shown_path(path, style), "bold")
    files = [shown_path(file, style) for file in configuration.files]
    yield f"Read: {', which extends '.join(files)}" if files else "Read: no configuration file"
    if said := [row for key in KEYS for row in _said(key, configuration, style)]:
        yield ""
        yield colour("Set:", "bold")
        width = max((len(text) for text, _ in said if len(text) <= _WIDE), default=_WIDE)
        yield from (f"  {text:<{width}}  {colour(origin, 'cyan')}" for text, origin in said)
    yield ""
    yield colour("By default:", "bold")
    for key in KEYS:
        if not configuration.origins(key) and key.merge is not Merge.OWN:
            text = as_toml(key.default) if key.default is not None else f"({key.unset})"
            yield from _wrapped(f"{key.name} = {text}", style)
    codes = sorted(resolve(configuration.settings, path))
    yield ""
    yield colour(f"{plural(len(codes), 'code')} that judge it:", "bold")
    yield from _wrapped(", ".join(codes), style)


def _said(key: Key, configuration: Configuration, style: Style) -> Iterator[tuple[str, str]]:
    """What each layer that counts says, and where it is said."""
    for value, origin in zip(configuration.given(key), configuration.origins(key), strict=True):
        yield f"{key.name} = {as_toml(value)}", shown_path(origin, style)


def _wrapped(text: str, style: Style) -> list[str]:
    return textwrap.wrap(
        text, min(style.columns or 120, 120), initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False
    )


def _object(path: str, configuration: Configuration) -> dict[str, Any]:
    return {
        "path": path,
        "files": list(configuration.files),
        "settings": {
            key.name: {
                "value": plain(configuration.value(key)),
                "from": list(configuration.origins(key)),
            }
            for key in KEYS
        },
        "codes": sorted(resolve(configuration.settings, path)),
    }
