"""Tasks that ask for each other: what is found out does not depend on what was asked for before.

A task that asks for one that is under way gets no answer, so that it knows less than it could. What it finds out is
used until the outermost task of that circle is done, and then forgotten. What the outermost found out is kept, for
whoever stands outside of the circle: another task of it, once that is the outermost, finds out by itself what it asks
for in there, as if it had come first.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

from tensorlint.program.dependencies import Dependencies, recording, use

#: How many tasks about the same may be under way.
_MAX_SAME = 3


class Answer(enum.Enum):
    """What is known of what a task finds out."""

    #: Nothing, as it is under way; what will be forgotten; what is kept, if it was done before.
    NONE = enum.auto()
    PASSING = enum.auto()
    KEPT = enum.auto()


@dataclass(slots=True, eq=False)
class Task:
    """Something to be found out once."""

    #: What it is told apart by; and what it is about: a function may ask for itself, called with something else.
    key: Hashable
    about: Hashable
    work: Callable[[], None]
    #: Gives what ``work`` found out, which is known no more; and has it known again.
    take: Callable[[], Any]
    put: Callable[[Any], None]
    #: The outermost task under way that was asked for.
    reaches: int = 0


@dataclass(slots=True)
class Circles:
    """The tasks under way, and those that were done while one they asked for was not."""

    _under_way: list[Task] = field(default_factory=list)
    #: How deep what is under way stands, by what it is about.
    _depths: dict[Hashable, list[int]] = field(default_factory=dict)
    _passing: dict[Hashable, Task] = field(default_factory=dict)
    #: The circle that a task is part of, by one of its tasks.
    _circle: dict[Hashable, Hashable] = field(default_factory=dict)
    #: What was found out from outside of a circle: where it is known, and where it is not to be used for now.
    _known: dict[Hashable, Task] = field(default_factory=dict)
    _aside: dict[Hashable, Any] = field(default_factory=dict)
    #: What that which was found out depends on, by the key of the task; each time that it was found out adds to it.
    _dependencies: dict[Hashable, Dependencies] = field(default_factory=dict)

    def dependencies_of(self, key: Hashable) -> Dependencies:
        """What the answer of a task depends on, as far as it was found out."""
        found = self._dependencies.get(key)
        if found is None:
            found = self._dependencies[key] = Dependencies()
        return found

    def ask(self, key: Hashable, about: Hashable) -> Answer:
        """Whether a task is under way, or was done without the answer of one that is; who asks hangs on that, too."""
        use(self.dependencies_of(key))
        if not self._under_way:
            # Nothing to hang on, and nothing passing without it: most questions.
            return Answer.KEPT
        passing = self._passing.get(key)
        if passing is not None:
            self._reach(passing.reaches)
            return Answer.PASSING
        same = self._depths.get(about, [])
        if any(self._under_way[depth].key == key for depth in same) or len(same) >= _MAX_SAME:
            self._reach(same[0])
            return Answer.NONE
        if key in self._known and any(self._circle.get(each.key) == self._circle[key] for each in self._under_way):
            self._aside[key] = self._known.pop(key).take()
        return Answer.KEPT

    def settle(self, task: Task) -> None:
        """Do a task that is not done."""
        depth = task.reaches = len(self._under_way)
        self._under_way.append(task)
        self._depths.setdefault(task.about, []).append(depth)
        try:
            with recording(self.dependencies_of(task.key)):
                task.work()
        finally:
            self._under_way.pop()
            self._depths[task.about].pop()
        inside = [each for each in self._passing.values() if each.reaches >= depth]
        if task.reaches < depth:
            self._passing[task.key] = task
            for each in inside:
                each.reaches = task.reaches
            self._reach(task.reaches)
            return
        if inside or task.key in self._circle:
            self._known[task.key] = task
            self._aside.pop(task.key, None)
            self._join([task, *inside])
        for each in inside:
            del self._passing[each.key]
            each.take()
            if each.key in self._aside:
                self._known[each.key] = each
                each.put(self._aside.pop(each.key))

    def _join(self, tasks: list[Task]) -> None:
        """Have tasks be of one circle."""
        circle = self._circle.setdefault(tasks[0].key, tasks[0].key)
        for task in tasks[1:]:
            other = self._circle.get(task.key)
            if other is None:
                self._circle[task.key] = circle
            elif other != circle:
                for key in [key for key, its in self._circle.items() if its == other]:
                    self._circle[key] = circle

    def _reach(self, depth: int) -> None:
        if self._under_way:
            self._under_way[-1].reaches = min(self._under_way[-1].reaches, depth)
