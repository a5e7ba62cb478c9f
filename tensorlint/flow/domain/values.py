"""Abstract values: what the interpreter knows of each object a program handles.

All are frozen; an object that changes (``x.requires_grad_()``, ``model.to(device)``) gets a new value under its old
``oid``, and the environment swaps it wherever that object is bound. Each type says, field by field, what is known after
either of two paths made one (``joined``), and what a function that is handed one could tell apart (``fingerprint``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import TypeAlias

from tensorlint.flow.domain.dtypes import OTHER_DTYPE, UNKNOWN_DTYPE, Dtype
from tensorlint.flow.domain.facts import NO_FACT, UNKNOWN_FACT, Fact, Truth
from tensorlint.flow.domain.frozen import dataclass
from tensorlint.flow.domain.memory import NO_BACKING, NO_STORAGE, Backing, Storages, either_object
from tensorlint.flow.domain.site import NOWHERE, Site
from tensorlint.flow.domain.tensors import (
    Array,
    Origin,
    Provenance,
    Tensor,
    earlier_origin,
    either_way,
    joined_grad,
    told_grad,
)

#: How the values in a container are joined, and told apart.
Join: TypeAlias = "Callable[[Value, Value], Value]"
Tell: TypeAlias = "Callable[[Value], object]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar:
    """A Python or NumPy number, string, bool, dtype or None; ``literal`` when the source spells it, or the ``Dtype``.

    A bool with a literal that is not ``known`` is a flag that has this value by default, or by every call seen.
    """

    kind: str
    literal: object = None
    known: bool = False
    #: Whether it says how many there are of what is held in memory: never as many as a float32 cannot tell apart.
    counts: bool = False
    #: What cut it off the graph that computed it, if anything did.
    cut: Fact = field(default=NO_FACT, compare=False)

    def fingerprint(self) -> object:
        literal = self.literal if isinstance(self.literal, (str, int, bool, Dtype)) else None
        return ("scalar", self.kind, type(literal), literal, self.known, self.counts, self.cut.site)


#: The answer to ``torch.cuda.is_available()`` and the like, and to its negation.
ACCELERATED = Scalar(kind="bool", literal="torch.cuda.is_available()")
NOT_ACCELERATED = Scalar(kind="bool", literal="not torch.cuda.is_available()")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceValue:
    """A ``torch.device``; ``fact`` says whether it is off the CPU, ``kinds`` what it then may be: ``mps``, if known."""

    fact: Fact = UNKNOWN_FACT
    kinds: frozenset[str] = frozenset()

    def joined(self, other: DeviceValue) -> DeviceValue:
        return DeviceValue(fact=self.fact.joined(other.fact), kinds=self.kinds | other.kinds)

    def fingerprint(self) -> object:
        return ("device", self.fact.fingerprint, self.kinds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """An ``nn.Module`` instance; ``cls`` is where its class is defined, when that was seen."""

    cls: Site | None = None
    name: str = ""
    #: What its parameters were cast to, where that was seen.
    dtype: Dtype = UNKNOWN_DTYPE
    device: Fact = NO_FACT
    trainable: Truth = Truth.YES
    #: Whether it raises for float64, as what it is given meets weights that were made float32.
    refuses_double: bool = False
    storages: Storages = NO_STORAGE
    #: Where the classes are defined of what a container of modules holds; None for those that were not seen.
    parts: frozenset[Site | None] = frozenset()
    #: The arrays that weights of it which are trained were made of.
    arrays: Backing = field(default=NO_BACKING, compare=False)
    #: Whether it may be one of several objects.
    picked: bool = field(default=False, compare=False)
    oid: int = field(default=0, compare=False)

    def joined(self, other: Module) -> Module:
        # A container that is empty on one path has the parameters that it has on the other.
        told = {side.trainable for side in (self, other) if side.parts or not (self.parts or other.parts)}
        return Module(
            cls=self.cls if self.cls == other.cls else None,
            name=min(self.name, other.name),
            # One that was cast on either path is none that is as it was made.
            dtype=self.dtype if self.dtype is other.dtype else self.dtype.joined(other.dtype) or OTHER_DTYPE,
            device=self.device.joined(other.device),
            trainable=next(iter(told)) if len(told) == 1 else Truth.UNKNOWN,
            refuses_double=self.refuses_double and other.refuses_double,
            storages=self.storages | other.storages,
            parts=self.parts | other.parts,
            arrays=self.arrays | other.arrays,
            picked=self.picked or other.picked or self.oid != other.oid,
            oid=either_object(self.oid, other.oid),
        )

    def fingerprint(self) -> object:
        known = self.dtype, self.device.fingerprint, self.trainable, self.refuses_double, self.parts
        return ("module", self.name, self.cls, *known)


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimizer:
    #: The parameters it was given, when all of them are known.
    storages: Storages = NO_STORAGE
    #: The objects that it was given parameters of, by their ``oid``.
    modules: frozenset[int] = field(default=frozenset(), compare=False)
    #: The arrays that parameters of it were made of.
    arrays: Backing = field(default=NO_BACKING, compare=False)
    #: Whether it was made here and never stepped: then its state is empty.
    fresh: bool = False
    oid: int = field(default=0, compare=False)

    def joined(self, other: Optimizer) -> Optimizer:
        # Where they hold other parameters, which are stepped is not known, as if they were never told.
        return Optimizer(
            storages=self.storages if self.storages == other.storages else NO_STORAGE,
            modules=self.modules & other.modules,
            arrays=self.arrays | other.arrays,
            fresh=self.fresh and other.fresh,
            oid=either_object(self.oid, other.oid),
        )

    def fingerprint(self) -> object:
        return ("optimizer", self.fresh)


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """An object of a class that was seen."""

    cls: Site
    #: Made here, and not told to move to a device since: what its ``to`` does has not been done.
    unmoved: bool = False
    #: What it was given as it was made and keeps as it is, by attribute. In which memory, the class says.
    held: Mapping[str, Value] = field(default_factory=dict)
    oid: int = field(default=0, compare=False)

    def joined(self, other: Instance, join: Join) -> Value:
        if self.cls != other.cls:
            return Unknown(source=Provenance.MIXED)
        held = {name: join(value, other.held[name]) for name, value in self.held.items() if name in other.held}
        oid = either_object(self.oid, other.oid)
        return Instance(cls=self.cls, unmoved=self.unmoved and other.unmoved, held=held, oid=oid)

    def fingerprint(self, tell: Tell) -> object:
        return ("instance", self.cls, self.unmoved, tuple((name, tell(value)) for name, value in self.held.items()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence:
    """A list, tuple, set, generator or iterator. ``items`` when the length is known, else ``element``."""

    kind: str = "list"
    items: tuple[Value, ...] | None = None
    element: Value | None = None
    born: int = 0
    oid: int = field(default=0, compare=False)

    @property
    def contents(self) -> tuple[Value, ...]:
        """What is known to be in it, one by one or as one."""
        if self.items is not None:
            return self.items
        return (self.element,) if self.element is not None else ()

    def joined(self, other: Sequence, join: Join) -> Sequence:
        kind, born = min(self.kind, other.kind), min(self.born, other.born)
        if self.items is not None and other.items is not None and len(self.items) == len(other.items):
            items = tuple(map(join, self.items, other.items))
            return Sequence(kind=kind, items=items, element=None, born=born, oid=either_object(self.oid, other.oid))
        contents = [any_of(side.contents, join) for side in (self, other) if side.items != ()]
        return Sequence(
            kind=kind, items=None, element=any_of(contents, join), born=born, oid=either_object(self.oid, other.oid)
        )

    def fingerprint(self, tell: Tell, join: Join) -> object:
        if self.items is not None and len(self.items) <= 8:
            return (self.kind, tuple(map(tell, self.items)))
        return (self.kind, "each", tell(any_of(self.contents, join)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Dictionary:
    """``entries`` by constant key; ``element`` joins all the others. ``state_dict`` marks a model's own."""

    entries: Mapping[object, Value] = field(default_factory=dict)
    element: Value | None = None
    storages: Storages = NO_STORAGE
    state_dict: bool = False
    #: The call that returned it, what the program calls the object it was asked of, and the names read for that.
    alias: Site | None = field(default=None, compare=False)
    asked_of: str = field(default="", compare=False)
    names: frozenset[str] = field(default=frozenset(), compare=False)
    #: The same object by its ``oid``; 0 where it is not known.
    of: int = field(default=0, compare=False)
    #: Whether ``torch.save`` wrote it to a file.
    saved: bool = False
    born: int = 0
    oid: int = field(default=0, compare=False)

    @property
    def contents(self) -> tuple[Value, ...]:
        """What is known to be in it, entry by entry, and all the others as one."""
        return (*self.entries.values(), *((self.element,) if self.element is not None else ()))

    def joined(self, other: Dictionary, join: Join) -> Dictionary:
        sides = (self, other)
        entries = {
            key: any_of([side.entries[key] for side in sides if key in side.entries], join)
            for key in dict.fromkeys([*self.entries, *other.entries])
        }
        elements = [side.element for side in sides if side.element is not None]
        kept = min(
            sides, key=lambda side: (side.alias is None, side.alias or NOWHERE, side.asked_of, sorted(side.names))
        )
        return Dictionary(
            entries=entries,
            element=any_of(elements, join) if elements else None,
            storages=self.storages | other.storages,
            state_dict=self.state_dict and other.state_dict,
            alias=kept.alias,
            asked_of=kept.asked_of,
            names=kept.names,
            of=self.of if self.of == other.of else 0,
            saved=self.saved and other.saved,
            born=min(self.born, other.born),
            oid=either_object(self.oid, other.oid),
        )

    def fingerprint(self, tell: Tell, join: Join) -> object:
        if len(self.entries) <= 8:
            entries = tuple((key, tell(item)) for key, item in self.entries.items())
            others = None if self.element is None else tell(self.element)
            return ("dict", self.state_dict, self.saved, self.alias, entries, others)
        return ("dict", self.state_dict, self.saved, self.alias, "each", tell(any_of(self.contents, join)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function that was seen, by where it is defined.

    ``captured`` is what it reads of the call that it was defined in, once that is over.
    """

    definition: Site
    receiver: Value | None = None
    captured: tuple[tuple[str, Value], ...] = ()

    def joined(self, other: Function, join: Join) -> Value:
        if self.definition != other.definition:
            return Unknown(source=Provenance.MIXED)
        here, there = dict(self.captured), dict(other.captured)
        captured = {
            name: any_of([side[name] for side in (here, there) if name in side], join)
            for name in sorted({*here, *there})
        }
        sides = [side.receiver for side in (self, other) if side.receiver is not None]
        receiver = any_of(sides, join) if sides else None
        return Function(definition=self.definition, receiver=receiver, captured=tuple(captured.items()))

    def fingerprint(self, tell: Tell) -> object:
        receiver = None if self.receiver is None else tell(self.receiver)
        return ("function", self.definition, receiver, tuple((name, tell(value)) for name, value in self.captured))


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassObject:
    definition: Site

    def fingerprint(self) -> object:
        return ("class", self.definition)


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbol:
    """Something imported, by its dotted path: ``torch``, ``numpy.random``, ``mylib.load``."""

    path: str
    #: Of a type of tensors that is chosen when the program runs: whether it is the one of an accelerator.
    device: Fact = NO_FACT

    def fingerprint(self) -> object:
        return ("symbol", self.path, self.device.truth)


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A bound method that was looked up and not yet called."""

    receiver: Value
    name: str

    def fingerprint(self, tell: Tell) -> object:
        return ("method", self.name, tell(self.receiver))


@dataclass(frozen=True, slots=True)
class Given:
    """An argument that is kept for a later call."""

    site: Site = field(compare=False)
    value: Value
    keyword: str = ""
    star: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Partial:
    """``functools.partial(function, ...)``, with what it was given and the place that says so."""

    function: Value
    arguments: tuple[Given, ...]
    site: Site

    def fingerprint(self, tell: Tell) -> object:
        given = tuple((each.keyword, each.star, tell(each.value)) for each in self.arguments)
        return ("partial", self.site, tell(self.function), given)


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """A value of another framework, or of any type that is known not to be a tensor or an array."""

    framework: str = ""
    #: Of a frame of pandas whose columns are all of one dtype, as far as that is seen.
    dtype: Dtype = UNKNOWN_DTYPE

    def joined(self, other: Foreign) -> Foreign:
        return Foreign(framework=self.framework, dtype=self.dtype.joined(other.dtype))

    def fingerprint(self) -> object:
        return ("foreign", self.framework, self.dtype)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """Anything else, with the evidence that has gathered on it.

    ``device`` and ``grad`` hold should it turn out to be a tensor; ``tensor`` is UNKNOWN, or NO after a
    guard that excludes it.
    """

    device: Fact = UNKNOWN_FACT
    grad: Fact = UNKNOWN_FACT
    tensor: Truth = Truth.UNKNOWN
    dtype: Dtype = UNKNOWN_DTYPE
    storages: Storages = NO_STORAGE
    source: Provenance | None = None
    origin: Origin | None = field(default=None, compare=False)
    oid: int = field(default=0, compare=False)

    def joined(self, other: Unknown) -> Unknown:
        return Unknown(
            device=self.device.joined(other.device),
            grad=joined_grad(self.grad, other.grad),
            tensor=self.tensor if self.tensor is other.tensor else Truth.UNKNOWN,
            dtype=self.dtype.joined(other.dtype),
            storages=self.storages | other.storages,
            source=either_way(self.source, other.source),
            origin=earlier_origin(self.origin, other.origin),
            oid=either_object(self.oid, other.oid),
        )

    def fingerprint(self) -> object:
        return ("unknown", self.device.fingerprint, told_grad(self.grad), self.tensor, self.dtype, self.source)


Value: TypeAlias = (
    Tensor
    | Array
    | Scalar
    | DeviceValue
    | Module
    | Optimizer
    | Instance
    | Sequence
    | Dictionary
    | Function
    | ClassObject
    | Symbol
    | Method
    | Partial
    | Foreign
    | Unknown
)

#: Context managers that were made and not yet entered, and one that is chosen when the program runs.
MAYBE_GRAD = "torch.maybe_grad()"
GRAD_CONTEXTS = frozenset({"torch.no_grad()", "torch.enable_grad()", MAYBE_GRAD})

UNKNOWN = Unknown()
NONE = Scalar(kind="None", known=True)
#: A number, string or other plain object: never a tensor.
PLAIN = Foreign(framework="")
#: The ``.dtype`` of something that may be a tensor or an array.
SOME_DTYPE = Scalar(kind="some.dtype", literal=UNKNOWN_DTYPE)


def any_of(values: tuple[Value, ...] | list[Value], join: Join) -> Value:
    """What one of ``values`` is, when it is not known which."""
    joined: Value | None = None
    for value in values:
        joined = value if joined is None else join(joined, value)
    return UNKNOWN if joined is None else joined


def is_none(value: Value) -> bool:
    return isinstance(value, Scalar) and value.kind == "None"


def is_dtype(value: Value) -> bool:
    """Whether it is a dtype by how it came in: not one that the source names."""
    return isinstance(value, Scalar) and value.kind.endswith(".dtype")


def dtype_in(value: Scalar) -> Dtype:
    """Which dtype it is, as far as is known, where it is one."""
    return value.literal if isinstance(value.literal, Dtype) else UNKNOWN_DTYPE


def is_false(value: Value) -> bool:
    """Whether it is ``False``, as far as is seen."""
    return isinstance(value, Scalar) and value.literal is False


def is_true(value: Value) -> bool:
    """Whether it is ``True``, as far as is seen."""
    return isinstance(value, Scalar) and value.literal is True
