from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Builder, Repair, replace, source_of
from tensorlint.flow.domain.facts import Truth
from tensorlint.flow.domain.inside import leaves
from tensorlint.flow.domain.tensors import Tensor
from tensorlint.flow.events import NumpyCall
from tensorlint.policy import ExportStyle
from tensorlint.rules.base import Draft, Rule
from tensorlint.rules.export_risk import export_risk
from tensorlint.rules.wording import history, spell

if TYPE_CHECKING:
    import libcst as cst

#: What torch calls of a list of tensors, in the place of a function of NumPy, and the method behind it.
_OF_TORCH = {
    "sum": ("stack", ".sum()"),
    "mean": ("stack", ".mean()"),
    "average": ("stack", ".mean()"),
    "max": ("stack", ".max()"),
    "min": ("stack", ".min()"),
    "prod": ("stack", ".prod()"),
    "stack": ("stack", ""),
    "array": ("stack", ""),
    "asarray": ("stack", ""),
    "concatenate": ("cat", ""),
}
_REASON = "gradients flow where the old line raised, or went through an array of objects on old releases"


class NumpyOfLosses(Rule):
    """`np.sum` of a list of losses is no loss: it raises, and what it would give has no graph for `.backward()`.

    ## What it does
    Reports `np.sum`, `np.mean` and other functions of NumPy of a list of tensors that need a gradient, where a backward
    pass goes through the result.

    ## Why is this bad
    NumPy exports each tensor, which raises `RuntimeError: Can't call numpy() on Tensor that requires grad`, or
    `TypeError` for one on a GPU. To detach the tensors, as the message says, makes it worse: the sum is a number then,
    and trains nothing. With old releases of torch and NumPy the list became an array of objects, which added the
    tensors up one by one; so code that once trained stops here.

    ## Example
    ```python
    import numpy as np
    import torch

    heads = [torch.nn.Linear(3, 1) for _ in range(2)]
    x = torch.ones(4, 3)
    loss = np.sum([head(x).pow(2).mean() for head in heads])
    loss.backward()
    ```

    ## Use instead
    ```python
    import torch

    heads = [torch.nn.Linear(3, 1) for _ in range(2)]
    x = torch.ones(4, 3)
    loss = torch.stack([head(x).pow(2).mean() for head in heads]).sum()
    loss.backward()
    ```

    ## Fix safety
    Unsafe: gradients flow where the old line raised. `torch.stack` wants tensors of one shape, and refuses an empty
    list. Only offered where the list is the one argument.

    ## References
    - swz30/MPRNet#128; measured on torch 2.13.0 with NumPy 2.4.6
    """

    code = "TBX106"
    name = "numpy-of-losses"
    clues = screen.BOUNDARY
    fix = Applicability.UNSAFE
    shown = Certainty.CERTAIN

    def on_numpy_call(self, event: NumpyCall) -> Iterator[Draft]:
        operand = event.positional()
        if not event.differentiated or operand is None:
            return
        judged = [
            (leaf, risk)
            for leaf in leaves(operand.value)
            if isinstance(leaf, Tensor) and (risk := export_risk(leaf, event.scene, presume=False)) is not None
        ]
        if not judged:
            return
        tensor, risk = max(judged, key=lambda pair: (pair[0].grad.truth, pair[1].surest or Certainty.POSSIBLE))
        # The backward pass behind it says that gradients are on.
        surely = tensor.grad.truth is Truth.YES or risk.device is Certainty.CERTAIN
        instead = _OF_TORCH.get(event.name)
        yield Draft(
            event.node,
            f"`np.{event.name}` of the tensors in `{spell(operand.node)}` raises as one needs a gradient, "
            "and has no graph for the backward pass",
            Certainty.CERTAIN if surely else Certainty.LIKELY,
            f"write `{_written(f'torch.{instead[0]}', spell(operand.node), instead[1])}`" if instead else "use torch",
            history(tensor.grad, tensor.device),
            mend=event.node,
            repair=None if instead is None else _repair(event, operand.node, *instead),
        )


def _repair(event: NumpyCall, tensors: cst.BaseExpression, function: str, method: str) -> Builder | None:
    spelling = event.scene.spelling(f"torch.{function}")
    if spelling is None or len(event.arguments) != 1 or event.arguments[0].star:
        return None
    text = _written(spelling.text, source_of(tensors), method)
    return partial(_rewritten, event.node, text, spelling.imports)


def _written(function: str, tensors: str, method: str) -> str:
    return f"{function}({tensors}){method}"


def _rewritten(node: cst.CSTNode, text: str, imports: tuple[str, ...], style: ExportStyle) -> Repair:
    return Repair(f"write `{text}`", (replace(node, text),), Applicability.UNSAFE, _REASON, imports)
