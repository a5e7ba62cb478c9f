"""Parameters that were put aside without their values: compared with themselves they never differ."""

from __future__ import annotations

import libcst as cst

from tensorlint.flow import object_events
from tensorlint.flow.call import Argument
from tensorlint.flow.domain.tensors import Provenance, Tensor
from tensorlint.flow.machine import Machine
from tensorlint.flow.state import Frame
from tensorlint.flow.tree import contains, dotted_name, names_in, walk_scope
from tensorlint.knowledge.row import names

#: Functions that compare two tensors, or tell how far they are from each other.
COMPARE = names("equal allclose isclose dist nn.functional.mse_loss nn.functional.l1_loss")


def note_comparison(machine: Machine, node: cst.CSTNode, left: Argument, right: Argument, frame: Frame) -> None:
    """Tell of two names of one parameter, which ``zip`` takes from two lists of those of one model."""
    one, other = left.value, right.value
    if machine.learning or frame.quiet or not isinstance(one, Tensor) or not isinstance(other, Tensor):
        return
    named = [machine.lookup(name, frame) for each in (left, right) for name in names_in(each.node)]
    if any(isinstance(each, Tensor) and each.alias is not None for each in named):
        # A view that was kept, which is told of where it was made.
        return
    places = [_asked_at(machine, each) for each in (one, other)]
    if None in places or places[0] is places[1] or one.module != other.module or one.storages != other.storages:
        return
    if len({dotted_name(place.func) for place in places if place is not None}) > 1:
        return
    kept = min((each for each in (one, other) if each.origin is not None), key=lambda each: str(each.origin))
    if kept.origin is not None and _in_step(machine, node, left.node, right.node, frame):
        machine.emit(frame, object_events.ComparedWithItself, node, left=left, right=right, kept=kept.origin.site)


def _asked_at(machine: Machine, value: Tensor) -> cst.Call | None:
    """The ``model.parameters()`` that gave a parameter, and not what was computed of it."""
    if value.source is not Provenance.PARAMETER_OF_MODULE or value.module <= 0 or value.origin is None:
        return None
    node = machine.sites.node(value.origin.site)
    match node:
        case cst.Call(func=cst.Attribute(attr=cst.Name(value="parameters"))) if dotted_name(node.func):
            return node
        case _:
            return None


def _in_step(machine: Machine, node: cst.CSTNode, left: cst.CSTNode, right: cst.CSTNode, frame: Frame) -> bool:
    """Whether both are elements that the ``for p, q in zip(...)`` around binds at once."""
    scope = frame.function.node if frame.function is not None else machine.module
    for around in walk_scope(scope) if scope is not None else ():
        match around:
            case cst.For(target=cst.Tuple() as target, iter=cst.Call(func=cst.Name(value="zip"))):
                pass
            case cst.GeneratorExp(for_in=clause) | cst.ListComp(for_in=clause) if isinstance(clause.target, cst.Tuple):
                target = clause.target
                if not isinstance(clause.iter, cst.Call) or dotted_name(clause.iter.func) != "zip":
                    continue
            case _:
                continue
        bound = names_in(target)
        if names_in(left) & bound and names_in(right) & bound - names_in(left) and contains(around, node):
            return True
    return False
