"""What was seen of one run of one program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Probe:
    """A question about the module's values at the end: ``repr``, ``dtype``, ``sharing`` or ``gradients``."""

    kind: str
    left: str = ""
    right: str = ""

    @property
    def key(self) -> str:
        return f"{self.kind}|{self.left}|{self.right}"


@dataclass(frozen=True, slots=True)
class Answer:
    """``known`` is off when the expression could not be evaluated; ``value`` then says why."""

    known: bool
    value: str
    shown: str = ""


@dataclass(frozen=True, slots=True)
class Raised:
    kinds: tuple[str, ...]
    message: str
    row: int

    def __str__(self) -> str:
        first_line = self.message.splitlines()[0] if self.message else ""
        return f"{self.kinds[0]}: {first_line}" if first_line else self.kinds[0]


@dataclass(frozen=True, slots=True)
class State:
    """The module's values: a description for each name, and the names that lie in one storage."""

    values: Mapping[str, Any] = field(default_factory=dict)
    sharing: frozenset[tuple[str, ...]] = frozenset()


@dataclass(frozen=True, slots=True)
class Run:
    """How a program ended, and what it left behind.

    ``statement`` counts the statements of the module that are no imports; it is the one that was being executed when
    the program ended, and ``before`` is the state it found.
    """

    complete: bool
    signal: str | None = None
    exit_code: int = 0
    timed_out: float = 0.0
    lost: str = ""
    raised: Raised | None = None
    statement: int = 0
    row: int = 0
    before: State | None = None
    state: State | None = None
    warnings: tuple[tuple[str, str], ...] = ()
    answers: Mapping[str, Answer] = field(default_factory=dict)
    marks: Mapping[str, Mapping[str, Answer]] = field(default_factory=dict)
    numbers: Mapping[str, Mapping[str, tuple[float, ...]]] = field(default_factory=dict)
    stdout: str = ""
    stderr: str = ""
    seconds: float = 0.0

    @property
    def failed(self) -> bool:
        return self.raised is not None or not self.complete

    @property
    def ending(self) -> str:
        """How it ended, in words."""
        if self.lost:
            return self.lost
        if self.timed_out:
            return f"still running after {self.timed_out:g} s"
        if self.signal:
            return f"ended by {self.signal}"
        if self.raised:
            return f"raised {self.raised}"
        if not self.complete:
            return f"left with exit code {self.exit_code} before its end"
        return "ran to its end"

    def answer(self, probe: Probe) -> Answer:
        return self.answers.get(probe.key) or Answer(False, self.ending)

    def at_mark(self, mark: str, expression: str) -> Answer:
        at = self.marks.get(mark)
        if at is None or expression not in at:
            return Answer(False, "", f"mark `{mark}` was not reached: {self.ending}")
        return at[expression]

    def gradients(self) -> Mapping[str, tuple[float, ...]]:
        return self.numbers.get(Probe("gradients").key, {})
