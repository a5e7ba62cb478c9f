"""``tensorlint check --show-settings``, and ``tensorlint config PATH``."""

from __future__ import annotations

import json
import os
import sys
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from tensorlint.cli.output import emit, style_for
from tensorlint.config import KEYS, Configuration, Key, Resolver, resolve
from tensorlint.config.keys import BY_NAME, Merge, as_toml, plain
from tensorlint.discovery import DiscoveryError, LeftOut, exclusion, is_force_excluded, left_out
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
        placed.append((absolute, resolver.configuration(directory), _why_left_out(absolute, directory, resolver)))
    if output_format == "json":
        emit(json.dumps([_object(*each) for each in placed], indent=2) + "\n")
    else:
        emit("\n".join("".join(f"{line}\n" for line in _page(*each, style)) for each in placed))
    return 0


@dataclass(frozen=True, slots=True)
class _Exclusion:
    """Why a run over the working directory passes a path over, and whether it does so where the path is named, too.

    ``key`` is that of the configuration, where one says it, and ``origin`` where: a file, the command line, a
    .gitignore; empty for a default.
    """

    why: LeftOut
    key: str
    origin: str
    even_named: bool


def _why_left_out(path: str, directory: str, resolver: Resolver) -> _Exclusion | None:
    configuration = resolver.configuration(directory)
    top = next((each for each in (os.getcwd(), configuration.root) if each and _is_below(path, each)), directory)
    even_named = is_force_excluded(path, resolver.for_directory)
    why = None if path == top else left_out(path, top, resolver.for_directory)
    if why is None and even_named:
        why = exclusion(path, resolver.for_directory(os.path.dirname(path)))
    if why is None:
        return None
    # Patterns are those of the directory that the path which is left out lies in.
    above = resolver.configuration(os.path.dirname(why.path))
    key = "" if why.file or why.is_link else "exclude" if why.pattern else "include"
    origin = why.file
    for name in ("exclude", "extend-exclude") if key == "exclude" else ():
        said = zip(above.given(BY_NAME[name]), above.origins(BY_NAME[name]), strict=True)
        key, origin = next(((name, where) for patterns, where in said if why.pattern in patterns), (key, origin))
    return _Exclusion(why, key, origin, even_named)


def _is_below(path: str, directory: str) -> bool:
    return path.startswith(directory.rstrip(os.sep) + os.sep)


def _page(path: str, configuration: Configuration, left: _Exclusion | None, style: Style) -> Iterator[str]:
    colour = paint(style)
    yield colour(shown_path(path, style), "bold")
    files = [shown_path(file, style) for file in configuration.files]
    yield f"Read: {', which extends '.join(files)}" if files else "Read: no configuration file"
    if left is not None:
        yield f"Left out: {_reason(left, style)}, {'also where' if left.even_named else 'unless'} it is named"
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


def _reason(left: _Exclusion, style: Style) -> str:
    why = left.why
    what = shown_path(why.path, style)
    if why.is_link:
        return f"{what} is a link to a directory"
    if not why.pattern:
        return f"no pattern of `include` takes {what}"
    place = shown_path(left.origin, style) if left.origin else "the defaults"
    return f"{what} by `{why.pattern}` in {f'`{left.key}` of ' if left.key else ''}{place}"


def _said(key: Key, configuration: Configuration, style: Style) -> Iterator[tuple[str, str]]:
    """What each layer that counts says, and where it is said."""
    for value, origin in zip(configuration.given(key), configuration.origins(key), strict=True):
        yield f"{key.name} = {as_toml(value)}", shown_path(origin, style)


def _wrapped(text: str, style: Style) -> list[str]:
    return textwrap.wrap(
        text, min(style.columns or 120, 120), initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False
    )


def _object(path: str, configuration: Configuration, left: _Exclusion | None) -> dict[str, Any]:
    return {
        "path": path,
        "left_out": left
        and {
            "path": left.why.path,
            "pattern": left.why.pattern,
            "key": left.key,
            "from": left.origin,
            "even_named": left.even_named,
        },
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
