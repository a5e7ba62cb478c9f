"""``tensorlint check --watch``: once more whenever something changes."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence

from tensorlint.cli.output import emit, note
from tensorlint.config import FILE_NAMES, ConfigError, Resolver
from tensorlint.discovery import DiscoveryError, discover

#: Seconds between two looks, at least; a look that takes long makes the next one wait for as many times as long.
_PAUSE = 0.3
_SHARE = 5
_CLEAR = "\x1b[2J\x1b[3J\x1b[H"

Stamps = Mapping[str, object]


def watch(resolver: Callable[[], Resolver], paths: Sequence[str], arguments: Sequence[str]) -> int:
    """Check until interrupted, which is how it ends: KeyboardInterrupt.

    Each run is a process of its own, so that nothing is remembered of what the files were before.
    """
    end = arguments.index("--") if "--" in arguments else len(arguments)
    once = ["check", *arguments[:end], "--no-watch", *arguments[end:]]
    seen: Stamps = {}
    while True:
        began = time.monotonic()
        stamps = _stamps(resolver, paths)
        took = time.monotonic() - began
        if stamps != seen:
            seen = stamps
            _run(once)
            note(f"[{time.strftime('%H:%M:%S')}] Watching for changes; Ctrl-C ends it.")
        time.sleep(max(_PAUSE, _SHARE * took))


def _run(arguments: list[str]) -> None:
    if sys.stdout.isatty():
        emit(_CLEAR)
    process = multiprocessing.get_context("spawn").Process(target=_once, args=(arguments,))
    process.start()
    process.join()


def _once(arguments: list[str]) -> None:
    from tensorlint.cli import main

    sys.exit(main(arguments))


def _stamps(resolver: Callable[[], Resolver], paths: Sequence[str]) -> Stamps:
    """What tells that a file is another than before: of those to be checked, and of the configuration around them."""
    stamps: dict[str, object] = {}
    names: list[str] = []
    try:
        finder = resolver()
        names += (file.path for file in discover(paths, finder.for_directory))
        for directory in {os.path.dirname(name) for name in names} | {os.getcwd()}:
            names += finder.configuration(directory).files
    except (ConfigError, DiscoveryError) as error:
        stamps["error"] = str(error)
    directories = {os.path.dirname(name) for name in names} | {os.path.abspath(path) for path in paths}
    for directory in list(directories):
        while (parent := os.path.dirname(directory)) not in directories and parent != directory:
            directories.add(parent)
            directory = parent
    names += [os.path.join(directory, name) for directory in directories for name in FILE_NAMES]
    for name in names:
        try:
            status = os.stat(name)
        except OSError:
            continue
        stamps[name] = (status.st_mtime_ns, status.st_size, status.st_ino)
    return stamps
