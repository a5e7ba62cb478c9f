"""``tensorlint check``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from tensorlint import __version__
from tensorlint.cli.output import available_processors, emit, note, style_for
from tensorlint.config import ConfigError, Overrides, Resolver, Selection, did_you_mean
from tensorlint.discovery import Discovered, DiscoveryError, discover
from tensorlint.findings import Certainty
from tensorlint.report import FORMATS, Report, render
from tensorlint.report.text import shown_path
from tensorlint.runner import run, run_text

_Command = TypeVar("_Command", bound=Callable[..., Any])


def _joined(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...] | None:
    """All occurrences of an option, split at commas; None when it was not given."""
    return tuple(part.strip() for item in value for part in item.split(",") if part.strip()) if value else None


def _ignore_pairs(
    ctx: click.Context, param: click.Parameter, value: tuple[str, ...]
) -> tuple[tuple[str, tuple[str, ...]], ...] | None:
    """``PATTERN:CODE`` pairs; a part without a colon is one more code for the pattern before it."""
    pairs: dict[str, tuple[str, ...]] = {}
    pattern = ""
    for part in _joined(ctx, param, value) or ():
        before, colon, code = part.rpartition(":")
        pattern = before if colon else pattern
        if not pattern or not code:
            raise click.BadParameter(f"`{part}` is not of the form PATTERN:CODE[,CODE...]")
        pairs[pattern] = (*pairs.get(pattern, ()), code)
    return tuple(pairs.items()) if value else None


def _list_option(
    *names: str,
    metavar: str,
    help: str,  # noqa: A002  # click's own name
    callback: Callable[[click.Context, click.Parameter, tuple[str, ...]], object] = _joined,
) -> Callable[[_Command], _Command]:
    return click.option(*names, multiple=True, callback=callback, metavar=metavar, help=help)


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path())
@_list_option("--select", metavar="CODES", help="Judge by these codes or prefixes only.")
@_list_option("--extend-select", metavar="CODES", help="Judge by these, too.")
@_list_option("--ignore", metavar="CODES", help="Do not judge by these.")
@_list_option(
    "--per-file-ignores",
    callback=_ignore_pairs,
    metavar="PATTERN:CODES",
    help="Do not judge files that match by these codes.",
)
@click.option(
    "--certainty",
    type=click.Choice([certainty.label for certainty in reversed(Certainty)], case_sensitive=False),
    help="Show findings at least this sure (default: likely).",
)
@_list_option("--exclude", metavar="PATTERNS", help="Leave out these, in place of the default exclusions.")
@_list_option("--extend-exclude", metavar="PATTERNS", help="Leave out these, too.")
@click.option("--output-format", type=click.Choice(list(FORMATS)), default="full", help="How to show findings.")
@click.option("--statistics", is_flag=True, help="Show counts by code instead of findings.")
@click.option("--show-files", is_flag=True, help="List the files that would be checked, and stop.")
@click.option("--exit-zero", is_flag=True, help="Exit 0 also with findings (not with errors).")
@click.option("--stdin-filename", metavar="PATH", help="What to call the program on standard input (PATH `-`).")
@click.option(
    "--config", type=click.Path(), metavar="FILE", help="Take the settings from this TOML file for all files."
)
@click.option("--isolated", is_flag=True, help="Read no configuration file.")
@click.option("--no-cache", is_flag=True, help="Do not use a cache (there is none yet).")
@click.option(
    "-j", "--jobs", type=click.IntRange(min=1), metavar="N", help="Number of processes (default: processors)."
)
@click.option("-q", "--quiet", is_flag=True, help="Show findings only, no summary.")
@click.option("-v", "--verbose", is_flag=True, help="Say more about the run, on standard error.")
def check(paths: tuple[str, ...], **options: Any) -> int:
    """Check files and directories (default: the current one); `-` reads standard input."""
    try:
        return _check(paths, **options)
    except ConfigError as error:
        raise click.ClickException(str(error)) from None
    except DiscoveryError as error:
        commands = click.get_current_context().find_root().command.to_info_dict(click.get_current_context())["commands"]
        hint = did_you_mean(error.path, commands) if os.sep not in error.path else ""
        raise click.ClickException(f"{error}{hint}") from None


def _check(
    paths: tuple[str, ...],
    *,
    select: tuple[str, ...] | None,
    extend_select: tuple[str, ...] | None,
    ignore: tuple[str, ...] | None,
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] | None,
    certainty: str | None,
    exclude: tuple[str, ...] | None,
    extend_exclude: tuple[str, ...] | None,
    output_format: str,
    statistics: bool,
    show_files: bool,
    exit_zero: bool,
    stdin_filename: str | None,
    config: str | None,
    isolated: bool,
    no_cache: bool,
    jobs: int | None,
    quiet: bool,
    verbose: bool,
) -> int:
    if config is not None and isolated:
        raise click.UsageError("--config and --isolated exclude each other")
    if "-" in paths and len(paths) > 1:
        raise click.UsageError("`-` cannot be combined with other paths")
    overrides = Overrides(
        root=os.getcwd(),
        selection=Selection(select, extend_select or (), ignore or ()),
        per_file_ignores=per_file_ignores,
        exclude=exclude,
        extend_exclude=extend_exclude or (),
        certainty=Certainty.parse(certainty) if certainty else None,
    )
    resolver = Resolver(overrides, config, isolated)
    if paths == ("-",):
        name = os.path.abspath(stdin_filename) if stdin_filename else "<stdin>"
        report = run_text(name, sys.stdin.buffer.read(), resolver)
    else:
        files = discover(paths or (".",), resolver.for_directory)
        if show_files:
            return _show_files(files)
        if verbose:
            origins = sorted({resolver.for_file(file.path).origin or "(defaults)" for file in files})
            note(f"tensorlint {__version__}: {len(files)} files, settings from {', '.join(origins) or '(nowhere)'}")
        report = run(files, resolver, jobs or available_processors())
    if verbose:
        note(f"{report.judged} of {report.checked} files passed the byte screen")
    _show(report, output_format, statistics=statistics, quiet=quiet)
    return 0 if exit_zero and not report.has_errors else report.exit_code


def _show_files(files: list[Discovered]) -> int:
    style = style_for(sys.stdout)
    emit("".join(f"{shown_path(file.path, style)}\n" for file in files if not file.error))
    return 0


def _show(report: Report, output_format: str, *, statistics: bool, quiet: bool) -> None:
    style = style_for(sys.stdout)
    if statistics:
        emit(_statistics(report, output_format))
    else:
        emit(render(report, output_format, style))
    if not quiet and output_format in {"full", "concise"}:
        from tensorlint.report import summary

        blank = "\n" if report.findings and (output_format == "full" or statistics) else ""
        emit(blank + summary.render(report, style))


def _statistics(report: Report, output_format: str) -> str:
    from tensorlint.catalogue import catalogue
    from tensorlint.report import statistics

    names = {code: entry.name for code, entry in catalogue().items()} if report.findings else {}
    return statistics.render(report, style_for(sys.stdout), names, as_json=output_format == "json")
