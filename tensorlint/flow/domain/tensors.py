"""Tensors and arrays: the values that this is all about.

Each says, field by field, what is known after either of two paths made one (``joined``), and what a function that is
handed one could tell apart (``fingerprint``).
"""

from __future__ import annotations

import enum
from dataclasses import field, replace

from tensorlint.flow.domain.dtypes import UNKNOWN_DTYPE, Dtype
from tensorlint.flow.domain.facts import NO_FACT, UNKNOWN_FACT, Fact, Truth
from tensorlint.flow.domain.frozen import dataclass
from tensorlint.flow.domain.memory import NO_STORAGE, Storages, Transfer, either_object
from tensorlint.flow.domain.site import Site, first_of


class Provenance(enum.Enum):
    """How a value came in of which not all is known."""

    PARAMETER = "parameter"
    #: A parameter of a function whose callers were seen.
    ARGUMENT = "argument"
    ATTRIBUTE = "attribute"
    GLOBAL = "global"
    ELEMENT = "element"
    CALL = "call"
    #: The output of a model.
    MODEL = "model"
    #: What ``model.parameters()`` yields, and what ``model.buffers()`` does.
    PARAMETER_OF_MODULE = "parameter of a module"
    BUFFER_OF_MODULE = "buffer of a module"
    STATE_DICT = "state_dict"
    DISTRIBUTION = "distribution"
    LOADER = "loader"
    #: A loader that moves its batches on the way.
    PREPARED = "prepared"
    DECODED_IMAGE = "decoded image"
    FILE = "file"
    #: ``torch.load``
    LOAD = "load"
    QUEUE = "queue"
    #: A queue and a pipe that hand on tensors by their memory.
    TORCH_QUEUE = "torch queue"
    TORCH_PIPE = "torch pipe"
    #: What puts models and loaders on the device that it chose.
    ACCELERATOR = "accelerator"
    #: Only the methods it is asked for say what it is.
    DUCK = "duck"
    #: Values of several kinds, one on each path.
    MIXED = "mixed"


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


