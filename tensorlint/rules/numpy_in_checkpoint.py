from __future__ import annotations

from collections.abc import Iterator

from tensorlint import screen
from tensorlint.findings import Certainty
from tensorlint.flow.domain.facts import Truth
from tensorlint.flow.domain.tensors import Array
from tensorlint.flow.domain.values import Dictionary, Scalar, Sequence, Value
from tensorlint.flow.object_events import Checkpoint
from tensorlint.rules.base import Draft, Note, Rule
from tensorlint.rules.wording import spell
from tensorlint.versions import Versions


class NumpyInCheckpoint(Rule):
    """A NumPy scalar or array in a checkpoint: `torch.load` refuses to read it back.

    ## What it does
    Reports `torch.save` of something that holds NumPy scalars or arrays, in a program that reads checkpoints without
    `weights_only=False`.

    ## Why is this bad
    Since torch 2.6 `torch.load` takes tensors and plain Python objects only: `UnpicklingError: Weights only load
    failed`. It is seen when the training is resumed, which may be days later.

    ## Example
    ```python
    import numpy as np
    import torch

    best = np.mean([0.1, 0.2])
    torch.save({"best": best}, "last.ckpt")
    torch.load("last.ckpt")
    ```

    ## Use instead
    ```python
    import numpy as np
    import torch

    best = float(np.mean([0.1, 0.2]))
    torch.save({"best": best}, "last.ckpt")
    torch.load("last.ckpt")
    ```

    ## References
    - pytorch/pytorch#138985; torch documentation, `torch.load`; measured on torch 2.13.0
    """

    code = "TBX108"
    name = "numpy-in-checkpoint"
    clues = (screen.CHECKPOINT,)
    versions = Versions(torch_from="2.6")
    shown = Certainty.CERTAIN

    def on_checkpoint(self, event: Checkpoint) -> Iterator[Draft]:
        if event.any_pickle is Truth.YES:
            return
        found = _numpy_in(event.value.value, "")
        if found is None:
            return
        where, what = found
        read_back = event.any_pickle is Truth.NO and event.scene.is_read_back(event.node) and not event.scene.caught
        certainty = Certainty.LIKELY if event.any_pickle is Truth.NO else Certainty.POSSIBLE
        notes = () if event.read is None else (Note(event.read, "read here, without `weights_only=False`"),)
        place = f" under `{where}`" if where else ""
        yield Draft(
            event.node,
            f"`{spell(event.value.node)}` holds {what}{place}: `torch.load` raises UnpicklingError for it",
            Certainty.CERTAIN if read_back else certainty,
            "save `float(...)` or `.item()` of a scalar, and `torch.from_numpy(...)` or `.tolist()` of an array",
            notes,
        )


def _numpy_in(value: Value, key: str) -> tuple[str, str] | None:
    """The first thing of NumPy in a value: the key it lies under, and what it is."""
    match value:
        case Scalar(kind=kind) if kind.startswith("np."):
            return key, "a NumPy scalar"
        case Array(sure=True):
            return key, "a NumPy array"
        case Dictionary(state_dict=False):
            inside = [(str(name), item) for name, item in value.entries.items()]
            others = [("", value.element)] if value.element is not None else []
            parts = [_numpy_in(item, name) for name, item in (*inside, *others)]
        case Sequence():
            items = value.items if value.items is not None else (value.element,) if value.element is not None else ()
            parts = [_numpy_in(item, key) for item in items]
        case _:
            return None
    return next((part for part in parts if part is not None), None)
