"""What a function or method of torch does, as its row in ``knowledge`` describes it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

import libcst as cst

from tensorlint.flow.arguments import dtype_argument, dtype_of_data, given
from tensorlint.flow.call import Argument, Call
from tensorlint.flow.domain.devices import together
from tensorlint.flow.domain.dtypes import (
    COMPLEX64,
    COMPLEX128,
    FLOAT32,
    FLOAT64,
    INT64,
    OTHER_DTYPE,
    UNKNOWN_DTYPE,
    Dtype,
    printed_as,
)
from tensorlint.flow.domain.facts import NO_FACT, UNKNOWN_FACT, Fact, Truth, strongest
from tensorlint.flow.domain.inside import leaves
from tensorlint.flow.domain.memory import NO_STORAGE, Storages, Transfer, Writing
from tensorlint.flow.domain.promotion import of_joined_tensors
from tensorlint.flow.domain.tensors import Array, Origin, Tensor
from tensorlint.flow.domain.values import PLAIN, Scalar, Sequence, Unknown, Value, is_true
from tensorlint.flow.dtypes import dtype_of
from tensorlint.flow.machine import Machine
from tensorlint.flow.models.autocast import autocast_to
from tensorlint.flow.models.axes import has_axes, promoted
from tensorlint.flow.models.placement import at_that_of, placed_by_type, requested_device
from tensorlint.flow.tree import dotted_name, receiver_of, spelled_number
from tensorlint.knowledge import IN_PLACE_METHODS, Device, Grad, Result, Row, Share
from tensorlint.knowledge.layouts import layout_of
from tensorlint.knowledge.numbers import FROM_SEVERAL, SCALING, numbers_of

#: What the parts of a complex number are.
REAL = {COMPLEX64: FLOAT32, COMPLEX128: FLOAT64}
#: Casts to what a float32 may have been made of.
WIDENING = {"long": "int", "int": "int", "double": "float64"}
#: What asks a tensor for its dtype, device, layout or shape, and not for its data (``new_zeros``, ``empty_like``), and
#: what only changes these before the memory is filled.
_LIKE = re.compile(
    r"new|new_(?!tensor).*|.+_like|size|dim|ndimension|numel|nelement|type|stride|is_\w+|type_as|long|float|double|half"
)
_LOSS = re.compile(r"nn\.functional\.(\w+_loss|(binary_)?cross_entropy(_with_logits)?)$")
_TAKES_INDEX = frozenset(
    {"gather", "scatter", "scatter_", "scatter_add", "scatter_add_", "index_select", "index_add", "index_add_"}
)
#: What makes a number of a whole tensor, unless told otherwise.
_TO_NUMBER = frozenset({"sum", "mean", "prod", "std", "var", "max", "min", "amax", "amin", "median", "norm", "nanmean"})


def from_row(machine: Machine, row: Row, receiver: Tensor | None, call: Call, *, words: str) -> Value:
    """The result of a function or method as its row in ``knowledge`` describes it."""
    operands = [receiver] if receiver is not None else []
    unknown: list[Unknown] = []
    for argument in call.arguments:
        for leaf in leaves(argument.value) if argument.name != "out" else ():
            if isinstance(leaf, Tensor):
                operands.append(leaf)
            elif isinstance(leaf, Unknown):
                unknown.append(leaf)
    name = words.strip("`().").split(".")[-1]
    if row.result is not Result.SAME and name not in {"Parameter", "Buffer"}:
        for operand in operands[: operands_read(name)]:
            machine.use(call.frame, call.node, operand)
    sources = sources_of(row, receiver, call)
    source = next((each for each in sources if isinstance(each, Tensor)), None)
    for position in row.writes:
        write_operand(machine, position, receiver, call)
    write_out(machine, row, call)
    out = call.keyword("out")
    if row.out and isinstance(out, (Tensor, Array)):
        # What it returns is what it was told to write.
        return out
    if row.inplace and is_true(call.keyword("inplace") or PLAIN):
        write_operand(machine, 0, receiver, call)
        row = replace(row, share=Share.ALWAYS)
    widen_operands(machine, name, receiver, call)
    if row.result in {Result.SCALAR, Result.NUMPY_SCALAR}:
        return Scalar(kind="number")
    if row.result in {Result.SIZE, Result.DTYPE, Result.NONE, Result.OTHER}:
        return PLAIN
    cast = autocast_to(machine, words.strip("`()."), [each.dtype for each in operands]) or dtype_argument(
        call.arguments
    )
    dtype = cast or (_filled(call) if name == "full" else row_dtype(row, source, operands, unknown, call))
    placed = placed_by_type(call.arguments, machine.at(call.node)) if name == "type" else None
    if name == "type" and not dtype_argument(call.arguments) and call.first is not None:
        # ``mask.type(x.dtype)``
        dtype = dtype_of(call.first) or OTHER_DTYPE
    # A cast to another dtype is never the operand itself.
    itself = row.share is Share.MAYBE and not (source is not None and source.dtype and dtype is not source.dtype)
    result = Tensor(
        device=placed or row_device(machine, row, operands, unknown, call),
        grad=NO_FACT if dtype.is_integral else row_grad(machine, row, operands, unknown, call, itself=itself),
        dtype=dtype,
        storages=row_storages(machine, row, sources, call, dtype if name == "type" else UNKNOWN_DTYPE),
        sure=receiver.sure if receiver is not None else True,
        source=source.source if source is not None else (unknown[0].source if unknown else None),
        origin=next(
            (value.origin for value in (source, *unknown[:1]) if value is not None and value.origin is not None),
            Origin(machine.at(call.node), f"made by {words} here"),
        ),
        alias=source.alias if source is not None and row.share in {Share.ALWAYS, Share.MAYBE} else None,
        imported=source.imported if source is not None and row.share in {Share.ALWAYS, Share.MAYBE} else False,
        zero_dim=is_number(words.strip("`()."), call.arguments, receiver),
        has_axes=has_axes(words.strip("`().").removeprefix("torch."), operands, call),
        layout=layout_of(
            words.strip("`().").removeprefix("torch."),
            source.layout if source is not None else "",
            is_complex=dtype.is_complex,
            is_view=row.share is Share.ALWAYS,
        ),
        numbers="" if dtype.is_integral else numbers_given(row, name, source, call),
        oid=machine.next_serial(),
    )
    if source is not None and result.storages and not result.storages & source.storages:
        # A copy after all.
        result = replace(result, alias=None, imported=False)
    if source is not None and result.storages is source.storages:
        result = replace(
            result,
            frozen=source.frozen,
            sliced=source.sliced,
            picked=source.picked,
            narrowed=source.narrowed if result.dtype is source.dtype else None,
            numbers=source.numbers,
            transfer=source.transfer,
            pinned=source.pinned,
        )
        if (transfer := dtype_decides(machine, source, result.dtype, call)) is not None:
            result = replace(result, transfer=transfer, alias=None, imported=False, frozen=None)
    if name == "pin_memory" or is_true(call.keyword("pin_memory") or PLAIN):
        result = replace(result, pinned=True)
    if row.overlaps and source is not None:
        machine.look_into(call.node, source, result)
    if row.result is Result.SAME and source is not None:
        unset, numbers = (None, "") if row.writes else (source.unset, source.numbers)
        grad = strongest([source.grad, result.grad])
        return replace(source, grad=grad, device=source.device, unset=unset, numbers=numbers)
    if row.source < 0:
        return _each_its_own(machine, result, sources, call)
    return shaped(machine, row, result, call.arguments, receiver is not None)


def dtype_decides(machine: Machine, source: Tensor, dtype: Dtype, call: Call) -> Transfer | None:
    """How a tensor came to ``dtype``, where it has this one on some paths alone."""
    if dtype not in source.dtypes:
        return None
    others = ", ".join(sorted(each.name for each in source.dtypes))
    words = f"of {others}, by the path that was taken: nothing is copied for {dtype}"
    return Transfer(machine.at(call.node), Fact(Truth.MAYBE, machine.at(call.node), words), kept=dtype.name)


def _each_its_own(machine: Machine, result: Tensor, sources: list[Value], call: Call) -> Sequence:
    """The tuple in which each element belongs to an argument, or to what is in a list, and lies in its memory."""
    counted = all(
        argument.keyword or (isinstance(argument.value, Tensor) or holds_each(argument.value))
        for argument in call.arguments
        if not argument.star
    )
    if not counted or any(argument.star for argument in call.arguments):
        return Sequence(kind="tuple", element=replace(result, storages=NO_STORAGE, alias=None, picked=True))
    return Sequence(kind="tuple", items=tuple(_of_its_own(machine, result, each) for each in sources))


def holds_each(value: Value) -> bool:
    """Whether all that is in a container is known one by one."""
    return isinstance(value, Sequence) and value.items is not None


def _of_its_own(machine: Machine, result: Tensor, source: Value) -> Tensor:
    if not isinstance(source, Tensor):
        return replace(result, dtype=UNKNOWN_DTYPE, storages=storages_in([source]), oid=machine.next_serial())
    return replace(
        result,
        dtype=source.dtype,
        storages=source.storages,
        alias=source.alias,
        imported=source.imported,
        frozen=source.frozen,
        oid=machine.next_serial(),
    )


def _filled(call: Call) -> Dtype:
    """The dtype of ``torch.full(size, number)``, which is that of the number."""
    fill = given(call.arguments, 1, "fill_value")
    return UNKNOWN_DTYPE if fill is None or not isinstance(fill.value, Scalar) else dtype_of_data(fill.value)


def _promoted(dtype: Dtype, operands: list[Tensor], call: Call) -> Dtype:
    """The dtype of several tensors together; that of one alone is ``dtype``."""
    first = list(leaves(call.first)) if call.first is not None else []
    if isinstance(call.first, Sequence):
        joined = [each.dtype for each in first if isinstance(each, Tensor)]
        return of_joined_tensors(joined) if len(joined) == len(first) else UNKNOWN_DTYPE
    if any(isinstance(each, Unknown) for each in first):
        return dtype if not dtype.without_numpy else UNKNOWN_DTYPE
    return promoted(*operands) if len(operands) == 2 else UNKNOWN_DTYPE if len(operands) > 2 else dtype


def numbers_given(row: Row, name: str, source: Tensor | None, call: Call) -> str:
    """What the numbers are that a function gives; a cast to another float leaves them as they are."""
    given = source.numbers if source is not None else ""
    if row.share is Share.MAYBE:
        return given
    if name in FROM_SEVERAL:
        # Each of what it joins.
        parts = [leaf for argument in call.arguments[:1] for leaf in leaves(argument.value)]
        kinds = {part.numbers if isinstance(part, Tensor) else "" for part in parts}
        given = "" if "" in kinds else kinds.pop() if len(kinds) == 1 else "fraction"
    if name in SCALING and given == "wild" and len(call.arguments) == 1:
        number = spelled_number(call.arguments[0].node)
        only = number is not None and (name[:1] in {"m", "d"} or abs(number) <= 1)
        return "wild" if only else "loose"
    return numbers_of(name, given)


def widen_operands(machine: Machine, name: str, receiver: Tensor | None, call: Call) -> None:
    if receiver is not None and name in WIDENING:
        machine.widen(call.frame, call.node, receiver, WIDENING[name])
    if name in _TAKES_INDEX:
        # The tensor itself comes first, and what is put into it after the index.
        first = 1 if receiver is not None else 2
        for argument in (
            *call.arguments[first : first + 1],
            *(one for one in call.arguments if one.keyword == "index"),
        ):
            machine.widen(call.frame, call.node, argument.value, "index")


def shaped(machine: Machine, row: Row, result: Tensor, arguments: tuple[Argument, ...], is_method: bool) -> Value:
    dimension = arguments if is_method else arguments[1:]
    pair = row.result is Result.TENSOR_OR_TUPLE and any(
        argument.name in {"dim", "keepdim", "return_inverse", "return_counts", "return_indices"}
        or (not argument.keyword and isinstance(argument.value, Scalar))
        for argument in dimension
    )
    if row.result in {Result.TENSOR_TUPLE, Result.TENSOR_LIST} or pair:
        result = replace(result, picked=True)
        if row.indices:
            count = max(2, max(row.indices) + 1)
            items = tuple(
                replace(result, grad=NO_FACT, dtype=INT64, numbers="") if index in row.indices else result
                for index in range(count)
            )
            return Sequence(kind="tuple", items=items)
        return Sequence(kind="tuple", element=result)
    if row.result in {Result.ARRAY}:
        return Array(dtype=result.dtype, storages=result.storages)
    return result


def row_device(machine: Machine, row: Row, operands: list[Tensor], unknown: list[Unknown], call: Call) -> Fact:
    requested = requested_device(machine, call)
    match row.device:
        case Device.CPU:
            return Fact(Truth.NO, machine.at(call.node), "brought to the CPU here")
        case Device.ACCELERATOR:
            return Fact(Truth.YES, machine.at(call.node), "moved to the accelerator here")
        case Device.DEFAULT:
            return requested or machine.default_device
        case Device.OTHER:
            other = call.at(0)
            if other is None or not isinstance(other.value, (Tensor, Unknown)):
                return UNKNOWN_FACT
            return at_that_of(machine, other.value, call.node)
        case _ if requested is not None:
            return requested
    evidence = [value for value in unknown if value.device.truth is not Truth.UNKNOWN or not operands]
    return together([*operands, *evidence], UNKNOWN_FACT)


def row_grad(
    machine: Machine, row: Row, operands: list[Tensor], unknown: list[Unknown], call: Call, *, itself: bool
) -> Fact:
    if row.grad is Grad.NO:
        return NO_FACT
    asked = call.keyword("requires_grad")
    if isinstance(asked, Scalar) and asked.known:
        if asked.literal is True:
            return Fact(Truth.YES, machine.at(call.node), "created with `requires_grad=True` here")
        return NO_FACT
    if row.grad is Grad.YES:
        return Fact(Truth.YES, machine.at(call.node), "a parameter needs a gradient")
    if row.grad is Grad.ARGUMENT:
        return UNKNOWN_FACT if asked is not None else NO_FACT
    evidence = [value.grad for value in unknown if value.grad.truth > Truth.UNKNOWN or not operands]
    default = UNKNOWN_FACT if not operands and not call.arguments else NO_FACT
    grad = strongest([*(value.grad for value in operands), *evidence], default)
    return machine.result_grad(grad, call.frame, itself=itself)


def row_dtype(row: Row, source: Tensor | None, operands: list[Tensor], unknown: list[Unknown], call: Call) -> Dtype:
    """The dtype of a result by the rule of its row (``row.DTYPE_RULES``)."""
    explicit = dtype_argument(call.arguments) or printed_as(row.dtype)
    if explicit:
        return explicit
    if row.device is Device.OTHER:
        return other_dtype(call)
    kept = source.dtype if source is not None else UNKNOWN_DTYPE
    if row.dtype in {"promote", "float", "float-real"} and source is not None:
        if kept.is_integral and (row.dtype == "promote" or unknown or call.keyword("rounding_mode") is not None):
            # Of a number, or of what is not known, it may become anything.
            kept = UNKNOWN_DTYPE
        kept = _promoted(kept, operands, call)
    match row.dtype:
        case "keep" | "argument":
            return kept
        case "default-float":
            return FLOAT32
        case "complex":
            widened = COMPLEX128 if kept is FLOAT64 else Dtype("complex64", unsure=True)
            return kept if kept.is_complex else widened
        case "real" | "float-real" if kept.is_complex:
            return REAL.get(kept, UNKNOWN_DTYPE)
        case "float" | "float-real" if kept.is_integral:
            return FLOAT32
        case "accumulate" if kept.is_integral:
            return INT64
        case "double":
            return COMPLEX128 if kept.is_complex else FLOAT64 if kept else UNKNOWN_DTYPE
        case "?":
            return UNKNOWN_DTYPE
        case _:
            return kept


def other_dtype(call: Call) -> Dtype:
    """``x.type_as(y)``"""
    other = call.at(0)
    return other.value.dtype if other is not None and isinstance(other.value, Tensor) else UNKNOWN_DTYPE


def row_storages(
    machine: Machine, row: Row, sources: list[Value], call: Call, wanted: Dtype = UNKNOWN_DTYPE
) -> Storages:
    """The memory of a result. ``wanted`` is the dtype that it was told: ``x.type(y.dtype)``."""
    if row.share not in {Share.ALWAYS, Share.MAYBE}:
        return machine.storage()
    source = next((each for each in sources if isinstance(each, Tensor)), None)
    if source is None:
        # That of an argument of which nothing is known, or of one that is no tensor, such as a list of numbers.
        unseen = not sources or any(isinstance(each, Unknown) for each in sources)
        return storages_in(sources) if unseen else machine.storage()
    target = printed_as(row.dtype) or dtype_argument(call.arguments) or wanted
    if row.device is Device.OTHER:
        target = other_dtype(call) or target
    if row.share is Share.MAYBE and target and target is not source.dtype and target not in source.dtypes:
        return machine.storage() if source.dtype else NO_STORAGE
    return source.storages


def write_operand(machine: Machine, position: int, receiver: Tensor | None, call: Call) -> None:
    if receiver is not None and position == 0:
        owner = receiver_of(call.node)
        link = owner.func if isinstance(owner, cst.Call) else None
        if isinstance(link, cst.Attribute) and link.attr.value in IN_PLACE_METHODS:
            # ``t.sub_(m).div_(s)``: the first link of the chain was told already.
            return
        machine.write(call.frame, call.node, receiver, dotted_name(owner), Writing.METHOD)
        return
    written = call.at(position - (receiver is not None))
    if written is not None:
        machine.write(call.frame, call.node, written.value, dotted_name(written.node), Writing.METHOD)


def write_out(machine: Machine, row: Row, call: Call) -> None:
    out = next((argument for argument in call.arguments if argument.name == "out"), None)
    if row.out and out is not None:
        for leaf in leaves(out.value):
            machine.write(call.frame, call.node, leaf, dotted_name(out.node), Writing.OUT)


def sources_of(row: Row, receiver: Tensor | None, call: Call) -> list[Value]:
    """What the result of ``row`` may lie in the memory of: the values in one argument, or in each of them."""
    if row.source == 0 and receiver is not None:
        return [receiver]
    if row.source < 0:
        places = [argument for argument in call.arguments if argument.place is not None and not argument.keyword]
        return [leaf for argument in places for leaf in leaves(argument.value)]
    argument = call.at(row.source - (receiver is not None))
    return list(leaves(argument.value)) if argument is not None else []


def storages_in(values: Iterable[Value]) -> Storages:
    """All memory that these are known to lie in."""
    return NO_STORAGE.union(*(each.storages for each in values if isinstance(each, (Tensor, Array, Unknown))))


def is_number(name: str, arguments: tuple[Argument, ...], receiver: Tensor | None) -> bool:
    """Whether the result has no dimension: a reduction of everything, or a loss that is averaged as is the rule."""
    if _LOSS.search(name):
        return not any(argument.keyword in {"reduction", "reduce", "size_average", ""} for argument in arguments[2:])
    return name.removeprefix("torch.") in _TO_NUMBER and len(arguments) == (0 if receiver is not None else 1)


def operands_read(name: str) -> int | None:
    """How many of the operands of a function hold data that it reads; None for all of them."""
    if _LIKE.fullmatch(name):
        return 0
    # ``x.view_as(other)``, ``x.type_as(other)``
    return 1 if name.endswith("_as") else None
