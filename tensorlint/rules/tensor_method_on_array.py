from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Repair, replace, source_of
from tensorlint.flow.domain.memory import Owner
from tensorlint.flow.domain.tensors import Array
from tensorlint.flow.events import NotOnArray
from tensorlint.policy import ExportStyle
from tensorlint.rules.base import Draft, Note, Rule
from tensorlint.rules.wording import spell

if TYPE_CHECKING:
    import libcst as cst

#: What arrays have in its place.
_OF_ARRAYS = {
    "clone": "`.copy()`",
    "permute": "`.transpose(...)`",
    "unsqueeze": "`np.expand_dims(...)`",
    "numel": "`.size`",
    "nelement": "`.size`",
    "dim": "`.ndim`",
    "float": "`.astype(np.float32)`",
    "double": "`.astype(np.float64)`",
    "long": "`.astype(np.int64)`",
    "int": "`.astype(np.int32)`",
    "bool": "`.astype(bool)`",
    "contiguous": "`np.ascontiguousarray(...)`",
}


class TensorMethodOnArray(Rule):
    """A second `.numpy()`, `.cpu()` or `.detach()` on what is an array already raises AttributeError.

    ## What it does
    Reports methods that only tensors have where they are called on a NumPy array: a second `.numpy()`, `.detach()` and
    `.cpu()` above all, and `.cuda()`, `.to(...)`, `.unsqueeze(0)` and the like.

    ## Why is this bad
    It raises `AttributeError: 'numpy.ndarray' object has no attribute 'numpy'`. A helper that returned a tensor returns
    an array by now, or a name was bound again a few lines before.

    ## Example
    ```python
    import torch

    scores = torch.rand(3)
    scores = scores.cpu().numpy()
    print(scores.numpy())
    ```

    ## Use instead
    ```python
    import torch

    scores = torch.rand(3)
    scores = scores.cpu().numpy()
    print(scores)
    ```

    ## Fix safety
    Safe: the old line raises whenever it is reached. Only `.numpy()`, `.cpu()` and `.detach()` are dropped, which have
    nothing to do for an array; what another method is for, the program has to say.

    ## References
    - NumPy documentation, `numpy.ndarray`; measured on torch 2.13.0 with NumPy 2.4.6
    """

    code = "TBX117"
    name = "tensor-method-on-array"
    clues = screen.BOUNDARY
    fix = Applicability.SAFE
    shown = Certainty.CERTAIN

    def on_not_on_array(self, event: NotOnArray) -> Iterator[Draft]:
        if event.scene.handles("AttributeError"):
            return
        subject = spell(event.receiver)
        made = event.value.alias or (None if event.value.origin is None else event.value.origin.site)
        elsewhere = made is not None and event.scene.node(made) is not event.receiver
        yield Draft(
            event.node,
            f"`{subject}` is a NumPy array, which has no `.{event.name}()`: AttributeError",
            _certainty(event.value),
            _advice(event),
            (Note(made, "it became an array here"),) if made is not None and elsewhere else (),
            repair=None if event.chain is None else partial(_dropped, event.receiver, event.chain),
        )


def _certainty(value: Array) -> Certainty:
    if value.of_unknown:
        # Of an object that is no tensor, ``.numpy()`` may be the same object with arrays in it.
        return Certainty.LIKELY
    if value.alias is not None:
        return Certainty.CERTAIN
    owners = {storage.owner for storage in value.storages}
    # What methods leave in an attribute may be another thing each time, and an annotation may be wrong.
    made_here = owners == {Owner.FRESH} or (owners == {Owner.ARGUMENT} and value.sure and value.origin is not None)
    return Certainty.CERTAIN if made_here else Certainty.POSSIBLE


def _advice(event: NotOnArray) -> str:
    if event.chain is not None:
        return f"drop `{_behind(event.receiver, event.chain)}`"
    return f"arrays have {_OF_ARRAYS.get(event.name, 'no such thing')}; or make a tensor of it by `torch.from_numpy`"


def _dropped(array: cst.BaseExpression, chain: cst.CSTNode, style: ExportStyle) -> Repair:
    return Repair(f"drop `{_behind(array, chain)}`", (replace(chain, source_of(array)),))


def _behind(array: cst.BaseExpression, chain: cst.CSTNode) -> str:
    return "".join(source_of(chain).removeprefix(source_of(array)).split())
