"""``tensorlint config``."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from typing import Any

import click
from click.shell_completion import CompletionItem

from tensorlint.cli.output import emit, style_for
from tensorlint.cli.settings import show_settings
from tensorlint.codes import did_you_mean
from tensorlint.config import KEYS, ConfigError, Key, Resolver
from tensorlint.config.keys import as_toml, plain
from tensorlint.config.schema import schema
from tensorlint.report import Style
from tensorlint.report.text import paint


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    keys = [CompletionItem(key.name, help=key.summary) for key in KEYS if key.name.startswith(incomplete)]
    return [CompletionItem(incomplete, type="file"), *keys]  # files first, as in the completion of the first word


@click.command()
@click.argument("key", required=False, metavar="[KEY | PATH]", shell_complete=_complete)
@click.option(
    "--output-format",
    type=click.Choice(["text", "json", "schema"]),
    default="text",
    help="How to show it; `schema` is a JSON schema of all keys.",
)
def config(key: str | None, output_format: str) -> int:
    """List the keys of the configuration, describe one, or show what applies to a path and where it is said."""
    by_name = {each.name: each for each in KEYS}
    name = (key or "").replace("_", "-")
    if key is not None and name not in by_name and os.path.lexists(key) and output_format != "schema":
        try:
            return show_settings((key,), Resolver(), "auto", output_format)
        except ConfigError as error:
            raise click.ClickException(str(error)) from None
    if key is not None and name not in by_name:
        raise click.UsageError(f"unknown key `{key}`{did_you_mean(name, by_name)}; nor is there a file of this name")
    if output_format == "schema":
        if key is not None:
            raise click.UsageError("the schema is of all keys")
        emit(json.dumps(schema(), indent=2) + "\n")
    elif output_format == "json":
        emit(json.dumps(_object(by_name[name]) if key else [_object(each) for each in KEYS], indent=2) + "\n")
    else:
        style = style_for(sys.stdout)
        emit("".join(line + "\n" for line in (_page(by_name[name], style) if key else _list(style))))
    return 0


def _list(style: Style) -> Iterator[str]:
    colour = paint(style)
    width = max(len(key.name) for key in KEYS)
    for key in KEYS:
        yield f"{colour(f'{key.name:<{width}}', 'bold')}  {key.summary}"


def _page(key: Key, style: Style) -> Iterator[str]:
    colour = paint(style)
    yield colour(key.name, "bold")
    yield ""
    yield f"{key.summary} {key.details}".rstrip()
    yield ""
    yield f"Value:    {key.kind.name.replace('`', '')}"
    yield f"Default:  {default(key)}"
    if key.has_option:
        yield f"Option:   {option(key)}"
    yield f"Layers:   {key.merge.value}"
    if key.of_run:
        yield "Taken from the configuration of the directory where the run begins."
    yield ""
    yield colour("Example:", "bold")
    yield ""
    yield f"    {key.name} = {key.example}"


def default(key: Key) -> str:
    """What leaving the key out means."""
    return key.unset.replace("`", "") if key.default is None else as_toml(key.default)


def option(key: Key) -> str:
    """The option of the command line that says the same."""
    return f"--{key.name}, --no-{key.name}" if isinstance(key.default, bool) else f"--{key.name}"


def _object(key: Key) -> dict[str, Any]:
    return {
        "key": key.name,
        "type": key.kind.name.replace("`", ""),
        "default": plain(key.default),
        "summary": key.summary,
        "details": key.details,
        "example": key.example,
        "option": option(key) if key.has_option else None,
        "layers": key.merge.value,
        "of_run": key.of_run,
        "schema": key.kind.schema(),
    }
