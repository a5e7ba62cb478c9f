"""Abstract values: what the interpreter knows of each object a program handles.

Every property that decides whether a conversion works is a ``Fact``: a truth plus the place that made
it so, because a message that shows the path is worth ten that do not. All values are frozen; an object
that changes (``x.requires_grad_()``, ``model.to(device)``) gets a new value under its old ``oid``, and
the environment swaps it wherever that object is bound.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import libcst as cst

    from tensorlint.flow.events import Argument
    from tensorlint.flow.index import ClassInfo, FunctionInfo


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
    node: cst.CSTNode | None = field(default=None, compare=False)
    reason: str = field(default="", compare=False)
    #: What it hangs on where it is MAYBE: what a test asked (or whether a device is off the CPU, see ``off_cpu``), the
    #: answer that makes it YES, and what it is otherwise.
    hangs_on: tuple[str, bool, Truth] | None = field(default=None, compare=False)

    @property
    def was_settled(self) -> bool:
        """Whether it is only unknown because one of several paths, or operands, settled it and another did not."""
        return self.truth is Truth.UNKNOWN and self.node is not None

    def weakened(self) -> Fact:
        """The same evidence after passing through code that was not seen."""
        return replace(self, truth=Truth.MAYBE) if self.truth is Truth.YES else self

    def joined(self, other: Fact) -> Fact:
        """What holds after either of two paths."""
        if self.truth is other.truth:
            kept = self if self.node is not None else other
            same = self.hangs_on == other.hangs_on
            return kept if same else replace(kept, hangs_on=None)
        weaker, stronger = sorted((self, other), key=_truth)
        if stronger.truth is Truth.UNKNOWN:
            # Not known, but on one path the program saw to it: remember where.
            return replace(weaker, truth=Truth.UNKNOWN) if weaker.node is not None else stronger
        return replace(stronger, truth=Truth.MAYBE, hangs_on=None)

    def decided(self, name: str, *, holds: bool) -> Fact:
        """The same where the answer to ``name`` is known."""
        if self.hangs_on is None or self.hangs_on[0] != name or self.truth is not Truth.MAYBE:
            return self
        _, answer, otherwise = self.hangs_on
        return replace(self, truth=Truth.YES, hangs_on=None) if answer is holds else Fact(otherwise)

    def hanging_on(self, name: str, yes: Fact, no: Fact, before: Fact) -> Fact:
        """This joined fact, remembering that ``yes`` holds where ``name`` is true and ``no`` where it is false.

        What both paths only learned by being taken is what it was ``before``.
        """
        if before.hangs_on is not None and {yes.truth, no.truth} == {Truth.YES, before.hangs_on[2]}:
            return before
        on, off = yes.truth is Truth.YES, no.truth is Truth.YES
        if self.truth is not Truth.MAYBE or on is off:
            return self
        return replace(self, hangs_on=(name, on, no.truth if on else yes.truth))


def _truth(fact: Fact) -> Truth:
    return fact.truth


UNKNOWN_FACT = Fact()
#: The ``source`` of what ``model.parameters()`` yields.
PARAMETER_OF_MODULE = "parameter of a module"
NO_FACT = Fact(Truth.NO)


def strongest(facts: Iterable[Fact], default: Fact = NO_FACT) -> Fact:
    """The property of a result computed from operands with these facts."""
    return max(facts, key=_truth, default=default)


def together(operands: Iterable[Tensor | Unknown], default: Fact = NO_FACT) -> Fact:
    """Where the result of operands lies that have to lie on one device; a number of no dimension may lie anywhere.

    An operand on the CPU is evidence against any other device: torch refuses to mix them, and what comes later is
    not reached.
    """
    operands = tuple(operands)
    found = strongest((operand.device for operand in operands), default)
    held = any(
        (operand.device.truth is Truth.NO or operand.device.was_settled) and not getattr(operand, "zero_dim", False)
        for operand in operands
    )
    return Fact(Truth.UNKNOWN, found.node) if held and found.truth > Truth.UNKNOWN else found


class Owner(enum.Enum):
    """Who else holds a storage, and so notices a write to it."""

    FRESH = "fresh"
    ARGUMENT = "argument"
    ATTRIBUTE = "attribute"
    GLOBAL = "global"
    PARAMETER = "parameter"
    GRADIENT = "gradient"
    BUFFER = "buffer"

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
    node: cst.CSTNode | None = field(default=None, compare=False)

    @property
    def allocated(self) -> int:
        """When it was; gradients come and go with their leaf, whose serial they carry negated."""
        return self.serial if self.serial >= 0 else -self.serial - 1


Storages = frozenset[Storage]
NO_STORAGE: Storages = frozenset()


def gradients_of(storages: Storages) -> Storages:
    """Where the gradients of leaves that lie in ``storages`` are accumulated."""
    return frozenset(Storage(-storage.serial - 1, Owner.GRADIENT) for storage in storages)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from, in words for the trace."""

    node: cst.CSTNode
    message: str


