from __future__ import annotations

from collections.abc import Iterator

from tensorlint import screen
from tensorlint.findings import Certainty
from tensorlint.flow.domain.tensors import Array, Tensor
from tensorlint.flow.domain.values import Dictionary, Scalar, Sequence, Value
from tensorlint.flow.events import LibraryCall
from tensorlint.rules.base import Draft, Note, Rule
from tensorlint.rules.wording import spell

#: NumPy scalars that are numbers and strings of Python, too.
_OF_PYTHON = frozenset({"np.float64", "np.str", "np.number"})


class ArrayInJson(Rule):
    """`json.dump` of a tensor, an array or a NumPy scalar raises: JSON knows numbers and lists of Python only.

    ## What it does
    Reports `json.dump` and `json.dumps` of what is, or holds somewhere inside, a tensor, an array, or a NumPy scalar
    that is no number of Python: `np.float32`, `np.int64`, `np.bool_`.

    ## Why is this bad
    `TypeError: Object of type Tensor is not JSON serializable`, at the end of a training, and with half of the file
    written. `np.float64` is a `float`, and goes through: so the mean of float64 data can be written, and that of
    float32 not.

    ## Example
    ```python
    import json

    import numpy as np

    scores = np.array([0.5, 0.25], dtype=np.float32)
    print(json.dumps({"score": scores.mean()}))
    ```

    ## Use instead
    ```python
    import json

    import numpy as np

    scores = np.array([0.5, 0.25], dtype=np.float32)
    print(json.dumps({"score": float(scores.mean())}))
    ```
    `.item()` gives the number of a tensor, `.tolist()` a list.

    ## Limits
    With `cls=` or `default=` nothing is said. Keys are not looked at, nor what an object of a class holds.

    ## References
    - kenshohara/3D-ResNets-PyTorch#138, numpy/numpy#16432; measured on Python 3.11 with NumPy 2.4.6
    """

    code = "TBX119"
    name = "array-in-json"
    clues = (screen.JSON,)

    def on_library_call(self, event: LibraryCall) -> Iterator[Draft]:
        data = event.positional() or event.keyword("obj")
        told = any(each.keyword in {"cls", "default"} or each.star for each in event.arguments)
        if event.name not in {"json.dump", "json.dumps"} or data is None or told or event.scene.handlers:
            return
        found = _no_json(data.value, "")
        if found is None:
            return
        where, what, value = found
        place = f" under `{where}`" if where else ""
        holds = "is" if value is data.value and not isinstance(value, Dictionary) else "holds"
        origin = value.origin if isinstance(value, (Tensor, Array)) else None
        yield Draft(
            event.node,
            f"`{spell(data.node)}` {holds} {what}{place}: TypeError, as JSON has none",
            Certainty.CERTAIN,
            "write `.item()` of a scalar, and `.tolist()` of a tensor or an array",
            () if origin is None else (Note(origin.site, origin.message),),
        )


def _no_json(value: Value, key: str) -> tuple[str, str, Value] | None:
    """The first thing in a value that JSON does not know: the key it lies under, and what it is."""
    match value:
        case Scalar(kind=kind) if kind.startswith("np.") and kind not in _OF_PYTHON:
            return key, f"`{kind}`", value
        case Array(sure=True, picked=False) if value.has_axes or value.exported:
            # What has no axes may be a scalar of NumPy, of a kind that is known to Python.
            return key, "a NumPy array", value
        case Tensor(sure=True):
            return key, "a tensor", value
        case Dictionary(state_dict=True):
            return key, "a tensor", value
        case Dictionary():
            inside = [(str(name), item) for name, item in value.entries.items()]
            others = [(key, value.element)] if value.element is not None else []
            parts = [_no_json(item, name) for name, item in (*inside, *others)]
        case Sequence():
            items = value.items if value.items is not None else (value.element,) if value.element is not None else ()
            parts = [_no_json(item, key) for item in items]
        case _:
            return None
    return next((part for part in parts if part is not None), None)
