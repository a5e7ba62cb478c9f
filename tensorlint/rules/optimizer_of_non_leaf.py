from __future__ import annotations

from collections.abc import Iterator

from tensorlint import screen
from tensorlint.findings import Certainty
from tensorlint.flow.domain.facts import Truth
from tensorlint.flow.domain.tensors import Tensor
from tensorlint.flow.object_events import NonLeafOptimized
from tensorlint.rules.base import Draft, Note, Rule
from tensorlint.rules.wording import history, spell


class OptimizerOfNonLeaf(Rule):
    """An optimizer is given a tensor that was computed or moved after it needed a gradient: it optimizes leaves only.

    ## What it does
    Reports optimizers of `torch.optim` whose parameters hold the result of an operation that needs a gradient, or a
    leaf that `.to(device)` or `.cuda()` copied to a GPU.

    ## Why is this bad
    Only leaves get a gradient: `ValueError: can't optimize a non-leaf Tensor`. On the CPU `.to(device)` gives the very
    tensor, so that the program runs there, and raises on the first machine that has a GPU.

    ## Example
    ```python
    import numpy as np
    import torch

    image = torch.from_numpy(np.zeros((1, 3, 8, 8), dtype=np.float32)).requires_grad_()
    noisy = image + 0.1
    torch.optim.Adam([noisy], lr=0.01)
    ```

    ## Use instead
    ```python
    import numpy as np
    import torch

    image = torch.from_numpy(np.zeros((1, 3, 8, 8), dtype=np.float32))
    noisy = (image + 0.1).requires_grad_()
    torch.optim.Adam([noisy], lr=0.01)
    ```
    For a device: `torch.zeros(3, device=device, requires_grad=True)`, or `.to(device).requires_grad_()`.

    ## References
    - pytorch/pytorch#7844, aliasgharkhani/SLiMe#10; measured on torch 2.13.0
    """

    code = "TBX510"
    name = "optimizer-of-non-leaf"
    clues = (screen.OPTIMIZER,)

    def on_non_leaf_optimized(self, event: NonLeafOptimized) -> Iterator[Draft]:
        value = event.value.value
        if not isinstance(value, Tensor) or event.scene.caught or event.scene.handles("ValueError"):
            return
        device = value.device
        sure = value.sure and value.grad.truth is Truth.YES
        if event.moved:
            sure &= device.truth is Truth.YES or device.if_available
        where = "" if device.site is None or not event.moved else " on a GPU"
        notes = history(value.grad)
        if event.moved and device.site is not None:
            notes = (*notes, Note(device.site, device.reason))
        yield Draft(
            event.node,
            f"an optimizer of `{spell(event.value.node)}` raises ValueError{where}: what it is to train is no leaf",
            Certainty.CERTAIN if sure else Certainty.LIKELY,
            "move and compute it first, and let the result need a gradient by `.requires_grad_()`",
            notes,
        )
