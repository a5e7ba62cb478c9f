"""In-place methods and views of the tables against the alias annotations of PyTorch's operator schemas."""

from __future__ import annotations

import importlib
from typing import Any

from tensorlint.knowledge.row import Share
from tensorlint.knowledge.tensor_methods import HEADER_METHODS, IN_PLACE_METHODS, TENSOR_METHODS

torch: Any = importlib.import_module("torch")


def check_schemas() -> list[str]:
    """In-place methods and views of the table against the alias annotations of ``aten``."""
    problems = []
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
        if writes.get(name) != {True}:
            problems.append(f"schema: {name} is not annotated as writing to self")
    for name in sorted(n for n in writes if n.endswith("_") and hasattr(torch.Tensor, n) and True in writes[n]):
        if not name.startswith("_") and name not in IN_PLACE_METHODS | HEADER_METHODS:
            problems.append(f"schema: {name} writes to self and is not in the table")
    for name, row in TENSOR_METHODS.items():
        if views.get(name) == {True} and row.share not in {Share.ALWAYS, Share.MAYBE}:
            problems.append(f"schema: {name} may return a view, the row says {row.share.value}")
    return problems
