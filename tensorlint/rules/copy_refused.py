from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Builder, Repair, replace, source_of
from tensorlint.flow.call import Argument
from tensorlint.flow.domain.dtypes import Dtype
from tensorlint.flow.domain.tensors import Array, Provenance, Tensor
from tensorlint.flow.domain.values import Scalar, Sequence, Unknown, Value
from tensorlint.flow.dtypes import dtype_of
from tensorlint.flow.events import NumpyCall
from tensorlint.flow.scene import Scene
from tensorlint.policy import ExportStyle
from tensorlint.rules import mending
from tensorlint.rules.base import Draft, Rule
from tensorlint.rules.export_risk import export_risk
from tensorlint.rules.wording import spell
from tensorlint.versions import Versions

if TYPE_CHECKING:
    import libcst as cst

_MAKES_ARRAY = frozenset({"array", "asarray", "asanyarray"})
#: What ``asarray`` knows of the arguments of ``array``, besides the data and the dtype in the first two places.
_KEYWORDS = frozenset({"dtype", "order"})
_NUMBERS = frozenset({"int", "float", "bool", "complex"})


class CopyRefused(Rule):
    """`np.array(x, copy=False)` raises on NumPy 2 where a copy is needed, as for every list and every tensor.

    ## What it does
    Reports `copy=False` in `np.array`, `np.asarray` and `np.asanyarray` of a list, a tuple, a number, a tensor, or an
    array of another dtype than the one asked for.

    ## Why is this bad
    Up to NumPy 1.26 it meant "copy only if needed". Since NumPy 2.0 it means "never copy", and raises `ValueError:
    Unable to avoid copy while creating an array as requested`. torch's `Tensor.__array__` does not take `copy`, so
    NumPy refuses every tensor, even where its memory could be shared.

    ## Example
    ```python
    import numpy as np
    import torch

    frames = np.array(torch.zeros(3, 4), copy=False)
    ```

    ## Use instead
    ```python
    import numpy as np
    import torch

    frames = np.asarray(torch.zeros(3, 4))
    ```

    ## Fix safety
    Safe: `np.asarray` copies only if needed on every release; before NumPy 2 the two were the same function.

    ## References
    - NumPy 2.0 migration guide, "Adapting to changes in the copy keyword"; pytorch/pytorch#136264; measured on torch
      2.13.0 with NumPy 2.4.6
    """

    code = "TBX115"
    name = "copy-refused"
    clues = screen.BOUNDARY
    fix = Applicability.SAFE
    shown = Certainty.CERTAIN
    versions = Versions(numpy_from="2.0")

    def on_numpy_call(self, event: NumpyCall) -> Iterator[Draft]:
        copy = event.keyword("copy")
        if event.name not in _MAKES_ARRAY or copy is None or not _is_false(copy) or event.scene.handles("ValueError"):
            return
        data = event.positional() or event.keyword("object") or event.keyword("a")
        if data is None or data.star:
            return
        judged = _needs_copy(data.value, event.keyword("dtype") or event.positional(1), event.scene)
        if judged is not None:
            why, certainty = judged
            yield Draft(
                event.node,
                f"`copy=False` raises ValueError on NumPy 2: `{spell(data.node)}` {why}",
                certainty,
                "use `np.asarray`, which copies only if needed",
                repair=_repair(event),
            )


def _is_false(argument: Argument) -> bool:
    """Whether it is written there: a flag may be None on NumPy 2."""
    return source_of(argument.node) in {"False", "0"}


def _needs_copy(value: Value, dtype: Argument | None, scene: Scene) -> tuple[str, Certainty] | None:
    match value:
        case Sequence(kind="list" | "tuple" as kind):
            # What is only declared to be a sequence may be an array.
            return f"is a {kind}", Certainty.CERTAIN if value.born else Certainty.POSSIBLE
        case Scalar(kind=kind) if kind in _NUMBERS or kind.startswith("np."):
            return "is a number", Certainty.CERTAIN
        case Tensor(sure=True, source=source):
            risk = export_risk(value, scene, presume=False)
            if risk is not None and (risk.surest or Certainty.POSSIBLE) > Certainty.POSSIBLE:
                # It raises for another reason before, which TBX105 tells.
                return None
            return "is a tensor", Certainty.POSSIBLE if source is Provenance.PARAMETER else Certainty.CERTAIN
        case Array(sure=True) if dtype is not None and _differ(value.dtype, dtype.value):
            return f"is {value.dtype}, and another dtype is asked for", Certainty.CERTAIN
        case Unknown():
            return "may have to be copied", Certainty.POSSIBLE
        case _:
            return None


def _differ(held: Dtype, wanted: Value) -> bool:
    """Whether both dtypes are known for sure. NumPy's ``"float"`` and ``"int"`` are of another size than torch's."""
    if isinstance(wanted, Scalar) and wanted.kind == "str" and not re.search(r"\d$", str(wanted.literal)):
        return False
    asked = dtype_of(wanted)
    return held is not asked and all(map(_is_plain_number, (held, asked)))


def _is_plain_number(dtype: Dtype) -> bool:
    return dtype.sure and (dtype.is_float or dtype.is_integer) and not dtype.without_numpy


def _repair(event: NumpyCall) -> Builder | None:
    import libcst

    call = event.node
    known = all(
        not each.star and (not each.keyword or each.keyword in _KEYWORDS | {"copy"}) for each in event.arguments
    )
    positional = sum(not each.keyword for each in event.arguments)
    if not isinstance(call, libcst.Call) or not known or not 1 <= positional <= 2:
        return None
    name = "asanyarray" if event.name == "asanyarray" else "asarray"
    spelling = mending.beside(call.func, event.scene, f"numpy.{name}")
    return None if spelling is None else partial(_without_copy, call, spelling.text)


def _without_copy(call: cst.Call, function: str, style: ExportStyle) -> Repair:
    import libcst

    kept = [each for each in call.args if each.keyword is None or each.keyword.value != "copy"]
    texts = [source_of(each.with_changes(comma=libcst.MaybeSentinel.DEFAULT)).strip() for each in kept]
    text = f"{function}({', '.join(texts)})"
    return Repair(f"write `{text}`", (replace(call, text),))
