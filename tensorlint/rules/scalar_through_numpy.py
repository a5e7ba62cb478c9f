from __future__ import annotations

from collections.abc import Iterator

from tensorlint.flow.events import Export
from tensorlint.flow.values import Tensor, Unknown
from tensorlint.rules.base import Draft, Rule
from tensorlint.rules.wording import export_risk, history, spell


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

    ## References
    - torch documentation, `Tensor.item`, `Tensor.tolist`; equality measured on torch 1.13.1, 2.2.2 and 2.13.0
    """

    code = "TBX113"
    name = "scalar-through-numpy"

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
        )
