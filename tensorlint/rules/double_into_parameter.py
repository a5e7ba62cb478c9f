from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Change, Repair, source_of
from tensorlint.flow.domain.dtypes import FLOAT32, UNKNOWN_DTYPE
from tensorlint.flow.domain.facts import Truth
from tensorlint.flow.domain.tensors import Provenance, Tensor
from tensorlint.flow.object_events import DoubleIntoParameter
from tensorlint.flow.scene import Spelling
from tensorlint.policy import ExportStyle
from tensorlint.rules.base import Draft, Rule
from tensorlint.rules.wording import spell


class DoubleIntoParameterData(Rule):
    """`parameter.data` that is given float64 numbers of NumPy turns the whole parameter into float64.

    ## What it does
    Reports `p.data = x` where `x` is a tensor of float64, as `torch.from_numpy` makes it of most arrays, and
    `p.data -= a` where `a` is an array of float64. `p` is a parameter that was made float32.

    ## Why is this bad
    Assigning to `.data` replaces memory and dtype, without a check. `p.data -= array` does so too: the array answers
    with a new tensor of float64. The next call of the model raises `RuntimeError: mat1 and mat2 must have the same
    dtype, but got Float and Double`, or all that follows is computed in float64, at half the speed or less.

    ## Example
    ```python
    import numpy as np
    import torch

    embedding = torch.nn.Embedding(10, 3)
    vectors = np.random.rand(10, 3)
    embedding.weight.data = torch.from_numpy(vectors)
    ```

    ## Use instead
    ```python
    import numpy as np
    import torch

    embedding = torch.nn.Embedding(10, 3)
    vectors = np.random.rand(10, 3)
    embedding.weight.data.copy_(torch.from_numpy(vectors))
    ```
    `.copy_()`, `.sub_(tensor)` and `p.data -= tensor` keep the dtype of the parameter.

    ## Fix safety
    Unsafe: the parameter stays float32, and what was computed in float64 before is not any more.

    ## References
    - openkim/kliff#139; measured on torch 2.13.0
    """

    code = "TBX506"
    name = "double-into-parameter"
    clues = (*screen.BOUNDARY, screen.SNAPSHOT)
    fix = Applicability.UNSAFE
    shown = Certainty.CERTAIN

    def on_double_into_parameter(self, event: DoubleIntoParameter) -> Iterator[Draft]:
        held, scene = event.parameter.value, event.scene
        if not isinstance(held, Tensor) or scene.caught or scene.file.casts_modules:
            return
        of_module = held.source is Provenance.PARAMETER_OF_MODULE
        if held.dtype not in ({UNKNOWN_DTYPE, FLOAT32} if of_module else {FLOAT32}):
            return
        if not of_module and held.grad.truth is not Truth.YES:
            return
        parameter, value = spell(event.parameter.node), spell(event.value.node)
        given = f"`{value}` is an array of float64" if event.augmented else f"`{value}` is float64"
        # Of a module that somebody hands over, it is not known what it was cast to.
        made = held.dtype is FLOAT32 or held.module > 0
        torch = scene.spelling("torch.as_tensor")
        yield Draft(
            event.node,
            f"`{parameter}` becomes float64, which its model does not compute with: {given}",
            Certainty.CERTAIN if made and held.sure and not scene.file.names_double else Certainty.LIKELY,
            f"use `torch.as_tensor(..., dtype={parameter}.dtype)`"
            + ("" if event.augmented else f", or `{parameter}.data.copy_(...)`"),
            repair=None if torch is None else partial(_repair, event, torch),
        )


def _repair(event: DoubleIntoParameter, torch: Spelling, style: ExportStyle) -> Repair:
    parameter = source_of(event.parameter.node)
    where = f", device={parameter}.device" if event.augmented else ""
    ending = f", dtype={parameter}.dtype{where})"
    return Repair(
        f"wrap it in `{torch.text}(..., dtype={parameter}.dtype)`",
        (Change(event.value.node, before=f"{torch.text}(", after=ending, whole=event.node),),
        Applicability.UNSAFE,
        "the parameter keeps its dtype",
        torch.imports,
    )
