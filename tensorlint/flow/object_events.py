"""What the interpreter tells the rules of objects that are made, copied, saved, trained and kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tensorlint.flow.call import Argument
from tensorlint.flow.domain.facts import Fact, Truth
from tensorlint.flow.domain.frozen import dataclass
from tensorlint.flow.domain.memory import Container, Storage
from tensorlint.flow.domain.site import Site
from tensorlint.flow.domain.tensors import Array, Tensor
from tensorlint.flow.domain.values import Value
from tensorlint.flow.events import Event

if TYPE_CHECKING:
    import libcst as cst


@dataclass(frozen=True, slots=True)
class Checkpoint(Event):
    """``torch.save(value, ...)``. ``any_pickle``: whether the program reads it back with ``weights_only=False``.

    ``read``: where this file reads checkpoints.
    """

    kind: ClassVar[str] = "checkpoint"
    value: Argument
    any_pickle: Truth
    read: Site | None = None


@dataclass(frozen=True, slots=True)
class DoubleIntoParameter(Event):
    """``parameter.data = value`` of float64; or, where it is ``augmented``, ``parameter.data -= value``, an array."""

    kind: ClassVar[str] = "double_into_parameter"
    parameter: Argument
    value: Argument
    augmented: bool = False


@dataclass(frozen=True, slots=True)
class DeepCopy(Event):
    """``copy.deepcopy(value)``. ``attributes``: what is known to lie under names of it, as ``("model.cache", ...)``."""

    kind: ClassVar[str] = "deep_copy"
    value: Argument
    attributes: tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True)
class NonLeafOptimized(Event):
    """An optimizer is given ``value``, or what holds it, that is no leaf; ``moved``: only a device makes it none."""

    kind: ClassVar[str] = "non_leaf_optimized"
    value: Argument
    moved: bool


@dataclass(frozen=True, slots=True)
class GeneratorForked(Event):
    """The workers of a ``loader`` draw items from copies of one generator that their dataset keeps.

    ``node`` made the generator, or is the loader where that is in another file.
    """

    kind: ClassVar[str] = "generator_forked"
    dataset: Argument
    loader: cst.Call
    name: str
    made: Site
    draw: Site
    #: Whether there are workers, more than one of them for YES; and whether each item is drawn, as far as is seen.
    workers: Fact
    always: bool


@dataclass(frozen=True, slots=True)
class BufferStored(Event):
    """One allocation made before a loop is written in it and stored in every iteration.

    The ``__getitem__`` of a dataset is such a loop: what it returns is kept until the batch is complete.
    """

    kind: ClassVar[str] = "buffer_stored"
    value: Value
    container: Container
    storage: Storage
    #: The expression that is the value, where the program has one.
    expression: cst.BaseExpression | None
    write: Site
    #: Whether it is known to be kept; who takes what is yielded may be done with it before the next one.
    kept: bool
    #: Whether one function, or one class, shows all of it.
    proven: bool = False


@dataclass(frozen=True, slots=True)
class QueuedWrite(Event):
    """``node`` puts an array into a queue, ``expression`` is it, and its memory is written at ``write`` later."""

    kind: ClassVar[str] = "queued_write"
    value: Array
    expression: cst.BaseExpression
    write: Site


@dataclass(frozen=True, slots=True)
class Resized(Event):
    """``receiver.resize_(...)`` of a tensor, or ``receiver.resize(...)`` of an array, to a ``shape`` or as another one.

    ``others``: the arrays that look into the tensor, or the tensors that look into the array, by their names.
    """

    kind: ClassVar[str] = "resized"
    name: str
    receiver: cst.BaseExpression
    value: Tensor | Array
    arguments: tuple[Argument, ...]
    others: tuple[tuple[str, Tensor | Array], ...]


@dataclass(frozen=True, slots=True)
class StateIntoItself(Event):
    """``target.load_state_dict(source.state_dict())``, where the two names are of one object."""

    kind: ClassVar[str] = "state_into_itself"
    target: cst.BaseExpression
    source: cst.BaseExpression


@dataclass(frozen=True, slots=True)
class ComparedWithItself(Event):
    """Two names of one parameter are compared, or subtracted; ``kept`` put it aside, with no copy of its values."""

    kind: ClassVar[str] = "compared_with_itself"
    left: Argument
    right: Argument
    kept: Site


@dataclass(frozen=True, slots=True)
class ModelKept(Event):
    """A loop that trains ``model`` keeps it as ``kept``, and goes on."""

    kind: ClassVar[str] = "model_kept"
    kept: str
    model: cst.BaseExpression
