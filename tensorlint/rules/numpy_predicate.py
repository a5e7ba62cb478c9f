from __future__ import annotations

from collections.abc import Iterator

from tensorlint.findings import Certainty
from tensorlint.flow.events import NumpyCall
from tensorlint.flow.values import Tensor
from tensorlint.knowledge import SILENTLY_WRONG
from tensorlint.rules.base import Draft, Rule
from tensorlint.rules.wording import spell

_INSTEAD = {
    "nonzero": "torch.nonzero(..., as_tuple=True)",
    "argwhere": "torch.argwhere(...)",
    "size": ".numel()",
    "signbit": "torch.signbit(...)",
}
_WRONG = {
    "nonzero": "one tensor of index rows, not a tuple of index arrays",
    "argwhere": "a transposed result of shape (ndim, n)",
    "size": "the bound method `Tensor.size`, not a number",
}


class NumpyPredicateOnTensor(Rule):
    """A NumPy predicate on a tensor returns something else than on an array, without an error.

    ## What it does
    Reports `np.isnan`, `np.isinf`, `np.isfinite`, `np.logical_*`, comparisons such as `np.greater`, and
    `np.nonzero`, `np.argwhere`, `np.size` when they are given a torch tensor.

    ## Why is this bad
    The bool-valued ufuncs come back as a *uint8 tensor*: `~` turns its 0 and 1 into 255 and 254, and as a mask
    that selects every element. `np.nonzero` gives index rows instead of a tuple, `np.argwhere` is transposed,
    `np.size` is a bound method. On a GPU the same lines raise TypeError.

    ## Example
    ```python
    import numpy as np
    import torch

    t = torch.tensor([1.0, float("nan"), 3.0])
    clean = t[~np.isnan(t)]  # keeps the nan
    ```

    ## Use instead
    ```python
    import torch

    t = torch.tensor([1.0, float("nan"), 3.0])
    clean = t[~torch.isnan(t)]
    ```

    ## References
    - measured on torch 1.13.1, 2.2.2, 2.13.0 with NumPy 1.24 to 2.4
    """

    code = "TBX103"
    name = "numpy-predicate-on-tensor"

    def on_numpy_call(self, event: NumpyCall) -> Iterator[Draft]:
        if event.name not in SILENTLY_WRONG:
            return
        operand = next((argument for argument in event.arguments if isinstance(argument.value, Tensor)), None)
        if operand is None or not isinstance(operand.value, Tensor) or not operand.value.sure:
            return
        wrong = _WRONG.get(event.name, "a uint8 tensor, which `~` and masks misread")
        instead = _INSTEAD.get(event.name, f"torch.{event.name}(...)")
        certainty = Certainty.LIKELY if operand.value.source else Certainty.CERTAIN
        yield Draft(
            event.node,
            f"`np.{event.name}` of the tensor `{spell(operand.node)}` gives {wrong}",
            certainty,
            f"use `{instead}`",
        )
