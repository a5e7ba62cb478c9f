"""``tensorlint server``."""

from __future__ import annotations

import os

import click


@click.command()
@click.option("--stdio", is_flag=True, hidden=True, help="Accepted, as editors say so; there is no other way.")
def server(stdio: bool) -> int:
    """Speak with an editor, as a language server.

    On standard input and output. Needs `pip install 'tensorlint[lsp]'`. docs/editors.md says how editors are told.
    """
    try:
        from tensorlint.server.app import serve
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in {"pygls", "lsprotocol"}:
            raise
        raise click.ClickException("the language server needs pygls: pip install 'tensorlint[lsp]'") from None
    code = serve()
    # Standard output is closed by now, and a text that is being judged is nobody's any more.
    os._exit(code)
