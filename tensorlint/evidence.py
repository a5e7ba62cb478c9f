"""Where claims were seen to hold: the ledgers in evidence/, written by ``tensorlint verify --record``.

Read here for ``tensorlint rule`` and the documentation. docs/verify.md describes the files.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).parent
SCHEMA = 1


class EvidenceError(Exception):
    """A file in evidence/ that is no ledger."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one ledger says about the programs of one rule on one device."""

    torch: str
    numpy: str
    python: str
    platform: str
    device: str
    bad: int
    good: int
    refuted: tuple[str, ...]
    not_run: int

    @property
    def where(self) -> str:
        return f"torch {self.torch}, NumPy {self.numpy}, Python {self.python}, {self.platform}, {self.device}"


def evidence_root() -> Path | None:
    """Beside the package in a checkout, inside it once installed; None when it was left out."""
    inside, beside = _PACKAGE / "ledgers", _PACKAGE.parent / "evidence"
    if (_PACKAGE.parent / "pyproject.toml").is_file() and beside.is_dir():
        return beside
    return inside if inside.is_dir() else None


def seen(group: str, fixture: str = "") -> tuple[Seen, ...]:
    """What all ledgers say of a rule, or of one program of it, newest torch first."""
    return tuple(one for ledger in ledgers() for one in _seen(ledger, group, fixture))


@lru_cache(maxsize=1)
def ledgers() -> tuple[dict[str, Any], ...]:
    """Every ledger, newest torch first."""
    root = evidence_root()
    found = [_read(path) for path in sorted(root.glob("*.json"))] if root else []
    return tuple(sorted(found, key=lambda ledger: _release(ledger["torch"]), reverse=True))


def _read(path: Path) -> dict[str, Any]:
    try:
        ledger = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EvidenceError(f"{path}: {error}") from None
    if not isinstance(ledger, dict) or ledger.get("schema") != SCHEMA:
        raise EvidenceError(f"{path}: not a ledger of schema {SCHEMA}")
    return ledger


def _seen(ledger: dict[str, Any], group: str, fixture: str) -> list[Seen]:
    rows = [row for row in ledger["rows"] if row["rule"] == group and fixture in {"", row["fixture"]}]
    found = []
    for device in dict.fromkeys(row["device"] for row in rows):
        own = [row for row in rows if row["device"] == device]
        kinds = Counter(_is_bad(row) for row in own if row["verdict"] == "confirmed")
        found.append(
            Seen(
                ledger["torch"],
                ledger["numpy"],
                ledger["python"],
                ledger["platform"],
                _device(ledger, device),
                bad=kinds[True],
                good=kinds[False],
                refuted=tuple(row["fixture"] for row in own if row["verdict"] == "refuted"),
                not_run=sum(row["verdict"] == "not-run" for row in own),
            )
        )
    return found


def _is_bad(row: dict[str, Any]) -> bool:
    return bool(row["claims"])


def _device(ledger: dict[str, Any], device: str) -> str:
    """A real accelerator with the name of the card; the simulated one is never called anything else."""
    if device == "sim":
        return "simulated accelerator"
    name = ledger["devices"].get(device, "")
    return f"{device} ({name})" if name and device != "cpu" else device


def _release(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.partition("+")[0].split(".") if part.isdigit())