@dataclass(frozen=True, slots=True)
class Frozen:
    """An import that copied nothing, and whether its memory is read-only, and why."""

    site: Site
    memory: Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    device: Fact = UNKNOWN_FACT
    #: Where it is NO, a place says that nothing it was computed with has a graph, and a reason what cut it off one.
    grad: Fact = UNKNOWN_FACT
    dtype: Dtype = UNKNOWN_DTYPE
    storages: Storages = NO_STORAGE
    #: False when only a method name suggests that this is a torch tensor.
    sure: bool = True
    #: How an unknown property came in.
    source: Provenance | None = None
    origin: Origin | None = field(default=None, compare=False)
    #: The conversion that made this tensor an alias of an array, or detached it from its owner.
    alias: Site | None = field(default=None, compare=False)
    imported: bool = False
    zero_dim: bool = False
    #: Whether it surely has a dimension; of most that is not known.
    has_axes: bool = False
    #: A parameter of a module that was seen being made.
    of_module: bool = False
    #: The object whose parameter it is, by its ``oid``.
    module: int = field(default=0, compare=False)
    #: The constructor that left the memory as it found it, until something is written there.
    unset: Site | None = field(default=None, compare=False)
    #: The import that made it a tensor over memory that is read-only, or may be.
    frozen: Frozen | None = field(default=None, compare=False)
    #: The copy from an accelerator that may not have arrived yet.
    in_flight: Site | None = field(default=None, compare=False)
    #: The legacy constructor whose cast it went through, for as long as that dtype is kept.
    narrowed: Narrowed | None = field(default=None, compare=False)
    #: The conversion that made it, for all that the program shows, a copy or not.
    transfer: Transfer | None = field(default=None, compare=False)
    #: Where it has no dtype of its own: those that it has on one path or another.
    dtypes: frozenset[Dtype] = frozenset()
    #: The constructor that started a graph with it, or with what it is the sum or mean of.
    rewrapped: Rewrapped | None = field(default=None, compare=False)
    #: What cut a term of this sum off its graph, while others kept theirs; a fact without a reason where nothing did.
    lost: Fact = field(default=NO_FACT, compare=False)
    #: How its numbers lie in memory, where NumPy could not read them: "sparse", "nested", "conj", ... (``layouts``).
    layout: str = ""
    #: What its numbers are, where that is known: fractions of 0 to 1 ("unit"), on both sides of 0 without a bound
    #: ("wild"), those with something done to them that may be a bound ("loose"), or any ("fraction").
    numbers: str = ""
    #: Whether it lies in pinned memory of the host, which accelerators copy from while the program goes on.
    pinned: bool = False
    #: A view of a part: by a slice, and by an index that may pick another part each time.
    sliced: bool = False
    picked: bool = False
    oid: int = field(default=0, compare=False)

    def joined(self, other: Tensor) -> Tensor:
        return Tensor(
            device=self.device.joined(other.device),
            grad=joined_grad(self.grad, other.grad),
            dtype=self.dtype.joined(other.dtype),
            storages=self.storages | other.storages,
            sure=self.sure and other.sure,
            source=either_way(self.source, other.source),
            origin=earlier_origin(self.origin, other.origin),
            alias=first_of(self.alias, other.alias),
            imported=self.imported and other.imported,
            zero_dim=self.zero_dim and other.zero_dim,
            has_axes=self.has_axes and other.has_axes,
            of_module=self.of_module and other.of_module,
            module=self.module if self.module == other.module else 0,
            # Left as found is what nobody wrote on either path; read-only memory stays so on its own.
            unset=first_of(self.unset, other.unset) if self.unset and other.unset else None,
            frozen=_either_frozen(self.frozen, other.frozen),
            in_flight=first_of(self.in_flight, other.in_flight),
            narrowed=_either_narrowed(self.narrowed, other.narrowed),
            transfer=_same_transfer(self.transfer, other.transfer),
            dtypes=_each_dtype(self, other),
            rewrapped=_both_rewrapped(self.rewrapped, other.rewrapped),
            lost=_either_lost(self.lost, other.lost),
            layout=self.layout if self.layout == other.layout else "",
            numbers=either_numbers(self.numbers, other.numbers),
            pinned=self.pinned and other.pinned,
            sliced=self.sliced or other.sliced,
            picked=self.picked or other.picked,
            oid=either_object(self.oid, other.oid),
        )

    def fingerprint(self) -> object:
        return (
            "tensor",
            self.device.fingerprint,
            told_grad(self.grad),
            self.dtype,
            self.sure,
            self.source,
            self.alias,
            self.imported,
            self.zero_dim,
            self.has_axes,
            self.of_module,
            self.unset,
            None if self.frozen is None else (self.frozen.site, self.frozen.memory.fingerprint),
            self.in_flight,
            None if self.narrowed is None else (self.narrowed.site, self.narrowed.given),
            self.transfer,
            self.dtypes,
            None if (made := self.rewrapped) is None else (made.site, made.of_graph, made.given, made.steps),
            self.lost.site if self.lost.reason else None,
            self.layout,
            self.numbers,
            self.pinned,
            self.sliced,
            self.picked,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Array:
    dtype: Dtype = UNKNOWN_DTYPE
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
    #: What its numbers are, where they came out of a tensor.
    numbers: str = ""
    oid: int = field(default=0, compare=False)

    def joined(self, other: Array) -> Array:
        return Array(
            dtype=self.dtype if self.dtype is other.dtype else UNKNOWN_DTYPE,
            storages=self.storages | other.storages,
            read_only=self.read_only.joined(other.read_only),
            negative_stride=self.negative_stride.joined(other.negative_stride),
            zero_dim=self.zero_dim and other.zero_dim,
            small=self.small and other.small,
            counted=self.counted and other.counted,
            origin=earlier_origin(self.origin, other.origin),
            alias=first_of(self.alias, other.alias),
            exported=self.exported and other.exported,
            of_unknown=self.of_unknown or other.of_unknown,
            sliced=self.sliced or other.sliced,
            picked=self.picked or other.picked,
            sure=self.sure and other.sure,
            has_axes=self.has_axes and other.has_axes,
            cut=self.cut.joined(other.cut),
            numbers=either_numbers(self.numbers, other.numbers),
            oid=either_object(self.oid, other.oid),
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
            self.numbers,
        )


def either_way(left: Provenance | None, right: Provenance | None) -> Provenance | None:
    """How something came in that came in by another way on each path; the same for either order."""
    if left is right or left is None or right is None:
        return left or right
    return min(left, right, key=lambda each: each.value)


def joined_grad(left: Fact, right: Fact) -> Fact:
    """Whether a gradient is needed on either of two paths; that nothing has a graph holds where it does on both."""
    joined = left.joined(right)
    if joined.truth is not Truth.NO:
        return joined
    if left.site is None or right.site is None:
        return NO_FACT
    return joined if joined.reason or not (left.reason or right.reason) else left if left.reason else right


def told_grad(grad: Fact) -> object:
    """What of it a callee could tell apart: where a graph was left behind, too."""
    return (grad.truth, grad.site) if grad.truth is Truth.NO else grad.fingerprint


def either_numbers(left: str, right: str) -> str:
    """What numbers are that are of either kind."""
    if {left, right} == {"wild", "loose"}:
        return "loose"
    return left if left == right else "fraction" if left and right else ""


def _either_narrowed(left: Narrowed | None, right: Narrowed | None) -> Narrowed | None:
    if left is None or right is None:
        return left or right
    return min(left, right, key=lambda each: (each.given, each.site))


def _either_frozen(left: Frozen | None, right: Frozen | None) -> Frozen | None:
    if left is None or right is None:
        return left or right
    return Frozen(min(left.site, right.site), left.memory.joined(right.memory))


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


def _same_transfer(left: Transfer | None, right: Transfer | None) -> Transfer | None:
    if left is None or right is None or left != right:
        return None
    return replace(left, decides=left.decides.joined(right.decides))


def _each_dtype(left: Tensor, right: Tensor) -> frozenset[Dtype]:
    """The dtypes of either of two tensors, where all of them are known and differ."""
    sides = [each.dtypes or frozenset({each.dtype}) for each in (left, right)]
    dtypes = sides[0] | sides[1]
    return dtypes if len(dtypes) > 1 and all(each.sure for each in dtypes) else frozenset()


def _either_lost(left: Fact, right: Fact) -> Fact:
    if left.reason and right.reason:
        return left.joined(right)
    return left if left.reason else right


def earlier_origin(left: Origin | None, right: Origin | None) -> Origin | None:
    """Which of two ways to the same value stands first."""
    if left is None or right is None:
        return left or right
    return min(left, right)
