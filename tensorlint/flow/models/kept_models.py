"""``best = model``: another name of a model that is trained on."""

from __future__ import annotations

import libcst as cst

from tensorlint.flow import object_events
from tensorlint.flow.domain.values import Module, Unknown
from tensorlint.flow.machine import Machine
from tensorlint.flow.state import Frame
from tensorlint.flow.tree import leaves_loop, names_behind
from tensorlint.knowledge import names


def note_kept(machine: Machine, node: cst.Assign, frame: Frame) -> None:
    """Tell of a model that a training loop keeps under another name, which is read behind the loop.

    The loop trains it in its other rounds, and does not make it anew.
    """
    match node:
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=kept))], value=cst.Name(value=model)):
            pass
        case _:
            return
    if machine.learning or frame.quiet or not frame.loops or not names.KEPT.search(kept):
        return
    value = machine.lookup(model, frame)
    loop, outermost = frame.loops[-1], frame.loops[0]
    is_model = isinstance(value, Module) or (isinstance(value, Unknown) and names.MODULE.search(model))
    trained = is_model and model in loop.differentiated.names
    if not trained or any(model in each.differentiated.bound or leaves_loop(node, each.node) for each in frame.loops):
        return
    scope = frame.function.node if frame.function is not None else machine.module
    if scope is not None and kept in names_behind(outermost.node, scope):
        machine.emit(frame, object_events.ModelKept, node, kept=kept, model=node.value)
