"""The outcomes of a project's files in one value: who depends on what, each dependency written once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tensorlint.findings import Finding
from tensorlint.program.dependencies import Dependency
from tensorlint.program.layout import digest_of
from tensorlint.runner.cache.pages import read, written
from tensorlint.runner.jobs import Job, Outcome

#: Dependencies nobody has any more are thrown out when there are this many times as many as there were then.
_GROWTH = 2
_SOME = 10_000


@dataclass(frozen=True, slots=True)
class Entry:
    """What became of a file with this digest, judged by one policy."""

    digest: str
    matters: bool
    #: As ``Judged`` has it.
    skipped: str
    #: Whether somebody asked for this very file.
    named: bool
    #: By their numbers in the pack, with spaces between them: they are not always asked for.
    depends_on: str
    #: As ``pages`` writes them.
    findings: list[Any]

    def numbers(self) -> list[int]:
        """What it depends on. Raises ``ValueError`` where that is not readable."""
        return [int(number) for number in self.depends_on.split()]

    def read(self, path: str) -> tuple[Finding, ...]:
        """Its findings. Raises ``ValueError`` or ``TypeError`` where they are not readable."""
        return tuple(read(path, finding) for finding in self.findings)


@dataclass(slots=True)
class Pack:
    """Entries by path and policy, and what they depend on."""

    entries: dict[str, dict[str, Entry]] = field(default_factory=dict)
    dependencies: list[Dependency] = field(default_factory=list)
    #: By project what stood for its texts, and the answers about its mentions that were not true then.
    told: dict[str, tuple[str, frozenset[int]]] = field(default_factory=dict)
    #: How many dependencies there were when those nobody has were thrown out.
    compact: int = 0
    _numbers: dict[Dependency, int] = field(default_factory=dict)

    @classmethod
    def from_json(cls, value: Any) -> Pack:
        """The pack that was written so; an empty one for anything else."""
        try:
            return cls(
                {path: {key: Entry(*each) for key, each in by.items()} for path, by in value["entries"].items()},
                [Dependency(*each) for each in value["dependencies"]],
                {project: (state, frozenset(untrue)) for project, (state, untrue) in value["told"].items()},
                int(value["compact"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            return cls()

    def to_json(self) -> Any:
        """As ``from_json`` reads it."""
        return {
            "entries": {
                path: {
                    key: [e.digest, e.matters, e.skipped, e.named, e.depends_on, e.findings] for key, e in by.items()
                }
                for path, by in self.entries.items()
            },
            "dependencies": self.dependencies,
            "told": {project: [state, sorted(untrue)] for project, (state, untrue) in self.told.items()},
            "compact": self.compact,
        }

    def number_of(self, dependency: Dependency) -> int:
        """By what number entries name it."""
        if not self._numbers:
            self._numbers = {each: number for number, each in enumerate(self.dependencies)}
        if dependency not in self._numbers:
            self._numbers[dependency] = len(self.dependencies)
            self.dependencies.append(dependency)
        return self._numbers[dependency]

    def put(self, job: Job, key: str, outcome: Outcome) -> None:
        """Have what became of a file be known, in place of what was."""
        judged = outcome.judged
        numbers = " ".join(map(str, sorted(map(self.number_of, outcome.depends_on))))
        findings = [written(finding) for finding in judged.findings]
        entry = Entry(digest_of(job.data), job.matters, judged.skipped, job.named, numbers, findings)
        self.entries.setdefault(job.path, {})[key] = entry

    def compacted(self) -> Pack:
        """The same with the dependencies that entries have, once there are many more."""
        if len(self.dependencies) <= _GROWTH * self.compact + _SOME:
            return self
        fresh = Pack()
        moved: dict[int, int] = {}
        for path, by in self.entries.items():
            for key, entry in by.items():
                try:
                    kept = {number: self.dependencies[number] for number in entry.numbers()}
                except (ValueError, IndexError):
                    continue
                moved.update((number, fresh.number_of(each)) for number, each in kept.items())
                numbers = " ".join(str(moved[number]) for number in kept)
                fresh.entries.setdefault(path, {})[key] = Entry(
                    entry.digest, entry.matters, entry.skipped, entry.named, numbers, entry.findings
                )
        for project, (state, untrue) in self.told.items():
            fresh.told[project] = state, frozenset(moved[number] for number in untrue if number in moved)
        fresh.compact = len(fresh.dependencies)
        return fresh
