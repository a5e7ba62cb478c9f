"""Calls of NumPy: which array comes out, in whose memory, writable or not, with which strides."""

from __future__ import annotations

from dataclasses import replace

import libcst as cst

from tensorlint.flow import events
from tensorlint.flow.arguments import dtype_argument, dtype_of_data
from tensorlint.flow.call import Argument, Call
from tensorlint.flow.details import Leaving
from tensorlint.flow.domain.dtypes import (
    BOOL,
    COMPLEX64,
    COMPLEX128,
    FLOAT32,
    FLOAT64,
    INT32,
    INT64,
    UNKNOWN_DTYPE,
    Dtype,
    printed_as,
)
from tensorlint.flow.domain.facts import NO_FACT, Fact, Truth
from tensorlint.flow.domain.inside import all_small, leaves, surely_array
from tensorlint.flow.domain.memory import NO_STORAGE
from tensorlint.flow.domain.promotion import of_arrays
from tensorlint.flow.domain.tensors import Array, Provenance, Tensor
from tensorlint.flow.domain.values import PLAIN, UNKNOWN, Scalar, Sequence, Symbol, Unknown, Value, is_true
from tensorlint.flow.graphs import goes_into_backward
from tensorlint.flow.machine import Machine
from tensorlint.flow.models.buffers import frozen_by
from tensorlint.flow.models.registry import function
from tensorlint.flow.models.rows import from_row, write_operand, write_out
from tensorlint.flow.tree import asked_of
from tensorlint.knowledge import HARMLESS, NUMPY_FUNCTIONS, SILENTLY_WRONG, TORCH_FUNCTIONS, Access, Result, Row, Share
from tensorlint.knowledge.numpy_functions import (
    ELEMENTWISE,
    EXPORTS,
    EXPORTS_OF_LIST,
    EXPORTS_TO_TENSOR,
    PARTS_OF_TENSOR,
    SIZE_BEHIND,
)

#: What gives arrays of one dimension at least.
_JOINS = frozenset({"stack", "concatenate", "vstack", "hstack", "dstack", "column_stack", "arange", "linspace", "eye"})
#: Functions that are given the shape of the array they make.
OF_SHAPE = frozenset({"zeros", "ones", "empty", "full"})
#: By these keywords ``np.unique`` gives a tuple, with places or counts behind the values.
_PLACES_OF_UNIQUE = frozenset({"return_index", "return_inverse", "return_counts"})
#: What NumPy leaves to the method of a tensor, which gives one, with its graph and device (measured on NumPy 2.4.6).
_BY_METHOD = frozenset({"squeeze", "swapaxes", "real"})
#: What gives a tensor for a tensor.
_MAY_GIVE_TENSOR = EXPORTS_TO_TENSOR | HARMLESS | SILENTLY_WRONG
#: Methods of a generator that are called otherwise as functions.
_OF_GENERATOR = {"random.integers": "random.randint"}
#: The complex counterpart of a dtype, where that is not complex128.
_COMPLEX = {UNKNOWN_DTYPE: Dtype("complex"), FLOAT32: COMPLEX64, COMPLEX64: COMPLEX64}
_REAL = {COMPLEX64: FLOAT32, COMPLEX128: FLOAT64}
#: What copies data that lies backwards.
_CONTIGUOUS = frozenset({"ascontiguousarray", "asfortranarray", "require"})


@function("numpy.*")
def numpy_call(machine: Machine, path: str, call: Call) -> Value:
    name = path.removeprefix("numpy.")
    if name in _BY_METHOD and isinstance(call.first, Tensor) and call.first.sure:
        by_method = from_row(machine, TORCH_FUNCTIONS[name], None, call, words=f"`np.{name}`")
        return tell_numpy_call(machine, name, call, by_method)
    result = numpy_result(machine, name, call)
    if name in _MAY_GIVE_TENSOR and not surely_array(each.value for each in call.arguments if not each.keyword):
        result = perhaps_array(result)
    return tell_numpy_call(machine, name, call, result)


def perhaps_array(result: Value) -> Value:
    """What is an array unless a tensor was given."""
    match result:
        case Array():
            return replace(result, sure=False)
        case Sequence(element=Array() as element):
            return replace(result, element=replace(element, sure=False))
        case _:
            return result


