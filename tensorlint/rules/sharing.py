"""What rules say of one memory under two names, when a write through one of them is seen through the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from tensorlint.findings import Certainty
from tensorlint.flow.domain.memory import Owner
from tensorlint.flow.domain.tensors import Array, Tensor
from tensorlint.knowledge import names
from tensorlint.rules import mending
from tensorlint.rules.base import Draft, Note
from tensorlint.rules.wording import spell

if TYPE_CHECKING:
    import libcst as cst

    from tensorlint.fix.repair import Builder, Repair
    from tensorlint.flow.domain.site import Site
    from tensorlint.flow.events import StaleRead
    from tensorlint.flow.scene import Scene
    from tensorlint.policy import ExportStyle


@dataclass(frozen=True, slots=True)
class Sharing:
    """A kind of conversion that copies nothing."""

    #: What the reader is told where it happens.
    made: str
    #: The method that would copy its result, and what that changes.
    copied_by: str
    reason: str
    #: What to do where either name may be the one to copy.
    help: str

    def note(self, alias: Site) -> Note:
        return Note(alias, self.made)

    def repair(self, alias: Site | None, scene: Scene) -> Builder | None:
        """Copy at the conversion, where that is in this file."""
        node = scene.node(alias)
        return None if node is None else partial(self._copied, node)

    def _copied(self, alias: cst.CSTNode, style: ExportStyle) -> Repair:
        return mending.copied(alias, self.copied_by, self.reason)

    def read_afterwards(self, event: StaleRead, alias: Site | None) -> Iterator[Draft]:
        """The finding at the write, which the name that is read by ``event`` shows."""
        write = event.scene.node(event.mutation.site)
        if write is None or names.WRITE_THROUGH.search(event.mutation.name):
            return
        if event.scene.reads_elsewhere(event.node, write):
            return
        read = Note(event.scene.at(event.node), f"`{event.name}` is read here and shows the change")
        yield Draft(
            write,
            f"this also changes `{event.name}`, which shares the memory: `{spell(write)}`",
            Certainty.CERTAIN if is_proven(event, alias, write) else Certainty.LIKELY,
            self.help,
            (read,) if alias is None else (read, self.note(alias)),
            repair=self.repair(alias, event.scene),
        )


def is_proven(
    event: StaleRead, alias: Site | None, write: cst.CSTNode, owners: frozenset[Owner] = frozenset({Owner.FRESH})
) -> bool:
    """Whether one block converts, computes in place, and goes on with both names as if each had numbers of its own.

    Who only prints or checks the other name may want to see the memory shared; what was made to be filled is.
    """
    import libcst

    scene, value, by = event.scene, event.value, event.mutation.name
    computes = isinstance(write, libcst.AugAssign | libcst.Call)
    if not computes or event.mutation.called or scene.is_test or not isinstance(value, (Array, Tensor)):
        return False
    own = value.sure and len(value.storages) == 1 and all(each.owner in owners for each in value.storages)
    if not own or is_filled(event) or scene.is_demonstration(event.node):
        return False
    return bool(by) and scene.in_order(alias, write, event.node) and scene.is_named_behind(by, write)


def is_filled(event: StaleRead) -> bool:
    """Whether the memory was made to be filled: it holds nothing that anybody would want back."""
    made = [event.scene.node(storage.site) for storage in getattr(event.value, "storages", ())]
    return any(
        spell(call).partition("(")[0].endswith(("zeros", "ones", "empty", "full", "_like")) for call in made if call
    )
