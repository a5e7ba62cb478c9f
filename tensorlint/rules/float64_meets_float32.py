from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Repair, append
from tensorlint.flow.domain.dtypes import FLOAT64
from tensorlint.flow.domain.inside import tensor_dtype
from tensorlint.flow.domain.tensors import Tensor
from tensorlint.flow.events import MeetsFloat
from tensorlint.policy import ExportStyle
from tensorlint.rules.base import Draft, Note, Rule
from tensorlint.rules.wording import spell

if TYPE_CHECKING:
    import libcst as cst


class Float64MeetsFloat32(Rule):
    """float64 data of NumPy reaches float32 weights: the layer raises.

    ## What it does
    Reports calls of layers and networks, and products, that are given a float64 tensor where their weights are float32;
    losses whose class weights are float64, and targets of float64 of the losses that do not promote (`BCELoss`,
    `HuberLoss`). Where a file that imports this one, or is imported by it, casts to float64 or makes it the default,
    nothing is said; where this file speaks of `torch.float64` itself, `likely`.

    ## Why is this bad
    NumPy computes in float64, and `torch.from_numpy` and `torch.tensor` of an array keep that. Layers are made float32,
    and do not promote: `RuntimeError: mat1 and mat2 must have the same dtype, but got Double and Float`.

    ## Example
    ```python
    import numpy as np
    import torch

    inputs = torch.from_numpy(np.random.rand(8, 3))
    layer = torch.nn.Linear(3, 1)
    layer(inputs)
    ```

    ## Use instead
    ```python
    import numpy as np
    import torch

    inputs = torch.from_numpy(np.random.rand(8, 3)).float()
    layer = torch.nn.Linear(3, 1)
    layer(inputs)
    ```

    ## Fix safety
    Unsafe: the network computes with the digits of float32, as its weights do. The weight of a loss has no fix.

    ## References
    - ain-soph/trojanzoo#72, UKPLab/sentence-transformers#770; measured on torch 2.13.0
    """

    code = "TBX207"
    name = "float64-meets-float32"
    clues = screen.BOUNDARY
    fix = Applicability.UNSAFE
    shown = Certainty.CERTAIN

    def on_meets_float(self, event: MeetsFloat) -> Iterator[Draft]:
        if event.data is not None and tensor_dtype(event.data.value) is not FLOAT64:
            return
        if event.scene.file.casts_modules:
            # ``model.double()`` somewhere: which one it is, and when, is not known everywhere.
            return
        if event.weight or event.data is None:
            message = "the weight of the loss is float64 and what it is given float32: RuntimeError"
            notes: tuple[Note, ...] = ()
        else:
            message = f"`{spell(event.data.node)}` is float64 and meets float32 here: RuntimeError"
            origin = event.data.value.origin if isinstance(event.data.value, Tensor) else None
            notes = () if origin is None else (Note(origin.site, origin.message),)
        yield Draft(
            event.node,
            message,
            Certainty.LIKELY if event.scene.file.names_double or event.presumed else Certainty.CERTAIN,
            "cast it by `.float()`, or the array by `astype(np.float32)`",
            notes,
            repair=None if event.data is None or event.weight else partial(_cast, event.data.node),
        )


def _cast(data: cst.BaseExpression, style: ExportStyle) -> Repair:
    reason = "the digits beyond those of float32 are lost"
    return Repair("append `.float()`", (append(data, ".float()"),), Applicability.UNSAFE, reason)
