"""``tensorlint check``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import click

from tensorlint import __version__
from tensorlint.cli.caching import cache_at, place_for
from tensorlint.cli.output import available_processors, emit, emit_bytes, note, stream_to, style_for
from tensorlint.cli.progress import Progress
from tensorlint.codes import did_you_mean
from tensorlint.config import ConfigError, Overrides, Resolver, Selection
from tensorlint.discovery import Discovered, DiscoveryError, discover, is_force_excluded
from tensorlint.findings import Applicability, Certainty
from tensorlint.report import FOR_PEOPLE, FORMATS, Report, RuleText, Style, render
from tensorlint.report.text import plural, shown_path
from tensorlint.runner import Fixing, run, run_text

if TYPE_CHECKING:
    from tensorlint.baseline import Known

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


class _Check(click.Command):
    """``--add-noqa`` takes its reason behind ``=`` only, so that a path may follow."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        end = args.index("--") if "--" in args else len(args)
        return super().parse_args(
            ctx, [f"{arg}=" if arg == "--add-noqa" and at < end else arg for at, arg in enumerate(args)]
        )


@click.command(cls=_Check)
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
    help="Show findings at least this sure (default: each rule's own, as `tensorlint rule` says).",
)
@_list_option("--exclude", metavar="PATTERNS", help="Leave out these, in place of the default exclusions.")
@_list_option("--extend-exclude", metavar="PATTERNS", help="Leave out these, too.")
@click.option(
    "--force-exclude/--no-force-exclude",
    default=None,
    help="Leave out what is excluded also where it is named, on the command line or by --stdin-filename.",
)
@click.option("--output-format", type=click.Choice(list(FORMATS)), default="full", help="How to show findings.")
@click.option("-o", "--output-file", type=click.Path(), metavar="FILE", help="Write the findings to this file.")
@click.option("--fix", is_flag=True, help="Apply safe fixes and show what is left.")
@click.option(
    "--unsafe-fixes", is_flag=True, help="With --fix, --fix-only, --diff: those that may change results, too."
)
@click.option("--diff", is_flag=True, help="Write no file, show the patch; exit 1 when there is one.")
@click.option("--fix-only", is_flag=True, help="Apply fixes and show no findings.")
@click.option("--show-fixes", is_flag=True, help="List what was fixed.")
@click.option("--exit-non-zero-on-fix", is_flag=True, help="Exit 1 also when everything was fixed.")
@_list_option("--fixable", metavar="CODES", help="Fix these only (default: all).")
@_list_option("--unfixable", metavar="CODES", help="Do not fix these.")
@click.option(
    "--add-noqa", metavar="[=REASON]", help="Suppress every finding by a `# noqa` comment on its line, with a reason."
)
@click.option("--ignore-noqa", is_flag=True, help="Show findings in spite of the comments that suppress them.")
@click.option("--baseline", type=click.Path(), metavar="FILE", help="Do not show the findings that this file has.")
@click.option(
    "--write-baseline", type=click.Path(), metavar="FILE", help="Write all findings to a file for --baseline."
)
@click.option("--statistics", is_flag=True, help="Show counts by code instead of findings.")
@click.option("--show-files", is_flag=True, help="List the files that would be checked, and stop.")
@click.option("--exit-zero", is_flag=True, help="Exit 0 also with findings (not with errors).")
@click.option("--stdin-filename", metavar="PATH", help="What to call the program on standard input (PATH `-`).")
@click.option(
    "--config", type=click.Path(), metavar="FILE", help="Take the settings from this TOML file for all files."
)
@click.option("--isolated", is_flag=True, help="Read no configuration file.")
@click.option("--no-cache", is_flag=True, help="Judge every file anew, and keep nothing for the next run.")
@click.option(
    "--cache-dir",
    type=click.Path(file_okay=False),
    envvar="TENSORLINT_CACHE_DIR",
    metavar="DIRECTORY",
    help="Keep what was found there (default: .tensorlint_cache beside the settings).",
)
@click.option(
    "-j", "--jobs", type=click.IntRange(min=1), metavar="N", help="Number of processes (default: processors)."
)
@click.option("--timing", is_flag=True, help="Say where the time went, on standard error.")
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
        near = did_you_mean(error.path, commands) if os.sep not in error.path else ""
        hint = near.replace("`", "`tensorlint ", 1)
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
    output_file: str | None,
    fix: bool,
    unsafe_fixes: bool,
    diff: bool,
    fix_only: bool,
    show_fixes: bool,
    exit_non_zero_on_fix: bool,
    fixable: tuple[str, ...] | None,
    unfixable: tuple[str, ...] | None,
    force_exclude: bool | None,
    add_noqa: str | None,
    ignore_noqa: bool,
    baseline: str | None,
    write_baseline: str | None,
    statistics: bool,
    show_files: bool,
    exit_zero: bool,
    stdin_filename: str | None,
    config: str | None,
    isolated: bool,
    no_cache: bool,
    cache_dir: str | None,
    timing: bool,
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
        force_exclude=force_exclude,
        certainty=Certainty.parse(certainty) if certainty else None,
        ignore_noqa=ignore_noqa,
        fixable=fixable,
        unfixable=unfixable or (),
    )
    if add_noqa is not None and (fix or diff or fix_only):
        raise click.UsageError("--add-noqa cannot be combined with --fix, --fix-only or --diff")
    if add_noqa is not None and ignore_noqa:
        raise click.UsageError("--add-noqa and --ignore-noqa exclude each other")
    if add_noqa and not add_noqa.isprintable():
        raise click.UsageError("--add-noqa: the reason must be one line of text")
    if baseline is not None and write_baseline is not None:
        raise click.UsageError("--baseline and --write-baseline exclude each other")
    if (baseline is not None or write_baseline is not None) and (fix or diff or fix_only or add_noqa is not None):
        raise click.UsageError("a baseline cannot be combined with --fix, --fix-only, --diff or --add-noqa")
    known = () if baseline is None else _read_baseline(baseline)
    fixing = None
    if fix or fix_only or diff:
        fixing = Fixing(Applicability.UNSAFE if unsafe_fixes else Applicability.SAFE, write=not diff)
    resolver = Resolver(overrides, config, isolated)
    watch = Progress()
    program = b""
    checked: list[str] = []
    if paths == ("-",):
        name = os.path.abspath(stdin_filename) if stdin_filename else "<stdin>"
        program = sys.stdin.buffer.read()
        if stdin_filename and is_force_excluded(name, resolver.for_directory):
            report = Report()
        else:
            report = run_text(name, program, resolver, fixing)
            checked = [name]
    else:
        with watch.stage("discovery"):
            files = discover(paths or (".",), resolver.for_directory)
        checked = [file.path for file in files]
        if show_files:
            return _show_files(files)
        if verbose:
            origins = sorted({resolver.for_file(file.path).origin or "(defaults)" for file in files})
            where = ", ".join(origins) or "(nowhere)"
            note(f"tensorlint {__version__}: {plural(len(files), 'file')}, settings from {where}")
        cache = None if no_cache else cache_at(cache_dir or place_for(None if config else resolver))
        report = run(files, resolver, jobs or available_processors(), fixing, cache, watch)
        if not files and discover(paths or (".",), resolver.for_directory, (".ipynb",)):
            report = replace(report, only_notebooks=True)
    if verbose:
        note(f"{report.judged} of {plural(report.checked, 'file')} passed the byte screen")
    if write_baseline is not None:
        return _write_baseline(report, write_baseline, quiet=quiet)
    if baseline is not None:
        from tensorlint.baseline import compare

        compared = compare(report, known, os.path.dirname(os.path.abspath(baseline)), checked)
        report = compared.report
        if not quiet:
            gone = f"; {plural(compared.gone, 'finding')} of it gone: write it anew" if compared.gone else ""
            note(f"{plural(compared.known, 'finding')} in the baseline{gone}.")
    if add_noqa is not None:
        return _add_noqa(report, add_noqa.strip(), from_stdin=paths == ("-",), program=program)
    if diff:
        return _diff(report, quiet=quiet, exit_zero=exit_zero)
    # The fixed program goes where the program came from; what is said about it goes elsewhere.
    stream = sys.stdout
    if fixing is not None and paths == ("-",):
        emit_bytes(report.changes[name][1] if name in report.changes else program)
        stream = sys.stderr
    if show_fixes:
        emit(_show_fixes(report, stream), stream)
    if fix_only:
        report = report.only_errors()
    with watch.stage("reporting"), stream_to(output_file, stream) as target:
        style = replace(style_for(target), unsafe_fixes=unsafe_fixes)
        _show(report, output_format, target, style, statistics=statistics, quiet=quiet)
    if timing:
        emit(watch.summary(), sys.stderr)
    if report.has_errors:
        return 2
    if exit_non_zero_on_fix and report.applied:
        return 1
    return 0 if exit_zero else report.exit_code


