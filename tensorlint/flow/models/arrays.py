"""Methods of NumPy arrays, and what an index takes out of one."""

from __future__ import annotations

from dataclasses import replace

import libcst as cst

from tensorlint.flow import events
from tensorlint.flow.arguments import bound, dtype_argument
from tensorlint.flow.call import Argument, Call
from tensorlint.flow.domain.dtypes import BOOL, FLOAT64, INT64, UNKNOWN_DTYPE, Dtype
from tensorlint.flow.domain.facts import NO_FACT, Fact, Truth
from tensorlint.flow.domain.memory import Writing
from tensorlint.flow.domain.tensors import Array, Tensor
from tensorlint.flow.domain.values import NONE, PLAIN, UNKNOWN, Scalar, Sequence, Symbol, Value, is_false, is_true
from tensorlint.flow.dtypes import dtype_of
from tensorlint.flow.machine import Machine
from tensorlint.flow.models.numpy_functions import numpy_number
from tensorlint.flow.models.thrown_away import how_thrown_away
from tensorlint.flow.tree import dotted_name, receiver_of
from tensorlint.knowledge import ARRAY_METHODS, BROUGHT_ALREADY, NOT_ON_ARRAYS, Access, Result, Share


def array_method(machine: Machine, value: Array, name: str, call: Call) -> Value:
    owner, call = receiver_of(call.node), bound(call, f"numpy.ndarray.{name}")
    machine.emit(
        call.frame,
        events.MethodCall,
        call.node,
        name=name,
        receiver=owner,
        value=value,
        arguments=call.arguments,
        thrown_away=how_thrown_away(machine, name, call.node, call.frame),
    )
    row = ARRAY_METHODS.get(name)
    if row is None:
        if name in NOT_ON_ARRAYS and value.sure:
            machine.emit(
                call.frame,
                events.NotOnArray,
                call.node,
                name=name,
                receiver=owner,
                value=value,
                chain=brought_again(machine, call.node),
            )
        return UNKNOWN
    if name == "resize":
        # What is there stays as it is.
        machine.resize(call, name, owner, value)
        return NONE
    if 0 in row.writes:
        machine.write(call.frame, call.node, value, dotted_name(owner), Writing.METHOD)
        return NONE
    if name == "astype":
        return cast(machine, value, call.arguments)
    if name == "setflags" and any(argument.name == "write" and is_false(argument.value) for argument in call.arguments):
        locked = replace(value, read_only=Fact(Truth.YES, machine.at(call.node), "made read-only here"))
        call.frame.env.change(value, lambda held: locked)
        return NONE
    if name == "setflags" and any(argument.name == "write" and is_true(argument.value) for argument in call.arguments):
        call.frame.env.change(value, lambda held: replace(value, read_only=NO_FACT))
        return NONE
    match row.result:
        case Result.ARRAY if name == "view" and (read_as := dtype_argument(call.arguments)):
            return replace(value, dtype=read_as, oid=machine.next_serial())
        case Result.ARRAY if name == "view" and call.arguments:
            # As a class that was not seen, it may have any method.
            return replace(value, dtype=UNKNOWN_DTYPE, sure=False, oid=machine.next_serial())
        case Result.ARRAY if row.share in {Share.ALWAYS, Share.MAYBE}:
            frozen = (
                Fact(Truth.YES, machine.at(call.node), "read-only from here on")
                if row.access is Access.NEVER
                else value.read_only
            )
            negative = NO_FACT if name in {"ravel", "reshape"} else value.negative_stride
            axes = (
                (value.has_axes and name != "squeeze")
                or name == "ravel"
                or (name == "reshape" and bool(call.arguments))
                or (name == "transpose" and call.first is not None)
            )
            return replace(value, read_only=frozen, negative_stride=negative, has_axes=axes, oid=machine.next_serial())
        case Result.ARRAY:
            dtype = value.dtype if row.dtype == "keep" else INT64 if row.dtype == "int64" else UNKNOWN_DTYPE
            axes = value.has_axes and name in {"copy", "clip", "round", "conj", "cumsum", "cumprod", "repeat"}
            return Array(
                dtype=dtype,
                has_axes=axes,
                sure=value.sure,
                storages=machine.storage(),
                numbers=value.numbers if name in {"copy", "flatten"} else "",
                oid=machine.serial,
            )
        case Result.NUMPY_SCALAR:
            return numpy_number(machine, row, value, call.arguments, positional_axis=0)
        case Result.SCALAR:
            return Scalar(kind="number")
        case Result.ARRAY_TUPLE:
            return Sequence(kind="tuple", element=Array(dtype=INT64))
        case _:
            return Sequence(element=PLAIN) if name == "tolist" else PLAIN


