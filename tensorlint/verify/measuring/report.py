"""What became of each row: value objects, and their JSON. Nothing here imports torch or NumPy."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass

CONFIRMED, REFUTED, NOT_RUN = "confirmed", "refuted", "not run"


@dataclass(frozen=True, order=True)
class Checked:
    """One property of one row: what the table says, and what a run shows."""

    table: str
    name: str
    property: str
    expected: str
    observed: str
    verdict: str

    @classmethod
    def judged(cls, table: str, name: str, what: str, expected: str, observed: str, holds: bool) -> Checked:
        return cls(table, name, what, expected, observed, CONFIRMED if holds else REFUTED)

    def __str__(self) -> str:
        return f"{self.table}:{self.name}: {self.property}: the table says {self.expected}: {self.observed}"


@dataclass(frozen=True)
class KnowledgeReport:
    """All facts, on the versions they were measured with; ``problem`` says why there are none."""

    torch: str = ""
    numpy: str = ""
    facts: tuple[Checked, ...] = ()
    problem: str = ""
    #: Whether these are versions the tables speak of; on others a refuted row may be a difference of versions.
    comparable: bool = True

    @property
    def refuted(self) -> tuple[Checked, ...]:
        return self.of(REFUTED)

    @property
    def not_run(self) -> tuple[Checked, ...]:
        return self.of(NOT_RUN)

    @property
    def confirmed(self) -> tuple[Checked, ...]:
        return self.of(CONFIRMED)

    def of(self, verdict: str) -> tuple[Checked, ...]:
        return tuple(fact for fact in self.facts if fact.verdict == verdict)

    def rows(self) -> Mapping[str, Mapping[str, int]]:
        """Rows of each table by verdict. One refuted fact refutes a row."""
        worst: dict[tuple[str, str], str] = {}
        for fact in self.facts:
            key = fact.table, fact.name
            if fact.verdict == REFUTED or key not in worst:
                worst[key] = fact.verdict
        counts: dict[str, Counter[str]] = {}
        for (table, _), verdict in worst.items():
            counts.setdefault(table, Counter())[verdict] += 1
        return counts

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> KnowledgeReport:
        loaded = json.loads(text)
        return cls(**{**loaded, "facts": tuple(Checked(**fact) for fact in loaded["facts"])})
