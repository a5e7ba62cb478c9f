"""``tensorlint verify --knowledge``: every row of the tables, executed on the user's torch and NumPy.

Each row is called with generated arguments of six dtypes. Checked are the kind of the result, which storage it lies in,
whether it requires grad, its device (arguments on ``meta``), its dtype, which arguments were overwritten, ``out=``,
``inplace=``, overlapping elements, and for arrays the sign of the strides and whether they may be written to. In-place
methods and views are also held against the alias annotations of PyTorch's operator schemas, the names of parameters
against the signatures of the functions, and the sets of ``numpy_functions`` against what NumPy does when it is handed a
tensor.

``measure`` does so in this process, which needs torch and NumPy; ``verify_knowledge`` in a child, with any interpreter.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tensorlint.knowledge.array_methods import ARRAY_ATTRIBUTES, ARRAY_METHODS
from tensorlint.knowledge.numpy_functions import NUMPY_FUNCTIONS
from tensorlint.knowledge.row import Row
from tensorlint.knowledge.tensor_methods import TENSOR_ATTRIBUTES, TENSOR_METHODS
from tensorlint.knowledge.torch_functions import TORCH_FUNCTIONS
from tensorlint.verify.measuring.report import Checked, KnowledgeReport

#: By what is called: a method or attribute of a tensor, a function of torch, of an array, a function of NumPy.
TABLES: Mapping[str, Mapping[str, Row]] = {
    "tensor": {**TENSOR_METHODS, **TENSOR_ATTRIBUTES},
    "torch": TORCH_FUNCTIONS,
    "array": {**ARRAY_METHODS, **ARRAY_ATTRIBUTES},
    "numpy": NUMPY_FUNCTIONS,
}
#: Checks of more than one row: names of parameters, operator schemas, NumPy functions handed tensors, exports that
#: change nothing.
SETS = ("parameters", "schema", "handed", "unchanged")

TIMEOUT = 900.0

#: The child finds the package by its place: a search path would bring whatever else lies beside it, torch included.
_CHILD = """\
import importlib.util, sys
spec = importlib.util.spec_from_file_location(
    "tensorlint", {init!r}, submodule_search_locations=[{folder!r}]
)
sys.modules["tensorlint"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules["tensorlint"])
from tensorlint.verify.knowledge import measure
print(measure().to_json())
"""


def measure(tables: Mapping[str, Mapping[str, Row]] = TABLES, sets: tuple[str, ...] = SETS) -> KnowledgeReport:
    """Execute tables and sets in this process. Raises ``ImportError`` where torch or NumPy is missing."""
    torch: Any = importlib.import_module("torch")
    np: Any = importlib.import_module("numpy")
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        facts = tuple(_facts(tables, sets))
    return KnowledgeReport(
        torch=torch.__version__,
        numpy=np.__version__,
        facts=facts,
        comparable=(2, 13) <= _version(torch) < (2, 16) and (2, 4) <= _version(np) < (2, 6),
    )


def _facts(tables: Mapping[str, Mapping[str, Row]], sets: tuple[str, ...]) -> Iterator[Checked]:
    rows: Any = importlib.import_module("tensorlint.verify.measuring.rows")
    for table, entries in tables.items():
        for name, row in entries.items():
            yield from rows.measure(f"{table}:{name}", row).facts()
    for chosen, module, function in (
        ("parameters", "parameters", "check_parameters"),
        ("schema", "schemas", "check_schemas"),
        ("handed", "handed", "check_behaviours"),
        ("unchanged", "unchanged", "check_unchanged"),
    ):
        if chosen in sets:
            yield from getattr(importlib.import_module(f"tensorlint.verify.measuring.{module}"), function)()


def _version(library: Any) -> tuple[int, ...]:
    return tuple(int(part) for part in library.__version__.split("+")[0].split(".")[:2])


def verify_knowledge(python: str = sys.executable) -> KnowledgeReport:
    """Execute everything in a child process with this interpreter; its report, or one that says why there is none."""
    package = Path(__file__).resolve().parent.parent
    program = _CHILD.format(init=str(package / "__init__.py"), folder=str(package))
    try:
        done = subprocess.run([python, "-c", program], capture_output=True, text=True, check=False, timeout=TIMEOUT)
    except (OSError, subprocess.TimeoutExpired) as error:
        return KnowledgeReport(problem=str(error))
    try:
        return KnowledgeReport.from_json(done.stdout.strip().splitlines()[-1])
    except (IndexError, KeyError, TypeError, ValueError):
        said = done.stderr.strip().splitlines()
        return KnowledgeReport(problem=said[-1] if said else f"the interpreter ended with status {done.returncode}")
