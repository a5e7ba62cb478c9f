from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Repair, wrap
from tensorlint.flow.call import Argument
from tensorlint.flow.domain.values import Sequence
from tensorlint.flow.events import NumpyCall
from tensorlint.policy import ExportStyle
from tensorlint.rules.base import Draft, Rule
from tensorlint.rules.wording import spell

_UNSAFE = Applicability.UNSAFE
_KINDS = {"generator": "an iterator", "view": "a dictionary view", "set": "a set"}


class ObjectArray(Rule):
    """`np.array` of a dictionary view, an iterator or a set is one Python object, not an array of its elements.

    ## What it does
    Reports `np.array` and `np.asarray` of `d.values()`, `d.keys()`, `d.items()`, `map(...)`, `zip(...)`,
    generators and sets.

    ## Why is this bad
    NumPy only looks into sequences. These become a 0-d array of dtype `object`, which torch refuses:
    `TypeError: can't convert np.ndarray of type numpy.object_`.

    ## Example
    ```python
    import numpy as np

    weights = {"cat": 0.2, "dog": 0.8}
    array = np.array(weights.values())
    ```

    ## Use instead
    ```python
    import numpy as np

    weights = {"cat": 0.2, "dog": 0.8}
    array = np.array(list(weights.values()))
    ```

    ## Fix safety
    Unsafe: the array holds the elements then. Code that took the one object out of it again would no longer work.

    ## References
    - NumPy documentation, `numpy.array`; measured on NumPy 1.24, 1.26 and 2.4
    """

    code = "TBX208"
    name = "object-array"
    clues = (screen.OBJECTS, *screen.BOUNDARY)
    fix = Applicability.UNSAFE

    def on_numpy_call(self, event: NumpyCall) -> Iterator[Draft]:
        data = event.positional()
        if event.name not in {"array", "asarray", "asanyarray"} or data is None or event.scene.caught:
            return
        if not isinstance(data.value, Sequence) or data.value.kind not in _KINDS:
            return
        yield Draft(
            event.node,
            f"`np.{event.name}` of {_KINDS[data.value.kind]} is a 0-d object array, "
            f"not the elements of `{spell(data.node)}`",
            Certainty.CERTAIN,
            f"write `np.{event.name}(list(...))`",
            repair=partial(_repair, data) if event.scene.spelling("builtins.list") is not None else None,
        )


def _repair(data: Argument, style: ExportStyle) -> Repair | None:
    reason = "the array holds the elements then"
    return None if data.star else Repair("wrap it in `list(...)`", (wrap(data.node, "list"),), _UNSAFE, reason)
