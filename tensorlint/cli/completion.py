"""``tensorlint completion``."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from tensorlint.cli.output import emit


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> int:
    """Print a script that makes a shell complete commands, options, codes and keys.

    \b
    bash   eval "$(tensorlint completion bash)"             in ~/.bashrc
    zsh    eval "$(tensorlint completion zsh)"              in ~/.zshrc
    fish   tensorlint completion fish | source              in ~/.config/fish/config.fish
    """
    program = click.get_current_context().find_root()
    completer = get_completion_class(shell)
    if completer is None:
        raise click.ClickException(f"click knows no completion for {shell}")
    emit(completer(program.command, {}, "tensorlint", "_TENSORLINT_COMPLETE").source() + "\n")
    return 0