def _show_files(files: list[Discovered]) -> int:
    style = style_for(sys.stdout)
    emit("".join(f"{shown_path(file.path, style)}\n" for file in files if not file.error))
    return 0


def _read_baseline(path: str) -> tuple[Known, ...]:
    from tensorlint.baseline import BaselineError, from_bytes

    try:
        return from_bytes(Path(path).read_bytes())
    except OSError as error:
        raise click.ClickException(f"{path} cannot be read: {error.strerror or error}") from None
    except BaselineError as error:
        raise click.ClickException(f"{path}: {error}") from None


def _write_baseline(report: Report, path: str, *, quiet: bool) -> int:
    """Write down all that was found; what could not be judged is an error all the same."""
    from tensorlint.baseline import all_known, to_text

    known = all_known(report, os.path.dirname(os.path.abspath(path)))
    with stream_to(path, sys.stdout) as stream:
        stream.write(to_text(known))
    emit(render(report.only_errors(), "concise", style_for(sys.stderr)), sys.stderr)
    if not quiet:
        note(f"Wrote {plural(len(known), 'finding')} to {path}.")
    return 2 if report.has_errors else 0


def _diff(report: Report, *, quiet: bool, exit_zero: bool) -> int:
    from tensorlint.report import fixes

    emit_bytes(fixes.patch(report, style_for(sys.stdout)))
    errors = report.only_errors()
    emit(render(errors, "concise", style_for(sys.stderr)), sys.stderr)
    if not quiet:
        what = f"{plural(len(report.applied), 'finding')} in {plural(len(report.changes), 'file')}"
        note(f"Would fix {what}." if report.applied else "Nothing to fix.")
    if report.has_errors:
        return 2
    return 1 if report.changes and not exit_zero else 0


