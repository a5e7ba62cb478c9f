"""Abstract values: what the interpreter knows of each object a program handles.

All are frozen; an object that changes (``x.requires_grad_()``, ``model.to(device)``) gets a new value under its old
``oid``, and the environment swaps it wherever that object is bound. Each type says, field by field, what is known after
either of two paths made one (``joined``), and what a function that is handed one could tell apart (``fingerprint``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from tensorlint.flow.domain.dtypes import joined_dtype
from tensorlint.flow.domain.facts import NO_FACT, UNKNOWN_FACT, Fact, Truth
from tensorlint.flow.domain.memory import NO_BACKING, NO_STORAGE, Backing, Storages
from tensorlint.flow.domain.site import NOWHERE, Site, first_of

#: The ``source`` of what ``model.parameters()`` yields.
PARAMETER_OF_MODULE = "parameter of a module"

#: How the values in a container are joined, and told apart.
Join: TypeAlias = "Callable[[Value, Value], Value]"
Tell: TypeAlias = "Callable[[Value], object]"


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    """Where a value came from, in words for the trace."""

    site: Site
    message: str


@dataclass(frozen=True, slots=True)
class Narrowed:
    """A legacy constructor made a smaller float of what it was given.

    That is "float64" or "integers" (arrays of them), "numbers" (a list of whole numbers), or "" for unknown.
    """

    site: Site = field(compare=False)
    given: str = ""


@dataclass(frozen=True, slots=True)
class Rewrapped:
    """A constructor made a leaf of data that the program computed: what comes before has no part in its graph."""

    site: Site = field(compare=False)
    #: Whether that data is seen to need a gradient, or to have been cut off what does, and where that was.
    of_graph: bool = False
    cut: Fact = field(default=NO_FACT, compare=False)
    #: What it is made of: "tensor", "tensors" (a list of them), or "" for anything else.
    given: str = ""
    #: 0 for that leaf itself, 1 for its sum or mean, 2 for what else was computed with it alone.
    steps: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    device: Fact = UNKNOWN_FACT
    #: Where it is NO, a place says that nothing it was computed with has a graph, and a reason what cut it off one.
    grad: Fact = UNKNOWN_FACT
    dtype: str = ""
    storages: Storages = NO_STORAGE
    #: False when only a method name suggests that this is a torch tensor.
    sure: bool = True
    #: "parameter", "call", "attribute", "element", "model", ... : how an unknown property came in.
    source: str = ""
    origin: Origin | None = field(default=None, compare=False)
    #: The conversion that made this tensor an alias of an array, or detached it from its owner.
    alias: Site | None = field(default=None, compare=False)
    imported: bool = False
    zero_dim: bool = False
    #: A parameter of a module that was seen being made.
    of_module: bool = False
    #: The object whose parameter it is, by its ``oid``.
    module: int = field(default=0, compare=False)
    #: The constructor that left the memory as it found it, until something is written there.
    unset: Site | None = field(default=None, compare=False)
    #: The import that made it a tensor over read-only memory.
    frozen: Site | None = field(default=None, compare=False)
    #: The copy from an accelerator that may not have arrived yet.
    in_flight: Site | None = field(default=None, compare=False)
    #: The legacy constructor whose cast it went through, for as long as that dtype is kept.
    narrowed: Narrowed | None = field(default=None, compare=False)
    #: The constructor that started a graph with it, or with what it is the sum or mean of.
    rewrapped: Rewrapped | None = field(default=None, compare=False)
    #: How its numbers lie in memory, where NumPy could not read them: "sparse", "nested", "conj", ... (``layouts``).
    layout: str = ""
    #: What its numbers are, where that is known: fractions of 0 to 1 ("unit"), without a bound ("wild"), or any
    #: ("fraction").
    numbers: str = ""
    #: A view of a part: by a slice, and by an index that may pick another part each time.
    sliced: bool = False
    picked: bool = False
    oid: int = field(default=0, compare=False)

    def joined(self, other: Tensor) -> Tensor:
        return Tensor(
            device=self.device.joined(other.device),
            grad=joined_grad(self.grad, other.grad),
            dtype=joined_dtype(self.dtype, other.dtype),
            storages=self.storages | other.storages,
            sure=self.sure and other.sure,
            source=one_word(self.source, other.source),
            origin=_earlier(self.origin, other.origin),
            alias=first_of(self.alias, other.alias),
            imported=self.imported and other.imported,
            zero_dim=self.zero_dim and other.zero_dim,
            of_module=self.of_module and other.of_module,
            module=self.module if self.module == other.module else 0,
            # Left as found is what nobody wrote on either path; read-only memory stays so on its own.
            unset=first_of(self.unset, other.unset) if self.unset and other.unset else None,
            frozen=first_of(self.frozen, other.frozen),
            in_flight=first_of(self.in_flight, other.in_flight),
            narrowed=_either_narrowed(self.narrowed, other.narrowed),
            rewrapped=_both_rewrapped(self.rewrapped, other.rewrapped),
            layout=self.layout if self.layout == other.layout else "",
            numbers=either_numbers(self.numbers, other.numbers),
            sliced=self.sliced or other.sliced,
            picked=self.picked or other.picked,
            oid=self.oid,
        )

    def fingerprint(self) -> object:
        return (
            "tensor",
            self.device.fingerprint,
            _told_grad(self.grad),
            self.dtype,
            self.sure,
            self.source,
            self.alias,
            self.imported,
            self.zero_dim,
            self.of_module,
            self.unset,
            self.frozen,
            self.in_flight,
            None if self.narrowed is None else (self.narrowed.site, self.narrowed.given),
            None if (made := self.rewrapped) is None else (made.site, made.of_graph, made.given, made.steps),
            self.layout,
            self.numbers,
            self.sliced,
            self.picked,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Array:
    dtype: str = ""
    storages: Storages = NO_STORAGE
    #: Whether writing through it is undefined: ``np.frombuffer``, ``mmap_mode="r"``, ``broadcast_to``.
    read_only: Fact = NO_FACT
    negative_stride: Fact = NO_FACT
    zero_dim: bool = False
    #: Whether a float32 holds all its numbers: the program spells them, or draws them at random.
    small: bool = False
    #: Whether it was made of integers of Python, most of which count something.
    counted: bool = False
    origin: Origin | None = field(default=None, compare=False)
    #: The ``.numpy()`` that made this array a view of a tensor.
    alias: Site | None = field(default=None, compare=False)
    exported: bool = False
    #: Whether only the name of that method says that it was a tensor.
    of_unknown: bool = False
    sliced: bool = False
    picked: bool = False
    #: False when only a method name suggests that this is an array.
    sure: bool = True
    #: Whether it surely has a dimension, and is no NumPy scalar: it was made of a list, a shape, several arrays.
    has_axes: bool = False
    #: What cut the numbers in it off the graph that computed them, if anything did.
    cut: Fact = field(default=NO_FACT, compare=False)
    oid: int = field(default=0, compare=False)

    def joined(self, other: Array) -> Array:
        return Array(
            dtype=self.dtype if self.dtype == other.dtype else "",
            storages=self.storages | other.storages,
            read_only=self.read_only.joined(other.read_only),
            negative_stride=self.negative_stride.joined(other.negative_stride),
            zero_dim=self.zero_dim and other.zero_dim,
            small=self.small and other.small,
            counted=self.counted and other.counted,
            origin=_earlier(self.origin, other.origin),
            alias=first_of(self.alias, other.alias),
            exported=self.exported and other.exported,
            of_unknown=self.of_unknown or other.of_unknown,
            sliced=self.sliced or other.sliced,
            picked=self.picked or other.picked,
            sure=self.sure and other.sure,
            has_axes=self.has_axes and other.has_axes,
            cut=self.cut.joined(other.cut),
            oid=self.oid,
        )

    def fingerprint(self) -> object:
        return (
            "array",
            self.has_axes,
            self.dtype,
            self.read_only.fingerprint,
            self.negative_stride.fingerprint,
            self.zero_dim,
            self.small,
            self.counted,
            self.alias,
            self.exported,
            self.of_unknown,
            self.sliced,
            self.picked,
            self.sure,
            self.cut.site,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar:
    """A Python or NumPy number, string, bool or None; ``literal`` when the source spells it.

    A bool with a literal that is not ``known`` is a flag that has this value by default, or by every call seen.
    """

    kind: str
    literal: object = None
    known: bool = False
    #: What cut it off the graph that computed it, if anything did.
    cut: Fact = field(default=NO_FACT, compare=False)

    def fingerprint(self) -> object:
        literal = self.literal if isinstance(self.literal, (str, int, bool)) else None
        return ("scalar", self.kind, type(literal), literal, self.known, self.cut.site)


#: The answer to ``torch.cuda.is_available()``.
ACCELERATED = Scalar(kind="bool", literal="torch.cuda.is_available()")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceValue:
    """A ``torch.device``; ``fact`` says whether it is off the CPU."""

    fact: Fact = UNKNOWN_FACT

    def joined(self, other: DeviceValue) -> DeviceValue:
        return DeviceValue(fact=self.fact.joined(other.fact))

    def fingerprint(self) -> object:
        return ("device", self.fact.fingerprint)


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """An ``nn.Module`` instance; ``cls`` is where its class is defined, when that was seen."""

    cls: Site | None = None
    name: str = ""
    #: What its parameters were cast to, where that was seen.
    dtype: str = ""
    device: Fact = NO_FACT
    trainable: Truth = Truth.YES
    #: Whether it raises for float64, as what it is given meets weights that were made float32.
    refuses_double: bool = False
    storages: Storages = NO_STORAGE
    #: The arrays that weights of it which are trained were made of.
    arrays: Backing = field(default=NO_BACKING, compare=False)
    oid: int = field(default=0, compare=False)

    def joined(self, other: Module) -> Module:
        return Module(
            cls=self.cls if self.cls == other.cls else None,
            name=min(self.name, other.name),
            dtype=joined_dtype(self.dtype, other.dtype),
            device=self.device.joined(other.device),
            trainable=self.trainable if self.trainable is other.trainable else Truth.UNKNOWN,
            refuses_double=self.refuses_double and other.refuses_double,
            storages=self.storages | other.storages,
            arrays=self.arrays | other.arrays,
            oid=self.oid,
        )

    def fingerprint(self) -> object:
        return ("module", self.name, self.cls, self.dtype, self.device.fingerprint, self.trainable, self.refuses_double)


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
            oid=self.oid,
        )

    def fingerprint(self) -> object:
        return ("optimizer", self.fresh)


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """An object of a class that was seen."""

    cls: Site
    #: Made here, and not told to move to a device since: what its ``to`` does has not been done.
    unmoved: bool = False
    oid: int = field(default=0, compare=False)

    def joined(self, other: Instance) -> Value:
        if self.cls != other.cls:
            return Unknown(source="mixed")
        return Instance(cls=self.cls, unmoved=self.unmoved and other.unmoved, oid=self.oid)

    def fingerprint(self) -> object:
        return ("instance", self.cls, self.unmoved)


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
            return Sequence(kind=kind, items=items, element=None, born=born, oid=self.oid)
        contents = [any_of(side.contents, join) for side in (self, other) if side.items != ()]
        return Sequence(kind=kind, items=None, element=any_of(contents, join), born=born, oid=self.oid)

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
            born=min(self.born, other.born),
            oid=self.oid,
        )

    def fingerprint(self, tell: Tell, join: Join) -> object:
        if len(self.entries) <= 8:
            entries = tuple((key, tell(item)) for key, item in self.entries.items())
            others = None if self.element is None else tell(self.element)
            return ("dict", self.state_dict, self.alias, entries, others)
        return ("dict", self.state_dict, self.alias, "each", tell(any_of(self.contents, join)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function that was seen, by where it is defined."""

    definition: Site
    receiver: Value | None = None

    def fingerprint(self) -> object:
        return ("function", self.definition)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassObject:
    definition: Site

    def fingerprint(self) -> object:
        return ("class", self.definition)


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbol:
    """Something imported, by its dotted path: ``torch``, ``numpy.random``, ``mylib.load``."""

    path: str

    def fingerprint(self) -> object:
        return ("symbol", self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A bound method that was looked up and not yet called."""

    receiver: Value
    name: str

    def fingerprint(self) -> object:
        return ("method", self.name)


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

    def fingerprint(self) -> object:
        return ("partial", self.site)


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """A value of another framework, or of any type that is known not to be a tensor or an array."""

    framework: str = ""

    def fingerprint(self) -> object:
        return ("foreign", self.framework)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """Anything else, with the evidence that has gathered on it.

    ``device`` and ``grad`` hold should it turn out to be a tensor; ``tensor`` is UNKNOWN, or NO after a
    guard that excludes it.
    """

    device: Fact = UNKNOWN_FACT
    grad: Fact = UNKNOWN_FACT
    tensor: Truth = Truth.UNKNOWN
    dtype: str = ""
    storages: Storages = NO_STORAGE
    source: str = ""
    origin: Origin | None = field(default=None, compare=False)
    oid: int = field(default=0, compare=False)

    def joined(self, other: Unknown) -> Unknown:
        return Unknown(
            device=self.device.joined(other.device),
            grad=joined_grad(self.grad, other.grad),
            tensor=self.tensor if self.tensor is other.tensor else Truth.UNKNOWN,
            dtype=joined_dtype(self.dtype, other.dtype),
            storages=self.storages | other.storages,
            source=one_word(self.source, other.source),
            origin=_earlier(self.origin, other.origin),
            oid=self.oid,
        )

    def fingerprint(self) -> object:
        return ("unknown", self.device.fingerprint, _told_grad(self.grad), self.tensor, self.dtype, self.source)


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
SOME_DTYPE = Scalar(kind="some.dtype", literal="")


def any_of(values: tuple[Value, ...] | list[Value], join: Join) -> Value:
    """What one of ``values`` is, when it is not known which."""
    joined: Value | None = None
    for value in values:
        joined = value if joined is None else join(joined, value)
    return UNKNOWN if joined is None else joined


def one_word(left: str, right: str) -> str:
    """How something came in that came in by another way on each path; the same for either order."""
    return max(left, right) if not left or not right else min(left, right)


def joined_grad(left: Fact, right: Fact) -> Fact:
    """Whether a gradient is needed on either of two paths; that nothing has a graph holds where it does on both."""
    joined = left.joined(right)
    if joined.truth is not Truth.NO:
        return joined
    if left.site is None or right.site is None:
        return NO_FACT
    return joined if joined.reason or not (left.reason or right.reason) else left if left.reason else right


def _told_grad(grad: Fact) -> object:
    return (grad.truth, grad.site) if grad.truth is Truth.NO else grad.fingerprint


def either_numbers(left: str, right: str) -> str:
    """What numbers are that are of either kind."""
    return left if left == right else "fraction" if left and right else ""


def _either_narrowed(left: Narrowed | None, right: Narrowed | None) -> Narrowed | None:
    if left is None or right is None:
        return left or right
    return min(left, right, key=lambda each: (each.given, each.site))


def _both_rewrapped(left: Rewrapped | None, right: Rewrapped | None) -> Rewrapped | None:
    if left is None or right is None:
        return None
    given = left.given if left.given == right.given else ""
    return Rewrapped(
        min(left.site, right.site),
        of_graph=left.of_graph and right.of_graph,
        cut=left.cut.joined(right.cut),
        given=given,
        steps=max(left.steps, right.steps),
    )


def _earlier(left: Origin | None, right: Origin | None) -> Origin | None:
    if left is None or right is None:
        return left or right
    return min(left, right)


def is_none(value: Value) -> bool:
    return isinstance(value, Scalar) and value.kind == "None"


def is_dtype(value: Value) -> bool:
    """Whether it is a dtype by how it came in: not one that the source names."""
    return isinstance(value, Scalar) and value.kind.endswith(".dtype")


def is_false(value: Value) -> bool:
    """Whether it is ``False``, as far as is seen."""
    return isinstance(value, Scalar) and value.literal is False


def is_true(value: Value) -> bool:
    """Whether it is ``True``, as far as is seen."""
    return isinstance(value, Scalar) and value.literal is True
