"""What is known of a name after either of two paths bound it, and what can be told apart of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tensorlint.flow.domain.devices import device_fact, is_type_of_tensors, kinds_of, names_device
from tensorlint.flow.domain.dtypes import UNKNOWN_DTYPE, printed_as
from tensorlint.flow.domain.facts import Fact, Truth
from tensorlint.flow.domain.memory import NO_STORAGE, either_object
from tensorlint.flow.domain.tensors import Array, Provenance, Tensor, either_way
from tensorlint.flow.domain.values import (
    GRAD_CONTEXTS,
    MAYBE_GRAD,
    SOME_DTYPE,
    DeviceValue,
    Dictionary,
    Foreign,
    Function,
    Instance,
    Method,
    Module,
    Optimizer,
    Partial,
    Scalar,
    Sequence,
    Symbol,
    Unknown,
    Value,
    any_of,
    dtype_in,
    is_dtype,
    is_none,
)

#: Kinds of which no value is a tensor.
_NO_TENSORS = (Array, Scalar, Sequence, Dictionary, Module, Optimizer, DeviceValue, Foreign, Function)


def join_all(values: Iterable[Value]) -> Value:
    return any_of(tuple(values), join)


def any_element(container: Sequence | Dictionary) -> Value:
    """What one of the elements is, when it is not known which."""
    return any_of(container.contents, join)


def join(left: Value, right: Value) -> Value:
    """What is known after either of two paths. The order of the paths does not matter."""
    if left is right:
        return left
    if is_none(left):
        return right
    if is_none(right):
        return left
    match left, right:
        case Tensor(), Tensor():
            return left.joined(right)
        case Array(), Array():
            return left.joined(right)
        case Unknown(), Unknown():
            return left.joined(right)
        case Module(), Module():
            return left.joined(right)
        case DeviceValue(), DeviceValue():
            return left.joined(right)
        case Optimizer(), Optimizer():
            return left.joined(right)
        case Instance(), Instance():
            return left.joined(right, join)
        case Foreign(), Foreign() if left.framework == right.framework:
            return left.joined(right)
        case Sequence(), Sequence() if left.kind == right.kind or {left.kind, right.kind} <= {"list", "tuple"}:
            return left.joined(right, join)
        case Dictionary(), Dictionary():
            return left.joined(right, join)
        case Function(), Function():
            return left.joined(right, join)
        case Scalar(), Scalar():
            return _either_scalar(left, right)
        case (Symbol(), _) | (_, Symbol()) if left != right and any(map(_is_grad_context, (left, right))):
            return Symbol(path=MAYBE_GRAD)
        case Symbol(), Symbol():
            return _either_symbol(left, right)
    if left == right:
        # Of the kinds that have no ``joined``, which hold nothing that equality leaves out.
        return left
    joined = _of_two_kinds(left, right) or _of_two_kinds(right, left)
    if joined is not None:
        return joined
    match left, right:
        case (Tensor() as tensor, other) | (other, Tensor() as tensor):
            return _perhaps(tensor, other)
        case (Unknown() as unseen, other) | (other, Unknown() as unseen):
            # Nor is the evidence on something unseen gone where a path has a number.
            return replace(
                unseen,
                device=_beside(other, unseen.device),
                grad=_beside(other, unseen.grad),
                tensor=Truth.NO if unseen.tensor is Truth.NO else Truth.UNKNOWN,
                dtype=UNKNOWN_DTYPE,
                source=either_way(unseen.source, Provenance.MIXED),
                oid=either_object(unseen.oid, 0),
            )
    none = isinstance(left, _NO_TENSORS) and isinstance(right, _NO_TENSORS)
    return Unknown(tensor=Truth.NO if none else Truth.UNKNOWN, source=Provenance.MIXED)


def _perhaps(tensor: Tensor, other: Value) -> Unknown:
    """A tensor on one path and something that is none on the other: what is known of it holds where it is one."""
    return Unknown(
        device=_beside(other, tensor.device),
        grad=_beside(other, tensor.grad),
        source=Provenance.MIXED,
        origin=tensor.origin,
    )


def _beside(other: Value, fact: Fact) -> Fact:
    """What is known of a tensor that may be something else: a number is what it was before, and nothing else is."""
    return fact if isinstance(other, Scalar) else fact.weakened()


def _is_grad_context(value: Value) -> bool:
    return isinstance(value, Symbol) and value.path in GRAD_CONTEXTS


def _of_two_kinds(value: Value, other: Value) -> Value | None:
    """A value on one path and one of another kind on the other, in the one order that is written down here."""
    match value, other:
        case DeviceValue(), Scalar(kind="str") | Unknown():
            return DeviceValue(fact=value.fact.joined(device_fact(other)), kinds=value.kinds | kinds_of(other))
        case Scalar() as dtype, Symbol(path=path) if is_dtype(dtype) and path.startswith("torch."):
            return Scalar(kind=dtype.kind, literal=printed_as(path.removeprefix("torch.")).joined(dtype_in(dtype)))
        case Tensor(), Unknown():
            return _tensor_or_unknown(value, other)
        case Module(), Unknown():
            oid = either_object(value.oid, other.oid)
            return replace(value, device=value.device.joined(other.device), picked=True, oid=oid)
        case Module(), Instance():
            return value
        case Unknown(), Array():
            device, grad = _beside(other, value.device), _beside(other, value.grad)
            return Unknown(device=device, grad=grad, tensor=value.tensor, source=Provenance.MIXED)
    return None


def _either_scalar(left: Scalar, right: Scalar) -> Value:
    cut = left.cut.joined(right.cut)
    if left == right:
        return left if left.cut.site == cut.site else replace(left, cut=cut)
    if names_device(left) and names_device(right):
        kinds = kinds_of(left) | kinds_of(right)
        return DeviceValue(fact=device_fact(left).joined(device_fact(right)), kinds=kinds)
    if is_dtype(left) and is_dtype(right):
        dtype = dtype_in(left).joined(dtype_in(right))
        return Scalar(kind=left.kind if left.kind == right.kind else SOME_DTYPE.kind, literal=dtype)
    kind = left.kind if left.kind == right.kind else "number"
    return Scalar(kind=kind, counts=left.counts and right.counts, cut=cut)


def _either_symbol(left: Symbol, right: Symbol) -> Value:
    if left == right:
        return left
    kinds = {each.path.replace(".cuda.", ".") for each in (left, right)}
    if all(map(is_type_of_tensors, kinds)) and (len(kinds) == 1 or kinds == {"torch.Tensor", "torch.FloatTensor"}):
        return Symbol(path=min(kinds), device=device_fact(left).joined(device_fact(right)))
    if left.path.startswith("torch.") and right.path.startswith("torch."):
        dtype = printed_as(left.path.removeprefix("torch.")).joined(printed_as(right.path.removeprefix("torch.")))
        return Scalar(kind="torch.dtype", literal=dtype) if dtype else Unknown(source=Provenance.MIXED)
    return Unknown(source=Provenance.MIXED)


def _tensor_or_unknown(tensor: Tensor, other: Unknown) -> Value:
    """A tensor on one path and something unseen on the other keeps its evidence, no longer for sure."""
    if other.tensor is Truth.NO:
        return _perhaps(tensor, other)
    return Unknown(
        device=tensor.device.joined(other.device),
        grad=tensor.grad.joined(other.grad),
        dtype=tensor.dtype.joined(other.dtype),
        # Something unseen lies in memory of its own, unless it is known not to.
        storages=tensor.storages | other.storages if other.storages else NO_STORAGE,
        source=either_way(tensor.source, other.source),
        origin=tensor.origin,
        oid=either_object(tensor.oid, other.oid),
    )


def fingerprint(value: Value, depth: int = 3) -> object:
    """A small hashable summary of ``value``, equal for values a callee could not tell apart."""
    match value:
        case Sequence() | Dictionary():
            if not depth:
                return type(value).__name__
            return value.fingerprint(lambda inner: fingerprint(inner, depth - 1), join)
        case Function() | Method() | Partial() | Instance():
            return value.fingerprint(lambda inner: fingerprint(inner, depth - 1) if depth else type(inner).__name__)
        case _:
            return value.fingerprint()
