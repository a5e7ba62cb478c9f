"""Repairs that several rules share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorlint.findings import Applicability
from tensorlint.fix.repair import Change, Repair, append, method_call
from tensorlint.flow.scene import Spelling
from tensorlint.policy import ExportStyle

if TYPE_CHECKING:
    import libcst as cst

    from tensorlint.flow.events import Event, Export
    from tensorlint.flow.scene import Scene
    from tensorlint.rules.export_risk import Risk

#: Methods that only bring a tensor to where NumPy can see it; ``.detach()`` goes before them, so that the copy is not
#: recorded in the graph.
_TRANSFERS = frozenset({"cpu", "to"})
NOT_PROVEN = "nothing shows that this is a torch tensor"


def export(event: Export, risk: Risk, style: ExportStyle) -> Repair:
    """``receiver.numpy()`` made to work wherever the receiver lives and whether or not it needs a gradient.

    Where the old line worked the new one returns the same memory (measured on torch 1.13.1, 2.2.2 and 2.13.0).
    """
    receiver, call = event.receiver, event.node
    if style == "force" and method_call(call) == (receiver, "numpy", 0):
        cast = (append(receiver, risk.cast),) if risk.cast else ()
        changes: tuple[Change, ...] = (*cast, Change(call, inside="force=True"))
        message = f"write `{risk.cast}.numpy(force=True)`"
    else:
        changes = bring_home(receiver, risk)
        message = f"insert `{risk.calls()}`"
    reason = doubt(risk) or written(event, risk)
    return Repair(message, changes, Applicability.UNSAFE if reason else Applicability.SAFE, reason)


def doubt(risk: Risk) -> str:
    """What a fix of this export may change; nothing when it cannot."""
    if not risk.sure:
        return NOT_PROVEN
    return "" if risk.surely_cast else "a tensor of another dtype becomes float32, too"


def written(event: Event, risk: Risk) -> str:
    """What becomes of writes to the array that ``event`` exports, where that is not the same everywhere from now on."""
    if risk.copies or event.scene.at(event.node) not in event.scene.written_exports:
        return ""
    if risk.device is not None:
        return "the array is written later, which reaches the tensor on the CPU and no tensor elsewhere"
    return "the array is written later, which reaches the tensor unseen by autograd" if risk.grad is not None else ""


def bring_home(
    tensor: cst.BaseExpression, risk: Risk, suffix: str = "", style: ExportStyle = "chain"
) -> tuple[Change, ...]:
    """Insert ``.detach()`` and ``.cpu()`` as needed, ``.detach()`` before a transfer that is there already.

    ``suffix`` is what follows them: ``.numpy()`` where there is none yet.
    """
    methods = risk.calls()
    if suffix and style == "force":
        return (append(tensor, spelled(risk, style)),)
    moved = tensor
    while methods == ".detach()" and (call := method_call(moved)) is not None and call[1] in _TRANSFERS:
        moved = call[0]
    if moved is tensor:
        return (append(tensor, methods + suffix),)
    inserted = append(moved, methods)
    changes = (Change(inserted.node, inserted.before, inserted.after, whole=tensor),)
    return (*changes, append(tensor, suffix)) if suffix else changes


def beside(function: cst.BaseExpression, scene: Scene, path: str) -> Spelling | None:
    """How ``path`` is written where ``function``, of the same module, is called: as its neighbour there is."""
    import libcst

    match function:
        case libcst.Attribute(value=libcst.Name(value=module)):
            return Spelling(f"{module}.{path.partition('.')[2]}")
        case _:
            return scene.spelling(path)


def spelled(risk: Risk, style: ExportStyle) -> str:
    """The export of a tensor that nothing exports yet."""
    return f"{risk.cast}.numpy(force=True)" if style == "force" else f"{risk.calls()}.numpy()"


def copied(node: cst.CSTNode, method: str, reason: str) -> Repair:
    """``.copy()`` or ``.clone()`` behind an expression."""
    import libcst

    assert isinstance(node, libcst.BaseExpression)
    return Repair(f"append `.{method}()`", (append(node, f".{method}()"),), Applicability.UNSAFE, reason)
