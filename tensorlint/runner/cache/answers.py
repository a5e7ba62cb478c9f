"""What the files answer today to the questions that judgements depend on."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from tensorlint.program.archive import Archive
from tensorlint.program.dependencies import Dependency
from tensorlint.program.layout import kind_of
from tensorlint.program.mentions import QUESTIONS, mentions_in, project_of, state_of


class Answers:
    """Whether answers are what they were, each found out once.

    ``told`` says of projects what stood for all their texts when the answers about mentions were true, and which of
    them were not: while no file of a project has changed, nobody has to be asked again. Dependencies may be added.
    """

    def __init__(
        self, dependencies: list[Dependency], archive: Archive, told: Mapping[str, tuple[str, frozenset[int]]]
    ) -> None:
        self._dependencies = dependencies
        self._archive = archive
        self._told = told
        self._told_of = len(dependencies)
        self._hold: dict[int, bool] = {}
        #: By project what stands for its texts now.
        self.states: dict[str, str] = {}

    def hold(self, numbers: Iterable[int]) -> bool:
        """Whether all of these are true today. Raises ``IndexError`` for one that there is not."""
        return all(map(self._holds, numbers))

    def _holds(self, number: int) -> bool:
        if number not in self._hold:
            self._hold[number] = self._ask(number, self._dependencies[number])
        return self._hold[number]

    def _ask(self, number: int, dependency: Dependency) -> bool:
        kind, about, answer = dependency
        if kind == "kind":
            return kind_of(about) == answer
        if kind == "text":
            return self._archive.digest(about) == answer
        if kind in QUESTIONS:
            project = project_of(kind, about)
            if project not in self.states:
                self.states[project] = state_of(project)
            state, untrue = self._told.get(project, ("", frozenset()))
            if state == self.states[project] and number < self._told_of:
                return number not in untrue
            return mentions_in(project).answer(kind, about) == answer
        return kind == "started" and os.getcwd() == answer

    def untrue(self, project: str) -> list[int]:
        """The answers about the mentions of a project that are not true today."""
        return [
            number
            for number, (kind, about, _) in enumerate(self._dependencies)
            if kind in QUESTIONS and project_of(kind, about) == project and not self._holds(number)
        ]
