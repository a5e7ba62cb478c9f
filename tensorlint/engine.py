"""One file: source in, findings out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorlint.findings import Certainty, Finding

if TYPE_CHECKING:
    from tensorlint.source import Source


@dataclass(frozen=True, slots=True)
class Policy:
    """Which rules judge, and how sure a finding must be to be shown."""

    codes: frozenset[str]
    certainty: Certainty = Certainty.LIKELY


def check(source: Source, policy: Policy) -> list[Finding]:
    """Findings of one file, sorted, with suppressed ones already taken out."""
    return []
