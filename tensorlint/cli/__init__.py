"""The command line: arguments in, text and an exit code out. The only place that prints."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence

import click
from click.shell_completion import CompletionItem

from tensorlint import __version__
from tensorlint.cli.baseline import baseline
from tensorlint.cli.check import check
from tensorlint.cli.completion import completion
from tensorlint.cli.config import config
from tensorlint.cli.output import close_quietly
from tensorlint.cli.rule import rule
from tensorlint.cli.server import server
from tensorlint.cli.verify import verify


class CheckByDefault(click.Group):
    """A group whose command may be left out: ``tensorlint src/`` is ``tensorlint check src/``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if ctx.resilient_parsing and not args:  # what is completed may still become a command
            return super().parse_args(ctx, args)
        if not args or (args[0] not in self.commands and args[0] not in {"--version", "--help", "-h"}):
            args = ["check", *args]
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The first word: a command, or what could stand behind `check`."""
        of_check = check.shell_complete(check.make_context("check", [], ctx, resilient_parsing=True), incomplete)
        # First, as bash forgets what it was told before it hears of files.
        path = [] if incomplete.startswith("-") else [CompletionItem(incomplete, type="file")]
        return [*path, *super().shell_complete(ctx, incomplete), *of_check]


@click.group(cls=CheckByDefault, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tensorlint", message="%(prog)s %(version)s")
def app() -> None:
    """Follows tensors and arrays across the PyTorch/NumPy boundary and reports where they break.

    `tensorlint [PATH...]` is short for `tensorlint check [PATH...]`.
    """


app.add_command(baseline)
app.add_command(check)
app.add_command(completion)
app.add_command(config)
app.add_command(rule)
app.add_command(server)
app.add_command(verify)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; the exit code is 0 clean, 1 findings, 2 usage, configuration or internal error."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a file name or a source line must never end the run
            stream.reconfigure(errors="backslashreplace")
    try:
        code = app.main(
            args=None if arguments is None else list(arguments), prog_name="tensorlint", standalone_mode=False
        )
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
