from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Repair, append
from tensorlint.flow.call import Argument
from tensorlint.flow.domain.devices import device_fact, kinds_of
from tensorlint.flow.domain.dtypes import FLOAT64
from tensorlint.flow.domain.facts import Truth
from tensorlint.flow.domain.inside import tensor_dtype
from tensorlint.flow.domain.tensors import Tensor
from tensorlint.flow.events import Event, MeetsFloat, MethodCall, TorchCall
from tensorlint.policy import ExportStyle
from tensorlint.rules.base import Draft, Note, Rule
from tensorlint.rules.wording import bound_at, spell

if TYPE_CHECKING:
    import libcst as cst

#: What else ``.to()`` may be told, without a dtype.
_NO_DTYPE = frozenset({"non_blocking", "copy", "memory_format"})


class Float64MeetsFloat32(Rule):
    """float64 data of NumPy reaches float32 weights, or a device without float64: that raises.

    ## What it does
    Reports calls of layers and networks, and products, that are given a float64 tensor where their weights are float32;
    losses whose class weights are float64, and targets of float64 of the losses that do not promote (`BCELoss`,
    `HuberLoss`). Where a file that imports this one, or is imported by it, casts to float64 or makes it the default,
    nothing is said; where this file speaks of `torch.float64` itself, `likely`.

    Reports float64 that is put on the device `mps`: `certain` where it is no other, `likely` where the machine decides
    (`"mps" if torch.backends.mps.is_available() else "cpu"`).

    ## Why is this bad
    NumPy computes in float64, and `torch.from_numpy` and `torch.tensor` of an array keep that. Layers are made float32,
    and do not promote: `RuntimeError: mat1 and mat2 must have the same dtype, but got Double and Float`.

    The GPU of a Mac has no float64: `TypeError: Cannot convert a MPS Tensor to float64 dtype as the MPS framework
    doesn't support float64`. There was no such machine to run that on: it rests on the source of torch and on reports,
    and `tensorlint verify` says `not run` of it.

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
    Unsafe: the network computes with the digits of float32, as its weights do. The weight of a loss has no fix, nor
    has a tensor that is made on `mps`.

    ## References
    - ain-soph/trojanzoo#72, UKPLab/sentence-transformers#770; measured on torch 2.13.0
    - for `mps`: huggingface/diffusers#358; torch, `aten/src/ATen/mps/EmptyTensor.cpp`
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

    def on_method_call(self, event: MethodCall) -> Iterator[Draft]:
        if event.name != "to" or tensor_dtype(event.value) is not FLOAT64:
            return
        device, *others = event.arguments or (None,)
        # A dtype that is asked for as well is cast to on the way.
        if device is not None and all(each is not None and each.keyword in _NO_DTYPE for each in others):
            yield from _on_mps(event, event.receiver, device, repaired=True)

    def on_torch_call(self, event: TorchCall) -> Iterator[Draft]:
        device = event.keyword("device")
        if device is not None and tensor_dtype(event.result) is FLOAT64:
            yield from _on_mps(event, event.node, device, repaired=False)


def _on_mps(event: Event, data: cst.CSTNode, device: Argument, *, repaired: bool) -> Iterator[Draft]:
    """float64 that is put on a device which is the GPU of a Mac, or is one on some machines."""
    import libcst

    assert isinstance(data, libcst.BaseExpression)
    if event.scene.caught or "mps" not in kinds_of(device.value):
        return
    placed = device_fact(device.value)
    only = kinds_of(device.value) == {"mps"} and placed.truth is Truth.YES
    yield Draft(
        event.node,
        f"`{spell(data)}` is float64, which {'' if only else 'the device '}`mps` does not have: TypeError",
        Certainty.CERTAIN if only and not event.scene.ran else Certainty.LIKELY,
        "cast it by `.float()` before, or say `dtype=torch.float32`",
        bound_at(device.node, event.scene) if placed.site is None else (Note(placed.site, placed.reason),),
        repair=partial(_cast, data) if repaired else None,
    )


def _cast(data: cst.BaseExpression, style: ExportStyle) -> Repair:
    reason = "the digits beyond those of float32 are lost"
    return Repair("append `.float()`", (append(data, ".float()"),), Applicability.UNSAFE, reason)