@dataclass(frozen=True, slots=True)
class Narrowed:
    """A legacy constructor made a smaller float of what it was given.

    That is "float64" or "integers" (arrays of them), "numbers" (a list of whole numbers), or "" for unknown.
    """

    node: cst.CSTNode = field(compare=False)
    given: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    device: Fact = UNKNOWN_FACT
    grad: Fact = UNKNOWN_FACT
    dtype: str = ""
    storages: Storages = NO_STORAGE
    #: False when only a method name suggests that this is a torch tensor.
    sure: bool = True
    #: "parameter", "call", "attribute", "element", "model", ... : how an unknown property came in.
    source: str = ""
    origin: Origin | None = field(default=None, compare=False)
    #: The conversion that made this tensor an alias of an array, or detached it from its owner.
    alias: cst.CSTNode | None = field(default=None, compare=False)
    imported: bool = False
    zero_dim: bool = False
    #: A parameter of a module that was seen being made.
    of_module: bool = False
    #: The object whose parameter it is, by its ``oid``.
    module: int = field(default=0, compare=False)
    #: The constructor that left the memory as it found it, until something is written there.
    unset: cst.CSTNode | None = field(default=None, compare=False)
    #: The import that made it a tensor over read-only memory.
    frozen: cst.CSTNode | None = field(default=None, compare=False)
    #: The legacy constructor whose cast it went through, for as long as that dtype is kept.
    narrowed: Narrowed | None = field(default=None, compare=False)
    #: A view of a part: by a slice, and by an index that may pick another part each time.
    sliced: bool = False
    picked: bool = False
    oid: int = field(default=0, compare=False)


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
    alias: cst.CSTNode | None = field(default=None, compare=False)
    exported: bool = False
    #: Whether only the name of that method says that it was a tensor.
    of_unknown: bool = False
    sliced: bool = False
    picked: bool = False
    #: False when only a method name suggests that this is an array.
    sure: bool = True
    oid: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar:
    """A Python or NumPy number, string, bool or None; ``literal`` when the source spells it.

    A bool with a literal that is not ``known`` is a flag that has this value by default, or by every call seen.
    """

    kind: str
    literal: object = None
    known: bool = False


