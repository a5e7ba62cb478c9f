from __future__ import annotations

from collections.abc import Iterator

from tensorlint.findings import Certainty
from tensorlint.flow.events import TorchCall
from tensorlint.flow.values import Array, Tensor, Truth
from tensorlint.rules.base import Draft, Rule
from tensorlint.rules.wording import history, spell

IMPORTS = frozenset({"from_numpy", "as_tensor", "asarray", "Tensor", "FloatTensor", "LongTensor", "DoubleTensor", "from_dlpack", "frombuffer"})
#: What copies at once, so that nobody can write through the alias.
_COPIES = frozenset({"clone", "cuda", "float", "double", "half", "long", "int", "bool", "type", "sum", "mean", "item", "tolist"})


class ReadOnlySource(Rule):
    """A tensor over a read-only array: writing to it is undefined behaviour.

    ## What it does
    Reports arrays that look into a `bytes` object (`np.frombuffer`), a read-only memory map, or a broadcast or sliding view, where
    they become a tensor without a copy.

    ## Why is this bad
    torch cannot mark a tensor read-only. An in-place operation later on changes an immutable `bytes` object, writes several elements at
    once, or, for `mmap_mode="r"`, kills the process with a segmentation fault. The warning appears once per process.

    ## Example
    ```python
    import numpy as np
    import torch

    pixels = torch.from_numpy(np.frombuffer(b"abcd", dtype=np.uint8))
    ```

    ## Use instead
    ```python
    import numpy as np
    import torch

    pixels = torch.from_numpy(np.frombuffer(b"abcd", dtype=np.uint8).copy())
    ```

    ## References
    - pytorch/pytorch#46741, #5442; measured on torch 1.13.1, 2.2.2 and 2.13.0
    """

    code = "TBX203"
    name = "read-only-source"

    def on_torch_call(self, event: TorchCall) -> Iterator[Draft]:
        data = event.positional()
        if event.name not in IMPORTS or data is None or event.consumer in _COPIES:
            return
        array = data.value
        if not isinstance(array, Array) or array.read_only.truth <= Truth.UNKNOWN:
            return
        if not isinstance(event.result, Tensor) or not event.result.storages & array.storages:
            return
        certainty = Certainty.CERTAIN if array.read_only.truth is Truth.YES else Certainty.LIKELY
        yield Draft(
            event.node, f"`{spell(data.node)}` is read-only memory: a write through the tensor is undefined behaviour", certainty,
            "copy the array first: `.copy()`", history(array.read_only),
        )  # fmt: skip
