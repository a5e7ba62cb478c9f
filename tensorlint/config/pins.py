"""The releases of torch and NumPy that a project says it runs on, where its settings name none.

As ruff falls back to ``requires-python``: what a project installs is what its code is for.
"""

from __future__ import annotations

import os
import re

from tensorlint.config.files import read_toml
from tensorlint.config.settings import Layer
from tensorlint.config.versions import is_specifier, satisfies

#: Where a project says so. The first that pins one of the two counts.
NAMES = ("pyproject.toml", "requirements.txt", "environment.yml", "environment.yaml")
#: The first releases of each series, which tell how far a range reaches; the last stands for all that may come.
_SERIES = {
    "torch": ("0.4", *(f"1.{minor}" for minor in range(14)), *(f"2.{minor}" for minor in range(30))),
    "numpy": (*(f"1.{minor}" for minor in range(10, 27)), *(f"2.{minor}" for minor in range(20))),
}
#: ``numpy==1.15.4``, ``"torch>=1.8,<2"`` and conda's ``- numpy=1.19``; in comments nothing is pinned.
_PIN = re.compile(
    r"^[ \t]*(?:-[ \t]+(?:[\w-]+::)?)?(numpy|torch|pytorch)[ \t]*(=(?!=)|(?=[=<>~!]))[ \t]*([=<>~! \t\d.,*]+)",
    re.MULTILINE,
)


def pins_in(directory: str) -> tuple[Layer, ...]:
    """What a file of this directory pins, as a layer that goes below all others."""
    for name in NAMES:
        path = os.path.join(directory, name)
        if os.path.isfile(path) and (pinned := _pinned(path)):
            return (Layer({f"target-{library}": release for library, release in pinned.items()}, path, directory),)
    return ()


def _pinned(path: str) -> dict[str, str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read()
    except OSError:
        return {}
    if path.endswith(".toml"):
        text = "\n".join(_dependencies(text))
    # Several are alternatives, one for each Python, say: where one has no end, neither has what they allow together.
    allowed: dict[str, list[str]] = {}
    for name, single, specifier in _PIN.findall(text):
        library = name.removeprefix("py")
        allowed.setdefault(library, []).append(_newest(library, _spelled(specifier, single)))
    return {library: max(newest, key=_numbers) for library, newest in allowed.items() if all(newest)}


def _dependencies(text: str) -> list[str]:
    """What a pyproject.toml lists as needed to run; nothing where it cannot be read, which is said elsewhere."""
    if not re.search("numpy|torch", text):
        return []
    try:
        document = read_toml(text)
    except ValueError:
        return []
    match document:
        case {"project": {"dependencies": [*listed]}}:
            return [each for each in listed if isinstance(each, str)]
        case {"tool": {"poetry": {"dependencies": dict(table)}}}:
            return [f"{name}{_caret(each)}" for name, each in table.items() if isinstance(each, str)]
        case _:
            return []


def _caret(specifier: str) -> str:
    """Poetry's ``^1.24``, up to the next release that may break, and a release alone, which is exact."""
    if specifier[:1].isdigit():
        return f"=={specifier}"
    if not (found := re.fullmatch(r"\^(\d+)((?:\.\d+)*)", specifier)):
        return specifier
    return f">={specifier[1:]},<{int(found[1]) + 1}" if found[1] != "0" else f"=={specifier[1:]}"


def _spelled(specifier: str, single: str) -> str:
    """The same as ranges are written here: conda's one sign is all of a series, like a star at the end."""
    # Behind conda's release a build may follow.
    given = (clause.strip() for clause in specifier.rstrip("= \t").split(","))
    clauses = [("==" if single else "") + clause for clause in given if clause]
    ranges = []
    for clause in clauses:
        release = clause.removeprefix("==").removesuffix(".*")
        series = clause.startswith("==") and (clause.endswith("*") or (single and release.count(".") < 2))
        ranges.append(f"~={release}.0" if series else clause)
    return ",".join(ranges)


def _newest(library: str, specifier: str) -> str:
    """The newest release that a range allows; empty where it has no end, or is none."""
    if not is_specifier(specifier):
        return ""
    written = re.findall(r"\d+(?:\.\d+)*", specifier)
    allowed = [release for release in (*_SERIES[library], *written) if satisfies(release, specifier)]
    newest = max(allowed, key=_numbers, default="")
    return "" if newest == _SERIES[library][-1] else newest


def _numbers(release: str) -> tuple[int, ...]:
    return tuple(map(int, release.split(".")))
