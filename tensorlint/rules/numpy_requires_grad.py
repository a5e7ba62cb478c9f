from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.flow.domain.facts import Truth
from tensorlint.flow.domain.tensors import Tensor
from tensorlint.flow.domain.values import Unknown
from tensorlint.flow.events import Export
from tensorlint.rules import mending
from tensorlint.rules.base import Draft, Rule
from tensorlint.rules.export_risk import export_risk
from tensorlint.rules.wording import history, spell


class NumpyRequiresGrad(Rule):
    """`.numpy()` on a tensor that needs a gradient.

    ## What it does
    Follows `requires_grad` from leaves, parameters and modules through operations, `no_grad` blocks and
    decorators, and reports `.numpy()` on a tensor that still needs a gradient.

    ## Why is this bad
    It raises on every device: `RuntimeError: Can't call numpy() on Tensor that requires grad. Use
    tensor.detach().numpy() instead.` `model.eval()` does not help; only `torch.no_grad()`,
    `torch.inference_mode()` or `.detach()` do.

    ## Example
    ```python
    import torch

    layer = torch.nn.Linear(3, 1)
    print(layer(torch.rand(2, 3)).numpy())
    ```

    ## Use instead
    ```python
    import torch

    layer = torch.nn.Linear(3, 1)
    print(layer(torch.rand(2, 3)).detach().numpy())
    ```

    ## Fix safety
    Safe where the value is known to be a torch tensor: wherever the old line worked, the new one returns the same
    memory. Otherwise unsafe, and where the array is written afterwards, too: that changes the tensor, and autograd does
    not see it. `export-style = "force"` writes `.numpy(force=True)` instead (torch 1.13 or later).

    ## References
    - torch documentation, `Tensor.numpy`; measured on torch 1.13.1, 2.2.2 and 2.13.0
    """

    code = "TBX102"
    name = "numpy-requires-grad"
    clues = (screen.EXPORT,)
    shown = Certainty.CERTAIN
    fix = Applicability.SAFE

    def on_export(self, event: Export) -> Iterator[Draft]:
        risk = export_risk(event.value, event.scene, presume=True)
        if risk is None or risk.grad is None or event.forced or event.replaced_by_scalar:
            return
        assert isinstance(event.value, (Tensor, Unknown))
        subject = spell(event.receiver)
        verb = {Truth.YES: "needs", Truth.MAYBE: "may need"}.get(event.value.grad.truth)
        # Where nothing shows that it is a tensor, the fix says so; the message must not know better.
        of = "" if risk.sure else " of such a tensor" if verb else " of a tensor"
        message = f"`{subject}` {verb} a gradient" if verb else f"nothing detaches `{subject}`"
        yield Draft(
            event.node,
            f"{message}: `.numpy()`{of} raises RuntimeError{'' if verb else ' when it needs a gradient'}",
            risk.grad,
            f"insert `{risk.calls()}` before `.numpy()`",
            history(event.value.grad),
            mend=event.node,
            repair=partial(mending.export, event, risk),
        )
