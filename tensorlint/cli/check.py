"""``tensorlint check``.

What few runs ask for is imported where it is asked for: most of the time of a run over few files goes into imports.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import click

from tensorlint import __version__
from tensorlint.cli import options as shared
from tensorlint.cli.caching import cache_of
from tensorlint.cli.output import COLOURS, available_processors, base_of, emit, emit_bytes, note, stream_to, style_for
from tensorlint.cli.progress import Progress
from tensorlint.cli.showing import show, show_added_noqa, show_diff, show_files, show_fixes
from tensorlint.codes import did_you_mean
from tensorlint.config import ConfigError, Resolver, Settings
from tensorlint.discovery import Discovered, DiscoveryError, discover, is_force_excluded, repository_of
from tensorlint.findings import Applicability
from tensorlint.report import Report
from tensorlint.report.text import plural
from tensorlint.runner import Fixing, run, run_text
from tensorlint.runner.gathering import suppress

if TYPE_CHECKING:
    from tensorlint.baseline import Known
    from tensorlint.changes import Changes

#: Where the arguments are kept as they were given.
_ARGUMENTS = f"{__name__}.arguments"


class _Check(click.Command):
    """``--add-noqa`` takes its reason behind ``=`` only, so that a path may follow."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[_ARGUMENTS] = tuple(args)
        end = args.index("--") if "--" in args else len(args)
        return super().parse_args(
            ctx, [f"{arg}=" if arg == "--add-noqa" and at < end else arg for at, arg in enumerate(args)]
        )


@click.command(cls=_Check)
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path())
@shared.for_keys(*shared.JUDGING, *shared.FILES, *shared.OUTPUT)
@click.option(
    "-o",
    "--output-file",
    type=click.Path(),
    metavar="FILE",
    envvar="TENSORLINT_OUTPUT_FILE",
    callback=lambda ctx, param, value: None if value == "-" else value,
    help="Write the findings to this file (`-`: to standard output).",
)
@shared.for_keys(*shared.FIXING)
@click.option("--diff", is_flag=True, help="Write no file, show the patch; exit 1 when there is one.")
@click.option("--exit-non-zero-on-fix", is_flag=True, help="Exit 1 also when everything was fixed.")
@click.option(
    "--add-noqa", metavar="[=REASON]", help="Suppress every finding by a `# noqa` comment on its line, with a reason."
)
@click.option("--ignore-noqa", is_flag=True, help="Show findings in spite of the comments that suppress them.")
@click.option("--baseline", type=click.Path(), metavar="FILE", help="Do not show the findings that this file has.")
@click.option(
    "--write-baseline", type=click.Path(), metavar="FILE", help="Write all findings to a file for --baseline."
)
@click.option(
    "--diff-base",
    metavar="REV",
    help="Show what has to do with lines that changed since the common ancestor of this commit and HEAD only.",
)
@click.option("--statistics", is_flag=True, help="Show counts by code instead of findings.")
@click.option("--show-files", is_flag=True, help="List the files that would be checked, and stop.")
@click.option("--show-settings", is_flag=True, help="Show what applies to a path and where it is said, and stop.")
@click.option("-w", "--watch/--no-watch", help="Check again whenever a file changes, until interrupted.")
@click.option("-e", "--exit-zero", is_flag=True, help="Exit 0 also with findings (not with errors).")
@click.option("--stdin-filename", metavar="PATH", help="What to call the program on standard input (PATH `-`).")
@shared.for_configuration
@click.option(
    "-n",
    "--no-cache",
    is_flag=True,
    envvar="TENSORLINT_NO_CACHE",
    help="Judge every file anew, and keep nothing for the next run.",
)
@shared.for_keys(*shared.CACHE)
@click.option(
    "-j", "--jobs", type=click.IntRange(min=1), metavar="N", help="Number of processes (default: processors)."
)
@click.option("--timing", is_flag=True, help="Say where the time went, on standard error.")
@click.option("--color", type=click.Choice(COLOURS), default="auto", help="When to colour.")
@click.option("-q", "--quiet", is_flag=True, help="Show findings only, no summary.")
@click.option("-s", "--silent", is_flag=True, help="Show nothing but errors; the exit code says it.")
@click.option("-v", "--verbose", is_flag=True, help="Say more about the run, on standard error.")
def check(paths: tuple[str, ...], **options: Any) -> int:
    """Check files and directories (default: the current one); `-` reads standard input."""
    try:
        if not options.pop("watch"):
            return _check(paths, options)
        if "-" in paths:
            raise click.UsageError("--watch needs files; it cannot be combined with `-`")
        from tensorlint.cli.watch import watch

        shared.resolver_of(options)  # a mistake in an option does not go away by watching
        return watch(lambda: shared.resolver_of(options), paths or (".",), click.get_current_context().meta[_ARGUMENTS])
    except ConfigError as error:
        raise click.ClickException(str(error)) from None
    except DiscoveryError as error:
        commands = click.get_current_context().find_root().command.to_info_dict(click.get_current_context())["commands"]
        near = did_you_mean(error.path, commands) if os.sep not in error.path else ""
        hint = near.replace("`", "`tensorlint ", 1)
        raise click.ClickException(f"{error}{hint}") from None


