from __future__ import annotations

from collections.abc import Iterator

from tensorlint import screen
from tensorlint.findings import Certainty
from tensorlint.flow.events import UploadOverwritten as Overwritten
from tensorlint.rules.base import Draft, Note, Rule


class UploadOverwritten(Rule):
    """A pinned buffer is written again while an accelerator may still copy from it.

    ## What it does
    Reports writes to pinned memory of the host after `.to("cuda", non_blocking=True)`, `.cuda(non_blocking=True)` or
    `x.copy_(buffer, non_blocking=True)` of it, before anything waited for the accelerator.

    ## Why is this bad
    From pinned memory the copy is made while the program goes on. A buffer that is filled with the next batch by then
    gives the accelerator a part of each: no error, wrong numbers, and only sometimes. From memory that is not pinned
    the call copies at once, so the same lines were right before somebody added `pin_memory()`.

    ## Example
    ```python
    import torch

    staging = torch.empty(1024).pin_memory()
    for step in range(3):
        staging.fill_(step)
        batch = staging.to("cuda", non_blocking=True)
    ```

    ## Use instead
    ```python
    import torch

    staging = torch.empty(1024).pin_memory()
    copied = torch.cuda.Event()
    for step in range(3):
        copied.synchronize()
        staging.fill_(step)
        batch = staging.to("cuda", non_blocking=True)
        copied.record()
    ```

    ## References
    - PyTorch tutorial "A guide on good usage of non_blocking and pin_memory()"; pytorch/tutorials#3261. It takes an
      accelerator to see it: programs of this rule are executed on cuda only
    """

    code = "TBX406"
    name = "upload-overwritten"
    clues = (screen.PINNED,)
    shown = Certainty.CERTAIN

    def on_upload_overwritten(self, event: Overwritten) -> Iterator[Draft]:
        yield Draft(
            event.node,
            f"`{event.name}` is written while the accelerator may still copy from it",
            Certainty.LIKELY,
            "wait for the copy before: an event behind it, `event.synchronize()`; or fill another buffer",
            (Note(event.copied, "copied without waiting here"),),
        )
