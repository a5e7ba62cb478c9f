"""The vocabulary of claims: what the header of a program may say happens when it runs.

A claim is data: ``probes`` are the questions that the process running the program is asked, ``judge`` reads the
answers. fixtures/README.md documents each form; what does not parse is an error, never a claim nobody checks.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from tensorlint.verify.observed import Probe, Run


class ClaimError(ValueError):
    """A header that is not in the vocabulary."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether a claim holds, and what was seen, in words for the reader."""

    holds: bool
    seen: str


@dataclass(frozen=True)
class Claim(ABC):
    text: str

    form: ClassVar[str]
    #: Whether the program fails when the claim holds: then a safe fix has to take it away.
    failure: ClassVar[bool] = False

    def probes(self) -> tuple[Probe, ...]:
        return ()

    def marks(self) -> Mapping[str, str]:
        """Expression to describe at each mark."""
        return {}

    @property
    def companion(self) -> str | None:
        """The file beside the program that has to run, too: ``cpu`` for the program itself on the CPU."""
        return None

    @abstractmethod
    def judge(self, run: Run, companion: Run | None = None) -> Judgement: ...


@dataclass(frozen=True)
class Raises(Claim):
    exception: str
    message: str

    form = r'raises (?P<exception>[\w.]+) "(?P<message>.+)"'
    failure = True

    def judge(self, run: Run, companion: Run | None = None) -> Judgement:
        raised = run.raised
        holds = raised is not None and self.exception in raised.kinds and self.message in raised.message
        return Judgement(holds, run.ending)


@dataclass(frozen=True)
class Warns(Claim):
    category: str
    message: str

    form = r'warns (?P<category>\w+) "(?P<message>.+)"'
    failure = True

    def covers(self, warning: tuple[str, str]) -> bool:
        return warning[0] == self.category and self.message in warning[1]

    def judge(self, run: Run, companion: Run | None = None) -> Judgement:
        fitting = [warning for warning in run.warnings if self.covers(warning)]
        shown = [f"warned {category}: {message}" for category, message in fitting or run.warnings]
        return Judgement(bool(fitting), shown[0] if shown else "no warning")


@dataclass(frozen=True)
class Sharing(Claim):
    """``shares-memory`` and ``copies``: whether two values lie in one storage at the end."""

    relation: str
    left: str
    right: str

    form = r"(?P<relation>shares-memory|copies) (?P<left>\S+) (?P<right>\S+)"

    def probes(self) -> tuple[Probe, ...]:
        return (Probe("sharing", self.left, self.right),)

    def judge(self, run: Run, companion: Run | None = None) -> Judgement:
        answer = run.answer(self.probes()[0])
        seen = {"True": "one storage", "False": "two storages"}.get(answer.value, answer.value)
        return Judgement(answer.known and (answer.value == "True") == (self.relation == "shares-memory"), seen)


@dataclass(frozen=True)
class ValueChanges(Claim):
    expression: str
    before: str
    after: str

    form = r"value-changes (?P<expression>.+) between (?P<before>\w+) and (?P<after>\w+)"

    def marks(self) -> Mapping[str, str]:
        return {self.before: self.expression, self.after: self.expression}

    def judge(self, run: Run, companion: Run | None = None) -> Judgement:
        before, after = (run.at_mark(mark, self.expression) for mark in (self.before, self.after))
        if not (before.known and after.known):
            return Judgement(False, after.shown if before.known else before.shown)
        if before.value == after.value:
            return Judgement(False, f"{before.shown} at both marks")
        return Judgement(True, f"{before.shown} becomes {after.shown}")


@dataclass(frozen=True)
class Dtype(Claim):
    expression: str
    dtype: str

    form = r"dtype (?P<expression>.+) is (?P<dtype>\S+)"

    def probes(self) -> tuple[Probe, ...]:
        return (Probe("dtype", self.expression),)

    def judge(self, run: Run, companion: Run | None = None) -> Judgement:
        answer = run.answer(self.probes()[0])
        return Judgement(answer.known and answer.value == self.dtype, answer.value)


@dataclass(frozen=True)
class Value(Claim):
    expression: str
    literal: str

    form = r"value (?P<expression>.+) is (?P<literal>.+)"

    def probes(self) -> tuple[Probe, ...]:
        return (Probe("repr", self.expression),)

    def judge(self, run: Run, companion: Run | None = None) -> Judgement:
        answer = run.answer(self.probes()[0])
        return Judgement(answer.known and answer.value == self.literal, answer.value)


