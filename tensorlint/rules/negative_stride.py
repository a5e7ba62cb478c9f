from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Repair, append
from tensorlint.flow.call import Argument
from tensorlint.flow.domain.facts import Truth
from tensorlint.flow.domain.tensors import Array
from tensorlint.flow.events import TorchCall
from tensorlint.policy import ExportStyle
from tensorlint.rules.base import Draft, Rule
from tensorlint.rules.read_only_source import IMPORTS
from tensorlint.rules.wording import history, spell


class NegativeStride(Rule):
    """An array with a negative stride cannot become a tensor.

    ## What it does
    Follows `[::-1]`, `np.flip`, `np.fliplr`, `np.flipud` and `np.rot90` to `torch.from_numpy`, `torch.tensor`
    and the other constructors. Of a list of such arrays they read each number, which does not raise.

    ## Why is this bad
    torch has no negative strides: `ValueError: At least one stride in the given numpy array is negative`.
    `torch.from_dlpack` aborts the process instead, up to torch 2.13.

    ## Example
    ```python
    import numpy as np
    import torch

    image = np.zeros((4, 4, 3), dtype=np.float32)
    tensor = torch.from_numpy(image[..., ::-1])
    ```

    ## Use instead
    ```python
    import numpy as np
    import torch

    image = np.zeros((4, 4, 3), dtype=np.float32)
    tensor = torch.from_numpy(image[..., ::-1].copy())
    ```
    `np.ascontiguousarray` is no full substitute: with a flipped axis of length 1 it returns the negative stride
    unchanged.

    ## Fix safety
    Safe where the stride is known to be negative, as that raises without the copy, and for `torch.tensor`, which copies
    anyway. Otherwise unsafe: on the other paths the tensor shared memory with the array.

    ## References
    - numpy/numpy#23349; measured on torch 1.13.1, 2.2.2 and 2.13.0
    """

    code = "TBX204"
    name = "negative-stride"
    clues = screen.BOUNDARY
    fix = Applicability.SAFE

    def on_torch_call(self, event: TorchCall) -> Iterator[Draft]:
        data = event.positional()
        if data is None or (event.name not in IMPORTS and event.name != "tensor"):
            return
        array = data.value
        if not isinstance(array, Array) or array.negative_stride.truth <= Truth.UNKNOWN:
            return
        certainty = Certainty.CERTAIN if array.negative_stride.truth is Truth.YES else Certainty.LIKELY
        yield Draft(
            event.node,
            f"`{spell(data.node)}` has a negative stride: `torch.{event.name}` raises ValueError",
            certainty,
            "copy the array first: `.copy()`",
            history(array.negative_stride),
            repair=partial(_repair, data, certainty is Certainty.CERTAIN or event.name == "tensor"),
        )


def _repair(data: Argument, raises: bool, style: ExportStyle) -> Repair | None:
    if not isinstance(data.value, Array) or data.star:
        return None
    change = append(data.node, ".copy()")
    if raises:
        return Repair("append `.copy()`", (change,))
    return Repair("append `.copy()`", (change,), Applicability.UNSAFE, "where it is not negative, memory was shared")
