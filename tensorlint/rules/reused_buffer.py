from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Repair
from tensorlint.flow.domain.memory import Container
from tensorlint.flow.domain.tensors import Array
from tensorlint.flow.object_events import BufferStored
from tensorlint.policy import ExportStyle
from tensorlint.rules import mending
from tensorlint.rules.base import Draft, Note, Rule
from tensorlint.rules.wording import spell

if TYPE_CHECKING:
    import libcst as cst


class ReusedBuffer(Rule):
    """One buffer is written in a loop and stored in every iteration: all entries are the last one.

    ## What it does
    Reports storing (append, item assignment, a yield whose values are kept) a tensor or array that was allocated
    before the loop and is written in place inside it, directly or through a view. The `__getitem__` of a dataset is
    such a loop, too: it reports returning a buffer that is kept on the dataset and filled for each item.

    ## Why is this bad
    Every entry is the same memory. After the loop the list holds the last state as many times as there were
    iterations.

    ## Example
    ```python
    import numpy as np
    import torch

    frame = np.zeros(4)
    frames = []
    for step in range(3):
        frame[:] = step
        frames.append(torch.from_numpy(frame))
    ```

    ## Use instead
    ```python
    import numpy as np
    import torch

    frame = np.zeros(4)
    frames = []
    for step in range(3):
        frame[:] = step
        frames.append(torch.from_numpy(frame.copy()))
    ```

    ## Fix safety
    Unsafe: every entry takes memory of its own then, which is what storing it was for.

    ## References
    - measured on torch 1.13.1, 2.2.2 and 2.13.0
    """

    code = "TBX304"
    name = "reused-buffer"
    clues = (screen.KEPT_TENSOR, screen.KEPT_BUFFER, *screen.BOUNDARY)
    shown = Certainty.CERTAIN
    fix = Applicability.UNSAFE

    def on_buffer_stored(self, event: BufferStored) -> Iterator[Draft]:
        if event.container is Container.ATTRIBUTE or not event.scene.file.imports_torch:
            # An attribute is one entry, which the next iteration replaces.
            return
        handed_out = event.container is Container.RETURN
        notes = [Note(event.write, "the buffer is written in place here")]
        if event.storage.site is not None:
            notes.insert(
                0, Note(event.storage.site, f"allocated once, {'for all items' if handed_out else 'before the loop'}")
            )
        yield Draft(
            event.node,
            f"`{spell(event.node)}` is the same memory in every item: all entries of a batch end as the last one"
            if handed_out
            else f"`{spell(event.node)}` stores the same memory in every iteration: all entries end as the last one",
            _certainty(event),
            "store a copy: `.copy()` of an array, `.clone()` of a tensor",
            tuple(notes),
            repair=None
            if event.expression is None
            else partial(_repair, event.expression, isinstance(event.value, Array)),
        )


def _certainty(event: BufferStored) -> Certainty:
    if not event.kept or event.container is Container.SLOT:
        # A slot may copy what it is given.
        return Certainty.POSSIBLE
    return Certainty.CERTAIN if event.proven else Certainty.LIKELY


def _repair(stored: cst.CSTNode, is_array: bool, style: ExportStyle) -> Repair:
    return mending.copied(stored, "copy" if is_array else "clone", "each entry takes memory of its own")
