"""What changes while a function is interpreted: bindings, grad mode, and which names went stale."""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import compress, filterfalse
from operator import is_not
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from tensorlint.flow.domain.dtypes import Dtype
from tensorlint.flow.domain.facts import Fact, Truth
from tensorlint.flow.domain.lattice import join
from tensorlint.flow.domain.memory import NO_STORAGE, Container, How, Mutation, Storage, Storages
from tensorlint.flow.domain.site import Site
from tensorlint.flow.domain.tensors import Array, Tensor
from tensorlint.flow.domain.values import UNKNOWN, Dictionary, Sequence, Unknown, Value
from tensorlint.flow.elements import Rows
from tensorlint.flow.graphs import Differentiated

if TYPE_CHECKING:
    import libcst as cst

    from tensorlint.flow.defined import ClassInfo, FunctionInfo
    from tensorlint.flow.details import Escape, Saved

#: Grad mode of code nobody is seen to call under ``no_grad``.
GRAD_ASSUMED_ON = Fact(Truth.MAYBE)
GRAD_OFF = Fact(Truth.NO)
GRAD_NOT_KNOWN = Fact(Truth.UNKNOWN)


T = TypeVar("T")

#: Objects by ``oid``, as they were and as they are.
Changes: TypeAlias = "dict[int, tuple[Value, Value]]"
Queued: TypeAlias = "dict[Site, tuple[Array, cst.BaseExpression]]"


