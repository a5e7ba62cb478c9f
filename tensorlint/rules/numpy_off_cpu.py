from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.flow.domain.devices import NO_DATA
from tensorlint.flow.domain.facts import Truth
from tensorlint.flow.domain.tensors import Tensor
from tensorlint.flow.domain.values import Unknown
from tensorlint.flow.events import Export
from tensorlint.rules import mending
from tensorlint.rules.base import Draft, Rule
from tensorlint.rules.export_risk import export_risk, off_the_cpu
from tensorlint.rules.wording import history, spell


class NumpyOffCpu(Rule):
    """`.numpy()` on a tensor that is, or may be, off the CPU.

    ## What it does
    Follows where each tensor lives (`.cuda()`, `.to(device)`, `device=`, the module that computed it) and
    reports `.numpy()` on one that was not brought back.

    ## Why is this bad
    NumPy only sees host memory. The line works on the machine without a GPU and raises on the one with it:
    `TypeError: can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host
    memory first.`

    ## Example
    ```python
    import torch

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    scores = torch.rand(8, device=device)
    print(scores.numpy())
    ```

    ## Use instead
    ```python
    import torch

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    scores = torch.rand(8, device=device)
    print(scores.cpu().numpy())
    ```
    `.cpu()` costs nothing on a tensor that is on the CPU already: it returns the same tensor.

    ## Together with TBX102
    When the tensor also needs a gradient, both are told in one finding, under the rule that is surer of itself
    (TBX101 when they are equally sure), because `.detach().cpu()` mends both. When the export only feeds
    `float(...)`, `.item()` or `.tolist()`, TBX113 speaks instead.

    ## Fix safety
    Safe where the value is known to be a torch tensor: wherever the old line worked, the new one returns the same
    memory. Otherwise unsafe, and where the array is written afterwards, too: that changes the tensor on the CPU, and
    nothing but a copy on a GPU. `export-style = "force"` writes `.numpy(force=True)` instead (torch 1.13 or later).

    ## References
    - torch documentation, `Tensor.numpy`; measured on torch 1.13.1, 2.2.2 and 2.13.0
    """

    code = "TBX101"
    name = "numpy-off-cpu"
    clues = (screen.EXPORT,)
    shown = Certainty.CERTAIN
    fix = Applicability.SAFE

    def on_export(self, event: Export) -> Iterator[Draft]:
        risk = export_risk(event.value, event.scene, presume=True)
        if risk is None or risk.device is None or event.forced or event.replaced_by_scalar:
            return
        assert isinstance(event.value, (Tensor, Unknown))
        subject = spell(event.receiver)
        # Where nothing shows that it is a tensor, the fix says so; the message must not know better.
        fails = "`.numpy()` raises TypeError" if risk.sure else "`.numpy()` of a tensor raises TypeError"
        match event.value.device.truth:
            case Truth.YES:
                message = f"`{subject}` is off the CPU: {fails}{'' if risk.sure else ' there'}"
            case Truth.MAYBE:
                message = f"`{subject}` {off_the_cpu(event.value.device)}: there {fails}"
            case _:
                message = f"nothing brings `{subject}` to the CPU: {fails} when it is on a GPU"
        if event.value.device.reason == NO_DATA:
            hint = "a tensor on the meta device has no data to be exported"
            yield Draft(event.node, message, risk.device, hint, history(event.value.device))
            return
        yield Draft(
            event.node,
            message,
            risk.device,
            f"insert `{risk.calls()}` before `.numpy()`",
            history(event.value.device),
            mend=event.node,
            repair=partial(mending.export, event, risk),
        )
