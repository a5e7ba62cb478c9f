from __future__ import annotations

from collections.abc import Iterator

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.flow.domain.memory import How, Owner
from tensorlint.flow.domain.tensors import Array, Tensor
from tensorlint.flow.domain.values import Unknown
from tensorlint.flow.events import StaleRead, Write
from tensorlint.knowledge import names
from tensorlint.rules.base import Draft, Rule
from tensorlint.rules.dataset_written_in_place import kept_by_dataset
from tensorlint.rules.sharing import Sharing

_HOLDERS = {
    Owner.ARGUMENT: "the caller's array",
    Owner.ATTRIBUTE: "the array the object keeps",
    Owner.GLOBAL: "the module's array",
}

_SHARING = Sharing(
    made="made without a copy here",
    copied_by="clone",
    reason="writes no longer reach the array",
    help="work out of place, or copy first: `.clone()` of the tensor, `.copy()` of the array",
)


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
    clues = screen.BOUNDARY
    shown = Certainty.CERTAIN
    fix = Applicability.UNSAFE

    def on_write(self, event: Write) -> Iterator[Draft]:
        value = event.value
        holder = _HOLDERS.get(event.storage.owner)
        if not isinstance(value, Tensor) or not value.imported or value.alias is None or holder is None:
            return
        if len(value.storages) != 1 or kept_by_dataset(event) or names.WRITE_THROUGH.search(event.name):
            return
        yield Draft(
            event.node,
            f"this writes into {holder}: `{event.name or 'the tensor'}` shares its memory",
            _certainty(event),
            "work out of place, or copy first: `.clone()`",
            (_SHARING.note(value.alias),),
            repair=_SHARING.repair(value.alias, event.scene),
        )

    def on_stale_read(self, event: StaleRead) -> Iterator[Draft]:
        value = event.value
        match value, event.mutation.how:
            case Array(exported=False), How.TENSOR:
                alias = event.mutation.alias
            case Tensor(imported=True), How.ARRAY | How.EITHER:
                alias = value.alias
            case Unknown(), How.TENSOR if event.mutation.alias is not None:
                # What a tensor was made of without a copy is an array.
                alias = event.mutation.alias
            case _:
                return
        yield from _SHARING.read_afterwards(event, alias)


def _certainty(event: Write) -> Certainty:
    """Whether anybody is known to be hit by it.

    That a caller goes on with what it handed over is not known; one that is seen to is told at its own read. And a
    tensor that is made for the write alone is made to reach the array.
    """
    fills = event.scene.is_only_written(event.name, event.node)
    return Certainty.POSSIBLE if event.storage.owner is Owner.ARGUMENT or fills else Certainty.LIKELY
