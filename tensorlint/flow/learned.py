"""What a first pass over a program learns for the second one, as a value.

It can be pickled, compared and joined: what several files, or parts of one, taught does not depend on their order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from tensorlint.flow.domain.facts import Fact
from tensorlint.flow.domain.lattice import join
from tensorlint.flow.domain.memory import Mutation
from tensorlint.flow.domain.site import Site, first_of
from tensorlint.flow.domain.values import Value

Key = TypeVar("Key")
Lesson = TypeVar("Lesson")


@dataclass(frozen=True, slots=True)
class FunctionLesson:
    """How a function was seen to be called: joined values by parameter name, and grad mode."""

    arguments: Mapping[str, Value] = field(default_factory=dict)
    grad_mode: Fact | None = None
    calls: int = 0
    #: Whether it was handed to something, which calls it as it likes.
    handed_on: bool = False
    #: Whether something of its name is called that may be it, with what was not seen.
    others: bool = False

    def called(self, passed: Mapping[str, Value], grad_mode: Fact) -> FunctionLesson:
        """The same with one call more."""
        return self.joined(FunctionLesson(passed, grad_mode, 1))

    def joined(self, other: FunctionLesson) -> FunctionLesson:
        modes = [lesson.grad_mode for lesson in (self, other) if lesson.grad_mode is not None]
        return FunctionLesson(
            arguments=_both(self.arguments, other.arguments, join),
            grad_mode=modes[0].joined(modes[-1]) if modes else None,
            calls=self.calls + other.calls,
            handed_on=self.handed_on or other.handed_on,
            others=self.others or other.others,
        )


@dataclass(frozen=True, slots=True)
class ClassLesson:
    """What instances keep under ``self.<attribute>``, joined over every assignment."""

    attributes: Mapping[str, Value] = field(default_factory=dict)
    #: Whether the file makes instances of it.
    constructed: bool = False
    #: The storage that stands for the parameters of its instances, where it is a module.
    serial: int = 0

    def joined(self, other: ClassLesson) -> ClassLesson:
        return ClassLesson(
            attributes=_both(self.attributes, other.attributes, join),
            constructed=self.constructed or other.constructed,
            serial=max(self.serial, other.serial),
        )


@dataclass(frozen=True, slots=True)
class Imports:
    """The names that imports bind in a file, by what else is known of them."""

    names: frozenset[str] = frozenset()
    #: Bound by ``if TYPE_CHECKING`` alone, which is by nothing at run time; and by one path of an ``if`` alone.
    typing_only: frozenset[str] = frozenset()
    on_one_path: frozenset[str] = frozenset()
    #: Whether one of them was ``import *``.
    star: bool = False

    def joined(self, other: Imports) -> Imports:
        return Imports(
            names=self.names | other.names,
            typing_only=self.typing_only | other.typing_only,
            on_one_path=self.on_one_path | other.on_one_path,
            star=self.star or other.star,
        )


@dataclass(frozen=True, slots=True)
class Kept:
    """Of the tensors that are kept under a key: where they lie, and whether they need a gradient."""

    device: Fact
    grad: Fact
    #: Whether each of them was seen to be a tensor.
    sure: bool

    def joined(self, other: Kept) -> Kept:
        return Kept(self.device.joined(other.device), self.grad.joined(other.grad), self.sure and other.sure)


@dataclass(frozen=True, slots=True)
class Learned:
    functions: Mapping[Site, FunctionLesson] = field(default_factory=dict)
    classes: Mapping[Site, ClassLesson] = field(default_factory=dict)
    #: What is kept under each literal key, in any dictionary.
    kept_under: Mapping[str, Kept] = field(default_factory=dict)
    #: The names of what was asked for its ``.parameters()``, with the place; of what was treated as only networks are
    #: (``.eval()``, ``.load_state_dict(...)``); and of what had parameters of its own frozen.
    trained: Mapping[str, Site] = field(default_factory=dict)
    networks: frozenset[str] = frozenset()
    frozen: frozenset[str] = frozenset()
    #: The calls and unpacked names whose value ``.backward()`` goes through, and the contexts it is called in.
    differentiated: frozenset[Site] = frozenset()
    #: The allocations of what is put into a container somewhere.
    kept_allocations: frozenset[Site] = frozenset()
    #: The exports whose arrays are written somewhere, and those whose arrays are made tensors again without a copy, or
    #: whose parameter gets other memory: what is written there was meant to arrive.
    written_exports: frozenset[Site] = frozenset()
    exports_taken_back: frozenset[Site] = frozenset()
    imports: Imports = field(default_factory=Imports)
    #: Whether any fact hangs on the answer to a test, so that it matters where the same is asked again.
    hanging: bool = False
    #: Whether anything looks at a state or gradient that somebody could keep; what is given to ``load_state_dict``.
    snapshots: bool = False
    restored: frozenset[str] = frozenset()
    #: What lists are called, and those they are put into; "" for NumPy, or a library that makes arrays of them.
    handed_lists: frozenset[tuple[str, str]] = frozenset()
    #: Whether anything is copied from an accelerator without waiting for it.
    transfers: bool = False
    #: Whether a layer whose weights may be float64 is given float64.
    fed_double: bool = False
    #: The classes of the networks that are given to ``torch.jit.script``.
    scripted: frozenset[Site] = frozenset()
    #: Whether calls of ``torch.load`` take any pickle: True for those that do, and where classes are allowed in
    #: checkpoints, False for those that do not; and where they are.
    loads: frozenset[tuple[bool, Site]] = frozenset()
    #: The leaves made of data that somebody asks for their gradient, optimizes or hands on.
    leaves_used: frozenset[Site] = frozenset()
    #: The first place where parameters are updated in place.
    training: Mutation | None = None
    #: Storages that are spoken of in here have serials up to this.
    serial: int = 0

    def joined(self, other: Learned) -> Learned:
        """What either of them learned."""
        updates = [each.training for each in (self, other) if each.training is not None]
        return Learned(
            functions=_both(self.functions, other.functions, FunctionLesson.joined),
            classes=_both(self.classes, other.classes, ClassLesson.joined),
            kept_under=_both(self.kept_under, other.kept_under, Kept.joined),
            trained=_both(self.trained, other.trained, _first),
            networks=self.networks | other.networks,
            frozen=self.frozen | other.frozen,
            differentiated=self.differentiated | other.differentiated,
            kept_allocations=self.kept_allocations | other.kept_allocations,
            written_exports=self.written_exports | other.written_exports,
            exports_taken_back=self.exports_taken_back | other.exports_taken_back,
            imports=self.imports.joined(other.imports),
            hanging=self.hanging or other.hanging,
            snapshots=self.snapshots or other.snapshots,
            restored=self.restored | other.restored,
            handed_lists=self.handed_lists | other.handed_lists,
            transfers=self.transfers or other.transfers,
            fed_double=self.fed_double or other.fed_double,
            scripted=self.scripted | other.scripted,
            loads=self.loads | other.loads,
            leaves_used=self.leaves_used | other.leaves_used,
            training=min(updates, key=lambda update: (update.site, update.words), default=None),
            serial=max(self.serial, other.serial),
        )


def _both(
    left: Mapping[Key, Lesson], right: Mapping[Key, Lesson], joined: Callable[[Lesson, Lesson], Lesson]
) -> dict[Key, Lesson]:
    return {
        key: joined(left[key], right[key])
        if key in left and key in right
        else (left[key] if key in left else right[key])
        for key in dict.fromkeys([*left, *right])
    }


def _first(left: Site, right: Site) -> Site:
    return first_of(left, right) or left


class Lessons:
    """What is being learned; in the second pass, what was."""

    def __init__(self, learned: Learned | None = None) -> None:
        known = learned or Learned()
        self.functions: dict[Site, FunctionLesson] = dict(known.functions)
        self.classes: dict[Site, ClassLesson] = dict(known.classes)
        self.kept_under: dict[str, Kept] = dict(known.kept_under)
        self.trained: dict[str, Site] = dict(known.trained)
        self.networks = set(known.networks)
        self.frozen = set(known.frozen)
        self.differentiated = set(known.differentiated)
        self.kept_allocations = set(known.kept_allocations)
        self.written_exports = set(known.written_exports)
        self.exports_taken_back = set(known.exports_taken_back)
        self.imported = set(known.imports.names)
        self.typing_only = set(known.imports.typing_only)
        self.imported_on_one_path = set(known.imports.on_one_path)
        self.imported_star = known.imports.star
        self.hanging = known.hanging
        self.snapshots = known.snapshots
        self.restored = set(known.restored)
        self.handed_lists = set(known.handed_lists)
        self.transfers = known.transfers
        self.fed_double = known.fed_double
        self.scripted = set(known.scripted)
        self.loads = set(known.loads)
        self.leaves_used = set(known.leaves_used)
        self.training = known.training

    def function(self, site: Site) -> FunctionLesson:
        return self.functions.get(site, _NEVER_CALLED)

    def attributes(self, site: Site) -> Mapping[str, Value]:
        return self.classes.get(site, _NEVER_MADE).attributes

    def constructed(self, site: Site) -> bool:
        return self.classes.get(site, _NEVER_MADE).constructed

    def is_exported(self, name: str) -> bool:
        """Whether a list of this name is made an array somewhere, by itself or in another list."""
        reached, pending = set[str](), [name]
        while pending:
            reached.add(here := pending.pop())
            pending += [whole for part, whole in self.handed_lists if part == here and whole not in reached]
        return "" in reached

    def keep_attribute(self, site: Site, name: str, value: Value) -> None:
        known = self.classes.get(site, _NEVER_MADE)
        self.classes[site] = replace(known, attributes={**known.attributes, name: value})

    def put_attributes(self, site: Site, attributes: Mapping[str, Value]) -> None:
        """Have the instances of a class keep just these."""
        self.classes[site] = replace(self.classes.get(site, _NEVER_MADE), attributes=attributes)

    def class_serial(self, site: Site, fresh: int) -> int:
        """The serial of the storage that stands for the parameters of a module; ``fresh`` for one first seen."""
        known = self.classes.get(site, _NEVER_MADE)
        if not known.serial:
            known = self.classes[site] = replace(known, serial=fresh)
        return known.serial

    def construct(self, site: Site) -> None:
        self.classes[site] = replace(self.classes.get(site, _NEVER_MADE), constructed=True)

    def learned(self, serial: int) -> Learned:
        return Learned(
            functions=dict(self.functions),
            classes=dict(self.classes),
            kept_under=dict(self.kept_under),
            trained=dict(self.trained),
            networks=frozenset(self.networks),
            frozen=frozenset(self.frozen),
            differentiated=frozenset(self.differentiated),
            kept_allocations=frozenset(self.kept_allocations),
            written_exports=frozenset(self.written_exports),
            exports_taken_back=frozenset(self.exports_taken_back),
            imports=Imports(
                names=frozenset(self.imported),
                typing_only=frozenset(self.typing_only),
                on_one_path=frozenset(self.imported_on_one_path),
                star=self.imported_star,
            ),
            hanging=self.hanging,
            snapshots=self.snapshots,
            restored=frozenset(self.restored),
            handed_lists=frozenset(self.handed_lists),
            transfers=self.transfers,
            fed_double=self.fed_double,
            scripted=frozenset(self.scripted),
            loads=frozenset(self.loads),
            leaves_used=frozenset(self.leaves_used),
            training=self.training,
            serial=serial,
        )


_NEVER_CALLED = FunctionLesson()
_NEVER_MADE = ClassLesson()