@dataclass(frozen=True, slots=True)
class _Options:
    """What the command line says beyond the keys of the configuration."""

    output_file: str | None
    diff: bool
    exit_non_zero_on_fix: bool
    add_noqa: str | None
    baseline: str | None
    write_baseline: str | None
    diff_base: str | None
    statistics: bool
    show_files: bool
    show_settings: bool
    exit_zero: bool
    stdin_filename: str | None
    no_cache: bool
    jobs: int | None
    timing: bool
    color: str
    quiet: bool
    silent: bool
    verbose: bool

    def leaves_files_alone(self) -> bool:
        """Whether something was asked for that fixes do not go with."""
        asked = (self.add_noqa, self.baseline, self.write_baseline, self.diff_base)
        return self.diff or any(each is not None for each in asked)


def _check(paths: tuple[str, ...], given: dict[str, Any]) -> int:
    options = _Options(**{each.name: given[each.name] for each in fields(_Options)})
    if "-" in paths and len(paths) > 1:
        raise click.UsageError("`-` cannot be combined with other paths")
    _refuse(options, given, from_stdin=paths == ("-",))
    known = None if options.baseline is None else _known(options.baseline)
    resolver = shared.resolver_of(given)
    if options.show_settings:
        from tensorlint.cli.settings import show_settings

        return show_settings(paths or (".",), resolver, options.color, given["output_format"])
    name = os.path.abspath(options.stdin_filename) if options.stdin_filename else "<stdin>"
    start = os.path.dirname(name) if options.stdin_filename and paths == ("-",) else os.getcwd()
    settings = resolver.for_directory(start)
    if options.leaves_files_alone():
        settings = replace(settings, fix=False, fix_only=False)
    fixing = None
    if settings.fix or settings.fix_only or options.diff:
        fixing = Fixing(Applicability.UNSAFE if settings.unsafe_fixes else Applicability.SAFE, write=not options.diff)
    progress, program, changes = Progress(), None, None
    if paths == ("-",):
        program = sys.stdin.buffer.read()
        excluded = options.stdin_filename and is_force_excluded(name, resolver.for_directory)
        with progress.stage("judging"):
            report = Report() if excluded else run_text(name, program, resolver, fixing)
        checked = [] if excluded else [name]
    else:
        with progress.stage("discovery"):
            files = discover(paths or (".",), resolver.for_directory)
        if options.show_files:
            return show_files(files, options.color)
        if options.diff_base is not None:
            changes = _changes(options.diff_base, files)
        if options.verbose:
            note(f"tensorlint {__version__}: {plural(len(files), 'file')}, settings from {_origins(files, resolver)}")
        cache = None if options.no_cache else cache_of(resolver.configuration(start))
        report = run(files, resolver, options.jobs or available_processors(), fixing, cache, progress)
        checked = [file.path for file in files]
    here = os.getcwd()
    base = base_of(checked, here, repository_of(here), resolver.configuration(start).root)
    with progress.stage("reporting"):
        code = _tell(report, options, settings, checked, known, base, program=program, changes=changes)
    if options.timing:
        emit(progress.summary(), sys.stderr)
    return code


def _known(baseline: str) -> Collection[Known]:
    """What a baseline has."""
    from tensorlint.cli.baseline import read_baseline

    return read_baseline(baseline)


def _changes(revision: str, files: Iterable[Discovered]) -> Changes:
    """What changed since a revision in the repository that all these files lie in."""
    from tensorlint.changes import ChangesError, changes_since

    try:
        changes = changes_since(revision, os.getcwd())
        changes.check(file.path for file in files)
    except ChangesError as error:
        raise click.ClickException(f"--diff-base: {error}") from None
    return changes


