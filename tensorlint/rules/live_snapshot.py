from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Repair, method_call, replace, source_of
from tensorlint.flow.domain.inside import leaves
from tensorlint.flow.domain.memory import Container, How
from tensorlint.flow.domain.tensors import Array, Provenance, Tensor
from tensorlint.flow.events import StaleRead, Store
from tensorlint.flow.object_events import ComparedWithItself
from tensorlint.knowledge import names
from tensorlint.policy import ExportStyle
from tensorlint.rules import mending
from tensorlint.rules.base import Draft, Note, Rule
from tensorlint.rules.wording import spell

if TYPE_CHECKING:
    import libcst as cst


_REASON = "it no longer follows the training"


class LiveSnapshot(Rule):
    """A snapshot of a parameter that is a view: it follows the training it should be compared with.

    ## What it does
    Reports `.detach()`, `.data` and `.numpy()` of a parameter, gradient or buffer that is kept across an update
    in place (an optimizer step, a backward pass, a training call) and read afterwards; and a `list(model.parameters())`
    that is compared with `model.parameters()`, as it holds the parameters themselves.

    ## Why is this bad
    On the CPU none of `.detach().cpu().numpy()` copies, so that `before` and `after` are the same memory and
    their difference is zero. On a GPU `.cpu()` copies and the same code is right.

    ## Example
    ```python
    import torch

    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    before = model.weight.detach().cpu().numpy()
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    print(model.weight.detach().cpu().numpy() - before)  # zero
    ```

    ## Use instead
    ```python
    import torch

    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    before = model.weight.detach().to("cpu", copy=True).numpy()
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    print(model.weight.detach().cpu().numpy() - before)
    ```

    ## Fix safety
    Unsafe: the snapshot stays what it was then, which is what a snapshot is for.

    ## References
    - measured on torch 1.13.1, 2.2.2 and 2.13.0: SGD, Adam, AdamW, RMSprop and Adagrad update in place
    """

    code = "TBX301"
    name = "live-snapshot"
    clues = (screen.SNAPSHOT, *screen.BOUNDARY)
    shown = Certainty.CERTAIN
    fix = Applicability.UNSAFE

    def on_store(self, event: Store) -> Iterator[Draft]:
        value = event.value
        if event.container is not Container.ATTRIBUTE or not isinstance(value, (Tensor, Array)) or value.alias is None:
            return
        alias = event.scene.node(value.alias)
        if alias is None or not names.KEPT.search(event.target):
            return
        if any(storage.owner.is_trained for storage in value.storages):
            yield Draft(
                alias,
                f"`{event.target}` keeps a view of the parameter on the CPU: it follows the training",
                Certainty.LIKELY,
                'copy it: `.detach().to("cpu", copy=True)`, or `.clone()`',
                (
                    Note(event.scene.at(event.node), "kept here"),
                    *(() if event.training is None else (Note(event.training.site, event.training.words),)),
                ),
                repair=partial(_repair, alias, isinstance(value, Array)),
            )

    def on_stale_read(self, event: StaleRead) -> Iterator[Draft]:
        if event.mutation.how not in {How.UPDATE, How.BACKWARD}:
            return
        for leaf in leaves(event.value):
            if not isinstance(leaf, (Tensor, Array)) or leaf.alias is None:
                continue
            if isinstance(leaf, Tensor) and leaf.source is Provenance.STATE_DICT:
                continue
            alias = event.scene.node(leaf.alias)
            if alias is not None and any(storage.owner.is_trained for storage in leaf.storages):
                read = Note(event.scene.at(event.node), f"`{event.name}` is read here")
                yield Draft(
                    alias,
                    f"`{spell(alias)}` is a view on the CPU: `{event.name}` follows the training it is kept across",
                    # A helper that differentiates need not do so through the leaves whose gradients were kept.
                    Certainty.POSSIBLE
                    if event.mutation.how is How.BACKWARD and event.mutation.called
                    else Certainty.LIKELY,
                    'copy it: `.detach().to("cpu", copy=True)`, or `.clone()`',
                    (Note(event.mutation.site, event.mutation.words), read),
                    repair=partial(_repair, alias, isinstance(leaf, Array)),
                )
                return

    def on_compared_with_itself(self, event: ComparedWithItself) -> Iterator[Draft]:
        left, right = spell(event.left.node), spell(event.right.node)
        yield Draft(
            event.node,
            f"`{left}` and `{right}` are one parameter, and never differ: the list holds parameters, not their values",
            Certainty.CERTAIN,
            "keep copies: `[p.detach().clone() for p in model.parameters()]`",
            (Note(event.kept, "they are put aside here"),),
        )


def _repair(alias: cst.CSTNode, is_array: bool, style: ExportStyle) -> Repair:
    """One copy on every device where ``.cpu()`` is there to be told so; one more otherwise."""
    export = method_call(alias)
    transfer = method_call(export[0]) if export is not None and export[1] == "numpy" else None
    if export is not None and transfer is not None and transfer[1:] == ("cpu", 0):
        text = f'{source_of(transfer[0])}.to("cpu", copy=True)'
        return Repair('write `.to("cpu", copy=True)`', (replace(export[0], text),), Applicability.UNSAFE, _REASON)
    return mending.copied(alias, "copy" if is_array else "clone", _REASON)
