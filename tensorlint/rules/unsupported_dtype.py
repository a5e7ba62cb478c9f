from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Builder
from tensorlint.flow.domain.dtypes import UNKNOWN_DTYPE, Dtype
from tensorlint.flow.domain.inside import leaves
from tensorlint.flow.domain.tensors import Tensor
from tensorlint.flow.domain.values import Sequence, Unknown, Value
from tensorlint.flow.events import Export, ItemWrite, NumpyCall
from tensorlint.flow.scene import Scene
from tensorlint.knowledge import SILENTLY_WRONG
from tensorlint.rules import mending
from tensorlint.rules.base import Draft, Rule
from tensorlint.rules.export_risk import cast_of, export_risk
from tensorlint.rules.implicit_export import exported, swallows, takes_export
from tensorlint.rules.wording import bound_at, spell, where_from

if TYPE_CHECKING:
    import libcst as cst


_RAISES = "raises TypeError"


class UnsupportedDtype(Rule):
    """NumPy has no bfloat16, float8 or quantized numbers: such a tensor cannot become an array.

    ## What it does
    Follows casts (`.bfloat16()`, `.to(torch.bfloat16)`, `dtype=`, `torch_dtype=`), modules that were cast, and
    `torch.autocast`, and reports `.numpy()` and NumPy functions on a tensor of such a dtype.

    ## Why is this bad
    It raises on every device: `TypeError: Got unsupported ScalarType BFloat16`. `.numpy(force=True)` raises it, too.
    Under `torch.autocast("cpu")` networks compute in bfloat16 by default, so code that works under autocast on a GPU
    (float16 there) fails on the CPU.

    ## Example
    ```python
    import torch

    layer = torch.nn.Linear(3, 1)
    with torch.no_grad(), torch.autocast("cpu"):
        scores = layer(torch.rand(2, 3))
    print(scores.numpy())
    ```

    ## Use instead
    ```python
    import torch

    layer = torch.nn.Linear(3, 1)
    with torch.no_grad(), torch.autocast("cpu"):
        scores = layer(torch.rand(2, 3))
    print(scores.float().numpy())
    ```
    Every bfloat16 and float8 number is a float32 number, so `.float()` loses nothing. A quantized tensor gives its
    numbers with `.dequantize()` and its codes with `.int_repr()`. `.tolist()` and `.item()` work as they are.

    ## Fix safety
    Safe where the dtype is certain, as it raises then. Otherwise unsafe: `.float()` changes other dtypes.

    ## References
    - pytorch/pytorch#110285; measured on torch 2.13.0
    """

    code = "TBX107"
    name = "unsupported-dtype"
    clues = screen.BOUNDARY
    fix = Applicability.SAFE
    shown = Certainty.CERTAIN

    def on_export(self, event: Export) -> Iterator[Draft]:
        dtype = _dtype(event.value)
        if dtype and not event.scene.caught:
            subject = f"`{spell(event.receiver)}`"
            risk = export_risk(event.value, event.scene, presume=True)
            if risk is not None and event.forced:
                risk = replace(risk, device=None, grad=None)
            draft = _draft(
                event.node,
                subject,
                dtype,
                event.value,
                "`.numpy()`",
                mend=event.node,
                repair=None if risk is None else partial(mending.export, event, risk),
            )
            yield draft if draft.notes else replace(draft, notes=bound_at(event.receiver, event.scene))

    def on_numpy_call(self, event: NumpyCall) -> Iterator[Draft]:
        if event.name in SILENTLY_WRONG or event.scene.caught:
            return
        for argument in event.arguments:
            tensor = _odd_tensor(argument.value, event.scene) if takes_export(event, argument) else None
            if tensor is not None:
                subject = f"`{spell(argument.node)}`"
                remedy = exported(argument, event)
                repair = None if remedy is None else remedy.repair
                how, outcome = f"`np.{event.name}`", "answers False" if swallows(event) else _RAISES
                draft = _draft(event.node, subject, tensor.dtype, tensor, how, repair=repair, outcome=outcome)
                # A list has no ``.float()`` to be inserted.
                listed = remedy if isinstance(argument.value, Sequence) else None
                yield draft if listed is None else replace(draft, help=listed.help)
                return

    def on_item_write(self, event: ItemWrite) -> Iterator[Draft]:
        tensor = _odd_tensor(event.value.value, event.scene)
        if tensor is not None and not event.scene.caught:
            remedy = exported(event.value, event) if event.value.node is not event.node else None
            repair = None if remedy is None else remedy.repair
            yield _draft(event.node, "the tensor", tensor.dtype, tensor, "assigning it into an array", repair=repair)


def _dtype(value: Value) -> Dtype:
    return value.dtype if isinstance(value, (Tensor, Unknown)) and value.dtype.without_numpy else UNKNOWN_DTYPE


def _odd_tensor(value: Value, scene: Scene) -> Tensor | None:
    if not scene.file.imports_torch:
        return None
    return next((leaf for leaf in leaves(value) if isinstance(leaf, Tensor) and leaf.sure and _dtype(leaf)), None)


def _draft(
    node: cst.CSTNode,
    subject: str,
    dtype: Dtype,
    value: Value,
    how: str,
    mend: cst.CSTNode | None = None,
    repair: Builder | None = None,
    outcome: str = _RAISES,
) -> Draft:
    known = isinstance(value, Tensor) and value.sure and dtype.sure
    verb = "is" if known else "may be"
    name = "quantized" if dtype.is_quantized else dtype.name
    return Draft(
        node,
        f"{subject} {verb} {name}, which NumPy does not have: {how} {outcome}",
        Certainty.CERTAIN if known else Certainty.LIKELY,
        f"insert `{cast_of(dtype)[0]}` before",
        where_from(value),
        mend=mend,
        repair=repair,
    )
