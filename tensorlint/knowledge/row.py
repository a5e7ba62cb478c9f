"""One row of knowledge: what a function does to storage, gradient, device, dtype and its own arguments.

Rows are data. ``tensorlint.verify.knowledge`` executes them on real torch and NumPy, refutes one that lies and names
those it cannot call (accelerators, downloads, names that only other versions have). Last run: torch 2.13.0 (CPU), NumPy
2.4.6.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType


class Result(Enum):
    """What the call evaluates to."""

    TENSOR = "tensor"
    ARRAY = "array"
    SCALAR = "scalar"  #: a Python bool, int, float, complex or str
    NUMPY_SCALAR = "numpy scalar"  #: an instance of ``np.generic``; an array instead when an axis is given
    TENSOR_TUPLE = "tensor tuple"  #: a tuple (or named tuple) of tensors, all of them made from the source
    TENSOR_LIST = "tensor list"
    TENSOR_OR_TUPLE = "tensor or tuple"  #: ``t.max()`` and ``t.max(other)`` a tensor, ``t.max(1)`` (values, indices)
    ARRAY_TUPLE = "array tuple"  #: a tuple or list of arrays
    SAMPLE = "sample"  #: an array; a Python number when neither size nor shape is given (``np.random.rand()``)
    SAME = "same"  #: the receiver (or first argument) itself
    SIZE = "size"  #: a tuple of integers; an integer when a dimension is given
    DTYPE = "dtype"
    DEVICE = "device"
    NONE = "none"  #: ``None``: called for its effect
    OTHER = "other"


class Share(Enum):
    """Whether the result lies in the storage of the source. Of a tuple: whether each of its elements does."""

    ALWAYS = "always"
    NEVER = "never"
    MAYBE = "maybe"  #: depends on dtype, device, layout or an option; a plain matching CPU input is aliased
    NONE = "none"  #: the result is neither tensor nor array


class Grad(Enum):
    """Whether the result requires grad (with grad mode on)."""

    KEEP = "keep"  #: when any tensor input does, and the result is of a floating or complex dtype
    NO = "no"  #: never: integers, booleans, arrays, detached values
    YES = "yes"  #: unless ``requires_grad=False`` is given (``nn.Parameter``, ``requires_grad_``)
    ARGUMENT = "argument"  #: only with ``requires_grad=True``: creation functions


class Device(Enum):
    """Where the result lives."""

    KEEP = "keep"  #: where the tensor inputs live
    CPU = "cpu"
    ACCELERATOR = "accelerator"
    ARGUMENT = "argument"  #: as the first positional or ``device=`` argument says (a tensor: its device), else KEEP
    LIKE = "like"  #: as ``device=`` says, else KEEP
    DEFAULT = "default"  #: as ``device=`` says, else the default device, which is the CPU unless changed
    OTHER = "other"  #: that of the second argument (``type_as``)
    MAP = "map"  #: as ``map_location=`` says, else where each tensor was saved


class Access(Enum):
    """Whether the resulting array may be written to."""

    KEEP = "keep"  #: a fresh array is writable, a view is as writable as its source
    NEVER = "never"  #: read-only
    BUFFER = "buffer"  #: as mutable as the buffer: ``bytes`` no, ``bytearray`` yes
    MODE = "mode"  #: as ``mode=`` or ``mmap_mode=`` says: ``"r"`` is read-only


#: What ``Row.dtype`` may say besides the name of a dtype (``"int64"``, ``"bool"``, ...).
DTYPE_RULES: Mapping[str, str] = MappingProxyType(
    {
        "keep": "that of the source",
        "argument": "the dtype argument (positional or dtype=) when there is one, else that of the source or of the data",
        "default-float": "dtype= when given, else the default dtype (float32 in torch, float64 in NumPy)",
        "promote": "the promoted dtype of all inputs",
        "float": "promoted, and integers become the default float (float32 in torch, float64 in NumPy)",
        "accumulate": "floats stay, booleans and integers become int64; dtype= overrides",
        "real": "that of the source, a complex one gives its real counterpart",
        "float-real": "as float, and a complex one gives its real counterpart",
        "double": "float64, of complex input complex128",
        "complex": "the complex counterpart",
        "?": "not known",
    }
)


def names(text: str) -> frozenset[str]:
    """The words of a text, as a set: tables of bare names stay readable without quotes and commas."""
    return frozenset(text.split())


DTYPES = names("bool uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64 complex32 complex64 complex128")

#: dtypes of NumPy that torch has not, or computes hardly anything with.
NUMPY_DTYPES = names("uint16 uint32 uint64 longdouble float128 datetime64 timedelta64")


@dataclass(frozen=True, slots=True)
class Row:
    """What one function does. Positions count the receiver of a method as 0, so a method and a function read alike.

    ``source`` is the argument whose storage the result shares or which is returned, -1 when element i of the result
    belongs to argument i; ``writes`` are the arguments whose elements are overwritten; ``out`` and ``inplace`` say that
    ``out=`` is written and returned, and that ``inplace=True`` overwrites and returns the first argument; ``indices``
    are the elements of a tuple result that never require grad: int64 indices mostly, or pivots and error codes where
    ``dtype`` is ``"?"``. ``overlaps``: several elements of the result may lie in one memory cell; ``negative_strides``:
    torch refuses to import the result; ``force``: the method takes the ``force=`` of ``Tensor.numpy``, which detaches,
    moves to the CPU and resolves as needed.
    """

    result: Result
    share: Share = Share.NEVER
    source: int = 0
    grad: Grad = Grad.KEEP
    device: Device = Device.KEEP
    dtype: str = "keep"
    writes: tuple[int, ...] = ()
    out: bool = False
    inplace: bool = False
    indices: tuple[int, ...] = ()
    overlaps: bool = False
    negative_strides: bool = False
    access: Access = Access.KEEP
    force: bool = False


def rows(row: Row, text: str) -> dict[str, Row]:
    """The same row for each name in the text."""
    return dict.fromkeys(text.split(), row)


def table(*parts: Mapping[str, Row]) -> Mapping[str, Row]:
    """One read-only table of all parts. Raises ``ValueError`` when two parts speak about one name."""
    merged: dict[str, Row] = {}
    for part in parts:
        twice = merged.keys() & part.keys()
        if twice:
            raise ValueError(f"more than one row for {', '.join(sorted(twice))}")
        merged.update(part)
    return MappingProxyType(merged)
