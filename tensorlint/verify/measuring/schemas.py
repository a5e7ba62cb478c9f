"""In-place methods and views of the tables against the alias annotations of PyTorch's operator schemas."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Any

from tensorlint.knowledge.row import Row, Share
from tensorlint.knowledge.tensor_methods import HEADER_METHODS, IN_PLACE_METHODS, TENSOR_METHODS
from tensorlint.verify.measuring.report import Checked

torch: Any = importlib.import_module("torch")


def check_schemas(methods: Mapping[str, Row] = TENSOR_METHODS) -> Iterator[Checked]:
    """In-place methods and views of the table against the alias annotations of ``aten``.

    ``Tensor(a!)`` is written, ``Tensor(a)`` may be returned as a view. Methods without an operator (``map_`` and its
    like run Python) have no schema.
    """
    writes: dict[str, set[bool]] = {}
    views: dict[str, set[bool]] = {}
    for schema in torch._C._jit_get_all_schemas():
        space, _, name = schema.name.partition("::")
        if space != "aten" or not schema.arguments or str(schema.arguments[0].type) != "Tensor":
            continue
        if any(argument.is_out for argument in schema.arguments):
            continue
        alias = schema.arguments[0].alias_info
        writes.setdefault(name, set()).add(alias is not None and alias.is_write)
        views.setdefault(name, set()).add(alias is not None and not alias.is_write)
    for name in sorted(IN_PLACE_METHODS - {"map_", "map2_", "apply_"}):
        found = "(a!)" if writes.get(name) == {True} else "not annotated as writing to self"
        yield Checked.judged("schema", name, "writes", "(a!)", found, found == "(a!)")
    for name in sorted(n for n in writes if n.endswith("_") and hasattr(torch.Tensor, n) and True in writes[n]):
        if not name.startswith("_") and name not in IN_PLACE_METHODS | HEADER_METHODS:
            yield Checked.judged("schema", name, "writes", "nothing: not in the table", "writes to self", False)
    for name, row in methods.items():
        if views.get(name) == {True}:
            holds = row.share in {Share.ALWAYS, Share.MAYBE}
            yield Checked.judged("schema", name, "share", row.share.value, "(a): may return a view", holds)
