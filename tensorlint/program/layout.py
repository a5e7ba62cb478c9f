"""Where Python would look for what a file imports: packages, ``src/``, namespace packages, scripts side by side."""

from __future__ import annotations

import os
import re
import stat
import sys
from dataclasses import dataclass
from hashlib import blake2b

from tensorlint.program.dependencies import Dependency, depend, remembered

#: What lies in the directory that all files of a project are below.
_PACKAGED = ("pyproject.toml", "setup.py", "setup.cfg")
_MARKERS = (".git", ".hg", *_PACKAGED)
#: Directories of a project that packages lie in, besides itself.
_SOURCES = ("src", "python", "lib")
#: Libraries whose meaning is known better than their text would tell, and what comes with Python.
_KNOWN = frozenset({"torch", "numpy", "torchvision", "torchaudio", "tensorflow", "jax"}) | sys.stdlib_module_names
_OF_TESTS = re.compile(r"(^|/)(tests?|testing|test_\w+|\w+_test)(\.py|/)")
_MAIN = re.compile(rb"^if __name__ == ['\"]__main__['\"]", re.MULTILINE)


#: What a path leads to.
FILE, DIRECTORY, OTHER, NOTHING = "file", "directory", "other", ""


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
    return locate_in(dotted, search_path(importer))


def locate_in(dotted: str, directories: tuple[str, ...]) -> Found | None:
    """The same for who looks into these directories, in this order."""
    parts = tuple(dotted.split("."))
    if not all(parts) or parts[0] in _KNOWN:
        return None
    return next((found for root in directories if (found := _below(root, parts)) is not None), None)


@remembered
def search_path(importer: str) -> tuple[str, ...]:
    """The directories into which Python looks for what a file imports."""
    directory = os.path.dirname(importer)
    around = roots(directory)
    return (directory, *around) if _is_script(importer) else around


@remembered
def _is_script(path: str) -> bool:
    """Whether the file is started by its path, so that what lies beside it comes first, also in a package.

    A notebook is. Tests are not, whatever stands at their end.
    """
    if path.endswith(".ipynb"):
        return True
    if not is_package_directory(os.path.dirname(path)) or os.path.basename(path).startswith("test_"):
        return False
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError:
        data = None
    depend(text_of(path, data))
    return data is not None and _MAIN.search(data) is not None


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


@remembered
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
    return tuple(dict.fromkeys([*around, *(each for each in sources if _kind(each) == DIRECTORY), directory]))


@remembered
def project(path: str) -> str:
    """The project that a file or directory is part of.

    By what marks one, else by where the program was started, or by its package. The root of a file system, which
    holds everything, is one where something marks it, or for the files that lie in it alone.
    """
    directory = path if _kind(path) == DIRECTORY else os.path.dirname(path)
    current = directory
    while not is_marked(current):
        if is_root(current):
            break
        current = os.path.dirname(current)
    else:
        return current
    started = os.getcwd()
    depend(Dependency("started", "", started))
    here = _around_packages(started)
    if not is_root(here) and (directory == here or directory.startswith(here + os.sep)):
        return here
    return _around_packages(directory)


def _around_packages(directory: str) -> str:
    """The directory that the packages around this one lie in, below the root of the file system."""
    while is_package_directory(directory) and not is_root(os.path.dirname(directory)):
        directory = os.path.dirname(directory)
    return directory


def is_marked(directory: str) -> bool:
    """Whether something says that this directory is a project."""
    return any(_kind(os.path.join(directory, marker)) for marker in _MARKERS)


def is_packaged(path: str) -> bool:
    """Whether the file lies in a package of a project that can be installed."""
    directory = os.path.dirname(path)
    return is_package_directory(directory) and any(_kind(os.path.join(project(path), each)) for each in _PACKAGED)


def is_of_tests(path: str) -> bool:
    """Whether a file is one of tests by its name in its project; what lies above that says nothing of it."""
    absolute = os.path.abspath(path)
    return bool(_OF_TESTS.search(os.path.relpath(absolute, project(absolute)).replace(os.sep, "/")))


def is_root(directory: str) -> bool:
    """Whether this directory is the root of a file system."""
    return os.path.dirname(directory) == directory


@remembered
def is_package_directory(directory: str) -> bool:
    return _kind(os.path.join(directory, "__init__.py")) == FILE


@remembered
def _below(root: str, parts: tuple[str, ...]) -> Found | None:
    """The deepest module of ``parts`` below ``root``."""
    found: Found | None = None
    directory = root
    for count, part in enumerate(parts, 1):
        module, rest = ".".join(parts[:count]), parts[count:]
        package = os.path.join(directory, part)
        if is_package_directory(package):
            found = Found(os.path.join(package, "__init__.py"), module, rest)
        elif _kind(package + ".py") == FILE:
            return Found(package + ".py", module, rest)
        elif _kind(package) != DIRECTORY:
            break
        directory = package
    return found


@remembered
def _kind(path: str) -> str:
    found = kind_of(path)
    depend(Dependency("kind", path, found))
    return found


def kind_of(path: str) -> str:
    """What a path leads to, as of now: ``FILE``, ``DIRECTORY``, ``OTHER`` or ``NOTHING``."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return NOTHING
    return FILE if stat.S_ISREG(mode) else DIRECTORY if stat.S_ISDIR(mode) else OTHER


def text_of(path: str, data: bytes | None) -> Dependency:
    """That something depends on the content of a file; None for one that cannot be read."""
    return Dependency("text", path, "" if data is None else digest_of(data))


def digest_of(data: bytes) -> str:
    """What stands for these bytes."""
    return blake2b(data, digest_size=16).hexdigest()


def forget() -> None:
    """Have files looked for anew."""
    for known in (search_path, _is_script, roots, project, is_package_directory, _below, _kind):
        known.cache_clear()
