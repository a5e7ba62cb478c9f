"""The command line: arguments in, text and an exit code out. The only place that prints."""

from __future__ import annotations

import importlib
import os
import sys
import threading
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, cast

import click

from tensorlint import __version__
from tensorlint.cli.output import close_quietly

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

#: The module of each command, which is imported when the command is asked for.
_COMMANDS = {
    "baseline": "baseline",
    "check": "check",
    "clean": "caching",
    "completion": "completion",
    "config": "config",
    "rule": "rule",
    "server": "server",
    "verify": "verify",
}


class CheckByDefault(click.Group):
    """A group whose command may be left out: ``tensorlint src/`` is ``tensorlint check src/``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if ctx.resilient_parsing and not args:  # what is completed may still become a command
            return super().parse_args(ctx, args)
        if not args or (args[0] not in _COMMANDS and args[0] not in {"--version", "--help", "-h"}):
            args = ["check", *args]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the commands, sorted."""
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name; None where there is none."""
        if cmd_name not in _COMMANDS:
            return None
        return _command(cmd_name)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The first word: a command, or what could stand behind `check`."""
        from click.shell_completion import CompletionItem

        check = _command("check")
        of_check = check.shell_complete(check.make_context("check", [], ctx, resilient_parsing=True), incomplete)
        # First, as bash forgets what it was told before it hears of files.
        path = [] if incomplete.startswith("-") else [CompletionItem(incomplete, type="file")]
        return [*path, *super().shell_complete(ctx, incomplete), *of_check]


def _command(name: str) -> click.Command:
    module = importlib.import_module(f"{__name__}.{_COMMANDS[name]}")
    return cast("click.Command", getattr(module, name))


@click.group(cls=CheckByDefault, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tensorlint", message="%(prog)s %(version)s")
def app() -> None:
    """Follows tensors and arrays across the PyTorch/NumPy boundary and reports where they break.

    `tensorlint [PATH...]` is short for `tensorlint check [PATH...]`.
    """


def _with_files(arguments: Iterable[str]) -> list[str]:
    """The arguments with those in a file, one a line, in place of its name behind ``@``.

    What names no file stays, as revisions of git may begin so, too.
    """
    expanded: list[str] = []
    for argument in arguments:
        if argument.startswith("@") and os.path.isfile(argument[1:]):
            try:
                with open(argument[1:], "rb") as file:
                    expanded += filter(None, os.fsdecode(file.read()).splitlines())
            except OSError as error:
                raise click.ClickException(f"{argument[1:]} cannot be read: {error.strerror or error}") from None
        else:
            expanded.append(argument)
    return expanded


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; the exit code is 0 clean, 1 findings, 2 usage, configuration or internal error."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a file name or a source line must never end the run
            stream.reconfigure(errors="backslashreplace")
    try:
        given = sys.argv[1:] if arguments is None else list(arguments)
        args = _with_files(given)
        # Without any, click itself takes those of the process, and expands patterns where the shell does not.
        own = arguments is None and args == given
        code = app.main(args=None if own else args, prog_name="tensorlint", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        return 2
    except (click.Abort, KeyboardInterrupt):
        if (
            threading.active_count() > 1
        ):  # a parser at work aborts the process when the interpreter shuts down around it
            os._exit(130)
        return 130
    except BrokenPipeError:
        close_quietly()
        return 0
    return code if isinstance(code, int) else 0