@dataclass(frozen=True)
class NoGrad(Claim):
    parameter: str

    form = r"grad (?P<parameter>\S+) is None"

    def probes(self) -> tuple[Probe, ...]:
        return (Probe("repr", f"({self.parameter}).grad"),)

    def judge(self, run: Run, companion: Run | None = None) -> Judgement:
        answer = run.answer(self.probes()[0])
        return Judgement(answer.known and answer.value == "None", f"grad is {answer.value}")


@dataclass(frozen=True)
class GradientDiffers(Claim):
    """Against the program it is named after: gradients of the same names, more than rounding apart."""

    reference: str

    form = r"gradient differs from (?P<reference>\S+\.py)"

    def probes(self) -> tuple[Probe, ...]:
        return (Probe("gradients"),)

    @property
    def companion(self) -> str:
        return self.reference

    def judge(self, run: Run, companion: Run | None = None) -> Judgement:
        if companion is None or companion.failed:
            return Judgement(False, f"{self.reference}: {companion.ending if companion else 'not run'}")
        own, theirs = run.gradients(), companion.gradients()
        common = sorted(own.keys() & theirs.keys())
        if not common:
            return Judgement(False, "no gradient of the same name in both programs")
        for name in common:
            if not _close(own[name], theirs[name]):
                return Judgement(True, f"{name}.grad is {own[name]}, {theirs[name]} in {self.reference}")
        return Judgement(False, f"the gradients of {', '.join(common)} agree")


@dataclass(frozen=True)
class ExitSignal(Claim):
    signal: str

    form = r"exit-signal (?P<signal>SIGSEGV|SIGABRT)"
    failure = True

    def judge(self, run: Run, companion: Run | None = None) -> Judgement:
        return Judgement(run.signal == self.signal, run.ending)


@dataclass(frozen=True)
class SlowerThan(Claim):
    """Seconds of a processor for the program, against those for the one that is named; imports are not counted."""

    reference: str
    factor: str

    form = r"slower-than (?P<reference>\S+\.py) by (?P<factor>\d+(?:\.\d+)?)"

    @property
    def companion(self) -> str:
        return self.reference

    def judge(self, run: Run, companion: Run | None = None) -> Judgement:
        if companion is None or companion.failed or run.failed:
            return Judgement(False, (run if run.failed or companion is None else companion).ending)
        times = run.seconds / max(companion.seconds, 1e-6)
        return Judgement(times >= float(self.factor), f"{times:.1f} times as long as {self.reference}")


@dataclass(frozen=True)
class AliasOnCpu(Claim):
    left: str
    right: str

    form = r"alias on cpu, copy on accelerator: (?P<left>\S+) (?P<right>\S+)"

    def probes(self) -> tuple[Probe, ...]:
        return (Probe("sharing", self.left, self.right),)

    @property
    def companion(self) -> str:
        return "cpu"

    def judge(self, run: Run, companion: Run | None = None) -> Judgement:
        probe = self.probes()[0]
        there = run.answer(probe)
        here = companion.answer(probe) if companion else run.answer(probe)
        words = {"True": "one storage", "False": "two storages"}
        seen = f"{words.get(here.value, here.value)} on the CPU, {words.get(there.value, there.value)} off it"
        return Judgement((here.value, there.value) == ("True", "False"), seen)


VOCABULARY: tuple[type[Claim], ...] = (
    Raises, Warns, Sharing, ValueChanges, Dtype, Value, NoGrad, GradientDiffers, ExitSignal, SlowerThan, AliasOnCpu,
)  # fmt: skip


def parse_claim(text: str) -> Claim:
    """One claim of a header; ``ClaimError`` when it is none of the vocabulary."""
    for kind in VOCABULARY:
        if match := re.fullmatch(kind.form, text):
            return kind(text, **match.groupdict())
    raise ClaimError(f"not a claim: `{text}`")


def _close(left: tuple[float, ...], right: tuple[float, ...]) -> bool:
    return len(left) == len(right) and all(
        abs(a - b) <= 1e-6 + 1e-4 * max(abs(a), abs(b)) or a == b for a, b in zip(left, right, strict=True)
    )
