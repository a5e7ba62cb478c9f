from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Repair, append
from tensorlint.flow.call import Argument
from tensorlint.flow.domain.inside import tensor_dtype
from tensorlint.flow.domain.tensors import Tensor
from tensorlint.flow.domain.values import is_false, is_true
from tensorlint.flow.events import Event, MeetsFloat, MethodCall, TorchCall
from tensorlint.policy import ExportStyle
from tensorlint.rules.base import Draft, Note, Rule
from tensorlint.rules.wording import spell

if TYPE_CHECKING:
    import libcst as cst


class IntegersWhereFloats(Rule):
    """Integers or booleans reach float weights, or are to have a gradient: the layer raises.

    ## What it does
    Reports calls of layers and networks, and products, that are given a tensor of integers or booleans where their
    weights are floats; and parameters that are made of such, or leaves that are to need a gradient. What torch computes
    of floats only, as a mean, is told by TBX213; targets of losses by TBX218 and TBX212.

    ## Why is this bad
    It raises on every device: `RuntimeError: mat1 and mat2 must have the same dtype, but got Long and Float`, `Input
    type (unsigned char) and bias type (float) should be the same`, `only Tensors of floating point dtype can require
    gradients`. Images are bytes in NumPy, counts and categories are integers, and products of NumPy promote them.

    ## Example
    ```python
    import numpy as np
    import torch

    image = torch.from_numpy(np.zeros((1, 3, 32, 32), dtype=np.uint8))
    torch.nn.Conv2d(3, 8, 3)(image)
    ```

    ## Use instead
    ```python
    import numpy as np
    import torch

    image = torch.from_numpy(np.zeros((1, 3, 32, 32), dtype=np.uint8)).float() / 255
    torch.nn.Conv2d(3, 8, 3)(image)
    ```

    ## Fix safety
    Unsafe: the line raises whenever it is reached; whether the values are to be scaled, or were to be looked up in an
    embedding, is not known.

    ## References
    - pytorch/pytorch#22583; measured on torch 2.13.0
    """

    code = "TBX219"
    name = "integers-where-floats"
    clues = (screen.SMALL_INTEGERS, *screen.BOUNDARY)
    fix = Applicability.UNSAFE

    def on_meets_float(self, event: MeetsFloat) -> Iterator[Draft]:
        if event.data is not None:
            yield from _judged(event, event.data, " and meets float32 here")

    def on_torch_call(self, event: TorchCall) -> Iterator[Draft]:
        if event.name in {"nn.Parameter", "nn.parameter.Parameter"} and len(event.arguments) == 1:
            yield from _judged(event, event.arguments[0], ", which no parameter can be that needs a gradient")
        elif not event.name.endswith("Tensor") and any(
            each.keyword == "requires_grad" and is_true(each.value) for each in event.arguments
        ):
            dtype = tensor_dtype(event.result)
            if dtype.is_integral and not event.scene.caught:
                message = f"a tensor of {dtype} can need no gradient: RuntimeError"
                yield Draft(event.node, message, Certainty.CERTAIN, "make it one of floats, `dtype=torch.float32`")

    def on_method_call(self, event: MethodCall) -> Iterator[Draft]:
        if event.name == "requires_grad_" and not any(is_false(each.value) for each in event.arguments):
            yield from _judged(event, Argument(event.receiver, event.value), ", which can need no gradient", cast=False)


def _judged(event: Event, data: Argument, refusal: str, *, cast: bool = True) -> Iterator[Draft]:
    dtype = tensor_dtype(data.value)
    if not dtype.is_integral or event.scene.caught:
        return
    origin = data.value.origin if isinstance(data.value, Tensor) else None
    yield Draft(
        event.node,
        f"`{spell(data.node)}` is {dtype}{refusal}: RuntimeError",
        Certainty.CERTAIN,
        "cast it by `.float()`, and scale it where it is to be scaled",
        () if origin is None else (Note(origin.site, origin.message),),
        # The cast is another tensor: the one whose gradient is read later would still need none.
        repair=partial(_cast, data.node) if cast else None,
    )


def _cast(data: cst.BaseExpression, style: ExportStyle) -> Repair:
    reason = "whether the values are to be scaled, or looked up in an embedding, is not known"
    return Repair("append `.float()`", (append(data, ".float()"),), Applicability.UNSAFE, reason)
