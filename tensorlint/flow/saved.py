"""What operations keep for a backward pass that is still to come, and who writes there unseen meanwhile.

An operation keeps its operands by reference. What is written through torch is counted, and the backward pass raises;
what is written through ``.data``, or through an array over the same memory, is not, and the gradient is computed with
other numbers.
"""

from __future__ import annotations

from collections.abc import Iterable

import libcst as cst

from tensorlint.flow import events
from tensorlint.flow.call import Argument, Call
from tensorlint.flow.core import Core
from tensorlint.flow.details import Saved
from tensorlint.flow.domain.facts import Truth
from tensorlint.flow.domain.tensors import Array, Tensor
from tensorlint.flow.domain.values import UNKNOWN, Module, Value
from tensorlint.flow.graphs import backward_behind
from tensorlint.flow.proofs import in_order
from tensorlint.flow.state import Frame
from tensorlint.flow.tree import receiver_of
from tensorlint.knowledge.saved import KEEP_INPUT, LOSSES, RESULT, SAVED

_OPERATORS: dict[type[cst.BaseBinaryOp], str] = {
    cst.Multiply: "mul",
    cst.Divide: "div",
    cst.MatrixMultiply: "matmul",
    cst.Power: "pow",
}


def note_operator(core: Core, node: cst.CSTNode, left: Value, right: Value, result: Value, frame: Frame) -> None:
    """What ``left * right`` keeps."""
    if isinstance(node, cst.BinaryOperation) and (name := _OPERATORS.get(type(node.operator))):
        _note(core, name, [Argument(node.left, left), Argument(node.right, right)], node, result, frame)


def note_function(core: Core, path: str, call: Call, result: Value) -> None:
    """What ``torch.exp(x)`` keeps, or ``F.linear(x, weight)``."""
    name = path.rpartition(".")[2]
    if name in SAVED:
        _note(core, name, _in_place(call, 0), call.node, result, call.frame)


def note_method(core: Core, name: str, value: Tensor, call: Call, result: Value) -> None:
    """What ``x.exp()`` keeps."""
    if name in SAVED:
        operands = [Argument(receiver_of(call.node), value), *_in_place(call, 0)]
        _note(core, name, operands, call.node, result, call.frame)


def note_layer(core: Core, module: Module, trainable: Truth, call: Call) -> None:
    """What a layer keeps of what it is given, or a loss."""
    name = module.name.removeprefix("torch.nn.")
    if name in LOSSES:
        _note(core, LOSSES[name], call.arguments, call.node, UNKNOWN, call.frame)
    elif name in KEEP_INPUT and call.first is not None and trainable > Truth.UNKNOWN:
        keep(core, call.arguments[0], call.node, trainable is Truth.YES, call.frame)


def _in_place(call: Call, first: int) -> list[Argument]:
    """The arguments that are for the parameters from ``first`` on, for as long as they follow each other."""
    found: list[Argument] = []
    while (argument := call.at(first + len(found))) is not None:
        found.append(argument)
    return found


def _note(
    core: Core,
    name: str,
    operands: Iterable[Argument],
    node: cst.BaseExpression,
    result: Value,
    frame: Frame,
) -> None:
    if not _speaks(core, frame):
        return
    given = list(operands)
    for kept, needs in SAVED[name]:
        needing = given[needs].value if needs < len(given) else None
        if not isinstance(needing, Tensor) or needing.grad.truth <= Truth.UNKNOWN:
            continue
        if kept == RESULT:
            keep(core, Argument(node, result), node, needing.grad.truth is Truth.YES, frame)
        elif kept < len(given):
            keep(core, given[kept], node, needing.grad.truth is Truth.YES, frame)


def keep(core: Core, what: Argument, operation: cst.BaseExpression, sure: bool, frame: Frame) -> None:
    """``operation`` keeps ``what`` for its backward pass."""
    value = what.value
    if not isinstance(value, Tensor) or value.of_module or not _speaks(core, frame):
        return
    if frame.env.grad_mode.truth <= Truth.UNKNOWN:
        return
    # A part keeps what is in the part, and an element of a loop may be any.
    sure = sure and value.sure and len(value.storages) == 1 and not (value.picked or value.sliced)
    for storage in value.storages:
        frame.saved.setdefault(storage, {})[id(operation), id(what.node)] = Saved(operation, what.node, sure)


def tell_unseen_write(core: Core, frame: Frame, node: cst.CSTNode, value: Value) -> None:
    """``value`` is written at ``node``, where nothing counts it, between two passes that need what was there."""
    scope = core.module if frame.function is None else frame.function.node
    if scope is None or not frame.saved or not isinstance(value, (Tensor, Array)) or not _speaks(core, frame):
        return
    if isinstance(value, Tensor) and not _is_data(core, value):
        return
    # On an accelerator, an array looks into a copy.
    here = isinstance(value, Tensor) or value.sure
    for storage in sorted(value.storages, key=lambda each: each.serial):
        for saved in frame.saved.get(storage, {}).values():
            backward = backward_behind(scope, saved.operation)
            if backward is not None and in_order(scope, [saved.operation, node, backward]):
                sure = saved.sure and here and not value.picked and len(value.storages) == 1
                core.emit(
                    frame,
                    events.SavedWritten,
                    node,
                    value=value,
                    operation=saved.operation,
                    expression=saved.expression,
                    backward=backward,
                    sure=sure,
                )
                return


def _is_data(core: Core, value: Tensor) -> bool:
    """Whether a tensor came by ``.data``: what is written through ``.detach()`` is counted, and refused."""
    made = core.sites.node(value.alias)
    return isinstance(made, cst.Attribute) and made.attr.value == "data"


def _speaks(core: Core, frame: Frame) -> bool:
    return not (core.learning or frame.quiet or core.unit is not None)
