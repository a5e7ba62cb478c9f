from __future__ import annotations

import re
from collections.abc import Iterator

from tensorlint.findings import Certainty
from tensorlint.flow.events import TorchCall, UnsetRead
from tensorlint.flow.values import Array, Scalar
from tensorlint.rules.base import Draft, Note, Rule
from tensorlint.rules.wording import spell

_LEGACY = re.compile(r"^(Float|Double|Half|Long|Int|Short|Char|Byte|Bool)?Tensor$")


class ConstructorSizeNotData(Rule):
    """`torch.Tensor(n)` allocates `n` uninitialised values; it does not hold the number `n`.

    ## What it does
    Reports a legacy constructor that is given an integer, a NumPy integer or a 0-d integer array, when the
    number is data (it came from NumPy), or when the memory is used before anything is written to it.

    ## Why is this bad
    `torch.Tensor(7)` is seven numbers that happened to lie in memory: a reward, a label or a weight that is
    different in every run.

    ## Example
    ```python
    import torch

    reward = 7
    target = torch.Tensor(reward) + 0.99
    ```

    ## Use instead
    ```python
    import torch

    reward = 7
    target = torch.tensor(float(reward)) + 0.99
    ```
    `torch.empty(n)` says that an uninitialised buffer is wanted.

    ## Limits
    A buffer that is filled in place, wrapped in `nn.Parameter` or handed to another function is left alone.

    ## References
    - pytorch/pytorch#47112; measured on torch 1.13.1, 2.2.2 and 2.13.0
    """

    code = "TBX202"
    name = "constructor-size-not-data"

    def on_torch_call(self, event: TorchCall) -> Iterator[Draft]:
        data = event.positional()
        if not _LEGACY.match(event.name) or len(event.arguments) != 1 or data is None or event.consumer.endswith("_"):
            return
        match data.value:
            case Array(zero_dim=True, dtype="int64") | Scalar(kind="np.int64"):
                yield Draft(
                    event.node,
                    f"`torch.{event.name}({spell(data.node)})` allocates that many uninitialised values "
                    "instead of holding the number",
                    Certainty.CERTAIN,
                    f"use `torch.tensor({spell(data.node)})` for the number, `torch.empty(...)` for a buffer",
                )
            case _:
                return

    def on_unset_read(self, event: UnsetRead) -> Iterator[Draft]:
        yield Draft(
            event.node,
            f"`{spell(event.node)}` is uninitialised memory, and is used before anything is written to it",
            Certainty.LIKELY,
            "use `torch.tensor(...)` for a number, `torch.zeros(...)` or `torch.empty(...)` for a buffer",
            (Note(event.use, "used as data here"),),
        )
