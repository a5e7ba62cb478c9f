"""Memory: allocations, who else holds them, and what is done to them over time."""

from __future__ import annotations

import enum
from dataclasses import field

from tensorlint.flow.domain.facts import Fact
from tensorlint.flow.domain.frozen import dataclass
from tensorlint.flow.domain.site import Site


class Owner(enum.Enum):
    """Who else holds a storage, and so notices a write to it."""

    FRESH = "fresh"
    ARGUMENT = "argument"
    ATTRIBUTE = "attribute"
    GLOBAL = "global"
    PARAMETER = "parameter"
    GRADIENT = "gradient"
    BUFFER = "buffer"
    #: Of other processes, too.
    SHARED = "shared"

    @property
    def is_external(self) -> bool:
        return self is not Owner.FRESH

    @property
    def is_trained(self) -> bool:
        """Whether training updates it in place."""
        return self in {Owner.PARAMETER, Owner.GRADIENT, Owner.BUFFER}


@dataclass(frozen=True, slots=True)
class Storage:
    """One allocation. Views share it, copies do not. ``serial`` grows in order of allocation."""

    serial: int
    owner: Owner = Owner.FRESH
    site: Site | None = field(default=None, compare=False)

    @property
    def allocated(self) -> int:
        """When it was; gradients come and go with their leaf, whose serial they carry negated."""
        return self.serial if self.serial >= 0 else -self.serial - 1


#: From here on are the identities of what is one object or another.
_EITHER = 1 << 62


def either_object(one: int, other: int) -> int:
    """The identity of what is one of two objects: what is done to it is done to neither of them for sure."""
    return one if one == other else _EITHER + hash((min(one, other), max(one, other))) % _EITHER


Storages = frozenset[Storage]
NO_STORAGE: Storages = frozenset()


#: Memory of arrays that tensors were made of without a copy, and where each was.
Backing = frozenset[tuple[Storage, Site]]
NO_BACKING: Backing = frozenset()


def gradients_of(storages: Storages) -> Storages:
    """Where the gradients of leaves that lie in ``storages`` are accumulated."""
    return frozenset(Storage(-storage.serial - 1, Owner.GRADIENT) for storage in storages)


class How(enum.Enum):
    """By what a mutation came, which decides who notices it."""

    ARRAY = "array"
    TENSOR = "tensor"
    #: Written through something that may be either.
    EITHER = "unknown"
    UPDATE = "update"
    #: Nothing is written: the tensors go to other memory, and arrays that look into the old one are left there.
    MOVED = "moved"
    #: Written through a tensor that is this one's memory on some machines, or for some dtypes, and else a copy.
    SOMEWHERE = "somewhere"
    BACKWARD = "backward"


class Writing(enum.Enum):
    """How the program writes memory in place."""

    AUGMENTED = "augmented"
    ITEM = "item"
    #: The whole of it.
    FILL = "fill"
    #: By an array that has no name.
    THROUGH = "through"
    METHOD = "method"
    OUT = "out"


class Container(enum.Enum):
    """What a value is put into, that outlives the statement."""

    ATTRIBUTE = "attribute"
    #: What an element is added to: a list, a set, a queue.
    APPEND = "append"
    ITEM = "item"
    #: An item of something unknown: an array would copy what it is given.
    SLOT = "slot"
    COMPREHENSION = "comprehension"
    YIELD = "yield"
    RETURN = "return"


class Adding(enum.Enum):
    """How something is added to what is kept of each iteration of a loop."""

    SUM = "sum"
    APPEND = "append"


@dataclass(frozen=True, slots=True)
class Transfer:
    """A conversion that copies on some machines, or for some dtypes, and else gives the very memory it was given.

    ``decides`` is the device, or the dtype, of which the program shows that it is not always the same; where that is a
    dtype, ``kept`` is the one that nothing is copied for.
    """

    site: Site
    decides: Fact = field(compare=False)
    kept: str = ""


@dataclass(frozen=True, slots=True)
class Mutation:
    """A write to memory that other names see."""

    site: Site
    how: How
    words: str
    #: The name written through, when there is one, and what made it an alias.
    name: str = ""
    alias: Site | None = None
    #: Whether it happens in a function that is called there, to whatever that works on.
    called: bool = False
    #: The objects whose parameters are among those it updates, by their ``oid``; and whether all that it updates is
    #: known, so that what notices it is no guess.
    modules: frozenset[int] = field(default=frozenset(), compare=False)
    known: bool = field(default=False, compare=False)
    #: What decides, where it is only seen SOMEWHERE.
    transfer: Transfer | None = field(default=None, compare=False)

    def surely_updates(self, oid: int) -> bool:
        """Whether the parameters of this object, which noticed it, are updated for sure."""
        return self.known or (oid != 0 and oid in self.modules)
