from __future__ import annotations

from collections.abc import Iterator

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.flow.domain.memory import How, Owner, Writing
from tensorlint.flow.domain.tensors import Array, Tensor
from tensorlint.flow.events import StaleRead, Write
from tensorlint.knowledge import names
from tensorlint.rules.base import Draft, Rule
from tensorlint.rules.dataset_written_in_place import kept_by_dataset
from tensorlint.rules.sharing import Sharing

_HOLDERS = {
    Owner.ARGUMENT: "the caller's tensor",
    Owner.ATTRIBUTE: "the tensor the object keeps",
    Owner.PARAMETER: "the parameter itself",
    Owner.GRADIENT: "the gradient itself",
    Owner.BUFFER: "the buffer itself",
}

_SHARING = Sharing(
    made="exported without a copy here",
    copied_by="copy",
    reason="writes no longer reach the tensor",
    help="work out of place, or copy first: `.copy()` of the array, `.clone()` of the tensor",
)


class WriteToExportedView(Rule):
    """Writing to `t.numpy()` writes to `t`, on the CPU only.

    ## What it does
    Follows the memory of a tensor through `.numpy()` and reports the write through one of the two names when
    the tensor belongs to a caller, to `self` or to a module, or when the other name is read afterwards.

    ## Why is this bad
    The array is a view: `a /= a.max()` normalises the tensor too. With the tensor on a GPU, `.cpu()` made a
    copy and the same line does not. Autograd does not see the write.

    ## Example
    ```python
    import torch

    def preview(image: torch.Tensor):
        array = image.detach().cpu().numpy()
        array -= array.min()
        return array
    ```

    ## Use instead
    ```python
    import torch

    def preview(image: torch.Tensor):
        array = image.detach().cpu().numpy()
        return array - array.min()
    ```

    ## Limits
    Filling the whole view (`view[:] = ...`), and names such as `view`, `shared` or `buf`, are taken for
    intended.

    ## Fix safety
    Unsafe: the copy takes memory of its own, and writes no longer reach the other name.

    ## References
    - torch documentation, `Tensor.numpy`; pytorch/pytorch#97586; measured on torch 1.13.1, 2.2.2 and 2.13.0
    """

    code = "TBX305"
    name = "write-to-exported-view"
    clues = screen.BOUNDARY
    shown = Certainty.CERTAIN
    fix = Applicability.UNSAFE

    def on_write(self, event: Write) -> Iterator[Draft]:
        value = event.value
        holder = _HOLDERS.get(event.storage.owner)
        if not isinstance(value, Array) or not value.exported or value.alias is None or holder is None:
            return
        if (
            len(value.storages) != 1
            or kept_by_dataset(event)
            or event.how in {Writing.FILL, Writing.THROUGH}
            or names.WRITE_THROUGH.search(event.name)
        ):
            return
        yield Draft(
            event.node,
            f"this writes into {holder}: `{event.name or 'the array'}` is a view of it on the CPU",
            _certainty(event, value),
            "work out of place, or copy first: `.copy()`",
            (_SHARING.note(value.alias),),
            repair=_SHARING.repair(value.alias, event.scene),
        )

    def on_stale_read(self, event: StaleRead) -> Iterator[Draft]:
        value = event.value
        match value, event.mutation.how:
            case Tensor(imported=False), How.ARRAY:
                alias = event.mutation.alias
            case Array(exported=True), How.TENSOR:
                alias = value.alias
            case _:
                return
        yield from _SHARING.read_afterwards(event, alias)


def _certainty(event: Write, value: Array) -> Certainty:
    """Whether anybody is known to be hit by it.

    That a caller goes on with what it handed over is not known; where one is seen to, that read tells. And what is
    made a tensor again was written to be one.
    """
    given_back = value.alias in event.scene.exports_taken_back
    handed_over = event.storage.owner is Owner.ARGUMENT
    return Certainty.POSSIBLE if value.of_unknown or handed_over or given_back else Certainty.LIKELY
