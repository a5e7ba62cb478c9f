"""Which files of a program a file executes before anything else: those that it imports, each with its packages."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator

from tensorlint.program.layout import absolute, is_package_directory, locate


def executed(tree: ast.Module, path: str) -> Iterator[tuple[ast.stmt | None, str]]:
    """The files that importing the module in the file ``path`` executes, each with the statement that does.

    Its packages come first, by no statement. Only what stands at the top by itself is sure to be executed.
    """
    yield from ((None, package) for package in _packages(path) if package != path)
    for statement in tree.body:
        for dotted in _named(statement, path):
            found = locate(dotted, path)
            if found is not None and not found.rest:
                yield from ((statement, each) for each in (*_packages(found.path), found.path) if each != path)


def _named(statement: ast.stmt, path: str) -> Iterator[str]:
    """What an import names that may be a module."""
    match statement:
        case ast.Import(names=names):
            yield from (alias.name for alias in names)
        case ast.ImportFrom(module=module, names=names, level=level):
            package = absolute(path, level, module or "") if level else module or ""
            yield package
            yield from (f"{package}.{alias.name}" for alias in names if alias.name != "*")
        case _:
            pass


def _packages(path: str) -> list[str]:
    """What is executed before a module by the packages around it, the outermost first."""
    found: list[str] = []
    directory = os.path.dirname(path)
    while is_package_directory(directory):
        found.insert(0, os.path.join(directory, "__init__.py"))
        directory = os.path.dirname(directory)
    return found
