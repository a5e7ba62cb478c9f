"""What a call of a function that was seen does, as a value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from typing import TYPE_CHECKING, TypeAlias

from tensorlint.flow.details import Escape
from tensorlint.flow.domain.dtypes import Dtype
from tensorlint.flow.domain.elsewhere import here
from tensorlint.flow.domain.memory import NO_STORAGE, How, Mutation, Storage, Storages
from tensorlint.flow.domain.site import Site
from tensorlint.flow.domain.values import Value
from tensorlint.flow.state import Frame, joined_changes, joined_names

if TYPE_CHECKING:
    from tensorlint.flow.defined import FunctionInfo


@dataclass(frozen=True, slots=True)
class Summary:
    """The result of a call, and what it leaves behind of what was there before."""

    result: Value
    #: Objects that changed, as they were and as they are.
    changes: tuple[tuple[Value, Value], ...] = ()
    #: Storages that were written, by serial, and those whose other side shows it, with the place.
    writes: tuple[int, ...] = ()
    mutations: tuple[tuple[Storage, Mutation], ...] = ()
    #: How parameters were updated in place, and which; empty when it may be any.
    updates: How | None = None
    updated: Storages = NO_STORAGE
    #: The objects whose parameters are among them, by their ``oid``.
    trained: frozenset[int] = frozenset()
    #: The dtypes of what it was given that meets float32 in there, which raises.
    raises_for: frozenset[Dtype] = frozenset()
    #: What leaves torch in there, while a network is traced.
    escapes: tuple[Escape, ...] = ()
    #: Names of scopes around that were bound, by ``global`` or ``nonlocal``.
    rebound: tuple[tuple[str, Value], ...] = ()
    #: Attributes of the receiver that were bound.
    bound: tuple[tuple[str, Value], ...] = ()
    #: Whether something on the way lay too deep to be followed, so that more would be known from nearer by.
    cut: bool = False

    @property
    def changes_nothing(self) -> bool:
        """Whether the same call once more is known by its result."""
        left = self.changes or self.writes or self.mutations or self.updates is not None or self.bound or self.rebound
        return not left

    def tells_of(self, storages: Storages) -> bool:
        """Whether it changes anything that a caller which handed in these storages could see, besides its result."""
        serials = {storage.serial for storage in storages}
        return bool(self.changes or self.updates is not None or serials & {*self.writes})

    def placed(self, place: Callable[[Site], Site]) -> Summary:
        """The same with the places of another caller."""
        return replace(self, result=here(self.result, place))


#: What a call read of the scopes around the functions that ran in it, and what that was.
Reads: TypeAlias = "dict[tuple[Site, str], tuple[FunctionInfo, Value]]"


@dataclass(frozen=True, slots=True)
class Remembered:
    """A call that was followed: what it does as long as what it read is the same."""

    summary: Summary
    reads: Reads


def rebound_in(frame: Frame) -> dict[str, Value]:
    """What a function leaves under the names of scopes around it."""
    exits = [*(names for _, names in frame.exits), *([frame.env.rebound] if frame.alive else [])]
    return reduce(lambda left, right: joined_names(left, right, frame.env.parent), exits) if any(exits) else {}


def summary_of(frame: Frame, result: Value, known: Mapping[str, Value]) -> Summary:
    """What the run of a function in ``frame`` did, now that it is over; ``known`` was bound around it before."""
    exits = [*(changes for changes, _ in frame.exits), *([frame.env.changed] if frame.alive else [])]
    changed = reduce(joined_changes, exits) if any(exits) else {}
    older = [(before, now) for oid, (before, now) in changed.items() if oid <= frame.start and now is not before]
    prefix = f"{frame.self_name}."
    # A return on the way leaves open what was bound.
    arrives = frame.self_name and frame.alive and not frame.exits
    bound = [(path, value) for path, value in frame.env.items() if arrives and path.startswith(prefix)]
    # Parameters that are stepped had their gradients filled before, which are gone by now or belong to the step.
    updates = How.UPDATE if How.UPDATE in frame.updates else next(iter(frame.updates), None)
    return Summary(
        result=result,
        changes=tuple(older),
        writes=tuple(frame.outer_writes),
        mutations=tuple(frame.outer_mutations.items()),
        updates=updates,
        updated=frame.updates.get(updates, NO_STORAGE) if updates is not None else NO_STORAGE,
        trained=frame.trained,
        raises_for=frame.raises_for,
        rebound=tuple((name, value) for name, value in rebound_in(frame).items() if value is not known.get(name)),
        bound=tuple((path.removeprefix(prefix), value) for path, value in bound),
        cut=frame.cut,
    )
