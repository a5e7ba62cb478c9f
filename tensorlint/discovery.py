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


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Why a path is not found: ``path``, itself or a directory above it, is taken out by ``pattern``.

    ``file`` is the .gitignore that says so; empty where it is an exclusion of the settings. Without a pattern, it is
    that none of ``include`` takes it, or where it ``is_link`` that links to directories are not followed.
    """

    path: str
    pattern: str = ""
    file: str = ""
    is_link: bool = False


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
    return exclusion(path, settings) is not None


def exclusion(path: str, settings: Settings) -> LeftOut | None:
    """By what they do so."""
    is_dir = os.path.isdir(path)
    for globs in settings.exclude:
        if (here := globs.rebased(os.getcwd(), os.path.dirname(path))).matches(path, is_dir=is_dir):
            return LeftOut(path, here.last_that_takes(path, is_dir=is_dir))
    return None


def left_out(path: str, top: str, settings_for: Callable[[str], Settings]) -> LeftOut | None:
    """Why a path below ``top`` is not found where that is looked through; None where it is. Both are absolute."""
    directory, ignored = top, _ignored_above(top)
    for name in os.path.relpath(path, top).split(os.sep):
        here = _Rules.of(directory, top, ignored, settings_for)
        entry = os.path.join(directory, name)
        is_dir = os.path.isdir(entry)
        if is_dir and os.path.islink(entry):
            return LeftOut(entry, is_link=True)
        if (globs := here.left_out_by(entry, is_dir)) is not None:
            return LeftOut(entry, globs.last_that_takes(entry, is_dir=is_dir), globs.file)
        if not is_dir and not here.wants(name, entry):
            return LeftOut(entry)
        directory, ignored = entry, here.ignored
    return None


def _walk(top: str, settings_for: Callable[[str], Settings]) -> Iterator[Discovered]:
    """Files below a directory that was named: patterns that would exclude that directory itself are set aside."""
    pending = [(top, _ignored_above(top))]
    while pending:
        directory, inherited = pending.pop()
        try:
            with os.scandir(directory) as scan:
                entries = sorted(scan, key=lambda entry: entry.name)
        except OSError as error:
            yield Discovered(directory, error=error.strerror or str(error))
            continue
        here = _Rules.of(directory, top, inherited, settings_for)
        for entry in entries:
            is_dir = _is_directory(entry)
            if is_dir:
                if not entry.is_symlink() and here.left_out_by(entry.path, is_dir) is None:
                    pending.append((entry.path, here.ignored))
            elif (
                here.wants(entry.name, entry.path)
                and not entry.name.startswith(".#")  # an editor's lock, a link to nowhere by design
                and (entry.is_symlink() or entry.is_file())
                and here.left_out_by(entry.path, is_dir) is None
            ):
                yield Discovered(entry.path)


@dataclass(frozen=True, slots=True)
class _Rules:
    """What is taken in one directory below the one that was named."""

    excluded: tuple[Globs, ...]
    suffixes: tuple[str, ...]
    wanted: tuple[Globs, ...]
    #: What .gitignore files say, which those below inherit, whether this directory respects it or not.
    ignored: tuple[Globs, ...]
    respected: tuple[Globs, ...]

    @classmethod
    def of(
        cls, directory: str, top: str, inherited: tuple[Globs, ...], settings_for: Callable[[str], Settings]
    ) -> _Rules:
        settings = settings_for(directory)
        split = [globs.rebased(top, directory).suffixes() for globs in settings.include]
        own = _read_ignore_file(directory, ".gitignore")
        ignored = (*inherited, own) if own.patterns else inherited
        return cls(
            tuple(globs.rebased(top, directory).without(top) for globs in settings.exclude),
            tuple(suffix for each, _ in split for suffix in each),
            tuple(globs for _, globs in split if globs.patterns),
            ignored,
            ignored if settings.respect_gitignore else (),
        )

    def wants(self, name: str, path: str) -> bool:
        """Whether a pattern takes this file."""
        return name.endswith(self.suffixes) or any(globs.matches(path) for globs in self.wanted)

    def left_out_by(self, path: str, is_dir: bool) -> Globs | None:
        """The patterns that leave out a path, None where none do."""
        for globs in self.excluded:
            if globs.matches(path, is_dir=is_dir):
                return globs
        for globs in reversed(self.respected):  # the nearest .gitignore that speaks of the path decides
            if (verdict := globs.verdict(path, is_dir=is_dir)) is not None:
                return globs if verdict else None
        return None


def _is_directory(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads back to itself
        return False


def _ignored_above(directory: str) -> tuple[Globs, ...]:
    """The .gitignore files between the root of the repository and this directory, outermost first.

    Patterns that would leave out the directory itself are set aside.
    """
    root, here = repository_of(directory), directory
    if not root:
        return ()  # only what lies below the directory counts
    collected: list[Globs] = []
    while here != root:
        here = os.path.dirname(here)
        collected.append(_read_ignore_file(here, ".gitignore"))
    collected.append(_read_ignore_file(here, os.path.join(".git", "info", "exclude")))
    return tuple(globs.without(directory) for globs in reversed(collected))


def repository_of(directory: str) -> str:
    """The root of the repository that a directory lies in; empty where there is none."""
    here = directory
    while not os.path.exists(os.path.join(here, ".git")):
        parent = os.path.dirname(here)
        if parent == here:
            return ""
        here = parent
    return here


def _read_ignore_file(directory: str, name: str) -> Globs:
    path = os.path.join(directory, name)
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return Globs(directory, tuple(line.rstrip("\r\n") for line in file), path)
    except OSError:
        return Globs(directory, ())
