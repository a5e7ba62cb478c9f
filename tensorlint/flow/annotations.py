"""What a type annotation says of the value it stands beside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import libcst as cst

from tensorlint.flow.domain.facts import UNKNOWN_FACT, Truth
from tensorlint.flow.domain.lattice import join_all
from tensorlint.flow.domain.tensors import Array, Provenance, Tensor
from tensorlint.flow.domain.values import (
    DeviceValue,
    Dictionary,
    Foreign,
    Instance,
    Module,
    Scalar,
    Sequence,
    Symbol,
    Unknown,
    Value,
)

#: Gives what an expression stands for: a ``Symbol``, or for a class of this file one of its instances.
Resolve = Callable[[cst.BaseExpression], Value]

_TENSORS = frozenset(
    {
        "torch.Tensor",
        "torch.FloatTensor",
        "torch.LongTensor",
        "torch.BoolTensor",
        "torch.IntTensor",
        "torch.HalfTensor",
        "torch.DoubleTensor",
        "torch.ByteTensor",
        "torch.nn.Parameter",
        "torch.nn.parameter.Parameter",
        "torch.cuda.FloatTensor",
        "torch.cuda.LongTensor",
    }
)
_ARRAYS = frozenset({"numpy.ndarray", "numpy.typing.NDArray", "numpy.typing.ArrayLike", "numpy.array"})
_SCALARS = {
    "builtins.int": "int",
    "builtins.float": "float",
    "builtins.str": "str",
    "builtins.bool": "bool",
    "builtins.bytes": "bytes",
    "numpy.float32": "float",
    "numpy.float64": "float",
    "numpy.int64": "np.int64",
}
#: Memory that may be written.
_BUFFERS = frozenset({"builtins.bytearray", "builtins.memoryview", "multiprocessing.shared_memory.SharedMemory"})
_SEQUENCES = frozenset({"list", "List", "Sequence", "Iterable", "Iterator", "Generator", "Collection", "set", "Set"})
_MAPPINGS = frozenset({"dict", "Dict", "Mapping", "MutableMapping", "OrderedDict", "DefaultDict", "defaultdict"})
#: Packages whose names in annotations are no classes of their own, or whose classes are followed elsewhere.
_NO_CLASSES = frozenset(
    {"torch", "numpy", "typing", "typing_extensions", "collections", "builtins", "jaxtyping", "PIL"}
)
_WRAPPERS = frozenset({"Optional", "Union", "Annotated", "Final", "ClassVar"})


def value_of(annotation: cst.BaseExpression, resolve: Resolve) -> Value | None:
    """The abstract value a variable annotated so holds; None when the annotation decides nothing."""
    match annotation:
        case cst.SimpleString():
            return _from_text(annotation, resolve)
        case cst.BinaryOperation(left=left, operator=cst.BitOr(), right=right):
            return _union([left, right], resolve)
        case cst.Subscript():
            return _subscripted(annotation, resolve)
        case cst.Name() | cst.Attribute():
            return _plain(resolve(annotation))
        case _:
            return None


def _plain(named: Value) -> Value | None:
    if isinstance(named, (Instance, Module, Tensor)):
        return named
    path = named.path if isinstance(named, Symbol) else ""
    if path in _TENSORS or path == "Tensor":
        return Tensor(source=Provenance.PARAMETER)
    if path in _ARRAYS:
        return Array()
    if path in _SCALARS:
        return Scalar(kind=_SCALARS[path])
    if path in _BUFFERS:
        return Foreign(framework="buffer")
    if path == "torch.device":
        return DeviceValue()
    if path == "torch.nn.Module":
        return Module(device=UNKNOWN_FACT)
    if path.startswith(("tensorflow.", "jax.", "paddle.", "pandas.", "tinygrad.", "mxnet.", "cupy.")):
        return Foreign(framework=path.split(".")[0])
    return Unknown(tensor=Truth.NO, source=Provenance.PARAMETER) if _is_other_class(path) else None


def _is_other_class(path: str) -> bool:
    """Whether it is a class of another package, by its name, that does not call itself a kind of tensor.

    What its ``.cpu()`` and ``.numpy()`` do is up to the class.
    """
    name = path.split(".")[-1]
    camel = name[:1].isupper() and not name.isupper()
    return camel and path.split(".")[0] not in _NO_CLASSES and "tensor" not in path.lower()


def _from_text(annotation: cst.SimpleString, resolve: Resolve) -> Value | None:
    text = annotation.evaluated_value
    if isinstance(text, str) and text.isidentifier():
        return value_of(cst.Name(text), resolve)
    if not isinstance(text, str) or not any(word in text for word in ("Tensor", "ndarray", "NDArray", "Module")):
        return None
    try:
        return value_of(cst.parse_expression(text), resolve)
    except cst.ParserSyntaxError:
        return None


def _subscripted(annotation: cst.Subscript, resolve: Resolve) -> Value | None:
    named = resolve(annotation.value)
    path = named.path if isinstance(named, Symbol) else ""
    name = path.split(".")[-1]
    inner = [element.slice.value for element in annotation.slice if isinstance(element.slice, cst.Index)]
    if path in _ARRAYS or name == "NDArray":
        return Array()
    if name in _WRAPPERS:
        return _union(inner[:1] if name == "Annotated" else inner, resolve)
    if name in _SEQUENCES and inner:
        return Sequence(element=value_of(inner[0], resolve))
    if name in {"tuple", "Tuple"} and inner:
        if any(isinstance(item, cst.Ellipsis) for item in inner):
            return Sequence(kind="tuple", element=value_of(inner[0], resolve))
        values = [value_of(item, resolve) for item in inner]
        if any(value is not None for value in values):
            return Sequence(kind="tuple", items=tuple(join_all([value] if value else []) for value in values))
        return None
    if name in _MAPPINGS and len(inner) == 2:
        return Dictionary(element=value_of(inner[1], resolve))
    if path.startswith("jaxtyping.") and inner:
        return value_of(inner[0], resolve)
    return None


def _union(members: list[cst.BaseExpression], resolve: Resolve) -> Value | None:
    """A union with ``None`` is its other member; of several real members nothing is known."""
    real = [member for member in members if not (isinstance(member, cst.Name) and member.value == "None")]
    return value_of(real[0], resolve) if len(real) == 1 else None


def declared_value(declared: Value, value: Unknown) -> Value:
    """An annotation decides the kind, what was seen decides the properties."""
    if isinstance(declared, Tensor):
        return replace(
            declared,
            device=value.device,
            grad=value.grad,
            dtype=value.dtype or declared.dtype,
            storages=value.storages,
            source=value.source or declared.source,
            oid=value.oid,
        )
    if isinstance(declared, Array):
        return replace(declared, storages=value.storages, oid=value.oid)
    if isinstance(declared, Unknown):
        return replace(value, tensor=declared.tensor, source=value.source or declared.source)
    return declared
