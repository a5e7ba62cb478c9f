from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.flow.domain.inside import leaves
from tensorlint.flow.domain.memory import How
from tensorlint.flow.domain.tensors import Array
from tensorlint.flow.events import StaleRead
from tensorlint.rules import mending
from tensorlint.rules.base import Draft, Note, Rule

if TYPE_CHECKING:
    import libcst as cst

    from tensorlint.fix.repair import Repair
    from tensorlint.policy import ExportStyle


class DanglingView(Rule):
    """An array that looks into a tensor is read after `share_memory_()` moved the tensor: that memory is freed.

    ## What it does
    Reports `.numpy()` of a tensor on the CPU, where the array is read after the tensor went to shared memory: by
    `.share_memory_()`, by `.share_memory()` of its module, or through a queue of `torch.multiprocessing`.

    ## Why is this bad
    `share_memory_()` copies the data to shared memory and frees the old one. Tensors that share the storage follow,
    arrays do not: the array shows what is allocated there next, and a write through it corrupts that.

    ## Example
    ```python
    import torch

    counts = torch.ones(4096)
    view = counts.numpy()
    counts.share_memory_()
    print(view)  # freed memory
    ```

    ## Use instead
    ```python
    import torch

    counts = torch.ones(4096)
    counts.share_memory_()
    view = counts.numpy()
    print(view)
    ```

    ## Fix safety
    Unsafe: the copy takes memory of its own, and does not follow the tensor. To export after `share_memory_()` instead
    keeps a view.

    ## References
    - pytorch/pytorch#51849; measured on torch 2.13.0
    """

    code = "TBX311"
    name = "dangling-view"
    clues = (screen.SHARED_MEMORY,)
    shown = Certainty.CERTAIN
    fix = Applicability.UNSAFE

    def on_stale_read(self, event: StaleRead) -> Iterator[Draft]:
        if event.mutation.how is not How.MOVED:
            return
        for leaf in leaves(event.value):
            if isinstance(leaf, Array) and (alias := event.scene.node(leaf.alias)) is not None:
                yield Draft(
                    alias,
                    f"`{event.name}` is left behind when the tensor goes to shared memory: it looks into freed memory",
                    _certainty(event, leaf),
                    "export after that, or copy: `.copy()`",
                    (
                        Note(event.mutation.site, event.mutation.words),
                        Note(event.scene.at(event.node), f"`{event.name}` is read here"),
                    ),
                    repair=partial(_copied, alias),
                )


def _certainty(event: StaleRead, view: Array) -> Certainty:
    """One block that exports the tensor, shares it and reads the array leaves nothing open."""
    scene, shared = event.scene, event.mutation
    proven = view.sure and not shared.called and scene.in_order(view.alias, shared.site, event.node)
    return Certainty.CERTAIN if proven else Certainty.LIKELY


def _copied(alias: cst.CSTNode, style: ExportStyle) -> Repair:
    return mending.copied(alias, "copy", "the array has memory of its own and does not follow the tensor")
