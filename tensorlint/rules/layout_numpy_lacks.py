from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Builder
from tensorlint.flow.domain.inside import leaves
from tensorlint.flow.domain.tensors import Tensor
from tensorlint.flow.domain.values import Dictionary, Sequence, Value
from tensorlint.flow.events import Export, ItemWrite, NumpyCall
from tensorlint.knowledge import SILENTLY_WRONG
from tensorlint.knowledge.layouts import RESOLVED
from tensorlint.rules import mending
from tensorlint.rules.base import Draft, Rule
from tensorlint.rules.export_risk import export_risk
from tensorlint.rules.implicit_export import exported, swallows, takes_export
from tensorlint.rules.wording import spell

if TYPE_CHECKING:
    import libcst as cst

_IS = {
    "sparse": "is sparse",
    "mkldnn": "is laid out for MKL-DNN",
    "nested": "is nested",
    "conj": "is a conjugate that was not computed yet",
    "neg": "is a negative that was not computed yet",
}
_RAISES = {"sparse": "TypeError", "mkldnn": "TypeError"}


class LayoutNumpyLacks(Rule):
    """Sparse and nested tensors, and conjugates that are only marked as such, cannot become arrays as they are.

    ## What it does
    Follows `.to_sparse()`, `torch.sparse_coo_tensor` and its relatives, `torch.nested.nested_tensor`, and the bits that
    `.conj()`, `.mH` and `.conj().imag` set on complex tensors; reports `.numpy()` and NumPy functions on the result.

    ## Why is this bad
    It raises on every device. `TypeError: can't convert Sparse layout tensor to numpy. Use Tensor.to_dense() first.`,
    and for a conjugate, which torch does not compute before it has to, `RuntimeError: Can't call numpy() on Tensor that
    has conjugate bit set. Use tensor.resolve_conj().numpy() instead.`

    ## Example
    ```python
    import torch

    adjacency = torch.eye(3).to_sparse()
    print(adjacency.t().numpy())
    ```

    ## Use instead
    ```python
    import torch

    adjacency = torch.eye(3).to_sparse()
    print(adjacency.t().to_dense().numpy())
    ```
    What is computed of a conjugate (`z.conj() * 2`) is a tensor like any other. A nested tensor has no array: export
    the tensors in it one by one, or `torch.nested.to_padded_tensor(x, 0.0)`.

    ## Fix safety
    Safe: the line raised.

    ## References
    - pytorch/pytorch#59945; torch documentation, `Tensor.numpy`; measured on torch 2.13.0
    """

    code = "TBX116"
    name = "layout-numpy-lacks"
    clues = screen.BOUNDARY
    fix = Applicability.SAFE

    def on_export(self, event: Export) -> Iterator[Draft]:
        found = _laid_out(event.value)
        if found is None or event.scene.caught or (event.forced and found.layout in {"conj", "neg"}):
            return
        risk = export_risk(event.value, event.scene, presume=True)
        if risk is not None and event.forced:
            risk = replace(risk, device=None, grad=None)
        repair = None if risk is None or not RESOLVED.get(found.layout) else partial(mending.export, event, risk)
        yield _draft(event.node, f"`{spell(event.receiver)}`", found, "`.numpy()`", event.node, repair)

    def on_numpy_call(self, event: NumpyCall) -> Iterator[Draft]:
        if event.name in SILENTLY_WRONG or event.scene.caught:
            return
        for argument in event.arguments:
            found = _laid_out(argument.value) if takes_export(event, argument) else None
            if found is None:
                continue
            remedy = exported(argument, event) if RESOLVED.get(found.layout) else None
            repair = None if remedy is None else remedy.repair
            subject = f"`{spell(argument.node)}`"
            subject = f"a tensor in {subject}" if isinstance(argument.value, Sequence) else subject
            outcome = "answers False" if swallows(event) else ""
            draft = _draft(event.node, subject, found, f"`np.{event.name}`", None, repair, outcome)
            yield draft if remedy is None else replace(draft, help=remedy.help)
            return

    def on_item_write(self, event: ItemWrite) -> Iterator[Draft]:
        found = _laid_out(event.value.value)
        if found is None or event.scene.caught or event.objects or (event.element and found.zero_dim):
            return
        remedy = exported(event.value, event) if event.value.node is not event.node else None
        repair = None if remedy is None or not RESOLVED.get(found.layout) else remedy.repair
        yield _draft(event.node, "the tensor", found, "assigning it into an array", None, repair)


def _laid_out(value: Value) -> Tensor | None:
    """A tensor of a layout that NumPy does not have, which the value is, or has in its list."""
    inside = () if isinstance(value, Dictionary) else leaves(value)
    return next((leaf for leaf in inside if isinstance(leaf, Tensor) and leaf.sure and leaf.layout), None)


def _outcome(value: Tensor) -> str:
    return f"raises {_RAISES.get(value.layout, 'RuntimeError')}"


def _draft(
    node: cst.CSTNode,
    subject: str,
    value: Tensor,
    how: str,
    mend: cst.CSTNode | None,
    repair: Builder | None,
    outcome: str = "",
) -> Draft:
    resolve = RESOLVED.get(value.layout)
    return Draft(
        node,
        f"{subject} {_IS[value.layout]}: {how} {outcome or _outcome(value)}",
        Certainty.CERTAIN,
        f"insert `{resolve}` before" if resolve else "export the tensors in it one by one: `.unbind()`",
        mend=mend,
        repair=repair,
    )
