"""Which files a list of paths means."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from tensorlint.config import Settings
from tensorlint.globs import Globs


class DiscoveryError(Exception):
    """A path on the command line that leads nowhere."""

    def __init__(self, path: str) -> None:
        super().__init__(f"no such file or directory: {path}")
        self.path = path


@dataclass(frozen=True, slots=True)
class Discovered:
    """A file to lint, ``named`` on the command line or found; with ``error``, a directory that cannot be listed."""

    path: str
    named: bool = False
    error: str = ""


def discover(paths: Iterable[str], settings_for: Callable[[str], Settings]) -> list[Discovered]:
    """The files below these paths, absolute, sorted, each once.

    A path that is named is taken unless the settings force their exclusions on it. Below a directory, files are those
    that the settings include, or the patterns of ``include``, and neither the settings nor a .gitignore exclude;
    symbolic links to directories are not followed, so that loops cannot matter.
    ``settings_for`` takes an absolute directory.
    """
    found: dict[str, Discovered] = {}
    for path in paths:
        absolute = os.path.abspath(path)
        items: Iterable[Discovered]
        if os.path.lexists(absolute) and is_force_excluded(absolute, settings_for):
            items = ()
        elif os.path.isdir(absolute):
            items = _walk(absolute, settings_for)
        elif os.path.lexists(absolute):
            items = (Discovered(absolute, named=True),)
        else:
            raise DiscoveryError(path)
        for item in items:
            key = os.path.realpath(item.path)
            known = found.get(key)
            # One file under several names is linted once: under the name asked for, else the first in order.
            if known is None or (item.named, known.path) > (known.named, item.path):
                found[key] = replace(item, named=item.named or (known is not None and known.named))
    return sorted(found.values(), key=lambda item: item.path)


def is_force_excluded(path: str, settings_for: Callable[[str], Settings]) -> bool:
    """Whether the settings leave out even a path that is named. It is absolute, and need not exist."""
    settings = settings_for(os.path.dirname(path))
    return settings.force_exclude and is_excluded(path, settings)


def is_excluded(path: str, settings: Settings) -> bool:
    """Whether the settings leave out a path that nobody names. It is absolute, and need not exist."""
    return any(globs.rebased(os.getcwd()).matches(path, is_dir=os.path.isdir(path)) for globs in settings.exclude)


def _walk(top: str, settings_for: Callable[[str], Settings]) -> Iterator[Discovered]:
    """Files below a directory that was named: patterns that would exclude that directory itself are set aside."""
    pending = [(top, tuple(globs.without(top) for globs in _ignored_above(top)))]
    while pending:
        directory, inherited = pending.pop()
        try:
            with os.scandir(directory) as scan:
                entries = sorted(scan, key=lambda entry: entry.name)
        except OSError as error:
            yield Discovered(directory, error=error.strerror or str(error))
            continue
        settings = settings_for(directory)
        excluded = tuple(globs.rebased(top).without(top) for globs in settings.exclude)
        split = [globs.rebased(top).suffixes() for globs in settings.include]
        suffixes = tuple(suffix for each, _ in split for suffix in each)
        wanted = [globs for _, globs in split if globs.patterns]
        ignored = inherited
        if any(entry.name == ".gitignore" for entry in entries):
            ignored = (*inherited, _read_ignore_file(directory, ".gitignore"))
        respected = ignored if settings.respect_gitignore else ()
        for entry in entries:
            is_dir = _is_directory(entry)
            if is_dir:
                if not entry.is_symlink() and not _left_out(entry.path, is_dir, excluded, respected):
                    pending.append((entry.path, ignored))
            elif (
                (entry.name.endswith(suffixes) or any(globs.matches(entry.path) for globs in wanted))
                and not entry.name.startswith(".#")  # an editor's lock, a link to nowhere by design
                and (entry.is_symlink() or entry.is_file())
                and not _left_out(entry.path, is_dir, excluded, respected)
            ):
                yield Discovered(entry.path)


def _is_directory(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads back to itself
        return False


def _left_out(path: str, is_dir: bool, excluded: tuple[Globs, ...], ignored: tuple[Globs, ...]) -> bool:
    if any(globs.matches(path, is_dir=is_dir) for globs in excluded):
        return True
    for globs in reversed(ignored):  # the nearest .gitignore that speaks of the path decides
        if (verdict := globs.verdict(path, is_dir=is_dir)) is not None:
            return verdict
    return False


def _ignored_above(directory: str) -> tuple[Globs, ...]:
    """The .gitignore files between the root of the repository and this directory, outermost first."""
    collected: list[Globs] = []
    here = directory
    while not os.path.exists(os.path.join(here, ".git")):
        parent = os.path.dirname(here)
        if parent == here:
            return ()  # not in a repository: only what lies below the directory counts
        here = parent
        collected.append(_read_ignore_file(here, ".gitignore"))
    collected.append(_read_ignore_file(here, os.path.join(".git", "info", "exclude")))
    return tuple(reversed(collected))


def _read_ignore_file(directory: str, name: str) -> Globs:
    try:
        with open(os.path.join(directory, name), encoding="utf-8", errors="surrogateescape") as file:
            return Globs(directory, tuple(line.rstrip("\r\n") for line in file))
    except OSError:
        return Globs(directory, ())
