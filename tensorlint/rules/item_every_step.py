from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from tensorlint import screen
from tensorlint.findings import Certainty
from tensorlint.flow.events import StepWaits
from tensorlint.rules.base import Draft, Rule
from tensorlint.rules.wording import history, spell


class ItemEveryStep(Rule):
    """`.item()` in every step of a training: the CPU waits for the GPU each time.

    ## What it does
    Reports `.item()` and `float(...)` of a tensor on an accelerator in a loop that trains, where every iteration comes
    by. What stands under an `if`, as a log that is written now and then, is left alone. Off by default; for a training
    that is slower than it should be, `tensorlint --select item-every-step train.py`.

    ## Why is this bad
    The GPU works behind the program, and `.item()` waits until it is done. A loop that does so in each step cannot
    prepare the next one meanwhile; small models and slow hosts lose most of their speed to it.

    ## Example
    ```python
    import torch

    device = "cuda"
    model = torch.nn.Linear(2, 1).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    running = 0.0
    for _ in range(100):
        loss = model(torch.rand(4, 2, device=device)).mean()
        loss.backward()
        optimizer.step()
        running += loss.item()
    ```

    ## Use instead
    ```python
    import torch

    device = "cuda"
    model = torch.nn.Linear(2, 1).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    running = torch.zeros((), device=device)
    for _ in range(100):
        loss = model(torch.rand(4, 2, device=device)).mean()
        loss.backward()
        optimizer.step()
        running += loss.detach()
    running = running.item()
    ```

    ## References
    - meta-pytorch/torchtune#522, openvdb/fvdb-reality-capture#144
    - PyTorch performance tuning guide, "Avoid unnecessary CPU-GPU synchronization"
    """

    code = "TBX408"
    name = "item-every-step"
    clues = (screen.EACH_STEP,)
    default: ClassVar[bool] = False

    def on_step_waits(self, event: StepWaits) -> Iterator[Draft]:
        yield Draft(
            event.node,
            f"`{spell(event.node)}` waits for the accelerator in every step of the training",
            Certainty.LIKELY,
            "add up `.detach()`ed tensors and ask for the number after the loop, or every n-th step",
            history(event.value.device),
        )
