"""Where what was found is kept, and ``tensorlint clean``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from tensorlint.cli.output import emit
from tensorlint.config import Resolver

if TYPE_CHECKING:
    from tensorlint.runner.cache import Cache

#: What a cache is called that nobody chose a place for.
NAME = ".tensorlint_cache"


def cache_at(path: str) -> Cache:
    """The cache in a directory, which need not be there yet."""
    from tensorlint.runner.cache import Cache  # here, as a run need not have one

    return Cache(os.path.abspath(path))


def place_for(resolver: Resolver | None) -> str:
    """The directory of a cache that nobody chose: beside the settings of the current directory, else in it."""
    here = os.getcwd()
    origin = None if resolver is None else resolver.for_directory(here).origin
    return os.path.join(here if origin is None else os.path.dirname(os.path.abspath(origin)), NAME)


@click.command()
@click.option(
    "--cache-dir",
    type=click.Path(file_okay=False),
    envvar="TENSORLINT_CACHE_DIR",
    metavar="DIRECTORY",
    help="The cache to remove (default: .tensorlint_cache beside the settings).",
)
def clean(cache_dir: str | None) -> int:
    """Remove the cache of this project."""
    from tensorlint.runner.cache.folder import is_folder, remove

    path = os.path.abspath(cache_dir or place_for(Resolver()))
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
