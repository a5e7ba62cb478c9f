"""What the interpreter tells the rules. Events carry nodes and values, never judgements."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tensorlint.flow.call import Argument
from tensorlint.flow.details import Asks, Escape, Tracer
from tensorlint.flow.domain.facts import Fact
from tensorlint.flow.domain.frozen import dataclass
from tensorlint.flow.domain.memory import Adding, Container, Storage, Writing
from tensorlint.flow.domain.site import Site
from tensorlint.flow.domain.tensors import Array, Tensor
from tensorlint.flow.domain.values import Unknown, Value
from tensorlint.flow.scene import Scene

if TYPE_CHECKING:
    import libcst as cst

    from tensorlint.flow.domain.memory import Mutation


@dataclass(frozen=True, slots=True)
class Event:
    kind: ClassVar[str] = ""
    node: cst.CSTNode
    scene: Scene


@dataclass(frozen=True, slots=True)
class Export(Event):
    """``receiver.numpy()``. ``consumer`` is the ``float(...)``, ``.item()`` or ``.tolist()`` around it."""

    kind: ClassVar[str] = "export"
    receiver: cst.BaseExpression
    value: Value
    forced: bool = False
    consumer: str = ""
    consumer_node: cst.CSTNode | None = None

    @property
    def replaced_by_scalar(self) -> bool:
        """Whether the array only serves to make a Python number or list, which the tensor does by itself."""
        return self.consumer in {"float", "int", "bool", "item", "tolist"}


@dataclass(frozen=True, slots=True)
class TorchCall(Event):
    """A call of a function or class below ``torch``; ``name`` is its path without ``torch.``."""

    kind: ClassVar[str] = "torch_call"
    name: str
    arguments: tuple[Argument, ...]
    result: Value
    #: The method called on the result at once, as in ``torch.from_numpy(a).clone()``.
    consumer: str = ""
    #: Whether the call is a statement of its own.
    discarded: bool = False

    def positional(self, index: int = 0) -> Argument | None:
        plain = [argument for argument in self.arguments if not argument.keyword and not argument.star]
        return plain[index] if index < len(plain) else None

    def keyword(self, name: str) -> Argument | None:
        """What is given for the parameter of this name, by its name or by its place."""
        return next((argument for argument in self.arguments if argument.name == name), None)


@dataclass(frozen=True, slots=True)
class NumpyCall(TorchCall):
    """The same for NumPy, the standard ``random`` module included (its ``name`` starts with ``stdlib:``)."""

    kind: ClassVar[str] = "numpy_call"
    #: What is done with the result at once, from the inside out: ``("any", "~")`` for ``~np.isnan(t).any()``. A method
    #: that is given arguments is followed by dots; ``test`` is the condition of a statement or an expression.
    uses: tuple[str, ...] = ()
    #: Where the result gets a name: which attributes and methods the function asks of that name; "[]" for its items,
    #: and "" for anything else.
    asked_later: frozenset[str] = frozenset()
    #: Whether a backward pass goes through the result, which is made of a list of tensors that need a gradient.
    differentiated: bool = False


@dataclass(frozen=True, slots=True)
class ModuleCall(TorchCall):
    """The same for a module of ``torch.nn`` that is called; ``name`` is that of its class, ``nn.Embedding``."""

    kind: ClassVar[str] = "module_call"


@dataclass(frozen=True, slots=True)
class LibraryCall(TorchCall):
    """The same for another library that computes with arrays; ``name`` is the whole path, ``sklearn.svm.SVC``."""

    kind: ClassVar[str] = "library_call"


@dataclass(frozen=True, slots=True)
class MethodCall(Event):
    """A method of a tensor or an array, other than an export; ``x.cpu().item()`` of anything."""

    kind: ClassVar[str] = "method_call"
    name: str
    receiver: cst.BaseExpression
    value: Value
    arguments: tuple[Argument, ...]
    #: How its result is thrown away, where it only converts: as a "statement", or a "loop variable".
    thrown_away: str = ""


@dataclass(frozen=True, slots=True)
class NotOnArray(Event):
    """An array is asked for a method that only tensors have.

    ``chain`` is the last of the calls behind it that bring a tensor to NumPy, where this is the first of such.
    """

    kind: ClassVar[str] = "not_on_array"
    name: str
    receiver: cst.BaseExpression
    value: Array
    chain: cst.CSTNode | None


@dataclass(frozen=True, slots=True)
class ItemWrite(Event):
    """``target[...] = value`` where the target is an array: the value goes through ``__array__``."""

    kind: ClassVar[str] = "item_write"
    target: Value
    value: Argument
    #: Whether it may be one element that is meant, which takes a number as ``float`` gives it; and whether the array
    #: may be one of objects, whose elements are what they are given.
    element: bool = False
    objects: bool = False
    #: Whether it surely is one element.
    surely: bool = False


@dataclass(frozen=True, slots=True)
class ArrayIndexed(Event):
    """``array[index]`` with a tensor for an index: NumPy asks it for an array, unless it has one element."""

    kind: ClassVar[str] = "array_indexed"
    index: Argument


@dataclass(frozen=True, slots=True)
class FloatsIntoIntegers(Event):
    """``target[...] = value`` of floats, where the target is a tensor of integers, of which a part is taken."""

    kind: ClassVar[str] = "floats_into_integers"
    target: Argument
    value: Argument


@dataclass(frozen=True, slots=True)
class Hashed(Event):
    """A tensor, or each of its elements, is hashed.

    ``how`` is the function that hashes the elements, or "member", "key" and "in" for the tensor itself.
    """

    kind: ClassVar[str] = "hashed"
    how: str
    tensor: Argument


@dataclass(frozen=True, slots=True)
class Write(Event):
    """Memory is written in place through ``value``; ``name`` is the access path, empty for a temporary."""

    kind: ClassVar[str] = "write"
    value: Value
    storage: Storage
    name: str
    how: Writing
    #: The indices and the calls of ``expand`` that ``value`` came by, the last one first.
    views: tuple[cst.BaseExpression, ...] = ()
    #: Whether all the memory that this may be was there before the function was called.
    older: bool = False


@dataclass(frozen=True, slots=True)
class OverlappingWrite(Event):
    """A tensor is written element by element while ``source``, another part of the same memory, is read.

    ``refused``: torch sees it and raises. ``ahead``: the CPU writes what is still to be read; otherwise it is right
    there by the order of its loop. ``known``: the indices alone show it. ``copies``: nothing is computed.
    """

    kind: ClassVar[str] = "overlapping_write"
    value: Tensor
    source: cst.BaseExpression
    refused: bool
    ahead: bool
    known: bool
    copies: bool


@dataclass(frozen=True, slots=True)
class StaleRead(Event):
    """A name is read after its memory changed under it. ``handed_on``: by a statement that is a call and no more."""

    kind: ClassVar[str] = "stale_read"
    name: str
    value: Value
    mutation: Mutation
    handed_on: bool


@dataclass(frozen=True, slots=True)
class SavedWritten(Event):
    """Memory that ``operation`` keeps for ``backward`` is written in between, where autograd does not see it.

    ``expression`` is what it keeps: an operand, or itself. ``sure``: nothing is open but whether the numbers change.
    """

    kind: ClassVar[str] = "saved_written"
    value: Tensor | Array
    operation: cst.BaseExpression
    expression: cst.BaseExpression
    backward: cst.CSTNode
    sure: bool


@dataclass(frozen=True, slots=True)
class UnsetRead(Event):
    """Memory that ``node`` allocated and nothing wrote yet is used as data by ``use``."""

    kind: ClassVar[str] = "unset_read"
    use: cst.CSTNode


@dataclass(frozen=True, slots=True)
class NarrowedUse(Event):
    """What ``node``, a legacy constructor, made a smaller float of is ``wanted`` as "int", "float64" or "index".

    ``sure``: nothing but that float can arrive at ``use``.
    """

    kind: ClassVar[str] = "narrowed_use"
    use: cst.CSTNode
    given: str
    wanted: str
    sure: bool = False


@dataclass(frozen=True, slots=True)
class FrozenUse(Event):
    """The tensor that ``node`` made over memory that is read-only is ``written``, or handed on by ``use``.

    ``memory``: whether it is, and what made it so.
    """

    kind: ClassVar[str] = "frozen_use"
    use: cst.CSTNode
    value: Value
    memory: Fact
    written: bool


@dataclass(frozen=True, slots=True)
class Store(Event):
    """A value is kept."""

    kind: ClassVar[str] = "store"
    value: Value
    container: Container
    target: str
    #: Where the file updates parameters in place, if it does; and whether a loop around updates those of a snapshot,
    #: in each of its iterations.
    training: Mutation | None = None
    followed: bool = False
    #: Whether ``load_state_dict`` is given what goes by this name.
    restored: bool = False
    #: Whether it is a ``state_dict()`` that is loaded into the very model that it was asked of.
    set_back: bool = False


@dataclass(frozen=True, slots=True)
class GraphKept(Event):
    """What a backward pass of this iteration went through is added, with its graph, to what outlives the loop.

    ``expression`` is what is added to ``target``; ``long`` says whether that goes on for many iterations.
    """

    kind: ClassVar[str] = "graph_kept"
    value: Tensor | Unknown
    expression: cst.BaseExpression
    target: str
    how: Adding
    long: bool


@dataclass(frozen=True, slots=True)
class StepWaits(Event):
    """A number is asked of a tensor that may be off the CPU, in every iteration of a loop that trains."""

    kind: ClassVar[str] = "step_waits"
    value: Tensor


@dataclass(frozen=True, slots=True)
class ElementAsked(Event):
    """A number is asked of one element of ``value`` in each iteration of ``loop``, which goes through ``whole``.

    ``count`` is what ``range`` is given where the loop counts, as in ``whole[i].item()``; ``asks`` says how it uses the
    elements, where it goes through the tensor itself.
    """

    kind: ClassVar[str] = "element_asked"
    value: Tensor
    whole: cst.BaseExpression
    loop: cst.CSTNode
    count: cst.BaseExpression | None
    asks: Asks


@dataclass(frozen=True, slots=True)
class RoundTrip(Event):
    """A tensor is made of what ``source`` has: numbers in a list (``by`` is "list"), or an array that goes back to the
    accelerator that the tensor ``source`` is on ("array"). ``back`` says where it goes.
    """

    kind: ClassVar[str] = "round_trip"
    name: str
    value: Tensor | Array
    source: cst.BaseExpression
    by: str
    back: Fact
    arguments: tuple[Argument, ...]


@dataclass(frozen=True, slots=True)
class TransferIndexed(Event):
    """``whole.cpu().numpy()[i]`` in a loop, where ``whole`` stays what it is and the index does not.

    ``indices`` are what the index says, position by position.
    """

    kind: ClassVar[str] = "transfer_indexed"
    value: Tensor | Unknown
    whole: cst.BaseExpression
    indices: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class EarlyRead(Event):
    """What ``made`` copies from an accelerator without waiting is read before anything waited for it."""

    kind: ClassVar[str] = "early_read"
    value: Tensor
    made: Site


@dataclass(frozen=True, slots=True)
class UploadOverwritten(Event):
    """Pinned memory that goes by ``name`` is written before anything waited for ``copied``, which copies from it."""

    kind: ClassVar[str] = "upload_overwritten"
    value: Tensor | Array
    name: str
    copied: Site


@dataclass(frozen=True, slots=True)
class TensorIndex(Event):
    """A tensor is read or written at the places that ``index`` names, a tensor of a known dtype."""

    kind: ClassVar[str] = "tensor_index"
    index: Argument


@dataclass(frozen=True, slots=True)
class LeavesTrace(Event):
    """A network is recorded by ``tracer``; ``escape`` is no tensor any more on the way."""

    kind: ClassVar[str] = "leaves_trace"
    tracer: Tracer
    escape: Escape


@dataclass(frozen=True, slots=True)
class ArrayMeetsTensor(Event):
    """An operator between an array, which is no NumPy scalar, and a tensor. ``operator`` is how it is written."""

    kind: ClassVar[str] = "array_meets_tensor"
    operator: str
    array: Argument
    tensor: Argument
    array_first: bool


@dataclass(frozen=True, slots=True)
class IntegersOperated(Event):
    """An operator by which a tensor of bool is subtracted, or a tensor of integers or bool is changed in place."""

    kind: ClassVar[str] = "integers_operated"
    operator: str
    left: Argument
    right: Argument


@dataclass(frozen=True, slots=True)
class MeetsFloat(Event):
    """A call computes ``data``, float64 or integers, with float32, which raises.

    ``weight``: of a loss, and float64; ``presumed``: nothing is known of what it is given.
    """

    kind: ClassVar[str] = "meets_float"
    data: Argument | None
    weight: bool = False
    presumed: bool = False
