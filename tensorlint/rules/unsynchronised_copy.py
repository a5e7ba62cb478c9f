from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Builder, Repair, replace
from tensorlint.flow.events import EarlyRead
from tensorlint.policy import ExportStyle
from tensorlint.rules.base import Draft, Note, Rule
from tensorlint.rules.wording import spell

if TYPE_CHECKING:
    import libcst as cst


class UnsynchronisedCopy(Rule):
    """A `non_blocking` copy to the CPU that is read at once: the data need not have arrived.

    ## What it does
    Reports reads of `x.to("cpu", non_blocking=True)`, with `x` on an accelerator, before anything waited for the copy.

    ## Why is this bad
    The call returns while the accelerator still copies. What the program reads by then is whatever lay in that memory:
    no error, wrong numbers, and only sometimes. To the accelerator `non_blocking` is safe, as what computes there waits
    by itself.

    ## Example
    ```python
    import torch

    scores = torch.rand(1000, device="cuda")
    host = scores.to("cpu", non_blocking=True)
    print(host.numpy())
    ```

    ## Use instead
    ```python
    import torch

    scores = torch.rand(1000, device="cuda")
    host = scores.to("cpu")
    print(host.numpy())
    ```

    ## Fix safety
    Safe: the copy holds the same numbers, and is complete when the call returns.

    ## References
    - PyTorch tutorial "A guide on good usage of non_blocking and pin_memory()", section on other copy directions
    - pytorch/pytorch#86264, sgl-project/sglang#16493
    """

    code = "TBX401"
    name = "unsynchronised-copy"
    clues = (screen.NON_BLOCKING,)
    fix = Applicability.SAFE
    shown = Certainty.CERTAIN

    def on_early_read(self, event: EarlyRead) -> Iterator[Draft]:
        made = event.scene.node(event.made)
        yield Draft(
            event.node,
            f"`{spell(event.node)}` reads a copy that need not have arrived from the accelerator",
            Certainty.LIKELY,
            "leave out `non_blocking=True`, or wait by `torch.cuda.synchronize()` before",
            (Note(event.made, "copied without waiting here"),),
            mend=made,
            repair=None if made is None else _waiting(made),
        )


def _waiting(call: cst.CSTNode) -> Builder | None:
    """Where the keyword is spelled, it is turned round: the copy waits, and holds the same numbers."""
    import libcst

    match call:
        case libcst.Call(args=arguments):
            named = (each.value for each in arguments if each.keyword and each.keyword.value == "non_blocking")
            value = next(named, None)
            return None if value is None else partial(_turned, value)
        case _:
            return None


def _turned(value: cst.BaseExpression, style: ExportStyle) -> Repair:
    return Repair("write `non_blocking=False`", (replace(value, "False"),))
