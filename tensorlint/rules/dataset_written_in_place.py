from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.flow.domain.memory import Owner, Writing
from tensorlint.flow.domain.tensors import Array, Tensor
from tensorlint.flow.events import Write
from tensorlint.knowledge import names
from tensorlint.rules import mending
from tensorlint.rules.base import Draft, Note, Rule
from tensorlint.rules.wording import spell, where_from

if TYPE_CHECKING:
    import libcst as cst

    from tensorlint.fix.repair import Builder, Repair
    from tensorlint.policy import ExportStyle

#: What leaves the same behind however often it is done.
_IDEMPOTENT = frozenset(
    {
        "fill_",
        "zero_",
        "copy_",
        "clamp_",
        "clamp_min_",
        "clamp_max_",
        "clip_",
        "abs_",
        "relu_",
        "round_",
        "sign_",
        "floor_",
    }
)


class DatasetWrittenInPlace(Rule):
    """A `__getitem__` that transforms in place what the dataset keeps: each epoch does it once more.

    ## What it does
    Reports operations in place, in the `__getitem__` of a dataset, on an item of an array or a tensor that the dataset
    keeps: `self.x[i]` by an integer or a slice is a view, and so is `torch.from_numpy(self.x[i])`.

    ## Why is this bad
    The first epoch reads normalised samples, the second reads samples that were normalised twice, and so on. It happens
    with `num_workers=0` and with `persistent_workers=True`; other workers start each epoch from a fresh copy of the
    dataset, so that the same program is right there.

    ## Example
    ```python
    import torch
    from torch.utils.data import Dataset

    class Images(Dataset):
        def __init__(self):
            self.images = torch.rand(10, 3, 8, 8)

        def __len__(self):
            return len(self.images)

        def __getitem__(self, index):
            return self.images[index].sub_(0.5).div_(0.25)
    ```

    ## Use instead
    ```python
    import torch
    from torch.utils.data import Dataset

    class Images(Dataset):
        def __init__(self):
            self.images = torch.rand(10, 3, 8, 8)

        def __len__(self):
            return len(self.images)

        def __getitem__(self, index):
            return self.images[index].sub(0.5).div(0.25)
    ```

    ## Limits
    What has the same effect however often it is done (`clamp_`, `x[x < 0] = 0`) is not reported, nor what a dataset
    writes into its own attribute by name (`self.seen[index] += 1`).

    ## Fix safety
    Unsafe: the samples of the second epoch are others then.

    ## References
    - pytorch/vision#680; measured on torch 2.13.0 with `num_workers=0` and with persistent workers
    """

    code = "TBX306"
    name = "dataset-written-in-place"
    clues = (screen.ITEM,)
    fix = Applicability.UNSAFE
    shown = Certainty.CERTAIN

    def on_write(self, event: Write) -> Iterator[Draft]:
        value = event.value
        if not kept_by_dataset(event) or not isinstance(value, (Tensor, Array)) or _same_each_time(event):
            return
        # A number of an array of numbers is no view; what torch takes, or takes an index, is one.
        proven = isinstance(value, Tensor) or event.how is Writing.ITEM or value.exported or _sliced(event)
        here = value.alias is not None and value.alias.definition == event.scene.at(event.node).definition
        alias = event.scene.node(value.alias) if here else None
        name = event.name or spell(event.node)
        yield Draft(
            event.node,
            f"this changes what the dataset keeps: `{name}` is a view, and the next epoch goes on with it",
            Certainty.LIKELY if proven and value.sure else Certainty.POSSIBLE,
            "work out of place, or copy first: `.clone()` of a tensor, `.copy()` of an array",
            _notes(event, alias),
            repair=_repair(event, alias),
        )


def _notes(event: Write, alias: cst.CSTNode | None) -> tuple[Note, ...]:
    """Where the view was made, by a conversion or by the index of an item."""
    made = [("made without a copy here", alias)] if alias is not None else []
    made += [("an item of what the dataset keeps, and no copy", view) for view in event.views[-1:]]
    return tuple(Note(event.scene.at(node), words) for words, node in made) or where_from(event.value)


def kept_by_dataset(event: Write) -> bool:
    """Whether an item of what a dataset keeps is written by its ``__getitem__``, and not by its own name."""
    value = event.value
    return (
        event.scene.item_of_dataset
        and event.storage.owner in {Owner.ATTRIBUTE, Owner.GLOBAL}
        and isinstance(value, (Tensor, Array))
        and value.picked
        and event.older
        and event.how not in {Writing.FILL, Writing.THROUGH, Writing.OUT}
        and not event.name.startswith("self.")
        and not names.WRITE_THROUGH.search(event.name)
    )


def _same_each_time(event: Write) -> bool:
    import libcst

    match event.node:
        case libcst.Call(func=libcst.Attribute(attr=libcst.Name(value=method))):
            return method in _IDEMPOTENT
        case libcst.AugAssign(operator=operator):
            return not isinstance(
                operator, (libcst.AddAssign, libcst.SubtractAssign, libcst.MultiplyAssign, libcst.DivideAssign)
            )
        case libcst.Subscript(slice=elements):
            # ``x[x < 0] = 0``
            return any(_asks(element, event.name) for element in elements)
        case _:
            return False


def _asks(node: cst.CSTNode, name: str) -> bool:
    import libcst

    return (isinstance(node, libcst.Name) and node.value == name) or any(_asks(child, name) for child in node.children)


def _sliced(event: Write) -> bool:
    import libcst

    return any(
        isinstance(element.slice, libcst.Slice)
        for view in event.views
        if isinstance(view, libcst.Subscript)
        for element in view.slice
    )


def _repair(event: Write, alias: cst.CSTNode | None) -> Builder | None:
    import libcst

    from tensorlint.flow.tree import dotted_name

    item = event.views[-1] if event.views else None
    method = "clone" if isinstance(event.value, Tensor) else "copy"
    if alias is not None:
        return partial(_copied, alias, method)
    if not isinstance(item, libcst.Subscript) or not dotted_name(item.value).startswith("self."):
        return None
    return partial(_copied, item, method)


def _copied(item: cst.CSTNode, method: str, style: ExportStyle) -> Repair:
    return mending.copied(item, method, "the samples of the next epoch are those of the first")
