"""What was found in files, kept from one run to the next for as long as it would be found again.

An outcome is kept with what it depends on besides the file and its policy: the questions that were asked of other files
while it was judged, with their answers (``program.dependencies``). It is used while all of them have the same answers.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tensorlint.policy import Policy
from tensorlint.program.archive import Archive, Stamp
from tensorlint.program.layout import digest_of
from tensorlint.program.mentions import QUESTIONS, project_of
from tensorlint.runner.cache.answers import Answers
from tensorlint.runner.cache.folder import Folder
from tensorlint.runner.cache.identity import identity
from tensorlint.runner.cache.pack import Entry, Pack
from tensorlint.runner.cache.pages import policy_text
from tensorlint.runner.jobs import Job, Judged, Outcome

#: Files that are no more asked for leave the stamps when there are more than this.
_MAX_STAMPS = 100_000


@dataclass(frozen=True, slots=True)
class Known:
    """What is found in a file, whether the file passes the byte screen, and its bytes where something is found."""

    judged: Judged
    matters: bool
    data: bytes = b""


class _Kept(Archive):
    """An archive whose values lie in a folder."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._before = _stamps(folder.load("stamps"))
        super().__init__(self._before)
        self.mark = ""

    def load(self, name: str) -> Any:
        return self._folder.load(f"{name}-{self.mark}")

    def save(self, name: str, value: Any) -> None:
        self._folder.save(f"{name}-{self.mark}", value)

    def save_stamps(self) -> None:
        """Keep the stamps of files, where there are new ones, less those that may lie."""
        told = {path: stamp for path, stamp in self.stamps.items() if path not in self.racy}
        if any(self._before.get(path) != stamp for path, stamp in told.items()):
            before = self._before if len(self._before) < _MAX_STAMPS else {}
            self._folder.save("stamps", {**before, **told})


def _stamps(value: Any) -> dict[str, Stamp]:
    try:
        return {path: Stamp(*each) for path, each in value.items()}
    except (TypeError, ValueError, AttributeError):
        return {}


class Cache:
    """The outcomes of a project, kept in the folder at a path, for one run."""

    def __init__(self, path: str) -> None:
        self._folder = Folder(path)
        self.archive = _Kept(self._folder)
        self.archive.mark = identity(self.archive)
        self._name = f"outcomes-{self.archive.mark}"
        self._loaded = self._folder.stamp(self._name)
        self._pack = self._load()
        self._answers = self._answers_to(self._pack)
        self._policies: dict[Policy, str] = {}
        #: How many files were asked for, and of how many the outcome was known.
        self.asked = self.known = 0

    def find(self, path: str, policy: Policy, *, named: bool, fixing: bool) -> Known | None:
        """What is found in a file today, if that is known.

        Where something is to be fixed, only that there is nothing to fix.
        """
        self.asked += 1
        entry = self._pack.entries.get(path, {}).get(self._key(policy))
        try:
            known = None if entry is None else self._known(path, entry, named, fixing)
        except (ValueError, TypeError, IndexError):
            return None
        self.known += known is not None
        return known

    def _known(self, path: str, entry: Entry, named: bool, fixing: bool) -> Known | None:
        if entry.digest != self.archive.digest(path) or not self._answers.hold(entry.numbers()):
            return None
        findings = entry.read(path)
        # What does not parse is a template of a program where nobody asked for this very file.
        if entry.named != named and (entry.skipped or any(finding.code == "TBX901" for finding in findings)):
            return None
        if fixing and any(finding.fix is not None for finding in findings):
            return None
        data = self.archive.read(path) if findings else b""
        if data is None or (findings and digest_of(data) != entry.digest):
            return None
        return Known(Judged(path, findings, skipped=entry.skipped), entry.matters, data)

    def read(self, path: str) -> bytes | None:
        """The bytes of a file; None where it cannot be read, or is no file."""
        return self.archive.read(path)

    def keep(self, jobs: Mapping[str, Job], outcomes: Iterable[Outcome]) -> None:
        """Write down what became of these, for the next run. Errors of the tool are not remembered."""
        news = [outcome for outcome in outcomes if _lasts(outcome.judged)]
        self.archive.save_stamps()
        states = self._answers.states
        if not news and all(self._pack.told.get(each, ("",))[0] == state for each, state in states.items()):
            return
        if self._folder.stamp(self._name) != self._loaded:
            # Another run has written meanwhile.
            self._pack = self._load()
            self._answers = self._answers_to(self._pack)
        pack, projects = self._pack, set(states)
        for outcome in news:
            job = jobs[outcome.judged.path]
            pack.put(job, self._key(job.policy), outcome)
            projects |= {project_of(*each[:2]) for each in outcome.depends_on if each.kind in QUESTIONS}
        for path in [path for path in pack.entries if path not in jobs and not os.path.exists(path)]:
            del pack.entries[path]
        for project in projects:
            untrue = frozenset(self._answers.untrue(project))
            pack.told[project] = self._answers.states.get(project, ""), untrue
        self._folder.save(self._name, pack.compacted().to_json())
        self._folder.tidy()

    def _answers_to(self, pack: Pack) -> Answers:
        return Answers(pack.dependencies, self.archive, pack.told)

    def _load(self) -> Pack:
        return Pack.from_json(self._folder.load(self._name))

    def _key(self, policy: Policy) -> str:
        if policy not in self._policies:
            self._policies[policy] = digest_of(policy_text(policy).encode())[:12]
        return self._policies[policy]


def _lasts(judged: Judged) -> bool:
    """Whether a file was judged, and left as it is."""
    errors = any(finding.code in {"TBX900", "TBX902"} for finding in judged.findings)
    return not errors and judged.fixed is None and not judged.before
