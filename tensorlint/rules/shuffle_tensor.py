from __future__ import annotations

from collections.abc import Iterator

from tensorlint.findings import Certainty
from tensorlint.flow.events import NumpyCall
from tensorlint.flow.values import Tensor
from tensorlint.rules.base import Draft, Rule
from tensorlint.rules.wording import spell


class ShuffleTensor(Rule):
    """`np.random.shuffle` or `random.shuffle` on a tensor duplicates some rows and loses others.

    ## What it does
    Reports a tensor handed to `np.random.shuffle`, to `shuffle` of a NumPy generator, or to `random.shuffle`.

    ## Why is this bad
    These functions swap elements through temporaries that, for a tensor, are views of the very rows being
    overwritten. Rows are silently duplicated and lost; a few shuffles of `torch.arange(6)` can leave six zeros.

    ## Example
    ```python
    import numpy as np
    import torch

    rows = torch.arange(6)
    np.random.shuffle(rows)
    ```

    ## Use instead
    ```python
    import torch

    rows = torch.arange(6)
    rows = rows[torch.randperm(len(rows))]
    ```

    ## References
    - pytorch/pytorch#50880, numpy/numpy#18206; measured on torch 1.13.1, 2.2.2 and 2.13.0
    """

    code = "TBX104"
    name = "shuffle-tensor"

    def on_numpy_call(self, event: NumpyCall) -> Iterator[Draft]:
        if not event.name.endswith("random.shuffle"):
            return
        operand = event.positional()
        if operand is None or not isinstance(operand.value, Tensor) or not operand.value.sure:
            return
        subject = spell(operand.node)
        certainty = Certainty.LIKELY if operand.value.source else Certainty.CERTAIN
        yield Draft(
            event.node,
            f"shuffling the tensor `{subject}` in place duplicates some rows and loses others",
            certainty,
            f"use `{subject} = {subject}[torch.randperm(len({subject}))]`",
        )
