"""Facts: what is known of one property, and the place that made it so.

Every property that decides whether a conversion works is a ``Fact``, because a message that shows the path is worth
ten that do not.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import field, replace

from tensorlint.flow.domain.frozen import dataclass
from tensorlint.flow.domain.site import NOWHERE, Site


class Truth(enum.IntEnum):
    """Ordered so that ``max`` answers "what holds of a result computed from these operands"."""

    NO = 0
    UNKNOWN = 1
    #: There is evidence for it, on some path or some machine.
    MAYBE = 2
    YES = 3


@dataclass(frozen=True, slots=True)
class Fact:
    truth: Truth = Truth.UNKNOWN
    #: The expression that made it so, and what to tell the reader there.
    site: Site | None = field(default=None, compare=False)
    reason: str = field(default="", compare=False)
    #: What it hangs on where it is MAYBE: what a test asked (or whether a device is off the CPU, see ``off_cpu``), the
    #: answer that makes it YES, and what it is otherwise.
    hangs_on: tuple[str, bool, Truth] | None = field(default=None, compare=False)
    #: Whether an operation took it over from an operand: a tensor whose gradient came so is no leaf.
    passed_on: bool = field(default=False, compare=False)
    #: Of a MAYBE that is YES on every machine with an accelerator: nothing but ``torch.cuda.is_available()``, or the
    #: default of an option of the program, decides.
    if_available: bool = False

    @property
    def was_settled(self) -> bool:
        """Whether it is only unknown because one of several paths, or operands, settled it and another did not."""
        return self.truth is Truth.UNKNOWN and self.site is not None

    @property
    def holds_there(self) -> bool:
        """Whether it is so on every machine that has an accelerator."""
        return self.truth is Truth.YES or self.if_available

    def weakened(self) -> Fact:
        """The same evidence after passing through code that was not seen."""
        return replace(self, truth=Truth.MAYBE, if_available=False) if self.holds_there else self

    def set_aside(self) -> Fact:
        """The same evidence where it may be of others: nothing is known."""
        known = self.truth > Truth.UNKNOWN
        return replace(self, truth=Truth.UNKNOWN, if_available=False, hangs_on=None) if known else self

    def where_available(self, there: Fact) -> Fact:
        """This fact of two paths, of which the one that is taken where there is an accelerator ends with ``there``."""
        if self.truth is not Truth.MAYBE or not there.holds_there:
            return self
        return replace(there, truth=Truth.MAYBE, hangs_on=self.hangs_on, if_available=True)

    def joined(self, other: Fact) -> Fact:
        """What holds after either of two paths."""
        if self.truth is other.truth:
            kept = _earlier(self, other)
            passed_on, available = self.passed_on and other.passed_on, self.if_available and other.if_available
            if kept.passed_on is not passed_on or kept.if_available is not available:
                kept = replace(kept, passed_on=passed_on, if_available=available)
            same = self.hangs_on == other.hangs_on
            return kept if same else replace(kept, hangs_on=None)
        weaker, stronger = sorted((self, other), key=_truth)
        if stronger.truth is Truth.UNKNOWN:
            # Not known, but on one path the program saw to it: remember where.
            return replace(weaker, truth=Truth.UNKNOWN) if weaker.site is not None else stronger
        there = self.holds_there and other.holds_there
        passed_on = stronger.passed_on and (weaker.passed_on or weaker.truth <= Truth.UNKNOWN)
        return replace(stronger, truth=Truth.MAYBE, hangs_on=None, passed_on=passed_on, if_available=there)

    def decided(self, name: str, *, holds: bool) -> Fact:
        """The same where the answer to ``name`` is known."""
        if self.hangs_on is None or self.hangs_on[0] != name or self.truth is not Truth.MAYBE:
            return self
        _, answer, otherwise = self.hangs_on
        return replace(self, truth=Truth.YES, hangs_on=None, if_available=False) if answer is holds else Fact(otherwise)

    def hanging_on(self, name: str, yes: Fact, no: Fact, before: Fact) -> Fact:
        """This joined fact, remembering that ``yes`` holds where ``name`` is true and ``no`` where it is false.

        What both paths only learned by being taken is what it was ``before``.
        """
        if before.hangs_on is not None and {yes.truth, no.truth} == {Truth.YES, before.hangs_on[2]}:
            return before
        if {yes.truth, no.truth} == {Truth.UNKNOWN, before.truth} and before.site == yes.site == no.site is not None:
            return before
        on, off = yes.truth is Truth.YES, no.truth is Truth.YES
        if self.truth is not Truth.MAYBE or on is off:
            return self
        return replace(self, hangs_on=(name, on, no.truth if on else yes.truth))

    @property
    def fingerprint(self) -> object:
        """What a callee could tell apart. Evidence is told by its place, as a trace shows where it came from."""
        told = (self.truth, self.site, self.passed_on, self.if_available)
        return told if self.truth > Truth.UNKNOWN else self.truth


def _truth(fact: Fact) -> tuple[Truth, bool]:
    return fact.truth, fact.if_available


def _earlier(left: Fact, right: Fact) -> Fact:
    """Of two facts that say the same, the one that has a place, then the one whose place is the first."""
    return min(left, right, key=lambda fact: (fact.site is None, fact.site or NOWHERE, not fact.reason, fact.reason))


UNKNOWN_FACT = Fact()
NO_FACT = Fact(Truth.NO)


def needed(truth: Truth, site: Site, reason: str) -> Fact:
    """Whether a gradient is needed for a ``reason`` that only holds where one is."""
    return NO_FACT if truth is Truth.NO else Fact(truth, site, reason)


def strongest(facts: Iterable[Fact], default: Fact = NO_FACT) -> Fact:
    """The property of a result computed from operands with these facts."""
    return max(facts, key=_truth, default=default)


def off_cpu(device: str) -> str:
    """The question whether a device, by the name it has in the program, is another than the CPU."""
    return f"{device} is off the CPU"
