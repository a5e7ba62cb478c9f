from __future__ import annotations

from collections.abc import Iterator

from tensorlint import screen
from tensorlint.findings import Certainty
from tensorlint.flow.domain.facts import Truth
from tensorlint.flow.domain.tensors import Tensor
from tensorlint.flow.events import MethodCall
from tensorlint.rules.base import Draft, Note, Rule
from tensorlint.rules.wording import spell


class TermWithoutGraph(Rule):
    """A term of the loss has left its graph: `.backward()` goes through the others, and this one trains nothing.

    ## What it does
    Reports what leaves the graph of a number behind (`.item()`, `float()`, NumPy, `argmax`, a comparison) that is then
    added to a loss which still has one, and differentiated with it.

    ## Why is this bad
    Nothing raises, as the other terms have gradients, and the sum that is printed looks right. But the term is a
    constant for `.backward()`: its weight can be set to anything, and the training stays the same. If it were the only
    one, the call would raise (TBX505).

    ## Example
    ```python
    import torch

    encoder = torch.nn.Linear(3, 2)
    decoder = torch.nn.Linear(2, 3)
    x = torch.rand(4, 3)
    code = encoder(x)
    penalty = code.abs().mean().item()
    loss = torch.nn.functional.mse_loss(decoder(code), x) + 0.1 * penalty
    loss.backward()  # as without the penalty
    ```

    ## Use instead
    ```python
    import torch

    encoder = torch.nn.Linear(3, 2)
    decoder = torch.nn.Linear(2, 3)
    x = torch.rand(4, 3)
    code = encoder(x)
    penalty = code.abs().mean()
    loss = torch.nn.functional.mse_loss(decoder(code), x) + 0.1 * penalty
    loss.backward()
    print(penalty.item())
    ```

    ## Not reported
    `.detach()` and `.data` of a term, as these ask for just that; what is subtracted (a baseline, a target) or
    multiplied (a weight); and what goes through anything but a sum on the way.

    ## References
    - torch documentation, "Autograd mechanics"; measured on torch 2.13.0
    - guopengf/FL-MRCM#10, wonbeomjang/mobile-hair-segmentation-pytorch#3
    """

    code = "TBX509"
    name = "term-without-graph"
    clues = (screen.TERM,)
    shown = Certainty.CERTAIN

    def on_method_call(self, event: MethodCall) -> Iterator[Draft]:
        value = event.value
        if event.name != "backward" or not isinstance(value, Tensor) or not value.lost.reason:
            return
        cut = None if value.lost.site is None else event.scene.node(value.lost.site)
        if cut is None:
            return
        yield Draft(
            cut,
            f"`{spell(cut)}` leaves its graph behind, and is a term of `{spell(event.receiver)}`: it has no gradient",
            Certainty.CERTAIN if value.sure and value.grad.truth is Truth.YES else Certainty.LIKELY,
            "keep the tensor in the sum; ask for the number only to print it",
            (Note(event.scene.at(event.node), "differentiated with the other terms here"),),
        )