class Environment:
    """Bindings by access path (``x``, ``self.model``, ``cfg.device``), with an enclosing scope to fall back on.

    ``stale`` holds the paths whose memory was written through another name since they were bound. ``changed`` holds the
    objects that changed without being bound again, before and now: a name of this scope holds the new one at once, one
    of a scope around when it is read here, as who runs at which time is only known in here. ``rebound`` holds the names
    of scopes around that were bound anew on the way here, by ``global`` or ``nonlocal``, and what they hold.
    """

    __slots__ = (
        "bindings",
        "changed",
        "dotted",
        "either",
        "grad_mode",
        "other_framework",
        "parent",
        "queued",
        "rebound",
        "stale",
        "stored",
        "versions",
    )

    def __init__(self, parent: Environment | None = None, grad_mode: Fact = GRAD_ASSUMED_ON) -> None:
        self.bindings: dict[str, Value] = {}
        self.stale: dict[str, Mutation] = {}
        self.changed: Changes = {}
        self.rebound: dict[str, Value] = {}
        #: The places, by the ``id`` of their nodes, that stored something on the way here.
        self.stored: frozenset[int] = frozenset()
        #: Objects by their ``oid`` that are one or another, by the path that was taken: how such was made is not known.
        self.either: frozenset[int] = frozenset()
        #: The arrays that were put into a queue, by where that is written, and the expressions that are them.
        self.queued: Queued = {}
        #: How often names were bound here: a flag that was bound again is another flag.
        self.versions: dict[str, int] = {}
        #: Whether any path with a dot in it may be bound.
        self.dotted = False
        self.grad_mode = grad_mode
        #: Whether this path was only taken as the values at hand are another framework's.
        self.other_framework = False
        self.parent = parent

    def copy(self) -> Environment:
        twin = Environment(self.parent, self.grad_mode)
        twin.bindings = dict(self.bindings)
        twin.stale = dict(self.stale)
        twin.changed = dict(self.changed)
        twin.rebound = dict(self.rebound)
        twin.versions = dict(self.versions)
        twin.stored = self.stored
        twin.queued = dict(self.queued)
        twin.either = self.either
        twin.dotted = self.dotted
        twin.other_framework = self.other_framework
        return twin

    def lookup(self, path: str) -> Value | None:
        found = self.bindings.get(path)
        if found is not None or self.parent is None:
            return found
        if self.rebound and (head := path.partition(".")[0]) in self.rebound:
            return self.rebound[head] if head == path else None
        found = self.parent.lookup(path)
        return self.latest(found) if self.changed and found is not None else found

    def latest(self, value: Value) -> Value:
        """What an object that was bound elsewhere is by now."""
        for oid, (_, now) in self.changed.items():
            value = _with_changed(value, oid, lambda _, now=now: now)  # type: ignore[misc]
        return value

    def bind(self, path: str, value: Value) -> None:
        """Bind ``path``; what was known of ``path.attribute`` goes with the old object."""
        if self.dotted:
            inner = path + "."
            for known in [key for key in self.bindings if key.startswith(inner)]:
                del self.bindings[known]
                self.stale.pop(known, None)
        self.dotted |= "." in path
        self.versions[path] = self.versions.get(path, 0) + 1
        self.bindings[path] = value
        self.stale.pop(path, None)

    def bind_around(self, name: str, value: Value) -> None:
        """Bind ``name``, which is one of a scope around this one."""
        self.bind(name, value)
        # What a test told of it before went with what it was.
        self.rebound[name] = self.bindings.pop(name)

    def unbind(self, path: str) -> None:
        self.bindings.pop(path, None)
        self.stale.pop(path, None)

    def change(self, value: Value, how: Callable[[Value], Value]) -> None:
        """The object ``value`` is another from here on, under every name and in every container that holds it."""
        oid = getattr(value, "oid", 0)
        if not oid:
            return
        before, now = self.changed.get(oid, (value, value))
        self.changed[oid] = before, how(now)
        for names in (self.bindings, self.rebound):
            for path, held in names.items():
                names[path] = _with_changed(held, oid, how)

    def version(self, name: str) -> int:
        """How often ``name`` was bound where it is found; a name that is bound once is told by itself."""
        scope: Environment | None = self
        while scope is not None and name not in scope.versions:
            scope = scope.parent
        return max(scope.versions[name] - 1, 0) if scope is not None else 0

    def holds(self, oid: int) -> Value | None:
        """The object ``oid``, where a name or a container holds it."""
        for value in (*self.bindings.values(), *self.rebound.values()):
            if (found := _found_in(value, oid)) is not None:
                return found
        found = self.parent.holds(oid) if self.parent is not None else None
        return None if found is None else self.latest(found)

    def visible(self) -> Iterator[tuple[str, Value]]:
        """Plain names that can be read here and what they hold, the innermost scope first."""
        seen: set[str] = set()
        scope: Environment | None = self
        while scope is not None:
            for path, value in (*scope.bindings.items(), *scope.rebound.items()):
                if path not in seen and "." not in path:
                    seen.add(path)
                    yield path, value
            scope = scope.parent

    def items(self) -> ItemsView[str, Value]:
        return self.bindings.items()

    def joined(self, other: Environment, fallback: Callable[[str], Value | None]) -> Environment:
        """What holds after either path. ``fallback`` tells what an attribute path is where nothing bound it."""
        merged = Environment(self.parent, self.grad_mode.joined(other.grad_mode))
        # Most of what either holds is what both held before; the names of this one come first.
        merged.bindings = {**self.bindings, **other.bindings}
        for path in differing(self.bindings, other.bindings):
            here, there = self._at(path, fallback), other._at(path, fallback)
            if here is not None and there is not None:
                merged.bindings[path] = one = join(here, there)
                if isinstance(one, (Tensor, Array)) and getattr(here, "oid", 0) != getattr(there, "oid", 0):
                    merged.either |= {one.oid}
            elif (bound := here or there) is not None:
                # A plain name that one path leaves unbound can only be read where it is bound.
                merged.bindings[path] = bound
        merged.dotted = self.dotted or other.dotted
        merged.other_framework = self.other_framework and other.other_framework
        merged.stale = {**other.stale, **self.stale}
        merged.changed = joined_changes(self.changed, other.changed)
        merged.rebound = joined_names(self.rebound, other.rebound, self.parent)
        merged.stored = self.stored | other.stored
        merged.either |= self.either | other.either
        merged.queued = {**other.queued, **self.queued}
        merged.versions = _joined_versions(self.versions, other.versions)
        return merged

    def _at(self, path: str, fallback: Callable[[str], Value | None]) -> Value | None:
        found = self.lookup(path)
        if found is None and "." in path:
            return fallback(path) or UNKNOWN
        return found


