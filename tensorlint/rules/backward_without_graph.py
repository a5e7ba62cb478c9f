from __future__ import annotations

from collections.abc import Iterator

from tensorlint import screen
from tensorlint.findings import Certainty
from tensorlint.flow.events import MethodCall
from tensorlint.rules.base import Draft, Rule
from tensorlint.rules.lost_graph import lost_graph
from tensorlint.rules.wording import history_of_cut, spell


class BackwardWithoutGraph(Rule):
    """`.backward()` of what was computed without a graph raises: NumPy, `.item()` or `.detach()` lies on the way.

    ## What it does
    Reports `loss.backward()` where all that `loss` was computed with is known to have no graph, because NumPy,
    `.item()`, `.detach()`, `.data`, `torch.tensor(loss)`, a comparison or an `argmax` left it behind.

    ## Why is this bad
    The call raises `RuntimeError: element 0 of tensors does not require grad and does not have a grad_fn`, far from the
    line that is wrong. `loss.requires_grad_()` makes the error go away and nothing else: no parameter gets a gradient.

    ## Example
    ```python
    import torch

    model = torch.nn.Linear(3, 2)
    labels = torch.tensor([0, 1, 0, 1])
    predicted = model(torch.rand(4, 3)).argmax(dim=1)
    loss = (predicted != labels).float().mean()
    loss.backward()  # raises
    ```

    ## Use instead
    ```python
    import torch

    model = torch.nn.Linear(3, 2)
    labels = torch.tensor([0, 1, 0, 1])
    scores = model(torch.rand(4, 3))
    loss = torch.nn.functional.cross_entropy(scores, labels)
    loss.backward()
    ```

    ## References
    - torch documentation, "Autograd mechanics"; measured on torch 2.13.0
    """

    code = "TBX505"
    name = "backward-without-graph"
    clues = (screen.CUT,)

    def on_method_call(self, event: MethodCall) -> Iterator[Draft]:
        lost = lost_graph(event)
        if lost is None or lost.leaf is not None or lost.element is not None or event.scene.caught:
            return
        yield Draft(
            event.node,
            f"`.backward()` raises RuntimeError: nothing that `{spell(event.receiver)}` was computed with has a graph",
            Certainty.CERTAIN,
            "compute the loss with torch, of tensors that keep their graph",
            history_of_cut(lost.cut),
            mend=event.scene.node(lost.cut.site),
        )
