from __future__ import annotations

from collections.abc import Iterator

from tensorlint import screen
from tensorlint.findings import Certainty
from tensorlint.flow.domain.tensors import Tensor
from tensorlint.flow.events import ArrayMeetsTensor as Meeting
from tensorlint.rules.base import Draft, Note, Rule
from tensorlint.rules.export_risk import export_risk, off_the_cpu
from tensorlint.rules.wording import history, spell

_COMPARISONS = frozenset({"<", "<=", ">", ">="})


class ArrayMeetsTensor(Rule):
    """An operator between an array and a tensor: it raises, or gives something else than meant.

    ## What it does
    Reports `array * tensor` and `tensor * array`, and the other operators, where the array is no NumPy scalar and the
    operation fails or is not what it looks like.

    ## Why is this bad
    With the array on the left `+`, `-`, `*`, `@` and the comparisons raise `TypeError` for every tensor. With the
    tensor on the left, and with `/`, NumPy computes: a tensor that requires grad, or lives off the CPU, raises as in
    `tensor.numpy()`. `array != tensor` is `True`, whatever they hold.

    ## Example
    ```python
    import numpy as np
    import torch

    weights = np.array([0.5, 2.0])
    losses = torch.rand(2)
    print(weights * losses)
    ```

    ## Use instead
    ```python
    import numpy as np
    import torch

    weights = np.array([0.5, 2.0])
    losses = torch.rand(2)
    print(torch.as_tensor(weights, dtype=losses.dtype, device=losses.device) * losses)
    ```

    ## References
    - pytorch/pytorch#36363; measured on torch 2.2.2 with NumPy 1.26.4 and on torch 2.13.0 with NumPy 2.4.6
    """

    code = "TBX110"
    name = "array-meets-tensor"
    clues = screen.BOUNDARY

    def on_array_meets_tensor(self, event: Meeting) -> Iterator[Draft]:
        tensor = event.tensor.value
        if event.scene.caught or not isinstance(tensor, Tensor):
            return
        array = f"`{spell(event.array.node)}` is an array"
        certainty = Certainty.CERTAIN
        notes: tuple[Note, ...] = ()
        if event.operator in _COMPARISONS or (event.array_first and event.operator not in {"/", "==", "!="}):
            message = f"`{event.operator}` raises TypeError: {array} and `{spell(event.tensor.node)}` a tensor"
        elif event.operator == "!=":
            message = f"`!=` is True whatever they hold: {array} and `{spell(event.tensor.node)}` a tensor"
        elif event.operator == "==":
            return
        else:
            risk = export_risk(tensor, event.scene, presume=False)
            if risk is None or risk.surest is None or risk.surest is Certainty.POSSIBLE:
                return
            certainty, notes = risk.surest, history(tensor.device, tensor.grad)
            device = risk.device is not None and risk.device >= certainty
            message = f"{array}: NumPy computes `{event.operator}`, which raises as `{spell(event.tensor.node)}` " + (
                off_the_cpu(tensor.device) if device else "needs a gradient"
            )
        yield Draft(event.node, message, certainty, "make a tensor of the array: `torch.as_tensor(...)`", notes)
