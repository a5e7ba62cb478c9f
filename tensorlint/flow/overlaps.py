"""Statements that write a tensor and read another part of the same memory meanwhile, told by their indices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from tensorlint.flow.domain.values import Scalar
from tensorlint.flow.tree import dotted_name, is_everything

if TYPE_CHECKING:
    from tensorlint.flow.machine import Machine
    from tensorlint.flow.state import Frame

#: Methods that write their tensor element by element while they read another.
ELEMENTWISE = frozenset({"copy_", "add_", "sub_", "mul_", "div_"})
_EVERYTHING = cst.Slice(None, None)
_OF_SIZES = frozenset({"zeros", "ones", "empty", "rand", "randn", "full"})


@dataclass(frozen=True, slots=True)
class Overlap:
    #: Whether torch sees it, and raises.
    refused: bool
    #: Whether what is read is written before, in the order in which the CPU goes; otherwise it is right by luck there.
    ahead: bool
    #: Whether the indices alone show it, for tensors of any size.
    known: bool


@dataclass(frozen=True, slots=True)
class _Range:
    """What a slice takes of a dimension; an end that is not known is None, for one far away."""

    start: int
    end: int | None


def overlap(
    machine: Machine,
    frame: Frame,
    target: cst.BaseExpression,
    source: cst.BaseExpression,
    sizes: tuple[int, ...],
    *,
    copies: bool,
) -> Overlap | None:
    """How what ``source`` reads lies in what ``target`` writes; None where it does not, or is the very same.

    ``sizes``: the shape of the tensor, as it was made, where it is written out. ``copies``: whether the elements are
    taken as they are. A row may be copied over itself and all others.
    """
    base, written = _part(target)
    read_from, read = _part(source)
    if not base or base != read_from or not read:
        return None
    if not written:
        written = tuple(each if _is_ellipsis(each) else _EVERYTHING for each in read)
    elif len(written) != len(read):
        if any(map(_is_ellipsis, (*written, *read))):
            return None
        longest = max(len(written), len(read))
        written, read = (side + (_EVERYTHING,) * (longest - len(side)) for side in (written, read))
    moved: list[tuple[int, bool, bool]] = []
    for position, (here, there) in enumerate(zip(written, read, strict=True)):
        match here, there:
            case cst.Index(), cst.Index():
                if not _same(here, there) or not (_is_ellipsis(here) or _is_number(machine, frame, here)):
                    return None
            case cst.Slice(), cst.Index():
                # Leading dimensions that the part has not: it is spread over them.
                lone = number(machine, frame, there.value)
                if (
                    copies
                    or not _is_number(machine, frame, there)
                    or any(type(one) is cst.Slice for one in read[:position])
                ):
                    return None
                if not is_everything(here) and (
                    lone is None or not _meet(machine, frame, here, _Range(lone, lone + 1))
                ):
                    return None
                moved.append((position, True, True))
            case cst.Slice(), cst.Slice() if not _same(here, there):
                size = sizes[position] if position < len(sizes) and not _is_ellipsis(read[0]) else None
                relation = _relation(machine, frame, here, there, size, copies=copies)
                if relation is None:
                    return None
                ahead, known, step = relation
                moved.append((position, ahead, known or (bool(sizes) and min(sizes) > 2 * step)))
            case cst.Slice(), cst.Slice():
                pass
            case _:
                return None
    if not moved:
        return None
    first = moved[0][0]
    inside = all(isinstance(each, cst.Index) and not _is_ellipsis(each) for each in (*written[:first], *read[:first]))
    lone = len(moved) == 1 or all(isinstance(read[position], cst.Index) for position, _, _ in moved)
    whole = all(isinstance(each, cst.Slice) and is_everything(each) for each in written[moved[-1][0] + 1 :])
    return Overlap(inside and lone and whole, moved[0][1], all(known for _, _, known in moved))


def _relation(
    machine: Machine, frame: Frame, here: cst.Slice, there: cst.Slice, size: int | None, *, copies: bool
) -> tuple[bool, bool, int] | None:
    """Whether what ``there`` takes is written before it is read, whether that is known, and how far apart they are.

    None without an overlap.
    """
    written, read = _range(machine, frame, here), _range(machine, frame, there)
    if written is None or read is None:
        return None
    one = read.end is not None and read.end - read.start == 1
    if read.start < 0 <= written.start:
        # The end of a dimension, in a write of the whole of it.
        return None if copies or not one or not is_everything(here) else (False, True, 0)
    if (read.start < 0) is not (written.start < 0) or not _apart(written, read):
        return None
    if one:
        if copies:
            return None
        return written.end is None or written.end > read.start + 1, False, 1
    step = abs(written.start - read.start)
    if step == 0 or (size is not None and None in {written.end, read.end} and size <= 2 * step):
        return None
    return read.start < written.start, None not in {written.end, read.end}, step


def _apart(written: _Range, read: _Range) -> bool:
    """Whether the two have something in common."""
    return (read.end is None or read.end > written.start) and (written.end is None or written.end > read.start)


def _meet(machine: Machine, frame: Frame, here: cst.Slice, read: _Range) -> bool:
    written = _range(machine, frame, here)
    return written is not None and (written.start < 0) is (read.start < 0) and _apart(written, read)


def _range(machine: Machine, frame: Frame, node: cst.Slice) -> _Range | None:
    start = 0 if node.lower is None else number(machine, frame, node.lower)
    if start is None or (node.step is not None and number(machine, frame, node.step) != 1):
        return None
    end = None if node.upper is None else number(machine, frame, node.upper)
    if start < 0:
        return _Range(start, 0 if node.upper is None else end)
    return _Range(start, end if end is not None and end >= 0 else None)


def number(machine: Machine, frame: Frame, node: cst.BaseExpression) -> int | None:
    """The integer that an expression spells, or that a name stands for."""
    match node:
        case cst.Integer():
            return int(node.value, 0)
        case cst.UnaryOperation(operator=cst.Minus()):
            inner = number(machine, frame, node.expression)
            return None if inner is None else -inner
        case cst.BinaryOperation(operator=cst.Add() | cst.Subtract()):
            left, right = number(machine, frame, node.left), number(machine, frame, node.right)
            if left is None or right is None:
                return None
            return left + right if isinstance(node.operator, cst.Add) else left - right
        case cst.Name() | cst.Attribute():
            value = machine.current(node, frame)
            known = isinstance(value, Scalar) and value.known and type(value.literal) is int
            return value.literal if known else None  # type: ignore[return-value, union-attr]
        case _:
            return None


def sizes_of(made: cst.CSTNode | None) -> tuple[int, ...]:
    """The shape that a call makes a tensor of, where it is written out."""
    match made:
        case cst.Call(func=func, args=[cst.Arg(value=cst.Tuple(elements=given) | cst.List(elements=given)), *_]):
            pass
        case cst.Call(func=func, args=given):
            given = [argument for argument in given if argument.keyword is None]
        case _:
            return ()
    sizes = [int(each.value.value, 0) for each in given if isinstance(each.value, cst.Integer)]
    name = func.attr.value if isinstance(func, cst.Attribute) else dotted_name(func)
    return tuple(sizes) if name in _OF_SIZES and len(sizes) == len(given) else ()


def _part(node: cst.BaseExpression) -> tuple[str, tuple[cst.BaseSlice, ...]]:
    """What an expression takes a part of, as the program spells it, and the indices."""
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and node.func.attr.value == "detach":
        node = node.func.value
    if path := dotted_name(node):
        return path, ()
    if not isinstance(node, cst.Subscript):
        return "", ()
    path = dotted_name(node.value)
    match node.value:
        case cst.Subscript(value=inner, slice=[cst.SubscriptElement(slice=cst.Index(value=key))]) if isinstance(
            key, (cst.SimpleString, cst.Integer)
        ):
            path = f"{dotted_name(inner)}[{key.value}]" if dotted_name(inner) else ""
    return path, tuple(element.slice for element in node.slice)


def _same(left: cst.BaseSlice, right: cst.BaseSlice) -> bool:
    if is_everything(left) or is_everything(right):
        return is_everything(left) and is_everything(right)
    return _spelled(left) == _spelled(right)


def _spelled(node: cst.BaseSlice) -> str:
    return "".join(cst.Module(body=()).code_for_node(node).split())


def _is_ellipsis(node: cst.BaseSlice) -> bool:
    return isinstance(node, cst.Index) and isinstance(node.value, cst.Ellipsis)


def _is_number(machine: Machine, frame: Frame, node: cst.Index) -> bool:
    """Whether an index takes one element, and not what an array or a mask says."""
    if number(machine, frame, node.value) is not None:
        return True
    value = machine.current(node.value, frame) if dotted_name(node.value) else None
    return isinstance(value, Scalar) and value.kind == "int"
