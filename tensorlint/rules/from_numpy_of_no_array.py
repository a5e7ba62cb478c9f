from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Builder, Repair, replace, wrap
from tensorlint.flow.call import Argument
from tensorlint.flow.domain.inside import is_array, leaves
from tensorlint.flow.domain.tensors import Tensor
from tensorlint.flow.domain.values import Scalar, Sequence, Value
from tensorlint.flow.events import TorchCall
from tensorlint.flow.scene import Spelling
from tensorlint.policy import ExportStyle
from tensorlint.rules.base import Draft, Rule
from tensorlint.rules.wording import spell


class FromNumpyOfNoArray(Rule):
    """`torch.from_numpy` of a number, a list or a tensor raises: it takes arrays only.

    ## What it does
    Reports `torch.from_numpy(x)` where `x` is a number of Python or NumPy, a list, a tuple or a tensor.

    ## Why is this bad
    It raises `TypeError: expected np.ndarray (got numpy.float64)`. A reduction is the usual way there: `a.mean()` and
    `a[0]` of one dimension are numbers, `a.mean(axis=0)` is an array.

    ## Example
    ```python
    import numpy as np
    import torch

    errors = np.array([0.5, 1.5])
    error = torch.from_numpy(errors.mean())
    ```

    ## Use instead
    ```python
    import numpy as np
    import torch

    errors = np.array([0.5, 1.5])
    error = torch.as_tensor(errors.mean())
    ```

    ## Fix safety
    Safe: the old line raises whenever it is reached.

    ## References
    - torch documentation, `torch.from_numpy`; measured on torch 1.13.1, 2.2.2 and 2.13.0
    """

    code = "TBX215"
    name = "from-numpy-of-no-array"
    clues = screen.BOUNDARY
    fix = Applicability.SAFE

    def on_torch_call(self, event: TorchCall) -> Iterator[Draft]:
        operand = event.positional()
        if event.name != "from_numpy" or operand is None or event.scene.caught:
            return
        what = _kind(operand.value)
        if what:
            yield Draft(
                event.node,
                f"`torch.from_numpy` raises TypeError: `{spell(operand.node)}` is {what}, no array",
                Certainty.CERTAIN,
                "use `torch.as_tensor`",
                repair=_repair(event, operand),
            )


def _kind(value: Value) -> str:
    match value:
        case Scalar(kind=kind) if kind.startswith("np."):
            return "a NumPy scalar"
        case Scalar(kind="int" | "float" | "bool" | "str" as kind):
            return f"of type {kind}"
        case Sequence(kind="list" | "tuple" as kind):
            return f"a {kind}"
        case Tensor(sure=True):
            return "a tensor"
        case _:
            return ""


def _repair(event: TorchCall, operand: Argument) -> Builder | None:
    import libcst

    if (
        isinstance(operand.value, Sequence)
        and operand.value.items is None
        and all(map(is_array, leaves(operand.value)))
    ):
        # ``torch.as_tensor`` would read them number by number.
        array = event.scene.spelling("numpy.array")
        return None if array is None else partial(_joined, operand, array)
    spelling = event.scene.spelling("torch.as_tensor")
    if spelling is None or not isinstance(event.node, libcst.Call):
        return None
    return partial(_renamed, event.node.func, spelling)


def _joined(operand: Argument, array: Spelling, style: ExportStyle) -> Repair:
    return Repair(f"write `{array.text}(...)`", (wrap(operand.node, array.text),), imports=array.imports)


def _renamed(function: object, spelling: Spelling, style: ExportStyle) -> Repair:
    return Repair(f"write `{spelling.text}`", (replace(function, spelling.text),), imports=spelling.imports)  # type: ignore[arg-type]
