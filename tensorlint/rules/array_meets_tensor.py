from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tensorlint import screen
from tensorlint.findings import Certainty
from tensorlint.flow.call import Argument
from tensorlint.flow.domain.tensors import Array, Tensor
from tensorlint.flow.domain.values import Sequence, Value
from tensorlint.flow.events import ArrayMeetsTensor as Meeting
from tensorlint.flow.events import MethodCall, ModuleCall, TorchCall
from tensorlint.knowledge.tensors_only import LAYERS, LISTED_TENSORS, LOSSES, ONE_TENSOR, TAKE_ANOTHER, TWO_TENSORS
from tensorlint.rules.base import Draft, Note, Rule
from tensorlint.rules.export_risk import export_risk, off_the_cpu
from tensorlint.rules.wording import history, spell

if TYPE_CHECKING:
    import libcst as cst

_COMPARISONS = frozenset({"<", "<=", ">", ">="})
#: What the first two operands of functions are called.
_OPERANDS = ({"input", "self"}, {"other", "target", "mat2", "vec", "tensor"})
_HELP = "make a tensor of the array: `torch.as_tensor(...)`"


class ArrayMeetsTensor(Rule):
    """An array where a tensor is wanted: an operator or a function raises, or gives something else than meant.

    ## What it does
    Reports `array * tensor` and `tensor * array`, and the other operators, where the array is no NumPy scalar and the
    operation fails or is not what it looks like. Reports arrays that are handed to functions, methods and layers of
    torch which take tensors only (`torch.add(t, array)`, `t.mul_(array)`, `torch.stack(arrays)`,
    `nn.Linear(2, 1)(array)`), and those that are assigned into a tensor (`t[0] = array`).

    ## Why is this bad
    With the array on the left `+`, `-`, `*`, `@` and the comparisons raise `TypeError` for every tensor. With the
    tensor on the left, and with `/`, NumPy computes: a tensor that requires grad, or lives off the CPU, raises as in
    `tensor.numpy()`. `array != tensor` is `True`, whatever they hold. Functions, methods, layers and `t[0] =` raise
    `TypeError` on every device: nothing makes a tensor of an array unasked.

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
        if event.operator == "=":
            message = f"assigning into `{spell(event.tensor.node)}` raises TypeError: {array} and that a tensor"
        elif event.operator in _COMPARISONS or (event.array_first and event.operator not in {"/", "==", "!="}):
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
        yield Draft(event.node, message, certainty, _HELP, notes)

    def on_torch_call(self, event: TorchCall) -> Iterator[Draft]:
        count = 2 if event.name in TWO_TENSORS else 1 if event.name in ONE_TENSOR else 0
        yield from _refused(event, f"torch.{event.name}", count)
        listed = event.positional() if event.name in LISTED_TENSORS else None
        if listed is not None and not event.scene.caught and _lists_arrays(listed.value):
            message = f"`torch.{event.name}` raises TypeError: there are arrays in `{spell(listed.node)}`"
            yield Draft(event.node, message, Certainty.CERTAIN, "make tensors of the arrays: `torch.from_numpy(...)`")

    def on_module_call(self, event: ModuleCall) -> Iterator[Draft]:
        yield from _refused(event, event.name, 2 if event.name in LOSSES else 1 if event.name in LAYERS else 0)

    def on_method_call(self, event: MethodCall) -> Iterator[Draft]:
        if event.name not in TAKE_ANOTHER or not event.arguments or event.scene.caught:
            return
        (other, *_) = event.arguments
        tensor = isinstance(event.value, Tensor) and event.value.sure
        if (
            tensor
            and not other.star
            and (not other.keyword or other.keyword in _OPERANDS[1])
            and _is_array(other.value)
        ):
            yield _draft(event.node, f"`.{event.name}()`", other)


def _refused(event: TorchCall, name: str, count: int) -> Iterator[Draft]:
    """The first array among the operands of a call of which so many have to be tensors."""
    if event.scene.caught or any(argument.star for argument in event.arguments):
        return
    for position, keywords in enumerate(_OPERANDS[:count]):
        named = (event.keyword(keyword) for keyword in sorted(keywords))
        operand = event.positional(position) or next((each for each in named if each is not None), None)
        if operand is not None and _is_array(operand.value):
            yield _draft(event.node, f"`{name}`", operand)
            return


def _is_array(value: Value) -> bool:
    return isinstance(value, Array) and value.sure and value.has_axes


def _lists_arrays(value: Value) -> bool:
    return isinstance(value, Sequence) and value.kind in {"list", "tuple"} and any(map(_is_array, value.contents))


def _draft(node: cst.CSTNode, how: str, array: Argument) -> Draft:
    message = f"{how} raises TypeError: `{spell(array.node)}` is an array"
    return Draft(node, message, Certainty.CERTAIN, _HELP)
