"""What hangs on a test: known again where the same is asked a second time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

import libcst as cst

from tensorlint.flow.domain.devices import device_fact
from tensorlint.flow.domain.facts import Fact, Truth
from tensorlint.flow.domain.lattice import join_all
from tensorlint.flow.domain.tensors import Tensor
from tensorlint.flow.domain.values import (
    ACCELERATED,
    NOT_ACCELERATED,
    DeviceValue,
    Module,
    Symbol,
    Unknown,
    Value,
    is_false,
    is_true,
)
from tensorlint.flow.machine import Machine
from tensorlint.flow.state import Frame
from tensorlint.flow.tree import children, dotted_name, names_in
from tensorlint.knowledge import names

#: Functions that answer the same as long as they are asked of the same.
_STEADY = frozenset(
    {"isinstance", "issubclass", "hasattr", "callable", "len", "type", "str", "is_available", "is_tensor"}
)


def hung(
    machine: Machine,
    joined: Value,
    test: cst.BaseExpression,
    answered: Value,
    frame: Frame,
    before: Value | None,
    yes: Value,
    no: Value,
) -> Value:
    """``joined`` of what it is where ``test`` is true and where it is not, hanging on the answer, ``answered``."""
    if isinstance(joined, Symbol) and joined.device.truth is Truth.MAYBE:
        name, answer = asked(test, frame)
        first, second = (device_fact(value) for value in ((yes, no) if answer else (no, yes)))
        return replace(joined, device=joined.device.hanging_on(name, first, second, Fact())) if name else joined
    if not all(isinstance(value, (Tensor, Unknown)) for value in (joined, yes, no)):
        return joined
    assert isinstance(joined, (Tensor, Unknown))
    assert isinstance(yes, (Tensor, Unknown))
    assert isinstance(no, (Tensor, Unknown))
    if Truth.MAYBE not in {joined.device.truth, joined.grad.truth}:
        return joined
    name, answer = asked(test, frame)
    if not name:
        return joined
    machine.lessons.hanging = True
    if not answer:
        yes, no = no, yes
    known = before if isinstance(before, (Tensor, Unknown)) else Unknown()
    device = joined.device.hanging_on(name, yes.device, no.device, known.device)
    of_machine = answered in (ACCELERATED, NOT_ACCELERATED)
    moved = device.truth is Truth.MAYBE and device is not known.device and known.device.truth > Truth.UNKNOWN
    if moved and not of_machine and names.ASKS_FOR_DEVICE.search(name):
        # ``if Device.CPU not in self.device: x = x.cpu()``: the program asked where it is, in words of its own.
        device = Fact()
    return replace(joined, device=device, grad=joined.grad.hanging_on(name, yes.grad, no.grad, known.grad))


def where_available(joined: Value, answered: Value, yes: Value, no: Value) -> Value:
    """``joined`` of what it is where a test is true and where it is not; ``answered`` is all that the test asks."""
    if answered not in (ACCELERATED, NOT_ACCELERATED):
        return joined
    accelerated, other = (yes, no) if answered == ACCELERATED else (no, yes)
    if is_true(accelerated) and is_false(other):
        # ``True if torch.cuda.is_available() else False``
        return ACCELERATED
    there = device_fact(accelerated)
    match joined:
        case Tensor() | Unknown() | Module() | Symbol():
            return replace(joined, device=joined.device.where_available(there))
        case DeviceValue():
            return replace(joined, fact=joined.fact.where_available(there))
    return joined


def part(frame: Frame, node: cst.If, answered: Value, returned_before: int) -> None:
    """Remember the answer on which a function has returned one value, and goes on to return another where it is not."""
    function = None if frame.function is None else frame.function.node
    if returned_before or len(frame.returned) != 1 or answered not in (ACCELERATED, NOT_ACCELERATED):
        return
    if isinstance(function, cst.FunctionDef) and any(each is node for each in function.body.body):
        frame.parted = answered


def returned_together(frame: Frame) -> Value:
    """What a function returns on all its paths together."""
    joined = join_all(frame.returned)
    if frame.parted is None or len(frame.returned) < 2:
        return joined
    first, *others = frame.returned
    return where_available(joined, frame.parted, first, join_all(others))


def asked(test: cst.BaseExpression, frame: Frame) -> tuple[str, bool]:
    """What a test asks, in words that are the same each time it is asked, and the answer on which the test is true.

    Empty where it may be answered otherwise the next time. A name that was bound again in between asks something else,
    and so does a name of another function.
    """
    if not all(_is_steady(called) for called in _calls_in(test)):
        return "", True
    text, answer = _spelled(test)
    function = frame.function.site.definition if frame.function is not None else ""
    versions = [f"{name}@{frame.env.version(name)}" for name in sorted(names_in(test)) if frame.env.version(name)]
    return " ".join([text, *([f"in {function}"] if function else []), *versions]), answer


def _calls_in(node: cst.CSTNode) -> Iterator[cst.Call]:
    if isinstance(node, cst.Call):
        yield node
    for child in children(node):
        yield from _calls_in(child)


def _is_steady(call: cst.Call) -> bool:
    """Whether a call says the same each time, of the same arguments."""
    return dotted_name(call.func).rpartition(".")[2] in _STEADY


def _spelled(test: cst.BaseExpression) -> tuple[str, bool]:
    match test:
        case cst.UnaryOperation(operator=cst.Not(), expression=inner):
            text, answer = _spelled(inner)
            return text, not answer
        case cst.Comparison(left=left, comparisons=[cst.ComparisonTarget(operator=operator, comparator=right)]):
            negated = {cst.IsNot: "is", cst.NotEqual: "==", cst.NotIn: "in"}.get(type(operator))
            if negated is not None:
                return f"{_text(left)} {negated} {_text(right)}", False
    return _text(test), True


@lru_cache(maxsize=4096)
def _text(node: cst.CSTNode) -> str:
    return dotted_name(node) or " ".join(cst.Module(body=()).code_for_node(node).split())
