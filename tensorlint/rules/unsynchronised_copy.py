from __future__ import annotations

from collections.abc import Iterator

from tensorlint import screen
from tensorlint.findings import Certainty
from tensorlint.flow.events import EarlyRead
from tensorlint.rules.base import Draft, Note, Rule
from tensorlint.rules.wording import spell


class UnsynchronisedCopy(Rule):
    """A `non_blocking` copy to the CPU that is read at once: the data need not have arrived.

    ## What it does
    Reports reads of `x.to("cpu", non_blocking=True)`, with `x` on an accelerator, before anything waited for the copy.

    ## Why is this bad
    The call returns while the accelerator still copies. What the program reads by then is whatever lay in that memory:
    no error, wrong numbers, and only sometimes. To the accelerator `non_blocking` is safe, as what computes there waits
    by itself.

    ## Example
    ```python
    import torch

    scores = torch.rand(1000, device="cuda")
    host = scores.to("cpu", non_blocking=True)
    print(host.numpy())
    ```

    ## Use instead
    ```python
    import torch

    scores = torch.rand(1000, device="cuda")
    host = scores.to("cpu")
    print(host.numpy())
    ```

    ## References
    - PyTorch tutorial "A guide on good usage of non_blocking and pin_memory()", section on other copy directions
    - pytorch/pytorch#86264, sgl-project/sglang#16493
    """

    code = "TBX401"
    name = "unsynchronised-copy"
    clues = (screen.NON_BLOCKING,)
    shown = Certainty.CERTAIN

    def on_early_read(self, event: EarlyRead) -> Iterator[Draft]:
        yield Draft(
            event.node,
            f"`{spell(event.node)}` reads a copy that need not have arrived from the accelerator",
            Certainty.LIKELY,
            "leave out `non_blocking=True`, or wait by `torch.cuda.synchronize()` before",
            (Note(event.made, "copied without waiting here"),),
        )
