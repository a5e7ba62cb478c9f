"""What the editor was told to want: initialization options, and the section ``tensorlint`` of its configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tensorlint.codes import did_you_mean
from tensorlint.findings import Certainty

SECTION = "tensorlint"


@dataclass(frozen=True, slots=True)
class Wishes:
    """Settings of the editor. They win over pyproject.toml, as those of the command line do."""

    #: How sure findings must be; None leaves it to pyproject.toml, and to each rule.
    certainty: Certainty | None = None
    #: Whether "fix all" applies unsafe fixes, too, as ``--fix --unsafe-fixes`` does.
    unsafe_fixes: bool = False
    #: Seconds without a keystroke after which a text is judged.
    debounce: float = 0.15


def read(*layers: object) -> tuple[Wishes, list[str]]:
    """The wishes, later layers before earlier ones, and what is wrong with them, which is then as if not there."""
    given = {key: value for layer in layers for key, value in _table(layer).items() if value is not None}
    wanted: dict[str, Any] = {}
    wrong: list[str] = []
    for key, value in given.items():
        if key not in _READERS:
            wrong.append(f"unknown setting `{key}`{did_you_mean(str(key), _READERS)}")
        else:
            name, reader = _READERS[key]
            try:
                wanted[name] = reader(value)
            except (KeyError, TypeError, ValueError, AttributeError):
                wrong.append(f"setting `{key}` cannot be `{value}`")
    return Wishes(**wanted), wrong


def _table(layer: object) -> Mapping[Any, object]:
    """The settings in what an editor sends, which may stand below a heading."""
    table = layer if isinstance(layer, dict) else {}
    for heading in ("settings", SECTION):
        inside = table.get(heading)
        table = inside if isinstance(inside, dict) else table
    return table


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 60_000:
        raise ValueError
    return value / 1000


_READERS: Mapping[str, tuple[str, Callable[[Any], object]]] = {
    "certainty": ("certainty", Certainty.parse),
    "unsafeFixes": ("unsafe_fixes", _flag),
    "debounce": ("debounce", _seconds),
}