def _add_noqa(report: Report, reason: str, *, from_stdin: bool, program: bytes) -> int:
    """Suppress every finding. Files are written like fixed ones; a program from standard input goes to the output."""
    from tensorlint.runner.gathering import suppress

    result = suppress(report, write=not from_stdin, reason=reason)
    if from_stdin:
        emit_bytes(next((new for _, new in result.changes.values()), program))
    emit(render(result.only_errors(), "concise", style_for(sys.stderr)), sys.stderr)
    note(f"Added {plural(result.comments, 'comment')} in {plural(len(result.changes), 'file')}.")
    return 2 if result.has_errors else 0


def _show_fixes(report: Report, stream: TextIO) -> str:
    from tensorlint.catalogue import catalogue
    from tensorlint.report import fixes

    names = {code: entry.name for code, entry in catalogue().items()} if report.applied else {}
    listed = fixes.counts(report, style_for(stream), names)
    return listed + "\n" if listed else ""


def _show(report: Report, output_format: str, stream: TextIO, style: Style, *, statistics: bool, quiet: bool) -> None:
    if statistics:
        emit(_statistics(report, output_format, style), stream)
    else:
        if output_format == "sarif":
            style = replace(style, rules=_described(report))
        emit(render(report, output_format, style), stream)
    if not quiet and output_format in FOR_PEOPLE:
        from tensorlint.report import summary

        blank = "\n" if report.findings and (output_format != "concise" or statistics) else ""
        emit(blank + summary.render(report, style), stream)


def _described(report: Report) -> dict[str, RuleText]:
    """What there is to say about the codes of this report."""
    from tensorlint.catalogue import catalogue

    entries = catalogue()
    return {code: RuleText(entries[code].name, entries[code].documentation) for code in report.counts}


def _statistics(report: Report, output_format: str, style: Style) -> str:
    from tensorlint.catalogue import catalogue
    from tensorlint.report import statistics

    names = {code: entry.name for code, entry in catalogue().items()} if report.findings else {}
    return statistics.render(report, style, names, as_json=output_format == "json")
