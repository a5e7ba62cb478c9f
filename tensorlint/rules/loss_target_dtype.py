from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Repair, append
from tensorlint.flow.arguments import given
from tensorlint.flow.call import Argument
from tensorlint.flow.domain.dtypes import BOOL, Dtype, each_named
from tensorlint.flow.domain.facts import Truth
from tensorlint.flow.domain.tensors import Tensor
from tensorlint.flow.events import ModuleCall, TorchCall
from tensorlint.policy import ExportStyle
from tensorlint.rules.base import Draft, Note, Rule
from tensorlint.rules.wording import spell

if TYPE_CHECKING:
    import libcst as cst

_BOOL = frozenset({BOOL})
_NO_FLOATS = each_named("int8 int16 int32 int64 uint8 uint16 uint32 uint64") | _BOOL

#: The dtypes that the target of a loss cannot have, whatever it is compared with (measured on torch 2.13.0).
_REFUSED: Mapping[str, frozenset[Dtype]] = {
    "binary_cross_entropy": _NO_FLOATS,
    "binary_cross_entropy_with_logits": _NO_FLOATS,
    "kl_div": _NO_FLOATS,
    "l1_loss": _BOOL,
    "multilabel_soft_margin_loss": _BOOL,
    "gaussian_nll_loss": _BOOL,
}
#: Those that compute the loss, and no gradient of it.
_REFUSED_IN_BACKWARD: Mapping[str, frozenset[Dtype]] = {"huber_loss": _NO_FLOATS, "soft_margin_loss": _BOOL}
_MODULES = {
    "nn.BCELoss": "binary_cross_entropy",
    "nn.BCEWithLogitsLoss": "binary_cross_entropy_with_logits",
    "nn.KLDivLoss": "kl_div",
    "nn.L1Loss": "l1_loss",
    "nn.MultiLabelSoftMarginLoss": "multilabel_soft_margin_loss",
    "nn.GaussianNLLLoss": "gaussian_nll_loss",
    "nn.HuberLoss": "huber_loss",
    "nn.SoftMarginLoss": "soft_margin_loss",
}


class LossTargetDtype(Rule):
    """Integers or booleans as the target of a loss that wants floats: binary cross entropy of 0 and 1 as int64.

    ## What it does
    Reports targets of `binary_cross_entropy` (with and without logits) and `kl_div` that are integers or booleans,
    booleans that other losses subtract from, and integers that the gradient of `huber_loss` is not made for. Class
    labels, which have to be integers, are those of TBX212; targets in float64 those of TBX207.

    ## Why is this bad
    It raises on every device: `RuntimeError: result type Float can't be cast to the desired output type Long`, `Found
    dtype Long but expected Float`. Labels of 0 and 1 are integers in NumPy and in lists, and what `mse_loss` promotes
    these losses do not.

    ## Example
    ```python
    import numpy as np
    import torch

    labels = torch.from_numpy(np.array([0, 1, 1]))
    torch.nn.functional.binary_cross_entropy_with_logits(torch.rand(3), labels)
    ```

    ## Use instead
    ```python
    import numpy as np
    import torch

    labels = torch.from_numpy(np.array([0, 1, 1])).float()
    torch.nn.functional.binary_cross_entropy_with_logits(torch.rand(3), labels)
    ```

    ## Fix safety
    Safe: the line raises whenever it is reached, or where its gradient is computed.

    ## References
    - pytorch/pytorch#56542; measured on torch 2.13.0
    """

    code = "TBX218"
    name = "loss-target-dtype"
    clues = (screen.LOSS, *screen.BOUNDARY)
    fix = Applicability.SAFE

    def on_torch_call(self, event: TorchCall) -> Iterator[Draft]:
        yield from _judged(event, event.name.removeprefix("nn.functional."), event.arguments)

    def on_module_call(self, event: ModuleCall) -> Iterator[Draft]:
        yield from _judged(event, _MODULES.get(event.name, ""), event.arguments)


def _judged(event: TorchCall | ModuleCall, name: str, arguments: tuple[Argument, ...]) -> Iterator[Draft]:
    """What is said of a loss that is given ``arguments``: its target is of a dtype that it refuses."""
    if any(each.star for each in arguments) or event.scene.caught:
        return
    score, target = given(arguments, 0, "input"), given(arguments, 1, "target")
    if target is None or not isinstance(target.value, Tensor) or not target.value.sure:
        return
    if name == "kl_div" and any(each.keyword == "log_target" for each in arguments):
        return
    if target.value.dtype in _REFUSED.get(name, ()):
        consequence = "it raises"
    elif target.value.dtype in _REFUSED_IN_BACKWARD.get(name, ()) and _has_graph(score):
        consequence = "its backward pass raises"
    else:
        return
    origin = target.value.origin
    yield Draft(
        event.node,
        f"`{spell(target.node)}` is {target.value.dtype}, which `{name}` takes for no target: {consequence}",
        Certainty.CERTAIN,
        "cast it by `.float()`",
        () if origin is None else (Note(origin.site, origin.message),),
        repair=partial(_cast, target.node),
    )


def _has_graph(score: Argument | None) -> bool:
    return score is not None and isinstance(score.value, Tensor) and score.value.grad.truth is Truth.YES


def _cast(node: cst.BaseExpression, style: ExportStyle) -> Repair:
    return Repair("append `.float()`", (append(node, ".float()"),))
