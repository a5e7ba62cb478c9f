from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Builder, Repair, add_argument, method_call
from tensorlint.flow.domain.memory import How, Owner, Transfer
from tensorlint.flow.domain.tensors import Tensor
from tensorlint.flow.events import StaleRead, Write
from tensorlint.knowledge import names
from tensorlint.policy import ExportStyle
from tensorlint.rules import mending
from tensorlint.rules.base import Draft, Note, Rule
from tensorlint.rules.sharing import is_proven
from tensorlint.rules.wording import spell

if TYPE_CHECKING:
    import libcst as cst

    from tensorlint.flow.scene import Scene

_HOLDERS = {Owner.ARGUMENT: "the caller's tensor", Owner.ATTRIBUTE: "the tensor the object keeps"}
_HELP = "work out of place, or say that a copy is meant: `.to(..., copy=True)`, `.clone()`"


class CopyThatDepends(Rule):
    """`y = x.to(device)` is `x` itself where `x` is there already, and a copy elsewhere; then one of them is written.

    ## What it does
    Reports an in-place operation on one of two tensors, of which the other is read afterwards, where a conversion
    between them copies on some machines or for some dtypes alone: `.to(device)`, `.cpu()` and the like where
    `torch.cuda.is_available()` decides; `.float()`, `.to(dtype)` and the like of a tensor that is of this dtype on one
    path, or by one call, and of another by the next.

    ## Why is this bad
    On the CPU `x.to(device)` hands out `x`, and `y -= y.mean()` centres both. On a GPU `y` is a copy, and `x` stays as
    it was. The program computes something else on each machine, and nothing raises.

    ## Example
    ```python
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    scores = torch.randn(8)
    centred = scores.to(device)
    centred -= centred.mean()
    best = scores.max()  # of the centred scores, on the CPU
    ```

    ## Use instead
    ```python
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    scores = torch.randn(8)
    centred = scores.to(device)
    centred = centred - centred.mean()
    best = scores.max()
    ```

    ## Limits
    Both are tensors here. Where one is an array, TBX305 says it of an export (`.cpu().numpy()`) and TBX303 of an
    import; these do not depend on the machine in most programs. Whether memory is contiguous, which decides what
    `.contiguous()` and `.reshape()` copy, is not followed, and nothing is said of a conversion that stands under an
    `if`. A device that is not known to be chosen by the machine is `likely`, and who goes on with a tensor after
    handing it to a function is `possible`.

    ## Fix safety
    Unsafe: the copy takes memory of its own, and writes no longer reach the other tensor on any machine.

    ## References
    - torch documentation, `Tensor.to`; measured on torch 2.13.0
    """

    code = "TBX310"
    name = "copy-that-depends"
    clues = (screen.CONVERTED,)
    shown = Certainty.CERTAIN
    fix = Applicability.UNSAFE

    def on_stale_read(self, event: StaleRead) -> Iterator[Draft]:
        transfer, write = event.mutation.transfer, event.scene.node(event.mutation.site)
        if event.mutation.how is not How.SOMEWHERE or transfer is None or write is None:
            return
        if names.WRITE_THROUGH.search(event.mutation.name) or event.scene.reads_elsewhere(event.node, write):
            return
        yield Draft(
            write,
            f"`{spell(write)}` also changes `{event.name}` {_where(transfer)}",
            _certainty(event, transfer, write),
            _HELP,
            (
                *_notes(transfer),
                Note(event.scene.at(event.node), f"`{event.name}` is read here, and shows the change or not"),
            ),
            repair=_repair(transfer, event.scene),
        )

    def on_write(self, event: Write) -> Iterator[Draft]:
        value, holder = event.value, _HOLDERS.get(event.storage.owner)
        if not isinstance(value, Tensor) or value.transfer is None or holder is None or len(value.storages) != 1:
            return
        if names.WRITE_THROUGH.search(event.name):
            return
        yield Draft(
            event.node,
            f"`{spell(event.node)}` also changes {holder} {_where(value.transfer)}",
            # Whether anybody goes on with it is not known.
            Certainty.POSSIBLE,
            _HELP,
            _notes(value.transfer),
            repair=_repair(value.transfer, event.scene),
        )


def _certainty(event: StaleRead, transfer: Transfer, write: cst.CSTNode) -> Certainty:
    """One block that converts, writes and reads leaves nothing open but what decides, and the program says that."""
    owners = frozenset({Owner.FRESH, Owner.ARGUMENT})
    shown = bool(transfer.kept) or transfer.decides.if_available
    return Certainty.CERTAIN if shown and is_proven(event, transfer.site, write, owners) else Certainty.LIKELY


def _where(transfer: Transfer) -> str:
    if transfer.kept:
        return f"where that is {transfer.kept} already, and not where it is converted"
    return "where both are on the CPU, and not where one is moved to an accelerator"


def _notes(transfer: Transfer) -> tuple[Note, ...]:
    decides = transfer.decides
    if transfer.kept or decides.site is None or decides.site == transfer.site:
        return (Note(transfer.site, decides.reason or "copies on some machines alone"),)
    return Note(decides.site, decides.reason), Note(transfer.site, "copies nothing where that is the CPU")


def _repair(transfer: Transfer, scene: Scene) -> Builder | None:
    """Copy at the conversion, where that is in this file."""
    node = scene.node(transfer.site)
    return None if node is None else partial(_copied, node)


def _copied(node: cst.CSTNode, style: ExportStyle) -> Repair:
    import libcst

    reason = "writes no longer reach the other tensor on any machine"
    asked = method_call(node)
    if isinstance(node, libcst.Call) and asked is not None and asked[1] == "to":
        return Repair("add `copy=True`", (add_argument(node, "copy=True"),), Applicability.UNSAFE, reason)
    return mending.copied(node, "clone", reason)
