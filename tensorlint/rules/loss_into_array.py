from __future__ import annotations

from collections.abc import Iterator

from tensorlint import screen
from tensorlint.findings import Certainty
from tensorlint.flow.events import MethodCall
from tensorlint.rules.base import Draft, Note, Rule
from tensorlint.rules.lost_graph import lost_graph
from tensorlint.rules.wording import spell


class LossIntoArray(Rule):
    """A loss that is assigned into an array becomes a number: what is made of the array cannot be differentiated.

    ## What it does
    Reports `losses[i] = loss` for an array where `.backward()` is called later on what was made of the array.

    ## Why is this bad
    An element of an array takes a tensor of one element as `float` gives it, without an error. The graph stays behind.
    `.backward()` on what comes of the array raises, or, where `requires_grad=True` was written to calm it, reaches no
    parameter.

    An array of losses that is printed or plotted is right, and not reported.

    ## Example
    ```python
    import numpy as np
    import torch

    model = torch.nn.Linear(3, 1)
    losses = np.zeros(4)
    for i in range(4):
        losses[i] = model(torch.rand(3)).pow(2).mean()
    torch.from_numpy(losses).mean().backward()  # raises
    ```

    ## Use instead
    ```python
    import torch

    model = torch.nn.Linear(3, 1)
    losses = []
    for i in range(4):
        losses.append(model(torch.rand(3)).pow(2).mean())
    torch.stack(losses).mean().backward()
    ```

    ## References
    - torch documentation, `Tensor.__float__`; measured on torch 2.13.0 with NumPy 2.4.6
    """

    code = "TBX504"
    name = "loss-into-array"
    clues = screen.BOUNDARY
    shown = Certainty.CERTAIN

    def on_method_call(self, event: MethodCall) -> Iterator[Draft]:
        lost = lost_graph(event)
        if lost is None or lost.element is None or (lost.leaf is None and event.scene.caught):
            return
        outcome = "raises" if lost.leaf is None else "reaches no parameter"
        notes = [Note(event.scene.at(event.node), f"this {outcome}")]
        if lost.leaf is not None:
            notes.insert(0, Note(lost.leaf.site, "made a leaf here"))
        yield Draft(
            lost.element,
            f"`{spell(lost.element)}` takes a number and no graph: `.backward()` on what is made of the "
            f"array {outcome}",
            Certainty.CERTAIN if lost.leaf is None or lost.leaf.steps < 2 else Certainty.LIKELY,
            "gather the tensors in a list, and use `torch.stack`",
            tuple(notes),
        )
