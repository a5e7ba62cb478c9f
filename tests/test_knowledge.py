"""The knowledge tables: well formed everywhere, and true wherever torch and NumPy are installed."""

from __future__ import annotations

import dataclasses
import importlib.util
import subprocess
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import pytest

from tensorlint import knowledge
from tensorlint.knowledge import (
    ARRAY_ATTRIBUTES,
    ARRAY_METHODS,
    NUMPY_FUNCTIONS,
    TENSOR_ATTRIBUTES,
    TENSOR_METHODS,
    TORCH_FUNCTIONS,
    Access,
    Device,
    Grad,
    Result,
    Row,
    Share,
    array_methods,
    frameworks,
    numpy_functions,
    tensor_methods,
)
from tensorlint.knowledge.row import DTYPE_RULES, DTYPES, names, rows, table

ROOT = Path(__file__).resolve().parent.parent
TABLES: dict[str, Mapping[str, Row]] = {
    "tensor methods": TENSOR_METHODS,
    "tensor attributes": TENSOR_ATTRIBUTES,
    "torch functions": TORCH_FUNCTIONS,
    "array methods": ARRAY_METHODS,
    "array attributes": ARRAY_ATTRIBUTES,
    "numpy functions": NUMPY_FUNCTIONS,
}
VALUES = {
    Result.TENSOR,
    Result.TENSOR_TUPLE,
    Result.TENSOR_LIST,
    Result.TENSOR_OR_TUPLE,
    Result.ARRAY,
    Result.ARRAY_TUPLE,
    Result.SAME,
}


@pytest.mark.parametrize("name", TABLES)
def test_rows_are_well_formed(name: str) -> None:
    for function, row in TABLES[name].items():
        assert row.dtype in DTYPES | DTYPE_RULES.keys(), function
        assert (row.result in VALUES) != (row.share is Share.NONE), function
        assert all(part.isidentifier() for part in function.split(".")), function
        if row.result is Result.SAME:
            assert row.share is Share.ALWAYS, function
        if row.indices:
            assert row.result in {Result.TENSOR_TUPLE, Result.TENSOR_OR_TUPLE}, function
        if row.overlaps or row.negative_strides:
            assert row.share is Share.ALWAYS, function
        if "array" in name or "numpy" in name:
            assert (row.grad, row.device) == (Grad.NO, Device.CPU), function


@pytest.mark.parametrize("name", ["tensor methods", "torch functions"])
def test_a_trailing_underscore_returns_the_receiver(name: str) -> None:
    for function, row in TABLES[name].items():
        if function.endswith("_") and not function.endswith("__") and function != "nn.utils.clip_grad_value_":
            assert row.result is Result.SAME or function == "nn.utils.clip_grad_norm_", function


def test_tables_cannot_be_written_to() -> None:
    with pytest.raises(TypeError):
        TENSOR_METHODS["abs"] = TENSOR_METHODS["abs_"]  # type: ignore[index]
    with pytest.raises(dataclasses.FrozenInstanceError):
        TENSOR_METHODS["abs"].share = Share.ALWAYS  # type: ignore[misc]


def test_two_rows_for_one_name_are_an_error() -> None:
    row = Row(Result.TENSOR)
    with pytest.raises(ValueError, match="more than one row for abs"):
        table(rows(row, "abs add"), rows(row, "abs"))


def test_sets_are_disjoint() -> None:
    assert not tensor_methods.IN_PLACE_METHODS & tensor_methods.HEADER_METHODS
    assert not tensor_methods.TENSOR_ONLY_METHODS & tensor_methods.TENSOR_OR_MODULE
    assert not tensor_methods.TENSOR_ONLY_METHODS & (ARRAY_METHODS.keys() | ARRAY_ATTRIBUTES.keys())
    assert not array_methods.ARRAY_ONLY_METHODS & (TENSOR_METHODS.keys() | TENSOR_ATTRIBUTES.keys())
    assert not frameworks.FOREIGN_FRAMEWORKS & frameworks.TORCH_ECOSYSTEM
    assert not frameworks.NEUTRAL & (frameworks.FOREIGN_FRAMEWORKS | frameworks.TORCH_ECOSYSTEM)
    assert frameworks.FOREIGN_NUMPY_METHOD <= frameworks.FOREIGN_FRAMEWORKS