def _joined_versions(left: dict[str, int], right: dict[str, int]) -> dict[str, int]:
    """How often names were bound on either path: once more where one of them bound a name more often."""
    joined = dict(left)
    for name in differing(left, right):
        one, other = left.get(name, 0), right.get(name, 0)
        joined[name] = max(one, other) + (one != other)
    return joined


def differing(left: Mapping[str, T], right: Mapping[str, T]) -> list[str]:
    """The names that are not the very same in both; quick, as a long function joins thousands that are."""
    changed = compress(left, map(is_not, left.values(), map(right.get, left)))
    return [*changed, *filterfalse(left.__contains__, right)]


def joined_changes(left: Changes, right: Changes) -> Changes:
    """What became of objects after either of two paths; one that does not speak of an object left it as it was."""
    if not left and not right:
        return {}
    joined: Changes = {}
    for oid in dict.fromkeys([*left, *right]):
        before, _ = left.get(oid) or right[oid]
        joined[oid] = before, join(*(side[oid][1] if oid in side else before for side in (left, right)))
    return joined


def joined_names(left: Mapping[str, Value], right: Mapping[str, Value], around: Environment | None) -> dict[str, Value]:
    """What names of the scopes ``around`` hold after either of two paths; one that binds a name not leaves it be."""
    joined: dict[str, Value] = {}
    for name in dict.fromkeys([*left, *right]):
        before = None if around is None else around.lookup(name)
        held = [found for side in (left, right) if (found := side.get(name, before)) is not None]
        joined[name] = join(held[0], held[-1])
    return joined


def _found_in(value: Value, oid: int, depth: int = 3) -> Value | None:
    if getattr(value, "oid", 0) == oid:
        return value
    inside = value.contents if depth and isinstance(value, (Sequence, Dictionary)) else ()
    return next((found for item in inside if (found := _found_in(item, oid, depth - 1)) is not None), None)


def _with_changed(value: Value, oid: int, change: Callable[[Value], Value], depth: int = 3) -> Value:
    """``value``, or the container ``value`` with the object ``oid`` in it changed; itself where that is not in it."""
    if getattr(value, "oid", 0) == oid:
        return change(value)
    match value:
        case Sequence(items=tuple(items)) if depth:
            changed = tuple(_with_changed(item, oid, change, depth - 1) for item in items)
            if any(new is not old for new, old in zip(changed, items, strict=True)):
                return replace(value, items=changed)
        case Sequence(element=Tensor() | Array() | Unknown() as element) if depth:
            # One of several that are known as one: the others are as they were.
            new = _with_changed(element, oid, change, depth - 1)
            if new is not element:
                return replace(value, element=join(element, new))
        case Dictionary(entries=entries) if depth and entries:
            inside = {key: _with_changed(item, oid, change, depth - 1) for key, item in entries.items()}
            if any(inside[key] is not entries[key] for key in entries):
                return replace(value, entries=inside)
    return value


#: Node, value, how it is kept, and the expression that is the value, where one is.
Stored: TypeAlias = "tuple[cst.CSTNode, Value, Container, cst.BaseExpression | None]"


@dataclass(frozen=True, slots=True)
class View:
    """An expression that looks into a tensor, and that tensor by its ``oid``."""

    node: cst.BaseExpression
    of: int


