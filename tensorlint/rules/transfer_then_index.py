from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Repair, replace, source_of
from tensorlint.flow.domain.facts import Truth
from tensorlint.flow.domain.tensors import Tensor
from tensorlint.flow.domain.values import Scalar
from tensorlint.flow.events import TransferIndexed
from tensorlint.policy import ExportStyle
from tensorlint.rules.base import Draft, Rule
from tensorlint.rules.mending import NOT_PROVEN
from tensorlint.rules.wording import history, spell


class TransferThenIndex(Rule):
    """All of a tensor is brought to the CPU in each iteration, for one part of it.

    ## What it does
    Reports `x.cpu()[i]`, `x.detach().cpu().numpy()[i]` and `x.tolist()[i]` in a loop over `i`, where `x` is on an
    accelerator and the same in each iteration.
    Off by default: it is for code that is slower than it should be.

    ## Why is this bad
    Every iteration waits for the accelerator and copies the whole tensor, to keep one row of it. A loop over n rows
    copies n * n of them.

    ## Example
    ```python
    import torch

    images = torch.rand(16, 3, 32, 32, device="cuda")
    for i in range(16):
        print(images.cpu().numpy()[i].mean())
    ```

    ## Use instead
    ```python
    import torch

    images = torch.rand(16, 3, 32, 32, device="cuda")
    on_host = images.cpu().numpy()
    for i in range(16):
        print(on_host[i].mean())
    ```

    ## Fix safety
    The fix takes the part first: `images[i].cpu().numpy()`. Safe for integers and slices, with two exceptions that make
    it unsafe: an index of an array that may leave one number, which NumPy makes a scalar of, and a value that nothing
    shows to be a torch tensor. For other indices there is no fix.

    ## References
    - Equality of values and memory measured on torch 1.13.1, 2.2.2 and 2.13.0
    """

    code = "TBX405"
    name = "transfer-then-index"
    default: ClassVar[bool] = False
    clues = (screen.PART, *screen.BOUNDARY)
    fix = Applicability.SAFE
    shown = Certainty.CERTAIN

    def on_transfer_indexed(self, event: TransferIndexed) -> Iterator[Draft]:
        sure = isinstance(event.value, Tensor) and event.value.sure
        if not sure and not event.scene.file.numpy_is_torchs:
            return
        whole = spell(event.whole)
        yield Draft(
            event.node,
            f"`{spell(event.node)}` brings all of `{whole}` to the CPU in each iteration, for a part of it",
            _certainty(event, sure=sure),
            "bring it to the CPU before the loop, or index it first",
            history(event.value.device),
            repair=partial(_indexed_first, event, sure),
        )


def _certainty(event: TransferIndexed, *, sure: bool) -> Certainty:
    device = event.value.device.truth
    if event.scene.host_only or device is Truth.UNKNOWN:
        return Certainty.POSSIBLE
    return Certainty.CERTAIN if sure and device is Truth.YES else Certainty.LIKELY


def _indexed_first(event: TransferIndexed, sure: bool, style: ExportStyle) -> Repair | None:
    import libcst

    kinds = {index.kind if isinstance(index, Scalar) else "" for index in event.indices}
    backwards = any(isinstance(index, Scalar) and index.literal == "negative" for index in event.indices)
    node = event.node
    if not kinds <= {"int", "slice"} or backwards or not isinstance(node, libcst.Subscript) or node.value.lpar:
        return None
    brought, whole = source_of(node.value), source_of(event.whole)
    if not brought.startswith(whole):
        return None
    index = source_of(node).removeprefix(brought)
    text = f"{whole}{index}{brought.removeprefix(whole)}"
    reason = "" if sure else NOT_PROVEN
    if not reason and "slice" not in kinds and brought.endswith(".numpy()"):
        reason = "a scalar of NumPy becomes an array without dimensions"
    return Repair(
        f"write `{text}`", (replace(node, text),), Applicability.UNSAFE if reason else Applicability.SAFE, reason
    )
