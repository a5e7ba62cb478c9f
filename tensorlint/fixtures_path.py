"""Where the fixture programs are: beside the package in a checkout, inside it once installed."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent


def fixtures_root() -> Path | None:
    """The folder with one folder for each rule, or None when the fixtures were left out."""
    inside, beside = _PACKAGE / "fixtures", _PACKAGE.parent / "fixtures"
    if (_PACKAGE.parent / "pyproject.toml").is_file() and beside.is_dir():
        return beside
    return inside if inside.is_dir() else None


def programs(code: str) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """The bad and the good programs of a rule, in order of name; bad ones that are not seen come last."""
    root = fixtures_root()
    if root is None:
        return (), ()
    bad = sorted(root.glob(f"{code}_*/bad_*.py"), key=lambda path: (b"# expect:" not in path.read_bytes(), path.name))
    return tuple(bad), tuple(sorted(root.glob(f"{code}_*/good_*.py")))
