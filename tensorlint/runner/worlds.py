"""The program around the files, as far as this process has read it."""

from __future__ import annotations

import gc
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tensorlint.flow.world import World

#: Of how many bytes of source a process keeps what it knows: some 700 MB of memory. What is forgotten is found out
#: anew: with a third of this, judging the package of diffusers, 20 MB, takes 1.4 times as long.
_MAX_WORLD = 160_000_000


def world() -> World:
    """The program around the files. Begun anew where that was too much to keep."""
    if _world().size > _MAX_WORLD:
        forget()
        # It refers to itself in circles, and the collector rarely looks at what has lived for long.
        gc.collect()
    return _world()


def forget() -> None:
    """Let nothing be known of the program."""
    _world.cache_clear()


@lru_cache(maxsize=1)
def _world() -> World:
    from tensorlint.flow.world import World

    return World()