def _refuse(options: _Options, given: dict[str, Any], *, from_stdin: bool) -> None:
    """What does not go together is a mistake."""
    fixes = given["fix"] or given["fix_only"] or options.diff
    if options.add_noqa is not None and fixes:
        raise click.UsageError("--add-noqa cannot be combined with --fix, --fix-only or --diff")
    if options.add_noqa is not None and given["ignore_noqa"]:
        raise click.UsageError("--add-noqa and --ignore-noqa exclude each other")
    if options.add_noqa and not options.add_noqa.isprintable():
        raise click.UsageError("--add-noqa: the reason must be one line of text")
    if options.baseline is not None and options.write_baseline is not None:
        raise click.UsageError("--baseline and --write-baseline exclude each other")
    if (options.baseline or options.write_baseline) and (fixes or options.add_noqa is not None):
        raise click.UsageError("a baseline cannot be combined with --fix, --fix-only, --diff or --add-noqa")
    if options.diff_base is not None and (fixes or options.add_noqa is not None or options.write_baseline):
        raise click.UsageError(
            "--diff-base cannot be combined with --fix, --fix-only, --diff, --add-noqa or --write-baseline"
        )
    if options.diff_base is not None and from_stdin:
        raise click.UsageError("--diff-base needs files; it cannot be combined with `-`")


def _origins(files: list[Discovered], resolver: Resolver) -> str:
    """The files that the settings came from, as far as there are any."""
    directories = {os.path.dirname(file.path) for file in files}
    origins = {" extending ".join(resolver.configuration(each).files) or "(defaults)" for each in directories}
    return ", ".join(sorted(origins)) or "(nowhere)"


def _tell(
    report: Report,
    options: _Options,
    settings: Settings,
    checked: Sequence[str],
    known: Collection[Known] | None,
    base: str,
    *,
    program: bytes | None = None,
    changes: Changes | None = None,
) -> int:
    """What was found, told as it was asked for; the exit code. ``program`` came from standard input."""
    quiet = options.quiet or options.silent
    if options.verbose:
        note(f"{report.judged} of {plural(report.checked, 'file')} passed the byte screen")
    if options.write_baseline is not None:
        from tensorlint.cli.baseline import write_baseline

        return write_baseline(report, options.write_baseline, quiet=quiet)
    if known is not None and options.baseline is not None:
        from tensorlint.baseline import compare

        compared = compare(report, known, os.path.dirname(os.path.abspath(options.baseline)), checked)
        report = compared.report
        if not quiet:
            count = len(compared.gone)
            gone = f"; {plural(count, 'finding')} of it gone: write it anew" if count else ""
            note(f"{plural(compared.known, 'finding')} in the baseline{gone}.")
    if changes is not None:
        from tensorlint.changes import narrow

        narrowed = narrow(report, changes)
        report = narrowed.report
        if not quiet:
            note(f"{plural(narrowed.unchanged, 'finding')} on lines that did not change since {options.diff_base}.")
            for other in narrowed.others:
                note(f"Left out: {other} is a repository of its own.")
    if options.add_noqa is not None:
        result = suppress(report, write=program is None, reason=options.add_noqa.strip())
        return show_added_noqa(result, options.color, program)
    if options.diff:
        return show_diff(report, options.color, quiet=quiet, exit_zero=options.exit_zero)
    # The fixed program goes where the program came from; what is said about it goes elsewhere.
    stream = sys.stdout
    if program is not None and (settings.fix or settings.fix_only):
        emit_bytes(next((new for _, new in report.changes.values()), program))
        stream = sys.stderr
    if settings.show_fixes and not options.silent:
        emit(show_fixes(report, style_for(stream, options.color)), stream)
    if settings.fix_only:
        report = report.only_errors()
    if not options.silent or options.output_file is not None:
        with stream_to(options.output_file, stream) as target:
            style = replace(style_for(target, options.color), unsafe_fixes=settings.unsafe_fixes, base=base)
            show(report, settings.output_format, target, style, statistics=options.statistics, quiet=quiet)
    if report.has_errors:
        return 2
    if options.exit_non_zero_on_fix and report.applied:
        return 1
    return 0 if options.exit_zero else report.exit_code
