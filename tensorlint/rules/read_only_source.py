from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Repair, source_of
from tensorlint.flow.domain.facts import Truth
from tensorlint.flow.events import FrozenUse
from tensorlint.policy import ExportStyle
from tensorlint.rules import mending
from tensorlint.rules.base import Draft, Note, Rule
from tensorlint.rules.wording import history, spell

if TYPE_CHECKING:
    import libcst as cst

_REASON = "a copy takes memory of its own"
IMPORTS = frozenset(
    {
        "from_numpy",
        "as_tensor",
        "asarray",
        "Tensor",
        "FloatTensor",
        "LongTensor",
        "DoubleTensor",
        "from_dlpack",
        "frombuffer",
    }
)


class ReadOnlySource(Rule):
    """A tensor over a read-only array: writing to it is undefined behaviour.

    ## What it does
    Reports arrays that look into a `bytes` object (`np.frombuffer`), a read-only memory map, or a broadcast or
    sliding view, where they become a tensor without a copy.

    ## Why is this bad
    torch cannot mark a tensor read-only. An in-place operation later on changes an immutable `bytes` object,
    writes several elements at once, or, for `mmap_mode="r"`, kills the process with a segmentation fault. The
    warning appears once per process. A tensor that is only read is left alone; one that is returned, stored
    or handed to code that was not seen is `possible`, and so is one over a buffer of which nothing is known.

    ## Example
    ```python
    import numpy as np
    import torch

    pixels = torch.from_numpy(np.frombuffer(b"abcd", dtype=np.uint8))
    ```

    ## Use instead
    ```python
    import numpy as np
    import torch

    pixels = torch.from_numpy(np.frombuffer(b"abcd", dtype=np.uint8).copy())
    ```

    ## Fix safety
    Unsafe: a copy takes memory of its own, and no longer shows what is written to the source.

    ## References
    - pytorch/pytorch#46741, #5442; measured on torch 1.13.1, 2.2.2 and 2.13.0
    """

    code = "TBX203"
    name = "read-only-source"
    clues = screen.BOUNDARY
    fix = Applicability.UNSAFE

    def on_frozen_use(self, event: FrozenUse) -> Iterator[Draft]:
        known = event.memory.truth > Truth.UNKNOWN
        what = "is a tensor over read-only memory" if known else "may be a tensor over read-only memory"
        use = Note(event.scene.at(event.use), "written here" if event.written else "handed on here")
        yield Draft(
            event.node,
            f"`{spell(event.node)}` {what}: to write through it is undefined behaviour",
            # Most of the code that is handed a tensor only reads it, and what is not known may be a buffer to write to.
            Certainty.LIKELY if event.written and known else Certainty.POSSIBLE,
            "copy the array first: `.copy()`",
            (*history(event.memory), use),
            repair=partial(_repair, event.node),
        )


def _repair(node: cst.CSTNode, style: ExportStyle) -> Repair | None:
    """A copy of the array, or of the tensor where no array is in sight."""
    import libcst

    if not isinstance(node, libcst.Call) or not node.args or node.args[0].star or node.args[0].keyword is not None:
        return None
    if source_of(node.func).rpartition(".")[2] in {"frombuffer", "from_dlpack"}:
        return mending.copied(node, "clone", _REASON)
    return mending.copied(node.args[0].value, "copy", _REASON)
