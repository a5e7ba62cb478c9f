from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.flow.domain.tensors import Array
from tensorlint.flow.events import SavedWritten
from tensorlint.rules import mending
from tensorlint.rules.base import Draft, Note, Rule
from tensorlint.rules.wording import spell, spell_with

if TYPE_CHECKING:
    import libcst as cst

    from tensorlint.fix.repair import Repair
    from tensorlint.policy import ExportStyle


class WriteBeforeBackward(Rule):
    """What an operation keeps for its backward pass is written before that, where autograd does not see it.

    ## What it does
    Reports writes between an operation and the `.backward()` that goes through it, to memory that the operation keeps
    (both factors of a product, the result of `exp`), if they are made through `.data`, through the array of
    `.numpy()`, or to the array that `torch.from_numpy` made a tensor of.

    ## Why is this bad
    The backward pass computes with what is there by then: no error, and wrong gradients. A write through the tensor, or
    through its `.detach()`, is counted, and `.backward()` raises: `one of the variables needed for gradient computation
    has been modified by an inplace operation`. `.data` and NumPy are not counted.

    ## Example
    ```python
    import numpy as np
    import torch

    batch = np.ones(3, dtype=np.float32)
    weight = torch.ones(3, requires_grad=True)
    loss = (weight * torch.from_numpy(batch)).sum()
    batch[:] = 7  # the next batch
    loss.backward()
    print(weight.grad)  # 7, not 1
    ```

    ## Use instead
    ```python
    import numpy as np
    import torch

    batch = np.ones(3, dtype=np.float32)
    weight = torch.ones(3, requires_grad=True)
    loss = (weight * torch.from_numpy(batch).clone()).sum()
    batch[:] = 7
    loss.backward()
    print(weight.grad)
    ```

    Or write after the backward pass.

    ## Fix safety
    Unsafe: the operation keeps a copy, which takes memory of its own, and the gradient becomes another one.

    ## References
    - torch documentation, "In-place correctness checks"; pytorch/pytorch#197054; what is kept was measured on torch
      2.13.0
    """

    code = "TBX502"
    name = "write-before-backward"
    clues = (screen.UNSEEN_WRITE,)
    shown = Certainty.CERTAIN
    fix = Applicability.UNSAFE

    def on_saved_written(self, event: SavedWritten) -> Iterator[Draft]:
        kept, scene = spell(event.expression), event.scene
        unseen = "an array" if isinstance(event.value, Array) else "`.data`"
        yield Draft(
            event.node,
            f"the backward pass needs `{kept}` as it was, and this writes to it through {unseen}, which autograd does "
            "not see: the gradients are wrong",
            Certainty.CERTAIN if event.sure else Certainty.LIKELY,
            f"write after `.backward()`, or have it keep a copy: `{spell_with(event.expression, '.clone()')}`",
            (
                Note(scene.at(event.operation), f"`{kept}` is kept for the backward pass here"),
                Note(scene.at(event.backward), "the backward pass reads it here"),
            ),
            repair=partial(_cloned, event.expression),
        )


def _cloned(kept: cst.CSTNode, style: ExportStyle) -> Repair:
    return mending.copied(kept, "clone", "what is kept takes memory of its own, and the gradient becomes another one")