def tell_numpy_call(machine: Machine, name: str, call: Call, result: Value) -> Value:
    """The event of a call of NumPy, or of the ``shuffle`` of a generator or of the standard library."""
    for argument in call.arguments:
        machine.read_early(call.frame, call.node, argument.value)
        machine.note_exported(argument)
    first = next((argument for argument in call.arguments if not argument.keyword), None)
    if first is not None and name in EXPORTS:
        machine.escape(call.frame, call.node, first.value, Leaving.FUNCTION, first.node)
    discarded = call.frame.bare_call is call.node
    machine.emit(
        call.frame,
        events.NumpyCall,
        call.node,
        name=name,
        arguments=call.arguments,
        result=result,
        discarded=discarded,
        uses=uses_of(machine, call.node),
        asked_later=asked_later(machine, call),
        differentiated=name in EXPORTS_OF_LIST and is_differentiated(machine, call),
    )
    return result


def is_differentiated(machine: Machine, call: Call) -> bool:
    """Whether a backward pass goes through what is made of a list of tensors that need a gradient."""
    scope = call.frame.function.node if call.frame.function is not None else machine.module
    if machine.learning or call.frame.quiet or scope is None or not isinstance(call.first, Sequence):
        return False
    needed = any(isinstance(leaf, Tensor) and leaf.grad.truth > Truth.UNKNOWN for leaf in leaves(call.first))
    return needed and goes_into_backward(scope, call.node)


def asked_later(machine: Machine, call: Call) -> frozenset[str]:
    if call.frame.named_call is None or call.frame.named_call[0] is not call.node:
        return frozenset()
    if not any(isinstance(argument.value, Tensor) for argument in call.arguments):
        # Of arrays nobody asks.
        return frozenset()
    scope = call.frame.function.node if call.frame.function is not None else machine.module
    return asked_of(call.frame.named_call[1], scope) if scope is not None else frozenset()


def uses_of(machine: Machine, node: cst.CSTNode) -> tuple[str, ...]:
    uses: list[str] = []
    while id(node) in machine.consumers:
        name, node = machine.consumers[id(node)]
        given = isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and node.args
        uses.append(f"{name}..." if given else name)
    return tuple(uses)


def numpy_result(machine: Machine, name: str, call: Call) -> Value:
    if name in {"random.default_rng", "random.RandomState", "random.Generator"}:
        return Symbol(path="numpy.random")
    row = NUMPY_FUNCTIONS.get(_OF_GENERATOR.get(name, name))
    if row is None:
        return Unknown(tensor=Truth.NO, source=Provenance.CALL)
    for position in row.writes:
        write_operand(machine, position, None, call)
    write_out(machine, row, call)
    given = call.at(max(row.source, 0))
    first = given.value if given is not None else UNKNOWN
    if isinstance(first, Tensor) and name in EXPORTS_TO_TENSOR:
        return made_of_tensor(machine, name, first, call)
    if name == "unique" and (places := [each for each in call.arguments if each.name in _PLACES_OF_UNIQUE]):
        values = array_from(machine, name, row, first, call)
        counts = (Array(has_axes=True, storages=machine.storage()) for _ in places)
        sure = all(is_true(each.value) for each in places)
        return Sequence(kind="tuple", items=(values, *counts)) if sure else Sequence(kind="tuple", element=Array())
    match row.result:
        case _ if row.access is Access.MODE:
            return opened(machine, name, call)
        case Result.ARRAY:
            return array_from(machine, name, row, first, call)
        case Result.ARRAY_TUPLE if row.source < 0 and _all_arrays(call):
            return Sequence(kind="tuple", items=tuple(part_of(machine, row, each.value) for each in call.arguments))
        case Result.ARRAY_TUPLE:
            source = first if isinstance(first, Array) else Array()
            if row.source < 0:
                source = replace(source, dtype=UNKNOWN_DTYPE, storages=NO_STORAGE, alias=None)
            return Sequence(kind="tuple", element=part_of(machine, row, source))
        case Result.NUMPY_SCALAR:
            return numpy_number(machine, row, first, call.arguments, positional_axis=1)
        case Result.SAMPLE:
            positional = [argument for argument in call.arguments if not argument.keyword]
            before = SIZE_BEHIND.get(name.removeprefix("random."), 2)
            sized = len(positional) > before or call.keyword("size") is not None
            dtype = dtype_argument(call.arguments) or printed_as(row.dtype)
            if not sized and not any(isinstance(argument.value, (Array, Tensor, Sequence)) for argument in positional):
                # A number of Python, but for a choice.
                return Scalar(kind={FLOAT64: "float", INT64: "int"}.get(dtype, "np.number"))
            # Numbers that are made up have no digits to lose.
            small = _OF_GENERATOR.get(name, name) == "random.randint"
            # One of several objects may be anything.
            sure = sized or name != "random.choice"
            return Array(dtype=dtype, small=small, has_axes=sized, sure=sure, storages=machine.storage())
        case Result.SCALAR:
            return Scalar(kind="number")
        case _:
            return PLAIN