@dataclass
class Loop:
    """A loop that is being interpreted: what is older than ``start`` was allocated before it."""

    start: int
    node: cst.CSTNode
    #: How many rounds it makes, where the program says it.
    rounds: int | None = None
    breaks: list[Environment] = field(default_factory=list)
    continues: list[Environment] = field(default_factory=list)
    #: Storages written inside, and the stores of values that share one.
    written: dict[int, Site] = field(default_factory=dict)
    stored: list[Stored] = field(default_factory=list)
    #: What updates parameters inside, with the storages of those, where they are known.
    updates: list[tuple[Mutation, Storages]] = field(default_factory=list)
    #: The tensors that it goes through, by the names of their elements.
    rows: Rows = field(default_factory=dict)
    #: The parameters it goes through, and their gradients: others in each iteration, though they are kept as one.
    each: Storages = NO_STORAGE

    @cached_property
    def differentiated(self) -> Differentiated:
        """What backward passes in it go through."""
        return Differentiated(self.node)


@dataclass(slots=True)
class Frame:
    """One function (or the module) being interpreted. ``env`` is None where control never arrives."""

    env: Environment
    function: FunctionInfo | None = None
    cls: ClassInfo | None = None
    self_name: str = ""
    depth: int = 0
    quiet: bool = False
    #: Whether something that was called in here, or further down, lay too deep to be followed.
    cut: bool = False
    #: Values of this function live in host memory by construction (dataset item, collate function).
    host_only: bool = False
    alive: bool = True
    loops: list[Loop] = field(default_factory=list)
    returned: list[Value] = field(default_factory=list)
    #: What a test asks of which one path returned by then, and the other had not yet.
    parted: Value | None = None
    #: What had become of objects, and of names of scopes around, at each ``return``.
    exits: list[tuple[Changes, dict[str, Value]]] = field(default_factory=list)
    #: What a root returned, part by part.
    handed_out: list[Stored] = field(default_factory=list)
    yielded: list[Value] = field(default_factory=list)
    #: What in here updates parameters in place (an optimizer step) or gradients (a backward pass), and which of them;
    #: empty when it may be any.
    updates: dict[How, Storages] = field(default_factory=dict)
    #: The objects whose parameters are among them, by their ``oid``.
    trained: frozenset[int] = frozenset()
    #: The dtypes of what it was given that meets float32 in here, which raises.
    raises_for: frozenset[Dtype] = frozenset()
    #: The parameters of the models that are made in here.
    made: Storages = NO_STORAGE
    #: What leaves torch in here, while a network is traced.
    escapes: list[Escape] = field(default_factory=list)
    #: Pinned memory that an accelerator may still copy from, and where it was told to.
    uploads: dict[Storage, Site] = field(default_factory=dict)
    #: What operations in here keep for a backward pass, by where it lies.
    saved: dict[Storage, dict[tuple[int, int], Saved]] = field(default_factory=dict)
    #: Storages from before this call that were written in it, and where.
    start: int = 0
    outer_writes: dict[int, Site] = field(default_factory=dict)
    #: What those do to memory that is shared by a conversion made here.
    outer_mutations: dict[Storage, Mutation] = field(default_factory=dict)
    #: The names of the exceptions that each ``try`` around here is there for; ``EVERY`` stands for all.
    handlers: list[frozenset[str]] = field(default_factory=list)
    #: Names that are bound in the module, or in the function around.
    globals: set[str] = field(default_factory=set)
    nonlocals: set[str] = field(default_factory=set)
    #: How often the paths were kept apart by a flag.
    splits: int = 0
    #: The expression of the statement being executed, when its value is thrown away.
    bare_call: cst.BaseExpression | None = None
    #: The name of a dictionary that is being asked for the entry of a key, as both are written.
    entry: tuple[cst.BaseExpression, object] | None = None
    #: The call that is given a plain name by the assignment being executed, and that name.
    named_call: tuple[cst.BaseExpression, str] | None = None
    #: The names that the assignment being executed binds: what they held before is let go of.
    rebinds: frozenset[str] = frozenset()
    #: The right side of the assignment being executed, where its one target takes all of it.
    assigned: cst.BaseExpression | None = None
