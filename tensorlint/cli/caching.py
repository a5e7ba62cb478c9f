"""Where what was found is kept, and ``tensorlint clean``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from tensorlint.cli import options as shared
from tensorlint.cli.output import emit
from tensorlint.config import ConfigError, Configuration

if TYPE_CHECKING:
    from tensorlint.runner.cache import Cache

#: What a cache is called that nobody chose a place for.
NAME = ".tensorlint_cache"


def cache_of(configuration: Configuration) -> Cache:
    """The cache of a run that begins where this applies. Its directory need not be there yet."""
    from tensorlint.runner.cache import Cache  # here, as a run need not have one

    return Cache(_place(configuration))


def _place(configuration: Configuration) -> str:
    """The directory of a cache: the one that was chosen, else beside the settings, or here where there are none."""
    return os.path.abspath(configuration.settings.cache_dir or os.path.join(configuration.root, NAME))


@click.command()
@shared.for_keys(*shared.CACHE)
@shared.for_configuration
def clean(**options: Any) -> int:
    """Remove the cache of this project."""
    from tensorlint.runner.cache.folder import is_folder, remove

    try:
        path = _place(shared.resolver_of(options).configuration(os.getcwd()))
    except ConfigError as error:
        raise click.ClickException(str(error)) from None
    if not os.path.lexists(path):
        emit(f"There is no cache at {path}.\n")
        return 0
    if not is_folder(path):
        raise click.ClickException(f"{path} is no cache of tensorlint")
    try:
        remove(path)
    except OSError as error:
        raise click.ClickException(f"{path} cannot be removed: {error.strerror or error}") from None
    emit(f"Removed {path}.\n")
    return 0
