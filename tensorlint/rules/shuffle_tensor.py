from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Builder, Repair, replace
from tensorlint.flow.call import Argument
from tensorlint.flow.domain.tensors import Tensor
from tensorlint.flow.events import NumpyCall
from tensorlint.flow.scene import Spelling
from tensorlint.policy import ExportStyle
from tensorlint.rules.base import Draft, Rule
from tensorlint.rules.wording import spell, where_from

if TYPE_CHECKING:
    import libcst as cst


class ShuffleTensor(Rule):
    """`np.random.shuffle` or `random.shuffle` on a tensor duplicates some rows and loses others.

    ## What it does
    Reports a tensor handed to `np.random.shuffle`, to `shuffle` of a NumPy generator, or to `random.shuffle`.

    ## Why is this bad
    These functions swap elements through temporaries that, for a tensor, are views of the very rows being
    overwritten. Rows are silently duplicated and lost; a few shuffles of `torch.arange(6)` can leave six zeros.

    ## Example
    ```python
    import numpy as np
    import torch

    rows = torch.arange(6)
    np.random.shuffle(rows)
    ```

    ## Use instead
    ```python
    import torch

    rows = torch.arange(6)
    rows[:] = rows[torch.randperm(len(rows))]
    ```
    `rows = rows[torch.randperm(len(rows))]` does when nobody else holds the tensor.

    ## Fix safety
    Unsafe: `rows[:] = rows[torch.randperm(len(rows))]` draws from torch's generator, so that another seed decides. It
    writes in place, as `shuffle` does. Only offered for a name or an attribute.

    ## References
    - pytorch/pytorch#50880, numpy/numpy#18206; measured on torch 1.13.1, 2.2.2 and 2.13.0
    """

    code = "TBX104"
    name = "shuffle-tensor"
    clues = screen.BOUNDARY
    fix = Applicability.UNSAFE

    def on_numpy_call(self, event: NumpyCall) -> Iterator[Draft]:
        if not event.name.endswith("random.shuffle"):
            return
        operand = event.positional()
        if operand is None or not isinstance(operand.value, Tensor) or not operand.value.sure:
            return
        subject = spell(operand.node)
        certainty = Certainty.LIKELY if operand.value.source else Certainty.CERTAIN
        yield Draft(
            event.node,
            f"shuffling the tensor `{subject}` in place duplicates some rows and loses others",
            certainty,
            f"use `{subject}[:] = {subject}[torch.randperm(len({subject}))]`",
            where_from(operand.value),
            repair=_repair(event, operand),
        )


def _repair(event: NumpyCall, operand: Argument) -> Builder | None:
    from tensorlint.flow.tree import dotted_name  # imports LibCST, which the list of rules must not

    spelling = event.scene.spelling("torch.randperm")
    path = dotted_name(operand.node)
    if not path or not event.discarded or spelling is None:
        return None
    return partial(_permuted, event.node, path, spelling)


def _permuted(call: cst.CSTNode, path: str, spelling: Spelling, style: ExportStyle) -> Repair:
    text = f"{path}[:] = {path}[{spelling.text}(len({path}))]"
    reason = "the order is drawn from torch's random generator"
    return Repair(f"write `{text}`", (replace(call, text),), Applicability.UNSAFE, reason, spelling.imports)
