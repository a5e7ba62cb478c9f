from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Repair, append
from tensorlint.flow.domain.facts import Truth
from tensorlint.flow.events import OverlappingWrite
from tensorlint.policy import ExportStyle
from tensorlint.rules.base import Draft, Note, Rule
from tensorlint.rules.wording import history, spell, where_from

if TYPE_CHECKING:
    pass


class OverlappingParts(Rule):
    """A tensor is shifted within itself: NumPy buffers what it reads, torch does not.

    ## What it does
    Reports `x[:, 1:] = x[:, :-1]`, `x[1:].copy_(x[:-1])`, `x -= x[:, :1]` and the like, where a tensor is written while
    another part of the same memory is read.

    ## Why is this bad
    torch reads each element when it needs it. Where both parts lie in one piece (`x[1:] = x[:-1]`, `x -= x[0]`) it
    notices and raises `RuntimeError: unsupported operation: some elements of the input tensor and the written-to tensor
    refer to a single memory location`. Where they do not (`x[:, 1:] = x[:, :-1]`) it says nothing: the first column is
    copied into all others. The same line on a NumPy array is right.

    ## Example
    ```python
    import torch

    history = torch.zeros(8, 4)
    history[:, 1:] = history[:, :-1]
    ```

    ## Use instead
    ```python
    import torch

    history = torch.zeros(8, 4)
    history[:, 1:] = history[:, :-1].clone()
    ```

    ## Limits
    A shift to the front (`x[:, :-1] = x[:, 1:]`) is right on the CPU by the order in which it goes. It is reported
    where the tensor may be on an accelerator, which copies in no order.

    ## Fix safety
    Safe where torch raises. Unsafe where it does not, as other numbers come out.

    ## References
    - pytorch/pytorch#144861, pytorch/pytorch#115521; on a GPU pytorch/pytorch#91894 and pytorch/pytorch#17746; measured
      on torch 2.13.0 (CPU)
    """

    code = "TBX312"
    name = "overlapping-write"
    clues = (screen.OVERLAPPING,)
    fix = Applicability.SAFE
    shown = Certainty.CERTAIN

    def on_overlapping_write(self, event: OverlappingWrite) -> Iterator[Draft]:
        off_cpu = event.value.device
        source = spell(event.source)
        if event.refused and event.scene.caught:
            return
        if event.refused:
            words = f"torch raises RuntimeError: `{source}` lies in the memory that is written here"
        elif event.ahead:
            words = f"`{source}` is overwritten while it is read: torch, unlike NumPy, does not buffer it"
        elif off_cpu.truth > Truth.UNKNOWN:
            words = f"`{source}` is overwritten while it is read: an accelerator copies in no order"
        else:
            return
        certain = event.known and event.value.sure and (event.refused or (event.ahead and event.copies))
        yield Draft(
            event.node,
            words,
            Certainty.CERTAIN if certain else Certainty.LIKELY if event.value.sure else Certainty.POSSIBLE,
            "read from a copy: `.clone()`",
            (
                Note(event.scene.at(event.source), "the same memory is read here"),
                *where_from(event.value),
                *(() if event.refused or event.ahead else history(off_cpu)),
            ),
            repair=partial(_repair, event),
        )


def _repair(event: OverlappingWrite, style: ExportStyle) -> Repair:
    changes = (append(event.source, ".clone()"),)
    if event.refused:
        return Repair("append `.clone()`", changes)
    return Repair("append `.clone()`", changes, Applicability.UNSAFE, "other numbers come out, those that NumPy gives")