def _all_arrays(call: Call) -> bool:
    """Whether there are arrays alone, each given by its place."""
    return all(isinstance(each.value, Array) and each.place is not None for each in call.arguments)


def part_of(machine: Machine, row: Row, source: Value) -> Array:
    """An array in a tuple of several, made of ``source``, or in its memory."""
    assert isinstance(source, Array)
    kept = row.share is Share.ALWAYS
    return replace(
        source,
        storages=source.storages if kept else machine.storage(),
        negative_stride=NO_FACT,
        oid=source.oid if row.source >= 0 else machine.next_serial(),
    )


def made_of_tensor(machine: Machine, name: str, first: Tensor, call: Call) -> Value:
    """What comes out where ``__array_wrap__`` of the tensor that goes in makes tensors of what NumPy has worked out."""

    def part(is_tensor: bool) -> Value:
        made = machine.storage()
        if not is_tensor:
            return Array(storages=made)
        return Tensor(
            device=NO_FACT, grad=NO_FACT, storages=made, sure=first.sure, source=first.source, oid=machine.serial
        )

    parts = PARTS_OF_TENSOR.get(name)
    if parts is None:
        return part(is_tensor=True)
    if any(argument.keyword in {"compute_uv", "mode"} for argument in call.arguments):
        return Unknown(source=Provenance.CALL)
    return Sequence(kind="tuple", items=tuple(map(part, parts)))


def numpy_number(
    machine: Machine, row: Row, source: Value, arguments: tuple[Argument, ...], positional_axis: int
) -> Value:
    """A reduction: a NumPy scalar, or an array when an axis is given."""
    dtype = computed(source.dtype) if isinstance(source, Array) else UNKNOWN_DTYPE
    if row.dtype == "int64" or (row.dtype in {"accumulate", "keep"} and dtype.is_integral):
        dtype = INT64
    elif row.dtype == "float" and dtype.is_integral:
        dtype = FLOAT64
    dtype = dtype_argument(arguments) or dtype
    positional = [argument for argument in arguments if not argument.keyword]
    axis = any(argument.keyword in {"axis", "keepdims"} for argument in arguments) or len(positional) > positional_axis
    if axis:
        return Array(dtype=dtype, storages=machine.storage())
    return Scalar(kind=f"np.{dtype}" if dtype else "np.number")


def opened(machine: Machine, name: str, call: Call) -> Value:
    mode = call.keyword("mmap_mode" if name == "load" else "mode")
    literal = mode.literal if isinstance(mode, Scalar) else None
    frozen = Fact(Truth.YES, machine.at(call.node), "mapped read-only here") if literal == "r" else NO_FACT
    return Array(read_only=frozen, storages=machine.storage(node=call.node), oid=machine.serial)


