"""Declarative tables of what torch and NumPy functions do to storage, gradient, device and dtype.

Nothing here imports torch or NumPy; ``tensorlint.verify.knowledge`` runs the rows on them.
"""

from __future__ import annotations

from tensorlint.knowledge.array_methods import (
    ARRAY_ATTRIBUTES,
    ARRAY_METHODS,
    ARRAY_ONLY_METHODS,
    BROUGHT_ALREADY,
    NOT_ON_ARRAYS,
)
from tensorlint.knowledge.frameworks import FOREIGN_FRAMEWORKS, TORCH_ECOSYSTEM
from tensorlint.knowledge.numpy_functions import (
    EXPORTS,
    EXPORTS_OF_LIST,
    EXPORTS_OF_LIST_UNCHANGED,
    EXPORTS_UNCHANGED,
    HARMLESS,
    NUMPY_FUNCTIONS,
    REDUCTIONS_RAISE,
    SILENTLY_WRONG,
)
from tensorlint.knowledge.row import Access, Device, Grad, Result, Row, Share
from tensorlint.knowledge.tensor_methods import (
    IN_PLACE_METHODS,
    TENSOR_ATTRIBUTES,
    TENSOR_METHODS,
    TENSOR_ONLY_METHODS,
)
from tensorlint.knowledge.torch_functions import TORCH_FUNCTIONS

__all__ = [
    "ARRAY_ATTRIBUTES",
    "ARRAY_METHODS",
    "ARRAY_ONLY_METHODS",
    "BROUGHT_ALREADY",
    "EXPORTS",
    "EXPORTS_OF_LIST",
    "EXPORTS_OF_LIST_UNCHANGED",
    "EXPORTS_UNCHANGED",
    "FOREIGN_FRAMEWORKS",
    "HARMLESS",
    "IN_PLACE_METHODS",
    "NOT_ON_ARRAYS",
    "NUMPY_FUNCTIONS",
    "REDUCTIONS_RAISE",
    "SILENTLY_WRONG",
    "TENSOR_ATTRIBUTES",
    "TENSOR_METHODS",
    "TENSOR_ONLY_METHODS",
    "TORCH_ECOSYSTEM",
    "TORCH_FUNCTIONS",
    "Access",
    "Device",
    "Grad",
    "Result",
    "Row",
    "Share",
]
