"""What a rule is: a documented class with one method for each kind of boundary event it judges."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, ClassVar, Literal

from tensorlint.findings import Applicability, Certainty
from tensorlint.flow.events import Event
from tensorlint.screen import ANYTHING, Clue
from tensorlint.versions import Versions

if TYPE_CHECKING:
    import libcst as cst

    from tensorlint.fix.repair import Builder
    from tensorlint.flow.domain.site import Site


@dataclass(frozen=True, slots=True)
class Note:
    """A place the reader should see on the way to the finding."""

    site: Site
    message: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A finding before its nodes are turned into rows and columns.

    ``mend`` identifies the change that would mend it: drafts of several rules with the same ``mend``
    are shown to the reader as one finding. ``repair`` builds the fix, when it is asked for.
    """

    node: cst.CSTNode
    message: str
    certainty: Certainty
    help: str = ""
    notes: tuple[Note, ...] = ()
    mend: cst.CSTNode | None = None
    repair: Builder | None = None


class Rule:
    """Base of all rules. The docstring of a subclass is its documentation (``tensorlint rule CODE``).

    The interpreter in ``flow`` emits events; the engine calls ``on_<event>`` of each rule that has one. A
    rule keeps no state between events.
    """

    code: ClassVar[str]
    name: ClassVar[str]
    since: ClassVar[str] = "0.1.0"
    #: What a file contains in which the rule has a finding: all of one of these (``tensorlint.screen``). A rule that
    #: names none lets every file through that speaks of tensors. They are values of that module.
    clues: ClassVar[tuple[Clue, ...]] = (ANYTHING,)
    #: How far the rule's fix may be trusted, or None while it has none.
    fix: ClassVar[Applicability | None] = None
    #: How sure a finding must be to be shown where the settings do not say: ``CERTAIN`` where too few of the likely
    #: ones were worth acting on when they were read (docs/quality.md).
    shown: ClassVar[Certainty] = Certainty.LIKELY
    #: What it finds, where no program goes wrong by that: editors show it faintly.
    harmless: ClassVar[Literal["", "unnecessary", "deprecated"]] = ""
    #: Where it was measured to be true. Most rules hold on every release.
    versions: ClassVar[Versions] = Versions()

    def __init_subclass__(cls) -> None:
        """Refuse a method for an event that there is not: it would never be called."""
        super().__init_subclass__()
        unheard = sorted({kind for kind, _ in cls.subscriptions()} - _event_kinds())
        if unheard:
            raise TypeError(f"{cls.__name__}: there is no event for {', '.join(f'on_{kind}' for kind in unheard)}")

    @classmethod
    @cache
    def subscriptions(cls) -> tuple[tuple[str, str], ...]:
        """Pairs of event name and method name, e.g. ``("export", "on_export")``. Asked for each file that is judged."""
        listening = [attribute for attribute in sorted(dir(cls)) if attribute.startswith("on_")]
        return tuple((attribute.removeprefix("on_"), attribute) for attribute in listening)


Drafts = Iterable[Draft]


def _event_kinds() -> frozenset[str]:
    """What the events are called; a rule listens to one by a method of that name behind ``on_``."""
    kinds, waiting = set(), [Event]
    while waiting:
        waiting += (found := waiting.pop()).__subclasses__()
        kinds.add(found.kind)
    return frozenset(kinds - {""})