def test_what_numpy_does_with_a_tensor_is_said_once() -> None:
    groups = {
        "to tensor": numpy_functions.EXPORTS_TO_TENSOR,
        "to array": numpy_functions.EXPORTS_TO_ARRAY,
        "by dlpack": numpy_functions.EXPORTS_BY_DLPACK,
        "reductions": numpy_functions.REDUCTIONS_RAISE,
        "raises": numpy_functions.RAISES,
        "shuffles": numpy_functions.SHUFFLES,
        "false": numpy_functions.FALSE_OFF_CPU,
        "harmless": numpy_functions.HARMLESS,
    }
    seen: dict[str, str] = {}
    for group, members in groups.items():
        for name in members:
            assert name not in seen, (name, group, seen[name])
            assert name in NUMPY_FUNCTIONS, name
            seen[name] = group
    assert {"stack", "concatenate", "mean", "array"} <= numpy_functions.EXPORTS_OF_LIST <= NUMPY_FUNCTIONS.keys()
    never = {"nonzero", "argwhere", "size"}
    assert {seen.get(name) for name in numpy_functions.SILENTLY_WRONG - never} == {"to tensor"}
    assert not never & seen.keys()


def test_tensor_words_are_known_names() -> None:
    known = TENSOR_METHODS.keys() | TENSOR_ATTRIBUTES.keys()
    assert known >= tensor_methods.TENSOR_ONLY_METHODS
    assert known >= tensor_methods.TENSOR_OR_MODULE
    assert {
        "unsqueeze",
        "permute",
        "detach",
        "backward",
        "grad_fn",
        "masked_fill_",
    } <= tensor_methods.TENSOR_ONLY_METHODS
    assert not tensor_methods.TENSOR_ONLY_METHODS & {"copy", "numpy", "split", "log", "to", "requires_grad_", "values"}


@pytest.mark.parametrize(
    "name",
    sorted(names("detach view squeeze unsqueeze permute transpose expand unbind chunk split narrow T data numpy")),
)
def test_tensor_aliases(name: str) -> None:
    assert {**TENSOR_METHODS, **TENSOR_ATTRIBUTES}[name].share is Share.ALWAYS


@pytest.mark.parametrize(
    "name", sorted(names("cpu cuda to float type type_as contiguous reshape flatten ravel resolve_conj"))
)
def test_tensor_aliases_when_nothing_is_to_be_done(name: str) -> None:
    assert TENSOR_METHODS[name].share is Share.MAYBE


@pytest.mark.parametrize("name", sorted(names("clone repeat nan_to_num add index_select masked_select gather")))
def test_tensor_copies(name: str) -> None:
    assert TENSOR_METHODS[name].share is Share.NEVER


@pytest.mark.parametrize("name", sorted(names("argmax argmin argsort gt lt eq ne isnan int long bool byte detach")))
def test_results_without_gradient(name: str) -> None:
    assert TENSOR_METHODS[name].grad is Grad.NO


@pytest.mark.parametrize("name", sorted(names("max sort topk kthvalue mode median")))
def test_indices_never_require_grad(name: str) -> None:
    assert TENSOR_METHODS[name].indices == (1,)
    assert TENSOR_METHODS[name].grad is Grad.KEEP


@pytest.mark.parametrize(
    "name", sorted(names("requires_grad_ unsqueeze_ squeeze_ transpose_ t_ share_memory_ detach_"))
)
def test_underscore_without_a_write(name: str) -> None:
    assert name in tensor_methods.HEADER_METHODS


def test_flatten_differs_between_the_two() -> None:
    assert TENSOR_METHODS["flatten"].share is Share.MAYBE
    assert ARRAY_METHODS["flatten"].share is Share.NEVER


