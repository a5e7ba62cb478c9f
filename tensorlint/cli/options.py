"""Options that several commands share. Those that say what a key of the configuration says are made from the key."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tensorlint.codes import code_names
from tensorlint.config import KEYS, Key, Layer, Resolver
from tensorlint.config.files import inline
from tensorlint.config.values import CODES, DIRECTORY, FLAG, IGNORES, selectors

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_Command = TypeVar("_Command", bound=Callable[..., Any])

#: Keys by what their options are about.
JUDGING = ("select", "extend-select", "ignore", "per-file-ignores", "extend-per-file-ignores", "certainty")
FILES = ("exclude", "extend-exclude", "force-exclude", "respect-gitignore")
FIXING = ("fix", "unsafe-fixes", "fix-only", "show-fixes", "fixable", "extend-fixable", "unfixable")
OUTPUT = ("output-format",)
CACHE = ("cache-dir",)

_ENVIRONMENT = {"output-format": "TENSORLINT_OUTPUT_FORMAT", "cache-dir": "TENSORLINT_CACHE_DIR"}


def for_keys(*names: str) -> Callable[[_Command], _Command]:
    """Give a command the options of these keys."""
    by_name = {key.name: key for key in KEYS}

    def decorate(command: _Command) -> _Command:
        for name in reversed(names):
            command = _option(by_name[name])(command)
        return command

    return decorate


def for_configuration(command: _Command) -> _Command:
    """Give a command ``--config`` and ``--isolated``."""
    config = click.option(
        "--config",
        multiple=True,
        metavar="FILE | KEY=VALUE",
        help='Take the settings from this TOML file for all files; or set one key, as in `certainty="likely"`.',
    )
    return config(click.option("--isolated", is_flag=True, help="Read no configuration file.")(command))


def resolver_of(options: Mapping[str, Any]) -> Resolver:
    """Who finds the settings of each file, as the options say. Raises ``ConfigError``."""
    root = os.getcwd()
    given: tuple[str, ...] = options["config"]
    files = [each for each in given if os.path.exists(each) or "=" not in each]
    if len(files) > 1:
        raise click.UsageError("--config takes one file")
    if files and options["isolated"]:
        raise click.UsageError("--config with a file and --isolated exclude each other")
    layers = [inline(each, root) for each in given if each not in files]
    values = {name: options[name] for key in KEYS if (name := key.name.replace("-", "_")) in options}
    return Resolver(
        *layers,
        Layer.of_options(root, **values),
        config=files[0] if files else None,
        isolated=options["isolated"],
        ignore_noqa=options.get("ignore_noqa", False),
    )


def _option(key: Key) -> Callable[[_Command], _Command]:
    kind, option = key.kind, f"--{key.name}"
    if kind is FLAG:
        return click.option(f"{option}/--no-{key.name}", default=None, help=key.summary)
    if kind.choices or kind is DIRECTORY:
        default = f" (default: {key.unset})" if key.unset else ""
        return click.option(
            option,
            type=click.Choice(kind.choices, case_sensitive=False) if kind.choices else click.Path(file_okay=False),
            metavar=None if kind.choices else kind.metavar,
            envvar=_ENVIRONMENT.get(key.name),
            help=f"{key.summary.rstrip('.')}{default}.",
        )
    return click.option(
        option,
        multiple=True,
        callback=_ignore_pairs if kind is IGNORES else _joined,
        metavar=kind.metavar,
        help=key.summary,
        shell_complete=complete_codes if kind is CODES else None,
    )


def complete_codes(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Codes and names that the last word of a list can become."""
    from click.shell_completion import CompletionItem

    before, comma, word = incomplete.rpartition(",")
    names = {code: name for name, code in code_names().items()}
    fitting = [each for each in selectors() if each.startswith((word.upper(), word.lower()))]
    return [CompletionItem(before + comma + each, help=names.get(each)) for each in fitting]


def _joined(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> list[str] | None:
    """All occurrences of an option, split at commas; None when it was not given."""
    return [part.strip() for item in value for part in item.split(",") if part.strip()] if value else None


def _ignore_pairs(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> dict[str, list[str]] | None:
    """``PATTERN:CODE`` pairs; a part without a colon is one more code for the pattern before it."""
    pairs: dict[str, list[str]] = {}
    pattern = ""
    for part in _joined(ctx, param, value) or ():
        before, colon, code = part.rpartition(":")
        pattern = before if colon else pattern
        if not pattern or not code:
            raise click.BadParameter(f"`{part}` is not of the form PATTERN:CODE[,CODE...]")
        pairs.setdefault(pattern, []).append(code)
    return pairs if value else None
