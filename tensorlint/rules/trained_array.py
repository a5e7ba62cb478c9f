from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.flow.domain.memory import How
from tensorlint.flow.domain.tensors import Array
from tensorlint.flow.domain.values import Unknown
from tensorlint.flow.events import StaleRead
from tensorlint.rules import mending
from tensorlint.rules.base import Draft, Note, Rule
from tensorlint.rules.sharing import is_filled
from tensorlint.rules.wording import spell

if TYPE_CHECKING:
    import libcst as cst

    from tensorlint.fix.repair import Builder, Repair
    from tensorlint.policy import ExportStyle


class TrainedArray(Rule):
    """The optimizer writes into the array that a leaf was made of without a copy.

    ## What it does
    Reports `torch.from_numpy(x)` (and `torch.as_tensor`, `torch.Tensor` of a float32 array) that becomes a leaf, an
    `nn.Parameter`, or the weights of `nn.Embedding.from_pretrained(..., freeze=False)`, where an optimizer steps it and
    the array is read afterwards.

    ## Why is this bad
    The leaf is the array: `optimizer.step()` changes both. The image that should be compared with the optimized one
    is the optimized one, the initial weights are the trained ones, and their difference is zero. On a GPU `.to(device)`
    copies, and the same code is right.

    ## Example
    ```python
    import numpy as np
    import torch

    image = np.ones(3, dtype=np.float32)
    x = torch.from_numpy(image).requires_grad_()
    optimizer = torch.optim.SGD([x], lr=0.1)
    x.sum().backward()
    optimizer.step()
    print(np.abs(x.detach().numpy() - image).max())  # zero
    ```

    ## Use instead
    ```python
    import numpy as np
    import torch

    image = np.ones(3, dtype=np.float32)
    x = torch.from_numpy(image).clone().requires_grad_()
    optimizer = torch.optim.SGD([x], lr=0.1)
    x.sum().backward()
    optimizer.step()
    print(np.abs(x.detach().numpy() - image).max())
    ```

    ## Limits
    An array that was only filled with a constant (`np.zeros(3)`) may be there to take the result, and is `possible`.

    ## Fix safety
    Unsafe: the copy takes memory of its own, and the array stays what it was.

    ## References
    - torch documentation, `torch.from_numpy`; measured on torch 2.13.0 with SGD, Adam, AdamW, RMSprop, Adagrad and
      LBFGS
    """

    code = "TBX307"
    name = "trained-array"
    clues = screen.BOUNDARY
    shown = Certainty.CERTAIN
    fix = Applicability.UNSAFE

    def on_stale_read(self, event: StaleRead) -> Iterator[Draft]:
        mutation, scene = event.mutation, event.scene
        alias = scene.node(mutation.alias)
        if mutation.how is not How.UPDATE or alias is None or not isinstance(event.value, (Array, Unknown)):
            return
        yield Draft(
            alias,
            f"training writes into `{event.name}`: `{spell(alias)}` shares its memory",
            Certainty.POSSIBLE if is_filled(event) else Certainty.LIKELY,
            "copy it: `.clone()`, or `torch.tensor(...)`",
            (
                Note(mutation.site, mutation.words),
                Note(scene.at(event.node), f"`{event.name}` is read here and shows the change"),
            ),
            repair=_repair(alias),
        )


def _repair(alias: cst.CSTNode) -> Builder | None:
    import libcst

    # A copy of a leaf is none.
    leaf = isinstance(alias, libcst.Call) and any(each.keyword is not None for each in alias.args)
    return None if leaf else partial(_copied, alias)


def _copied(alias: cst.CSTNode, style: ExportStyle) -> Repair:
    return mending.copied(alias, "clone", "the array no longer follows the training")
