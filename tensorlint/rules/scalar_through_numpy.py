from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from tensorlint import screen
from tensorlint.findings import Applicability
from tensorlint.fix.repair import Repair, method_call, replace, source_of
from tensorlint.flow.domain.tensors import Tensor
from tensorlint.flow.domain.values import Unknown
from tensorlint.flow.events import Export
from tensorlint.policy import ExportStyle
from tensorlint.rules.base import Draft, Rule
from tensorlint.rules.export_risk import export_risk
from tensorlint.rules.mending import NOT_PROVEN
from tensorlint.rules.wording import history, spell

if TYPE_CHECKING:
    import libcst as cst


class ScalarThroughNumpy(Rule):
    """A tensor becomes a Python number or list by way of NumPy, which can fail.

    ## What it does
    Reports `float(t.numpy())`, `int(t.numpy())`, `t.numpy().item()` and `t.numpy().tolist()` where `t` may be
    off the CPU or need a gradient.

    ## Why is this bad
    `.numpy()` raises for a tensor on a GPU, with a gradient, or of dtype bfloat16. `.item()` and `.tolist()` of
    the tensor itself give the same numbers and work on every device, with and without a gradient.

    ## Example
    ```python
    import torch

    layer = torch.nn.Linear(3, 1)
    loss = layer(torch.rand(2, 3)).mean()
    print(float(loss.numpy()))
    ```

    ## Use instead
    ```python
    import torch

    layer = torch.nn.Linear(3, 1)
    loss = layer(torch.rand(2, 3)).mean()
    print(loss.item())
    ```

    ## Fix safety
    Safe where the value is known to be a torch tensor: the numbers are the same. Otherwise unsafe.

    ## References
    - torch documentation, `Tensor.item`, `Tensor.tolist`; equality measured on torch 1.13.1, 2.2.2 and 2.13.0
    """

    code = "TBX113"
    name = "scalar-through-numpy"
    clues = (screen.EXPORT,)
    fix = Applicability.SAFE

    def on_export(self, event: Export) -> Iterator[Draft]:
        risk = export_risk(event.value, event.scene, presume=True)
        if (
            risk is None
            or risk.surest is None
            or event.forced
            or not event.replaced_by_scalar
            or event.consumer_node is None
        ):
            return
        assert isinstance(event.value, (Tensor, Unknown))
        subject = spell(event.receiver)
        direct = f"{subject}.tolist()" if event.consumer == "tolist" else f"{subject}.item()"
        repair = partial(_direct, event, sure=risk.sure)
        reasons = [
            reason
            for reason, certainty in (("is on a GPU", risk.device), ("needs a gradient", risk.grad))
            if certainty is not None and certainty >= risk.surest
        ]
        yield Draft(
            event.consumer_node,
            f"`{spell(event.consumer_node)}` fails when `{subject}` {' or '.join(reasons)}; `{direct}` never does",
            risk.surest,
            f"write `{direct}`",
            history(event.value.device, event.value.grad),
            mend=event.node,
            repair=repair,
        )


def _direct(event: Export, style: ExportStyle, *, sure: bool) -> Repair | None:
    """Ask the tensor itself. ``float(...)`` and its like stay, as ``.item()`` of integers is no float."""
    assert event.consumer_node is not None
    is_method = event.consumer in {"item", "tolist"}
    is_float = isinstance(event.value, Tensor) and event.value.dtype.is_floating
    whole = is_method or (event.consumer == "float" and is_float)
    call = method_call(event.consumer_node)
    if is_method and (call is None or call[2]):
        return None  # ``.item(3)`` has no like
    tensor = source_of(_unmoved(event.receiver))
    text = f"{tensor}.{'tolist' if event.consumer == 'tolist' else 'item'}()"
    change = replace(event.consumer_node if whole else event.node, text)
    if sure:
        return Repair(f"write `{text}`", (change,))
    return Repair(f"write `{text}`", (change,), Applicability.UNSAFE, NOT_PROVEN)


def _unmoved(tensor: cst.BaseExpression) -> cst.BaseExpression:
    """The tensor before it was brought to where NumPy can see it, which nobody needs now."""
    while (call := method_call(tensor)) is not None and call[1] in {"cpu", "detach"} and not call[2]:
        tensor = call[0]
    return tensor
