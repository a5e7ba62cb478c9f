from __future__ import annotations

from collections.abc import Iterator

from tensorlint.findings import Certainty
from tensorlint.flow.events import FrozenUse
from tensorlint.rules.base import Draft, Note, Rule
from tensorlint.rules.wording import spell

IMPORTS = frozenset(
    {
        "from_numpy",
        "as_tensor",
        "asarray",
        "Tensor",
        "FloatTensor",
        "LongTensor",
        "DoubleTensor",
        "from_dlpack",
        "frombuffer",
    }
)


class ReadOnlySource(Rule):
    """A tensor over a read-only array: writing to it is undefined behaviour.

    ## What it does
    Reports arrays that look into a `bytes` object (`np.frombuffer`), a read-only memory map, or a broadcast or
    sliding view, where they become a tensor without a copy.

    ## Why is this bad
    torch cannot mark a tensor read-only. An in-place operation later on changes an immutable `bytes` object,
    writes several elements at once, or, for `mmap_mode="r"`, kills the process with a segmentation fault. The
    warning appears once per process. A tensor that is only read in the function that made it is left alone.

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

    def on_frozen_use(self, event: FrozenUse) -> Iterator[Draft]:
        yield Draft(
            event.node,
            f"`{spell(event.node)}` is a tensor over read-only memory: to write through it is undefined behaviour",
            Certainty.LIKELY,
            "copy the array first: `.copy()`",
            (Note(event.use, "written, or handed on, here"),),
        )