#: The answer to ``torch.cuda.is_available()``.
ACCELERATED = Scalar(kind="bool", literal="torch.cuda.is_available()")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceValue:
    """A ``torch.device``; ``fact`` says whether it is off the CPU."""

    fact: Fact = UNKNOWN_FACT


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """An ``nn.Module`` instance; ``cls`` when its class is in this file."""

    cls: ClassInfo | None = None
    name: str = ""
    #: What its parameters were cast to, where that was seen.
    dtype: str = ""
    device: Fact = NO_FACT
    trainable: Truth = Truth.YES
    storages: Storages = NO_STORAGE
    oid: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimizer:
    #: The parameters it was given, when all of them are known.
    storages: Storages = NO_STORAGE
    #: Whether it was made here and never stepped: then its state is empty.
    fresh: bool = False
    oid: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """An object of a class of this file."""

    cls: ClassInfo
    oid: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence:
    """A list, tuple, set, generator or iterator. ``items`` when the length is known, else ``element``."""

    kind: str = "list"
    items: tuple[Value, ...] | None = None
    element: Value | None = None
    born: int = 0
    oid: int = field(default=0, compare=False)

    def any_element(self) -> Value:
        if self.items:
            return join_all(self.items)
        return self.element if self.element is not None else UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Dictionary:
    """``entries`` by constant key; ``element`` joins all the others. ``state_dict`` marks a model's own."""

    entries: Mapping[object, Value] = field(default_factory=dict)
    element: Value | None = None
    storages: Storages = NO_STORAGE
    state_dict: bool = False
    alias: cst.CSTNode | None = field(default=None, compare=False)
    born: int = 0
    oid: int = field(default=0, compare=False)

    def any_element(self) -> Value:
        values = [*self.entries.values(), *([self.element] if self.element is not None else [])]
        return join_all(values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    info: FunctionInfo
    receiver: Value | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassObject:
    info: ClassInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbol:
    """Something imported, by its dotted path: ``torch``, ``numpy.random``, ``mylib.load``."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A bound method that was looked up and not yet called."""

    receiver: Value
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Partial:
    """``functools.partial(function, ...)``, with what it was given and the place that says so."""

    function: Value
    arguments: tuple[Argument, ...]
    node: cst.CSTNode = field(compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """A value of another framework, or of any type that is known not to be a tensor or an array."""

    framework: str = ""


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


Value = (
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


def is_dtype(value: Value) -> bool:
    """Whether it is a dtype by how it came in: not one that the source names."""
    return isinstance(value, Scalar) and value.kind.endswith(".dtype")


#: What NumPy has no dtype for; ``bfloat16?`` is one of several dtypes that a program chooses from when it runs.
_WITHOUT_NUMPY = ("bfloat16", "float8_", "quint", "qint", "complex32")


def without_numpy(dtype: str) -> bool:
    return dtype.startswith(_WITHOUT_NUMPY)


def is_integral(dtype: str) -> bool:
    """Whether tensors of this dtype never need a gradient."""
    return dtype.startswith(("int", "uint", "bool"))


def joined_dtype(left: str, right: str) -> str:
    """The dtype after either of two paths."""
    if left == right:
        return left
    odd = next((dtype for dtype in (left, right) if without_numpy(dtype)), "")
    return odd if odd.endswith("?") or not odd else f"{odd}?"


def unsure_dtype(dtype: str) -> str:
    """The dtype after passing through code that was not seen."""
    return joined_dtype(dtype, "")


def is_usual(value: Value) -> bool:
    """Whether a test is true by all that is seen: a flag that everybody leaves on."""
    return isinstance(value, Scalar) and value.kind == "bool" and value.literal is True and not value.known


def as_trainable(value: Value, trainable: Truth) -> Value:
    """``value`` after the parameters in it were frozen (NO), trained again (YES), or one of both."""
    match value:
        case Module():
            return replace(value, trainable=trainable)
        case Tensor():
            kept = value.grad.truth is not Truth.NO and trainable > Truth.UNKNOWN
            return replace(value, grad=value.grad if kept else NO_FACT if trainable is Truth.NO else UNKNOWN_FACT)
        case Unknown() if trainable is Truth.NO:
            return replace(value, grad=NO_FACT)
        case Sequence(items=items) if items is not None:
            return replace(value, items=tuple(as_trainable(item, trainable) for item in items))
        case Sequence(element=element) if element is not None:
            return replace(value, element=as_trainable(element, trainable))
        case _:
            return value


def holds_exactly(value: Scalar, dtype: str) -> bool:
    """Whether a float of ``dtype`` has the very value of a number that the program spells."""
    bound = {"float32": 2**24, "float16": 2**11}.get(dtype)
    return bound is not None and isinstance(value.literal, (int, bool)) and abs(value.literal) <= bound


def all_small(data: Value) -> bool:
    """Whether ``data`` is spelled in the program, as whole numbers that a float32 holds."""
    spelled = list(leaves(data))
    return bool(spelled) and all(isinstance(leaf, Scalar) and holds_exactly(leaf, "float32") for leaf in spelled)


def is_none(value: Value) -> bool:
    return isinstance(value, Scalar) and value.kind == "None"


def storages_of(value: Value) -> Storages:
    """Every storage reachable through ``value``, list elements and dictionary entries included."""
    match value:
        case Tensor() | Array() | Unknown():
            return value.storages
        case Dictionary():
            inner = [storages_of(item) for item in value.entries.values()]
            if value.element is not None:
                inner.append(storages_of(value.element))
            return value.storages.union(*inner)
        case Sequence():
            items = value.items if value.items is not None else ()
            inner = [storages_of(item) for item in items]
            if value.element is not None:
                inner.append(storages_of(value.element))
            return NO_STORAGE.union(*inner)
        case _:
            return NO_STORAGE


def leaves(value: Value) -> Iterator[Value]:
    """``value`` itself, or the things inside when it is a container (one level of nesting at a time)."""
    match value:
        case Sequence():
            for item in value.items if value.items is not None else (value.any_element(),):
                yield from leaves(item)
        case Dictionary(state_dict=False):
            for item in (*value.entries.values(), *((value.element,) if value.element is not None else ())):
                yield from leaves(item)
        case _:
            yield value


def join_all(values: Iterable[Value]) -> Value:
    joined: Value | None = None
    for value in values:
        joined = value if joined is None else join(joined, value)
    return UNKNOWN if joined is None else joined


def join(left: Value, right: Value) -> Value:
    """What is known of a name after either of two paths bound it."""
    if left is right or (left == right and _marked_alike(left, right)):
        return left
    if is_none(left):
        return right
    if is_none(right):
        return left
    match left, right:
        case Tensor(), Tensor():
            return replace(
                left,
                device=left.device.joined(right.device),
                grad=left.grad.joined(right.grad),
                dtype=joined_dtype(left.dtype, right.dtype),
                storages=left.storages | right.storages,
                sure=left.sure and right.sure,
                source=_one_word(left.source, right.source),
                origin=left.origin or right.origin,
                alias=left.alias or right.alias,
                imported=left.imported and right.imported,
                zero_dim=left.zero_dim and right.zero_dim,
                of_module=left.of_module and right.of_module,
                module=left.module if left.module == right.module else 0,
                # Left as found is what nobody wrote on either path; read-only memory stays so on its own.
                unset=left.unset if right.unset is not None else None,
                frozen=left.frozen or right.frozen,
                narrowed=_either_narrowed(left.narrowed, right.narrowed),
                sliced=left.sliced or right.sliced,
                picked=left.picked or right.picked,
            )
        case Array(), Array():
            return replace(
                left,
                dtype=left.dtype if left.dtype == right.dtype else "",
                storages=left.storages | right.storages,
                read_only=left.read_only.joined(right.read_only),
                negative_stride=left.negative_stride.joined(right.negative_stride),
                zero_dim=left.zero_dim and right.zero_dim,
                small=left.small and right.small,
                counted=left.counted and right.counted,
                origin=left.origin or right.origin,
                alias=left.alias or right.alias,
                exported=left.exported and right.exported,
                of_unknown=left.of_unknown or right.of_unknown,
                sliced=left.sliced or right.sliced,
                picked=left.picked or right.picked,
                sure=left.sure and right.sure,
            )
        case Optimizer(), Optimizer() if left.storages == right.storages:
            return replace(left, fresh=left.fresh and right.fresh)
        case Module(), Module():
            return replace(
                left,
                cls=left.cls if left.cls is right.cls else None,
                name=min(left.name, right.name),
                dtype=joined_dtype(left.dtype, right.dtype),
                device=left.device.joined(right.device),
                trainable=left.trainable if left.trainable is right.trainable else Truth.UNKNOWN,
                storages=left.storages | right.storages,
            )
        case Sequence(), Sequence() if left.kind == right.kind or {left.kind, right.kind} <= {"list", "tuple"}:
            kind, born = min(left.kind, right.kind), min(left.born, right.born)
            if left.items is not None and right.items is not None and len(left.items) == len(right.items):
                return replace(left, kind=kind, items=tuple(map(join, left.items, right.items)), born=born)
            contents = [item.any_element() for item in (left, right) if item.items != ()]
            return replace(left, kind=kind, items=None, element=join_all(contents), born=born)
        case Dictionary(), Dictionary():
            keys = dict.fromkeys([*left.entries, *right.entries])
            entries = {
                key: join_all(side.entries[key] for side in (left, right) if key in side.entries) for key in keys
            }
            elements = [side.element for side in (left, right) if side.element is not None]
            return replace(
                left,
                entries=entries,
                element=join_all(elements) if elements else None,
                storages=left.storages | right.storages,
                state_dict=left.state_dict and right.state_dict,
                alias=left.alias or right.alias,
                born=min(left.born, right.born),
            )
        case DeviceValue(), DeviceValue():
            return DeviceValue(fact=left.fact.joined(right.fact))
        case DeviceValue(), Scalar(kind="str") | Unknown():
            return DeviceValue(fact=left.fact.joined(device_fact(right)))
        case Scalar(kind="str") | Unknown(), DeviceValue():
            return DeviceValue(fact=device_fact(left).joined(right.fact))
        case Scalar(kind="str"), Scalar(kind="str") if _names_device(left) and _names_device(right):
            return DeviceValue(fact=device_fact(left).joined(device_fact(right)))
        case (Symbol(path=path), _) | (_, Symbol(path=path)) if path in GRAD_CONTEXTS:
            return Symbol(path=MAYBE_GRAD)
        case Symbol(path=first), Symbol(path=second) if first.startswith("torch.") and second.startswith("torch."):
            dtype = joined_dtype(first.removeprefix("torch."), second.removeprefix("torch."))
            return Scalar(kind="torch.dtype", literal=dtype) if dtype else Unknown(source="mixed")
        case (Scalar() as known, Symbol(path=path)) | (Symbol(path=path), Scalar() as known) if is_dtype(
            known
        ) and path.startswith("torch."):
            dtype = joined_dtype(path.removeprefix("torch."), str(known.literal or ""))
            return replace(known, literal=dtype)
        case Scalar(), Scalar() if is_dtype(left) and is_dtype(right):
            dtype = joined_dtype(str(left.literal or ""), str(right.literal or ""))
            return replace(left if left.kind == right.kind else SOME_DTYPE, literal=dtype)
        case Scalar(), Scalar():
            return Scalar(kind=left.kind if left.kind == right.kind else "number")
        case Unknown(), Unknown():
            return replace(
                left,
                device=left.device.joined(right.device),
                grad=left.grad.joined(right.grad),
                tensor=left.tensor if left.tensor is right.tensor else Truth.UNKNOWN,
                dtype=joined_dtype(left.dtype, right.dtype),
                storages=left.storages | right.storages,
                source=_one_word(left.source, right.source),
                origin=left.origin or right.origin,
            )
        case Tensor(), Unknown():
            return _tensor_or_unknown(left, right)
        case Unknown(), Tensor():
            return _tensor_or_unknown(right, left)
        case Module(), Unknown() | Instance():
            return left
        case Unknown() | Instance(), Module():
            return right
        case (Tensor() as tensor, _) | (_, Tensor() as tensor):
            # On the paths where it is a tensor, what is known of that tensor holds.
            return Unknown(device=tensor.device, grad=tensor.grad, source="mixed", origin=tensor.origin)
        case (Unknown() as known, Array()) | (Array(), Unknown() as known):
            return Unknown(device=known.device, grad=known.grad, tensor=known.tensor, source="mixed")
        case _:
            return Unknown(source="mixed")


#: What follows a value around without being compared: the places that made it what it is.
_MARKS = ("alias", "unset", "frozen", "narrowed")


def _marked_alike(left: Value, right: Value) -> bool:
    return all((getattr(left, mark, None) is None) is (getattr(right, mark, None) is None) for mark in _MARKS)


def _one_word(left: str, right: str) -> str:
    """How something came in that came in by another way on each path; the same for either order."""
    return max(left, right) if not left or not right else min(left, right)


def _either_narrowed(left: Narrowed | None, right: Narrowed | None) -> Narrowed | None:
    if left is None or right is None:
        return left or right
    return min(left, right, key=lambda each: each.given)


def _tensor_or_unknown(tensor: Tensor, other: Unknown) -> Value:
    """A tensor on one path and something unseen on the other keeps its evidence, no longer for sure."""
    if other.tensor is Truth.NO:
        return Unknown(source="mixed")
    return Unknown(
        device=tensor.device.joined(other.device),
        grad=tensor.grad.joined(other.grad),
        dtype=joined_dtype(tensor.dtype, other.dtype),
        # Something unseen lies in memory of its own, unless it is known not to.
        storages=tensor.storages | other.storages if other.storages else NO_STORAGE,
        source=other.source or tensor.source,
        origin=tensor.origin,
        oid=tensor.oid,
    )


def off_cpu(device: str) -> str:
    """The question whether a device, by the name it has in the program, is another than the CPU."""
    return f"{device} is off the CPU"


CPU_NAMES = ("cpu", "meta")
#: Why a tensor on the meta device is not brought back: there is nothing to bring.
NO_DATA = "put on the meta device here, where tensors have no data"
ACCELERATOR_NAMES = ("cuda", "mps", "xpu", "hpu", "npu", "mtia", "hip", "xla", "privateuseone", "vulkan")


def _names_device(value: Scalar) -> bool:
    text = value.literal
    return isinstance(text, str) and text.split(":")[0] in (*CPU_NAMES, *ACCELERATOR_NAMES)


def device_fact(value: Value, node: cst.CSTNode | None = None, words: str = "") -> Fact:
    """Whether the device that ``value`` stands for is off the CPU."""
    match value:
        case DeviceValue():
            fact = value.fact
        case Scalar(kind="str", literal=str(text)) if text.split(":")[0] == "cpu":
            return Fact(Truth.NO, node, "brought to the CPU here")
        case Scalar(kind="str", literal=str(text)) if text.split(":")[0] in ACCELERATOR_NAMES:
            fact = Fact(Truth.YES)
        case Scalar(kind="str", literal="meta"):
            return Fact(Truth.YES, node, NO_DATA)
        case Scalar(kind="int"):
            fact = Fact(Truth.YES)
        case Tensor() | Module():
            fact = value.device
        case _:
            fact = UNKNOWN_FACT
    if node is None:
        return fact
    return replace(fact, node=node, reason=words)


def _fact_key(fact: Fact) -> object:
    """Evidence is told by its place: a trace shows where this caller's came from."""
    return (fact.truth, id(fact.node)) if fact.truth > Truth.UNKNOWN else fact.truth


def truth_key(value: Value, depth: int = 3) -> object:
    """A small hashable summary of ``value``, equal for values a callee could not tell apart."""
    match value:
        case Tensor():
            return ("t", _fact_key(value.device), _fact_key(value.grad), value.dtype, value.sure, value.imported)
        case Array():
            return ("a", value.dtype, value.read_only.truth, value.negative_stride.truth, value.exported)
        case Scalar():
            literal = value.literal if isinstance(value.literal, (str, int, bool)) else None
            return ("s", value.kind, literal, value.known)
        case Module():
            return ("m", value.name, id(value.cls), value.dtype, value.device.truth, value.trainable)
        case DeviceValue():
            return ("d", value.fact.truth)
        case Unknown():
            return ("u", _fact_key(value.device), _fact_key(value.grad), value.tensor, value.dtype, value.source)
        case Sequence() if depth:
            if value.items is not None and len(value.items) <= 8:
                return ("q", tuple(truth_key(item, depth - 1) for item in value.items))
            return ("q*", truth_key(value.any_element(), depth - 1))
        case Dictionary() if depth:
            return ("map", truth_key(value.any_element(), depth - 1))
        case Function():
            return ("f", id(value.info))
        case ClassObject():
            return ("c", id(value.info))
        case Instance():
            return ("i", id(value.cls))
        case Symbol():
            return ("sym", value.path)
        case Partial():
            return ("partial", id(value.node))
        case _:
            return type(value).__name__