def array_from(machine: Machine, name: str, row: Row, first: Value, call: Call) -> Value:
    dtype = dtype_argument(call.arguments) or printed_as(row.dtype)
    kept = first.dtype if isinstance(first, (Array, Tensor)) else UNKNOWN_DTYPE
    if row.share is Share.NEVER and name not in {"array", "copy"}:
        kept = computed(kept)
    if row.dtype == "real":
        # The part, or the size, of a complex number is a float of half its bits.
        dtype = kept = _REAL.get(kept, UNKNOWN_DTYPE) if kept.is_complex else kept
    if not dtype and row.dtype == "default-float":
        dtype = FLOAT64
    if not dtype and row.dtype == "float":
        # Of the shorter integers it makes shorter floats.
        whole = kept in {INT32, INT64} or (isinstance(first, Scalar) and first.kind in {"int", "float"})
        dtype = kept if kept.is_float else Dtype("float64", unsure=not whole)
    if not dtype and row.dtype == "complex":
        dtype = _COMPLEX.get(kept, COMPLEX128)
    operands = [each.value for each in call.arguments if not each.keyword and each.name not in {"out", "dtype"}]
    if not dtype and row.dtype == "promote" and len(operands) > 1 and not isinstance(first, Sequence):
        dtype = promoted(*operands[:2])
    elif not dtype and row.dtype in {"keep", "argument", "promote"}:
        dtype = kept or dtype_of_data(first, array=True)
    if name in {"full", "arange"} and not dtype_argument(call.arguments):
        values = [argument.value for argument in call.arguments if not argument.keyword]
        dtype = dtype_of_data(Sequence(items=tuple(values[-1:] if name == "full" else values)), array=True)
    if isinstance(first, Scalar) and name in {
        "float32",
        "float64",
        "int64",
        "int32",
        "float16",
        "int8",
        "uint8",
        "int16",
    }:
        return Scalar(kind=f"np.{name}")
    if name in ELEMENTWISE and operands and all(isinstance(each, Scalar) for each in operands):
        return Scalar(kind=f"np.{dtype}" if dtype.sure else "np.number")
    shares = row.share is Share.ALWAYS or (
        row.share is Share.MAYBE and isinstance(first, (Array, Tensor)) and (not dtype or dtype is kept)
    )
    if not shares or not isinstance(first, (Array, Tensor, Unknown)):
        frozen = frozen_by(machine, row, first, call.node)
        return Array(
            dtype=dtype,
            storages=machine.storage(node=call.node),
            read_only=frozen,
            zero_dim=isinstance(first, Scalar) and name in {"array", "asarray"},
            small=isinstance(first, Sequence) and all_small(first),
            counted=isinstance(first, Sequence) and all(is_int(leaf) for leaf in leaves(first)),
            has_axes=name in _JOINS
            or isinstance(first, Sequence)
            or (name in OF_SHAPE and bool(call.arguments))
            or (name in ELEMENTWISE and any(isinstance(each, Array) and each.has_axes for each in operands)),
            oid=machine.serial,
            negative_stride=Fact(Truth.YES, machine.at(call.node), "flipped here: a negative stride")
            if row.negative_strides
            else NO_FACT,
        )
    if name in _CONTIGUOUS and isinstance(first, Array) and first.negative_stride.truth is Truth.YES:
        return Array(dtype=dtype or kept, storages=machine.storage(node=call.node), oid=machine.serial)
    held = first.storages or machine.storage(node=call.node)
    base = first if isinstance(first, Array) else Array(storages=held, exported=isinstance(first, Tensor))
    frozen = frozen_by(machine, row, first, call.node)
    negative = base.negative_stride
    if row.negative_strides:
        negative = (
            Fact(Truth.YES, machine.at(call.node), "flipped here: a negative stride")
            if negative.truth is Truth.NO
            else NO_FACT
        )
    elif name in {"ascontiguousarray", "require", "reshape", "ravel", "asfortranarray"}:
        negative = NO_FACT
    result = replace(
        base,
        dtype=dtype or kept,
        read_only=frozen if frozen.truth is not Truth.NO else base.read_only,
        negative_stride=negative,
        alias=machine.at(call.node) if isinstance(first, Tensor) else base.alias,
        oid=machine.next_serial(),
    )
    return machine.look_into(call.node, base, result) if row.overlaps else result


def is_int(value: Value) -> bool:
    """Whether it is an integer of Python, and none that is spelled and large."""
    return isinstance(value, Scalar) and value.kind == "int" and (value.literal is None or all_small(value))


def computed(dtype: Dtype) -> Dtype:
    """The dtype of what NumPy computes of this one: in the order of bytes of the machine, and of dates numbers."""
    return UNKNOWN_DTYPE if dtype.swapped or dtype.of_numpy else dtype


def promoted(left: Value, right: Value) -> Dtype:
    """The dtype of arithmetic between two operands, where one of them is an array at least."""
    arrays = [side for side in (left, right) if isinstance(side, Array)]
    if not arrays:
        return UNKNOWN_DTYPE
    dtypes = [computed(array.dtype) for array in arrays]
    if len(arrays) == 2:
        both = of_arrays(dtypes)
        # A number that was taken out of an array decides nothing in NumPy 1 where the category is the same.
        whole = all(array.has_axes for array in arrays) or dtypes[0] is dtypes[1]
        integers = any(dtype.is_integral for dtype in dtypes)
        return both if whole or (FLOAT64 in dtypes and integers) else UNKNOWN_DTYPE
    (dtype,), (other,) = dtypes, [side for side in (left, right) if not isinstance(side, Array)]
    kind = other.kind if isinstance(other, Scalar) else ""
    if kind == "int" and dtype is BOOL:
        return INT64
    if kind == "int" or (kind == "float" and dtype.is_float):
        return dtype
    if (kind == "float" and dtype.is_integral) or (dtype is FLOAT64 and (kind == "number" or kind.startswith("np."))):
        return FLOAT64
    return UNKNOWN_DTYPE
