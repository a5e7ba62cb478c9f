"""Calls whose result goes nowhere."""

from __future__ import annotations

import libcst as cst

from tensorlint.flow.machine import Machine
from tensorlint.flow.state import Frame
from tensorlint.flow.tree import names_behind, names_in
from tensorlint.knowledge.row import names

#: Methods that give another tensor, or another array, and change nothing. ``.cpu()``, ``.numpy()`` and ``.item()`` are
#: written as statements to wait for an accelerator, sums and products to be timed.
_PURE = names(
    "to cuda float double half bfloat16 long int short bool byte char type type_as detach astype "
    "view reshape permute transpose squeeze unsqueeze flatten expand repeat clamp clip masked_fill"
)


def how_thrown_away(machine: Machine, name: str, node: cst.Call, frame: Frame) -> str:
    """How nobody takes what a method returns that changes nothing: "" where somebody may.

    "statement" when it is one; "loop variable" when the receiver's own name is bound to it, which the ``for`` around
    binds again before anything reads it: ``for x in batch: x = x.cuda()``.
    """
    if name not in _PURE or frame.quiet or machine.learning:
        return ""
    if frame.bare_call is node:
        # A cell of a notebook shows what its last line gives.
        shown = frame.function is None and not frame.loops and machine.file.path.endswith(".ipynb")
        return "" if shown or isinstance(getattr(node.func, "value", None), cst.Call) else "statement"
    scope = frame.function.node if frame.function is not None else machine.module
    if frame.named_call is None or frame.named_call[0] is not node or not frame.loops or scope is None:
        return ""
    loop, bound = frame.loops[-1].node, frame.named_call[1]
    itself = isinstance(node.func, cst.Attribute) and bound in names_in(node.func.value)
    if not itself or not isinstance(loop, cst.For) or bound not in names_in(loop.target):
        return ""
    return "" if bound in names_behind(node, scope) else "loop variable"
