"""What hangs on a test: known again where the same is asked a second time."""

from __future__ import annotations

import re
from dataclasses import replace

import libcst as cst

from tensorlint.flow.domain.facts import Fact, Truth
from tensorlint.flow.domain.values import Tensor, Unknown, Value
from tensorlint.flow.machine import Machine
from tensorlint.flow.tree import dotted_name

#: What a test says that asks for a device.
_NAMES_DEVICE = re.compile(r"device|cuda|gpu|cpu", re.IGNORECASE)


def hung(
    machine: Machine, joined: Value, test: cst.BaseExpression, before: Value | None, yes: Value, no: Value
) -> Value:
    """``joined`` of what it is where ``test`` is true and where it is not, hanging on the answer."""
    if not all(isinstance(value, (Tensor, Unknown)) for value in (joined, yes, no)):
        return joined
    assert isinstance(joined, (Tensor, Unknown))
    assert isinstance(yes, (Tensor, Unknown))
    assert isinstance(no, (Tensor, Unknown))
    if Truth.MAYBE not in {joined.device.truth, joined.grad.truth}:
        return joined
    name, answer = asked(test)
    machine.lessons.hanging = True
    if not answer:
        yes, no = no, yes
    known = before if isinstance(before, (Tensor, Unknown)) else Unknown()
    device = joined.device.hanging_on(name, yes.device, no.device, known.device)
    if device.truth is Truth.MAYBE and known.device.truth > Truth.UNKNOWN and _NAMES_DEVICE.search(name):
        # ``if Device.CPU not in machine.device: x = x.cpu()``: the program asked where it is, in words of its own.
        device = Fact()
    return replace(joined, device=device, grad=joined.grad.hanging_on(name, yes.grad, no.grad, known.grad))


def asked(test: cst.BaseExpression) -> tuple[str, bool]:
    """What a test asks, in words that are the same each time it is asked, and the answer on which the test is true."""
    match test:
        case cst.UnaryOperation(operator=cst.Not(), expression=inner):
            text, answer = asked(inner)
            return text, not answer
        case cst.Comparison(left=left, comparisons=[cst.ComparisonTarget(operator=operator, comparator=right)]):
            negated = {cst.IsNot: "is", cst.NotEqual: "==", cst.NotIn: "in"}.get(type(operator))
            if negated is not None:
                return f"{_text(left)} {negated} {_text(right)}", False
    return _text(test), True


def _text(node: cst.CSTNode) -> str:
    return dotted_name(node) or " ".join(cst.Module(body=()).code_for_node(node).split())
