from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Repair
from tensorlint.flow.events import StaleRead, Write
from tensorlint.flow.values import Array, Owner, Tensor, Unknown
from tensorlint.policy import ExportStyle
from tensorlint.rules import mending
from tensorlint.rules.base import Draft, Note, Rule
from tensorlint.rules.wording import WRITE_THROUGH_NAME, spell

if TYPE_CHECKING:
    import libcst as cst

_HOLDERS = {
    Owner.ARGUMENT: "the caller's array",
    Owner.ATTRIBUTE: "the array the object keeps",
    Owner.GLOBAL: "the module's array",
}


class WriteToImportedArray(Rule):
    """An in-place operation on a tensor made of an array writes into the array.

    ## What it does
    Follows the memory of an array through `torch.from_numpy`, `torch.as_tensor`, `torch.asarray` and
    `torch.Tensor` of a float32 array, and reports the write through one of the two names when the array belongs
    to a caller or to `self`, or when the other name is read afterwards.

    ## Why is this bad
    `t /= 255` scales the caller's image as well; the next call scales it again. Whether it happens depends on
    dtypes (`.float()` of a float32 tensor is no copy) and on the device.

    ## Example
    ```python
    import numpy as np
    import torch

    def normalise(image: np.ndarray):
        t = torch.from_numpy(image)
        t /= 255
        return t
    ```

    ## Use instead
    ```python
    import numpy as np
    import torch

    def normalise(image: np.ndarray):
        t = torch.from_numpy(image)
        return t / 255
    ```

    ## Fix safety
    Unsafe: the copy takes memory of its own, and writes no longer reach the other name.

    ## References
    - torch documentation, `torch.from_numpy`; Trusted-AI/adversarial-robustness-toolbox#2262; measured on torch
      1.13.1, 2.2.2 and 2.13.0
    """

    code = "TBX303"
    name = "write-to-imported-array"
    shown = Certainty.CERTAIN
    fix = Applicability.UNSAFE

    def on_write(self, event: Write) -> Iterator[Draft]:
        value = event.value
        holder = _HOLDERS.get(event.storage.owner)
        if not isinstance(value, Tensor) or not value.imported or value.alias is None or holder is None:
            return
        if len(value.storages) != 1 or WRITE_THROUGH_NAME.search(event.name):
            return
        yield Draft(
            event.node,
            f"this writes into {holder}: `{event.name or 'the tensor'}` shares its memory",
            # That a caller goes on with what it handed over is not known; one that is seen to is told at its own read.
            Certainty.POSSIBLE if event.storage.owner is Owner.ARGUMENT else Certainty.LIKELY,
            "work out of place, or copy first: `.clone()`",
            (Note(value.alias, "made without a copy here"),),
            repair=partial(_repair, value.alias),
        )

    def on_stale_read(self, event: StaleRead) -> Iterator[Draft]:
        value = event.value
        match value, event.mutation.how:
            case (Array(exported=False), "tensor") | (Tensor(imported=True), "array" | "unknown"):
                pass
            case Unknown(), "tensor" if event.mutation.alias is not None:
                # What a tensor was made of without a copy is an array.
                pass
            case _:
                return
        if WRITE_THROUGH_NAME.search(event.mutation.name):
            return
        notes = [Note(event.node, f"`{event.name}` is read here and shows the change")]
        alias = value.alias if isinstance(value, Tensor) else event.mutation.alias
        if alias is not None:
            notes.append(Note(alias, "made without a copy here"))
        yield Draft(
            event.mutation.node,
            f"this also changes `{event.name}`, which shares the memory: `{spell(event.mutation.node)}`",
            Certainty.LIKELY,
            "work out of place, or copy first: `.clone()` of the tensor, `.copy()` of the array",
            tuple(notes),
            repair=None if alias is None else partial(_repair, alias),
        )


def _repair(alias: cst.CSTNode, style: ExportStyle) -> Repair:
    return mending.copied(alias, "clone", "writes no longer reach the array")
