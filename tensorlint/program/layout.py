"""Where Python would look for what a file imports: packages, ``src/``, namespace packages, scripts side by side."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

#: What lies in the directory that all files of a project are below.
_MARKERS = (".git", ".hg", "pyproject.toml", "setup.py", "setup.cfg")
#: Directories of a project that packages lie in, besides itself.
_SOURCES = ("src", "python", "lib")
#: Libraries whose meaning is known better than their text would tell, and what comes with Python.
_KNOWN = frozenset({"torch", "numpy", "torchvision", "torchaudio", "tensorflow", "jax"}) | sys.stdlib_module_names
_MAIN = re.compile(rb"^if __name__ == ['\"]__main__['\"]", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Found:
    """A module by its file, the dotted name it goes by, and what of the name that was looked for is left."""

    path: str
    module: str
    rest: tuple[str, ...]


def locate(dotted: str, importer: str) -> Found | None:
    """The file that ``dotted`` (absolute) names for the program in the file ``importer``, an absolute path.

    None where no file of the program does: what is installed is not read. The longest part that is a module counts,
    unless what it is part of binds the name itself; that is for the caller to see by ``rest``.
    """
    parts = tuple(dotted.split("."))
    if not all(parts) or parts[0] in _KNOWN:
        return None
    directory = os.path.dirname(importer)
    around = roots(directory)
    for root in (directory, *around) if _is_script(importer) else around:
        found = _below(root, parts)
        if found is not None:
            return found
    return None


def forget() -> None:
    """Let nothing be known of which files there are."""
    for known in (_is_script, roots, project, is_package_directory, _below):
        known.cache_clear()


@lru_cache(maxsize=4096)
def _is_script(path: str) -> bool:
    """Whether the file is started by its path, so that what lies beside it comes first, also in a package.

    A notebook is. Tests are not, whatever stands at their end.
    """
    if path.endswith(".ipynb"):
        return True
    if not is_package_directory(os.path.dirname(path)) or os.path.basename(path).startswith("test_"):
        return False
    try:
        return _MAIN.search(Path(path).read_bytes()) is not None
    except OSError:
        return False


def module_name(path: str) -> str:
    """The dotted name of the module in a file by the packages around it."""
    directory, name = os.path.split(path)
    stem = name.removesuffix(".py")
    parts = [] if stem == "__init__" else [stem]
    while is_package_directory(directory):
        directory, package = os.path.split(directory)
        parts.insert(0, package)
    return ".".join(parts)


def absolute(path: str, level: int, name: str) -> str:
    """What ``from ..name import`` with ``level`` dots names in the module at ``path``; empty where there is no such."""
    directory = os.path.dirname(path)
    for _ in range(level - 1):
        directory = os.path.dirname(directory)
    package = module_name(os.path.join(directory, "__init__.py"))
    package = package or ("" if is_package_directory(directory) else os.path.basename(directory))
    return ".".join(filter(None, (package, name)))


@lru_cache(maxsize=4096)
def roots(directory: str) -> tuple[str, ...]:
    """The directories whose modules the files in ``directory`` can import, the nearest first.

    Those around it that are no packages, up to the project, and the ones in the project that sources are kept in.
    """
    top = project(directory)
    around = []
    current = directory
    while True:
        if not is_package_directory(current):
            around.append(current)
        parent = os.path.dirname(current)
        if current == top or parent == current:
            break
        current = parent
    sources = (os.path.join(top, name) for name in _SOURCES)
    # Last what only a script that is started in a package can import.
    return tuple(dict.fromkeys([*around, *(each for each in sources if os.path.isdir(each)), directory]))


@lru_cache(maxsize=4096)
def project(path: str) -> str:
    """The project that a file or directory is part of.

    By what marks one, else by where the program was started, or by its package.
    """
    directory = path if os.path.isdir(path) else os.path.dirname(path)
    current = directory
    while True:
        if any(os.path.exists(os.path.join(current, marker)) for marker in _MARKERS):
            return current
        parent = os.path.dirname(current)
        if parent == current:
            break
        current = parent
    here = os.getcwd()
    if directory == here or directory.startswith(here.rstrip(os.sep) + os.sep):
        return here
    while is_package_directory(directory):
        directory = os.path.dirname(directory)
    return directory


@lru_cache(maxsize=65536)
def is_package_directory(directory: str) -> bool:
    return os.path.isfile(os.path.join(directory, "__init__.py"))


@lru_cache(maxsize=65536)
def _below(root: str, parts: tuple[str, ...]) -> Found | None:
    """The deepest module of ``parts`` below ``root``."""
    found: Found | None = None
    directory = root
    for count, part in enumerate(parts, 1):
        module, rest = ".".join(parts[:count]), parts[count:]
        package = os.path.join(directory, part)
        if is_package_directory(package):
            found = Found(os.path.join(package, "__init__.py"), module, rest)
        elif os.path.isfile(package + ".py"):
            return Found(package + ".py", module, rest)
        elif not os.path.isdir(package):
            break
        directory = package
    return found