def brought_again(machine: Machine, node: cst.CSTNode) -> cst.CSTNode | None:
    """The last of the calls of ``.detach().cpu().numpy()`` that ``node`` begins; None where it is no such call."""
    last = None
    while isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
        if node.func.attr.value not in BROUGHT_ALREADY or any(each.keyword is None for each in node.args):
            break
        last = node
        _, node = machine.consumers.get(id(node), ("", cst.Pass()))
    return last


def cast_to(arguments: tuple[Argument, ...]) -> Dtype:
    """What ``.astype(...)`` is told."""
    if any(isinstance(argument.value, Symbol) and argument.value.path == "builtins.float" for argument in arguments):
        return FLOAT64
    return next((dtype_of(each.value) for each in arguments if each.name in {"", "dtype"}), UNKNOWN_DTYPE)


def cast(machine: Machine, value: Array, arguments: tuple[Argument, ...]) -> Value:
    dtype = cast_to(arguments)
    lazy = any(
        argument.name == "copy" and isinstance(argument.value, Scalar) and argument.value.literal is False
        for argument in arguments
    )
    if lazy and (not dtype or dtype is value.dtype):
        return replace(value, dtype=dtype, oid=machine.next_serial())
    return Array(dtype=dtype, has_axes=value.has_axes, sure=value.sure, storages=machine.storage(), oid=machine.serial)


def array_item(machine: Machine, value: Array, node: cst.Subscript, indices: list[Value]) -> Array:
    # What is sliced has a dimension, and keeps it.
    axes = any(isinstance(index, Scalar) and index.kind == "slice" for index in indices)
    if not all(map(_takes_several, indices)):
        value = replace(value, sure=value.sure and holds_numbers(value))
    if copies_by_index(indices):
        return Array(
            dtype=value.dtype,
            sure=value.sure,
            small=value.small,
            counted=value.counted,
            storages=machine.storage(),
        )
    if any(isinstance(index, Scalar) and index.literal == "negative" and index.kind == "slice" for index in indices):
        forwards = value.negative_stride.truth is Truth.NO
        fact = Fact(Truth.YES, machine.at(node), "a negative step gives a negative stride") if forwards else NO_FACT
        return replace(value, negative_stride=fact, has_axes=axes, oid=machine.next_serial())
    sliced, picked = part_taken(indices)
    flipped = value.negative_stride
    if flipped.truth > Truth.UNKNOWN and any(isinstance(index, Scalar) and index.kind == "int" for index in indices):
        # One channel of an image whose channels are flipped, or a number.
        flipped = Fact()
    part = replace(
        value,
        negative_stride=flipped,
        sliced=sliced or value.sliced,
        picked=picked or value.picked,
        has_axes=axes,
        oid=machine.next_serial(),
    )
    return machine.look_into(node, value, part)


def _takes_several(index: Value) -> bool:
    """Whether what is under this index is an array, whatever the elements are."""
    match index:
        case Array():
            return index.has_axes or index.dtype is BOOL
        case Scalar():
            return index.kind == "slice"
        case _:
            return isinstance(index, Sequence) and index.kind == "list"


def holds_numbers(value: Array) -> bool:
    """Whether its elements are known to be numbers: those of an array of objects may be tensors."""
    dtype = value.dtype
    return value.exported or dtype.is_float or dtype.is_integral or dtype.is_complex


def part_taken(indices: list[Value]) -> tuple[bool, bool]:
    """Whether an index takes a part, and whether it may take another part the next time."""
    picked = any(
        not isinstance(index, Scalar)
        or (index.kind == "int" and index.literal is None)
        or (index.kind == "slice" and index.literal == "moving")
        for index in indices
    )
    return True, picked


def copies_by_index(indices: list[Value]) -> bool:
    """Whether an index with arrays, tensors, lists or masks in it gathers into new memory."""
    return any(
        isinstance(index, (Tensor, Array)) or (isinstance(index, Sequence) and index.kind == "list")
        for index in indices
    )