def test_imports() -> None:
    assert TORCH_FUNCTIONS["from_numpy"].share is Share.ALWAYS
    assert TORCH_FUNCTIONS["as_tensor"].share is Share.MAYBE
    assert TORCH_FUNCTIONS["Tensor"] == TORCH_FUNCTIONS["FloatTensor"]
    assert TORCH_FUNCTIONS["Tensor"].share is Share.MAYBE
    assert TORCH_FUNCTIONS["tensor"].share is Share.NEVER
    assert TORCH_FUNCTIONS["nn.Parameter"].grad is Grad.YES
    assert TORCH_FUNCTIONS["cat"].share is TORCH_FUNCTIONS["stack"].share is Share.NEVER


def test_arrays() -> None:
    assert NUMPY_FUNCTIONS["float32"].share is Share.MAYBE
    assert NUMPY_FUNCTIONS["array"].share is Share.NEVER
    assert NUMPY_FUNCTIONS["asarray"].share is Share.MAYBE
    assert {name for name, row in NUMPY_FUNCTIONS.items() if row.negative_strides} == {
        "flip",
        "fliplr",
        "flipud",
        "rot90",
    }
    assert NUMPY_FUNCTIONS["frombuffer"].access is Access.BUFFER
    assert NUMPY_FUNCTIONS["load"].access is NUMPY_FUNCTIONS["memmap"].access is Access.MODE
    assert NUMPY_FUNCTIONS["broadcast_to"].access is NUMPY_FUNCTIONS["diagonal"].access is Access.NEVER
    assert NUMPY_FUNCTIONS["copyto"].writes == NUMPY_FUNCTIONS["random.shuffle"].writes == (0,)


def test_no_import_of_torch_or_numpy() -> None:
    code = "import sys, tensorlint.knowledge; sys.exit(bool({'torch', 'numpy'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_everything_exported_is_there() -> None:
    assert sorted(knowledge.__all__, key=lambda name: (not name.isupper(), name)) == knowledge.__all__
    assert all(hasattr(knowledge, name) for name in knowledge.__all__)


# What follows runs the tables.


@pytest.fixture(scope="module")
def measure() -> ModuleType:
    """``tools/measure_knowledge.py``, imported; skips where torch or NumPy is missing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for needed in ("torch", "numpy"):
            pytest.importorskip(needed, reason=f"the tables are executed only where {needed} is installed")
        path = ROOT / "tools" / "measure_knowledge.py"
        if not path.exists():
            pytest.skip("tools/measure_knowledge.py is not part of this distribution")
        spec = importlib.util.spec_from_file_location("measure_knowledge", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
    if not module.comparable():
        pytest.skip("the tables speak of the versions they were measured on")
    return module


@pytest.mark.parametrize(("space", "share"), [("tensor", 0.98), ("torch", 0.97), ("array", 0.94), ("numpy", 0.98)])
def test_rows_are_true(measure: ModuleType, space: str, share: float) -> None:
    measured = measure.measure_all(space)
    assert [f"{one.name}: {problem}" for one in measured for problem in one.problems] == []
    assert sum(one.calls > 0 for one in measured) / len(measured) >= share


def test_in_place_methods_agree_with_the_operator_schemas(measure: ModuleType) -> None:
    assert measure.check_schemas() == []


def test_what_numpy_does_with_a_tensor(measure: ModuleType) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        count, problems = measure.check_behaviours()
    assert problems == []
    assert count > 400


def test_the_script_notices_a_lie(measure: ModuleType) -> None:
    lie = dataclasses.replace(TENSOR_METHODS["detach"], share=Share.NEVER, grad=Grad.KEEP)
    problems = measure.measure("tensor:detach", lie).problems
    assert problems == ["drops the gradient", "shares memory: [True], the row says never"]
    assert measure.measure("tensor:add_", dataclasses.replace(TENSOR_METHODS["add_"], writes=())).problems
    assert measure.measure("numpy:flip", dataclasses.replace(NUMPY_FUNCTIONS["flip"], negative_strides=False)).problems
