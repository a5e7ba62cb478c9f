from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Repair, append
from tensorlint.flow.domain.tensors import Provenance, Tensor
from tensorlint.flow.events import Hashed
from tensorlint.policy import ExportStyle
from tensorlint.rules.base import Draft, Rule
from tensorlint.rules.wording import spell

if TYPE_CHECKING:
    import libcst as cst

#: What is said of a tensor that is hashed itself.
_OF_ONE = {
    "member": "equal tensors are different members",
    "key": "no equal tensor finds what is kept under it",
    "in": "it is never found, whatever equals it",
}
#: What a parameter is declared to be, and what calls of this file were seen to pass.
_BY_SOURCE: Mapping[Provenance | None, Certainty] = {
    Provenance.PARAMETER: Certainty.POSSIBLE,
    Provenance.ARGUMENT: Certainty.LIKELY,
}


class HashByIdentity(Rule):
    """Tensors are hashed by identity: `set(t)`, `Counter(t)` and `d[t[0]]` take equal numbers for different ones.

    ## What it does
    Reports `set`, `frozenset`, `Counter` and `dict.fromkeys` of a tensor, and elements of a tensor as members of a set,
    as keys of a dictionary, and where they are looked for in either.

    ## Why is this bad
    `len(set(torch.tensor([1, 1, 1])))` is 3. An element of a tensor is a new object each time it is asked for, and a
    tensor is only equal in hash to itself: nothing is counted twice, nothing is found again, and nothing raises but a
    `KeyError`. Of an array the same lines are right.

    ## Example
    ```python
    import torch

    labels = torch.tensor([0, 1, 1])
    classes = set(labels)
    ```

    ## Use instead
    ```python
    import torch

    labels = torch.tensor([0, 1, 1])
    classes = set(labels.tolist())
    ```
    Or `labels.unique(return_counts=True)`, which stays on the device. Parameters and other tensors that are kept as
    objects are right as keys, and not reported.

    ## Fix safety
    Unsafe: the numbers take the place of the tensors, which is what was meant. The rows of a matrix become lists, which
    cannot be hashed.

    ## References
    - torch documentation, `Tensor.__hash__`; measured on torch 1.13.1, 2.2.2 and 2.13.0
    """

    code = "TBX114"
    name = "hash-by-identity"
    clues = (screen.HASHED, *screen.BOUNDARY)
    fix = Applicability.UNSAFE
    shown = Certainty.CERTAIN

    def on_hashed(self, event: Hashed) -> Iterator[Draft]:
        value = event.tensor.value
        if not isinstance(value, Tensor) or not value.sure or event.scene.handles("KeyError"):
            return
        subject, one = spell(event.tensor.node), event.how in _OF_ONE
        if not one and "unique" in subject:
            # No two of them are equal.
            return
        what = _OF_ONE.get(event.how, f"`{event.how}` takes equal elements of `{subject}` for different ones")
        method = ".item()" if one else ".tolist()"
        yield Draft(
            event.node,
            f"tensors are hashed by identity: {f'`{subject}` is one, and ' if one else ''}{what}",
            _BY_SOURCE.get(value.source, Certainty.CERTAIN),
            f"use `{subject}{method}`",
            # One element after the other is asked for what all of them can be asked for at once (TBX402).
            repair=None if one and event.scene.in_loop else partial(_numbers, event.tensor.node, method),
        )


def _numbers(tensor: cst.BaseExpression, method: str, style: ExportStyle) -> Repair:
    reason = "the numbers take the place of the tensors; a row of several is no number"
    return Repair(f"append `{method}`", (append(tensor, method),), Applicability.UNSAFE, reason)
