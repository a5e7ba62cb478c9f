from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Builder, Change, Repair
from tensorlint.flow.arguments import dtype_argument
from tensorlint.flow.call import Argument
from tensorlint.flow.domain.dtypes import FLOAT32, each_named
from tensorlint.flow.domain.inside import is_array, leaves
from tensorlint.flow.domain.tensors import Array
from tensorlint.flow.domain.values import Sequence, Value
from tensorlint.flow.events import TorchCall
from tensorlint.flow.scene import Spelling
from tensorlint.policy import ExportStyle
from tensorlint.rules.base import Draft, Rule
from tensorlint.rules.constructors import DTYPES
from tensorlint.rules.wording import spell

_COPIES = frozenset({"tensor", "as_tensor", "asarray", *DTYPES})
#: What numbers of other dtypes become by the same rounding, be it one by one or as an array.
_ROUNDED = each_named("float16 bfloat16 float32 float64")


class ListOfArrays(Rule):
    """A tensor of a list of arrays reads them number by number: one array of the list is about 100 times faster.

    ## What it does
    Reports `torch.tensor`, `torch.as_tensor` and the legacy constructors given a list of NumPy arrays that a loop or a
    comprehension filled.
    Off by default: it is for code that is slower than it should be.

    ## Why is this bad
    torch takes a list for nested Python numbers, and makes a Python object of each number in each array. 1,000 arrays
    of 1,000 numbers take 90 ms, as one array less than 1 ms. `UserWarning: Creating a tensor from a list of
    numpy.ndarrays is extremely slow` is given once for a whole process.

    ## Example
    ```python
    import numpy as np
    import torch

    frames = [np.zeros((84, 84)) for _ in range(32)]
    batch = torch.tensor(frames)
    ```

    ## Use instead
    ```python
    import numpy as np
    import torch

    frames = [np.zeros((84, 84)) for _ in range(32)]
    batch = torch.tensor(np.array(frames))
    ```
    `torch.from_numpy(np.stack(frames))` saves one more copy.

    ## Limits
    Lists of a few arrays that the program spells one by one cost little, and are not reported; nor is what may be a
    list of numbers, as it comes of indexing.

    ## Fix safety
    Safe where the tensor is of a float dtype that the call names, or that all arrays are known to have: the values are
    equal, arrays of different shapes raise before and after (measured). Otherwise unsafe: of an empty list
    `torch.tensor` makes float32, and NumPy float64.

    ## References
    - pytorch/pytorch#13918, huggingface/transformers#24765; measured on torch 2.13.0
    """

    code = "TBX209"
    name = "list-of-arrays"
    default: ClassVar[bool] = False
    clues = (screen.TENSOR, *screen.BOUNDARY)
    shown = Certainty.CERTAIN
    fix = Applicability.SAFE

    def on_torch_call(self, event: TorchCall) -> Iterator[Draft]:
        data = event.positional() or event.keyword("data")
        if event.name not in _COPIES or data is None or not isinstance(data.value, Sequence):
            return
        # What the program spells one by one is short.
        if data.value.kind not in {"list", "tuple"} or data.value.items is not None:
            return
        inside = list(leaves(data.value))
        if not inside or not all(map(is_array, inside)):
            return
        yield Draft(
            event.node,
            f"`torch.{event.name}` reads the arrays in `{spell(data.node)}` number by number, which is slow",
            # Of a few numbers in a test nobody minds.
            Certainty.LIKELY if event.scene.is_test else Certainty.CERTAIN,
            "make one array of them first: `np.array(...)`, or `np.stack(...)`",
            repair=_repair(event, data, inside),
        )


def _repair(event: TorchCall, data: Argument, inside: list[Value]) -> Builder | None:
    array = event.scene.spelling("numpy.array")
    if array is None or data.star:
        return None
    named = DTYPES.get(event.name) or dtype_argument(event.arguments)
    held = {value.dtype for value in inside if isinstance(value, Array)}
    if named in _ROUNDED:
        return partial(_joined, data, array, "", "")
    if not named and held == {FLOAT32} and (dtype := event.scene.spelling("numpy.float32")) is not None:
        return partial(_joined, data, array, f", dtype={dtype.text}", "")
    reason = "an integer that does not fit wraps around" if named else "of an empty list it makes float64, not float32"
    return partial(_joined, data, array, "", reason)


def _joined(data: Argument, array: Spelling, dtype: str, reason: str, style: ExportStyle) -> Repair:
    return Repair(
        f"write `{array.text}(...{dtype})`",
        (Change(data.node, before=f"{array.text}(", after=f"{dtype})"),),
        Applicability.UNSAFE if reason else Applicability.SAFE,
        reason,
        array.imports,
    )
