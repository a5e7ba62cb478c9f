from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Builder, Repair, append, method_call
from tensorlint.flow.domain.tensors import Array, Tensor
from tensorlint.flow.domain.values import is_false
from tensorlint.flow.object_events import Resized
from tensorlint.policy import ExportStyle
from tensorlint.rules import mending
from tensorlint.rules.base import Draft, Note, Rule
from tensorlint.rules.wording import spell

if TYPE_CHECKING:
    import libcst as cst

    from tensorlint.flow.domain.site import Site
    from tensorlint.flow.scene import Scene

_REASON = "the copy takes memory of its own, and neither follows the other"


class ResizedMemory(Rule):
    """Memory that a tensor and an array share cannot be given another size: `resize_` and `resize` raise.

    ## What it does
    Reports `x.resize_(...)` and `x.resize_as_(y)` of a tensor that lies in the memory of an array, or that an array
    looks into, where more elements are asked for than there are; `a.resize(...)` of an array that looks into a tensor,
    and of one that a tensor looks into, where it is another number of elements.

    ## Why is this bad
    torch does not own the memory of an array, and nobody else can be told that it went elsewhere: `RuntimeError: Trying
    to resize storage that is not resizable`. That also holds for a tensor of its own once `.numpy()` was asked of it.
    NumPy refuses in its own words: `ValueError: cannot resize this array: it does not own its data`.

    ## Example
    ```python
    import numpy as np
    import torch

    batch = torch.from_numpy(np.zeros(4))
    batch.resize_(2, 4)
    ```

    ## Use instead
    ```python
    import numpy as np
    import torch

    batch = torch.from_numpy(np.zeros(4)).clone()
    batch.resize_(2, 4)
    ```
    Where only another shape is wanted, `reshape` says so.

    ## Limits
    Both numbers have to be spelled in one function: of sizes that are not known it is silent, as `resize_` to as many
    elements, or to fewer, raises nothing. An array that has no name, as in `x.numpy().sum()`, forbids `x.resize_()`
    as well, and is not seen. `a.resize(..., refcheck=False)` of an array that a tensor looks into raises nothing, and
    leaves the tensor with freed memory.

    ## Fix safety
    Unsafe: `.clone()` copies the memory, or `.copy()` of the array does, and neither follows the other from then on.

    ## References
    - torch documentation, `Tensor.resize_`; NumPy documentation, `ndarray.resize`; measured on torch
      2.13.0 and NumPy 2.4
    """

    code = "TBX313"
    name = "resized-memory"
    clues = (screen.RESIZED,)
    fix = Applicability.UNSAFE

    def on_resized(self, event: Resized) -> Iterator[Draft]:
        if not event.value.sure or event.value.picked:
            return
        yield from _of_tensor(event, event.value) if isinstance(event.value, Tensor) else _of_array(event, event.value)


def _of_tensor(event: Resized, tensor: Tensor) -> Iterator[Draft]:
    if event.scene.handles("RuntimeError"):
        return
    if tensor.imported and tensor.alias is not None:
        alias, held, made = tensor.alias, _held_by(event.scene, tensor.alias), "the memory of an array, from here"
        repair = _copy(event.scene.node(alias), "clone")
    else:
        seen = [other for _, other in event.others if isinstance(other, Array) and other.exported and other.sure]
        if not seen or seen[0].alias is None:
            return
        alias, held, made = seen[0].alias, event.scene.count_of(event.receiver), "an array looks into it from here on"
        repair = _clone_before(event.scene.node(alias))
    wanted = _wanted(event)
    if held is None or wanted is None or wanted <= held or not event.scene.in_order(alias, event.node):
        return
    yield Draft(
        event.node,
        f"`{spell(event.node)}` asks for {wanted} elements of memory that NumPy has, too, and that has {held}: "
        "RuntimeError",
        Certainty.CERTAIN,
        "copy first: `.clone()`",
        (Note(alias, made),),
        repair=repair,
    )


def _of_array(event: Resized, array: Array) -> Iterator[Draft]:
    if event.scene.handles("ValueError"):
        return
    held, wanted = event.scene.count_of(event.receiver), _wanted(event)
    if held is None or wanted is None or held == wanted:
        return
    if array.exported and array.alias is not None:
        alias, what, made = array.alias, "of the memory of a tensor", "it looks into the tensor from here on"
        repair = _copy(event.scene.node(alias), "copy")
        advice = "copy first: `.copy()`, or make another one: `np.resize(...)`"
    else:
        seen = [other for _, other in event.others if isinstance(other, Tensor) and other.imported and other.sure]
        unchecked = any(each.name == "refcheck" and is_false(each.value) for each in event.arguments)
        if not seen or seen[0].alias is None or unchecked:
            return
        alias, what, made = seen[0].alias, "that a tensor looks into", "the tensor looks into it from here on"
        repair = _copy(event.scene.node(alias), "clone")
        advice = "copy for the tensor: `.clone()`, or make another array: `np.resize(...)`"
    if event.scene.in_order(alias, event.node):
        message = f"`{spell(event.node)}` makes {wanted} elements of {held} {what}: ValueError"
        yield Draft(event.node, message, Certainty.CERTAIN, advice, (Note(alias, made),), repair=repair)


def _held_by(scene: Scene, alias: Site) -> int | None:
    """How many elements the array has that a tensor was made of there."""
    node = scene.node(alias)
    return None if node is None else scene.count_of(node)


def _wanted(event: Resized) -> int | None:
    """How many elements are asked for."""
    given = [each.node for each in event.arguments if not each.keyword and not each.star]
    if event.name == "resize_as_":
        return event.scene.count_of(given[0]) if len(given) == 1 else None
    return event.scene.shape_of(*given) if given else None


def _copy(made: cst.CSTNode | None, method: str) -> Builder | None:
    return None if made is None else partial(_copied, made, method)


def _copied(made: cst.CSTNode, method: str, style: ExportStyle) -> Repair:
    return mending.copied(made, method, _REASON)


def _clone_before(made: cst.CSTNode | None) -> Builder | None:
    """Export a copy of the tensor: that one may not be resized once it was exported itself."""
    asked = method_call(made) if made is not None else None
    return partial(_exported, asked[0]) if asked is not None and asked[1] == "numpy" else None


def _exported(tensor: cst.BaseExpression, style: ExportStyle) -> Repair:
    return Repair("insert `.clone()`", (append(tensor, ".clone()"),), Applicability.UNSAFE, _REASON)
