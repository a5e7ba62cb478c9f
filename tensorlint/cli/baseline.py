"""``tensorlint baseline``, and what `tensorlint check` needs of baselines."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from tensorlint.baseline import BaselineError, Known, all_known, compare, from_bytes, to_text, updated
from tensorlint.cli import options as shared
from tensorlint.cli.output import available_processors, emit, note, stream_to, style_for
from tensorlint.cli.showing import show_errors
from tensorlint.config import ConfigError
from tensorlint.discovery import DiscoveryError, discover
from tensorlint.report import Report, render
from tensorlint.report.text import paint, plural, visible
from tensorlint.runner import run

DEFAULT_FILE = "tensorlint-baseline.json"

_Command = TypeVar("_Command", bound=Callable[..., Any])


def read_baseline(path: str) -> tuple[Known, ...]:
    """What a baseline file says; click's exception where it cannot be read."""
    try:
        return from_bytes(Path(path).read_bytes())
    except OSError as error:
        raise click.ClickException(f"{path} cannot be read: {error.strerror or error}") from None
    except BaselineError as error:
        raise click.ClickException(f"{path}: {error}") from None


def write_baseline(report: Report, path: str, *, quiet: bool) -> int:
    """Write down all that was found; what could not be judged is an error all the same."""
    return _write(report, all_known(report, _directory(path)), path, quiet=quiet)


def _write(report: Report, known: tuple[Known, ...], path: str, more: str = "", *, quiet: bool) -> int:
    with stream_to(path, sys.stdout) as stream:
        stream.write(to_text(known))
    show_errors(report)
    if not quiet:
        note(f"Wrote {plural(len(known), 'finding')} to {path}{more}.")
    return 2 if report.has_errors else 0


@click.group()
def baseline() -> None:
    """Keep the findings that an old code base has in a file, so that `check --baseline` shows new ones only."""


def _action(command: _Command) -> _Command:
    """What the commands have in common."""
    decorators = (
        click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path()),
        click.option(
            "-f", "--file", "path", type=click.Path(), default=DEFAULT_FILE, show_default=True, help="The baseline."
        ),
        shared.for_keys(*shared.JUDGING, *shared.FILES),
        shared.for_configuration,
        click.option("-j", "--jobs", type=click.IntRange(min=1), metavar="N", help="Number of processes."),
        click.option("-q", "--quiet", is_flag=True, help="Say less."),
    )
    for decorate in reversed(decorators):
        command = decorate(command)
    return command


@baseline.command()
@_action
@click.option("--force", is_flag=True, help="Replace a baseline that is there.")
def create(paths: tuple[str, ...], path: str, force: bool, quiet: bool, **options: Any) -> int:
    """Write all findings to a new baseline."""
    if os.path.exists(path) and not force:
        raise click.ClickException(f"{path} is there already; `tensorlint baseline update` brings it up to date")
    report, _ = _found(paths, options)
    return write_baseline(report, path, quiet=quiet)


@baseline.command()
@_action
def update(paths: tuple[str, ...], path: str, quiet: bool, **options: Any) -> int:
    """Bring the baseline up to date with the files that are checked.

    What it says of other files stays, unless they are gone.
    """
    known = read_baseline(path)
    report, checked = _found(paths, options)
    compared = compare(report, known, _directory(path), checked)
    added = sum(not finding.is_internal for finding in compared.report.findings)
    more = f": {added} added, {len(compared.gone)} taken out"
    return _write(report, updated(report, known, _directory(path), checked), path, more, quiet=quiet)


@baseline.command()
@_action
def show(paths: tuple[str, ...], path: str, quiet: bool, **options: Any) -> int:
    """Show what is new and what is gone; exit 1 where something is new."""
    known = read_baseline(path)
    report, checked = _found(paths, options)
    compared = compare(report, known, _directory(path), checked)
    style = style_for(sys.stdout)
    colour = paint(style)
    if compared.report.findings:
        emit(colour("New:", "bold") + "\n" + render(compared.report, "concise", style))
    if compared.gone:
        lines = [
            f"{visible(each.path)}: {colour(each.code, 'red', 'bold')} {visible(each.line)}\n" for each in compared.gone
        ]
        emit(("\n" if compared.report.findings else "") + colour("Gone:", "bold") + "\n" + "".join(lines))
    if not quiet:
        new = sum(not finding.is_internal for finding in compared.report.findings)
        counts = f"{new} new, {len(compared.gone)} gone, {compared.known} still there"
        note(f"{counts}; the baseline has {plural(len(known), 'finding')}.")
    return compared.report.exit_code


def _found(paths: tuple[str, ...], options: dict[str, Any]) -> tuple[Report, list[str]]:
    """What is found, and the files that were judged."""
    try:
        resolver = shared.resolver_of(options)
        files = discover(paths or (".",), resolver.for_directory)
        report = run(files, resolver, options["jobs"] or available_processors())
    except (ConfigError, DiscoveryError) as error:
        raise click.ClickException(str(error)) from None
    return report, [file.path for file in files]


def _directory(path: str) -> str:
    return os.path.dirname(os.path.abspath(path))
