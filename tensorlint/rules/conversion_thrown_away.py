from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Repair, replace, source_of
from tensorlint.flow.domain.tensors import Array, Provenance, Tensor
from tensorlint.flow.events import MethodCall
from tensorlint.policy import ExportStyle
from tensorlint.rules.base import Draft, Rule
from tensorlint.rules.wording import spell

if TYPE_CHECKING:
    import libcst as cst

#: Where a tensor comes from that is known to be one by more than the method it is asked for.
_KNOWN = frozenset({None, Provenance.MODEL, Provenance.LOADER, Provenance.ARGUMENT, Provenance.PARAMETER_OF_MODULE})


class ConversionThrownAway(Rule):
    """`x.to(device)` as a statement leaves a tensor where it is: the result is thrown away.

    ## What it does
    Reports `.to()`, `.cuda()`, `.float()` and other casts, `.detach()` and `.astype()` of a tensor or an array whose
    result nobody takes: it is a statement of its own, or is bound to the variable of the loop around, which is not read
    again.

    ## Why is this bad
    A module is moved and cast in place, a tensor is not. It stays on the CPU, in float64, in its graph; what comes
    after raises on a GPU (`Expected all tensors to be on the same device`), or goes on with what was to be left behind.

    ## Example
    ```python
    import torch

    images = torch.rand(8, 3, 32, 32)
    images.half()
    print(images.dtype)
    ```

    ## Use instead
    ```python
    import torch

    images = torch.rand(8, 3, 32, 32)
    images = images.half()
    print(images.dtype)
    ```

    ## Limits
    `.cpu()`, `.numpy()` and `.item()` as a statement are not reported: they are written to wait for the GPU.

    ## Fix safety
    Unsafe: from then on the program computes with the converted tensor, which it never did before.

    ## References
    - pytorch/pytorch#7460; measured on torch 2.13.0
    """

    code = "TBX118"
    name = "conversion-thrown-away"
    clues = (screen.THROWN_AWAY,)
    fix = Applicability.UNSAFE

    def on_method_call(self, event: MethodCall) -> Iterator[Draft]:
        # Where anything is handled it may be tried whether the conversion works.
        if not event.thrown_away or event.scene.handlers or not event.scene.file.imports_torch:
            return
        match event.value:
            case Tensor(sure=sure, source=source):
                what = "tensor"
                certainty = Certainty.CERTAIN if sure and source in _KNOWN else Certainty.LIKELY
            case Array(sure=True):
                what, certainty = "array", Certainty.CERTAIN
            case _:
                return
        subject = spell(event.receiver)
        yield Draft(
            event.node,
            f"`.{event.name}()` makes a new {what}, which is thrown away: `{subject}` stays as it is",
            certainty,
            "bind the result, or leave the call out",
            repair=partial(_bound, event.node, event.receiver) if event.thrown_away == "statement" else None,
        )


def _bound(call: cst.CSTNode, receiver: cst.BaseExpression, style: ExportStyle) -> Repair | None:
    from tensorlint.flow.tree import dotted_name  # imports LibCST, which the list of rules must not

    path = dotted_name(receiver)
    if not path:
        return None
    text = f"{path} = {source_of(call)}"
    return Repair(
        f"write `{text}`", (replace(call, text),), Applicability.UNSAFE, "what comes after was never run with it"
    )
