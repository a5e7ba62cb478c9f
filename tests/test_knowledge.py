"""The knowledge tables: well formed everywhere, and true wherever torch and NumPy are installed."""

from __future__ import annotations

import dataclasses
import importlib
import subprocess
import sys
import warnings
from collections.abc import Mapping
from operator import attrgetter
from pathlib import Path

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
    gone,
    numpy_functions,
    tensor_methods,
)
from tensorlint.knowledge.layouts import KEPT
from tensorlint.knowledge.numbers import FRACTIONS, UNIT, WILD, WILD_LAYERS
from tensorlint.knowledge.parameters import Signature, signatures
from tensorlint.knowledge.row import DTYPE_RULES, DTYPES, names, rows, table
from tensorlint.verify.knowledge import TABLES as EXECUTED
from tensorlint.verify.knowledge import measure, verify_knowledge
from tensorlint.verify.measuring.report import CONFIRMED, NOT_RUN, REFUTED, Checked, KnowledgeReport
from tensorlint.versions import release

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
    assert not tensor_methods.TENSOR_ONLY_METHODS & (ARRAY_METHODS.keys() | ARRAY_ATTRIBUTES.keys())
    assert not array_methods.ARRAY_ONLY_METHODS & (TENSOR_METHODS.keys() | TENSOR_ATTRIBUTES.keys())
    assert not frameworks.FOREIGN_FRAMEWORKS & frameworks.TORCH_ECOSYSTEM
    assert frameworks.FOREIGN_NUMPY_METHOD <= frameworks.FOREIGN_FRAMEWORKS


def test_arrays_lack_what_only_tensors_have() -> None:
    numpy, torch = pytest.importorskip("numpy"), pytest.importorskip("torch")
    assert not [name for name in array_methods.NOT_ON_ARRAYS if hasattr(numpy.ndarray, name)]
    assert all(hasattr(torch.Tensor, name) for name in array_methods.BROUGHT_ALREADY)
    assert array_methods.BROUGHT_ALREADY <= array_methods.NOT_ON_ARRAYS


def test_what_numpy_does_with_a_tensor_is_said_once() -> None:
    groups = {
        "to tensor": numpy_functions.EXPORTS_TO_TENSOR,
        "to array": numpy_functions.EXPORTS_TO_ARRAY,
        "reductions": numpy_functions.REDUCTIONS_RAISE,
        "raises": numpy_functions.RAISES,
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
    assert numpy_functions.EXPORTS_UNCHANGED <= numpy_functions.EXPORTS_TO_ARRAY
    never = {"nonzero", "argwhere", "size"}
    assert {seen.get(name) for name in numpy_functions.SILENTLY_WRONG - never} == {"to tensor"}
    assert not never & seen.keys()


def test_tensor_words_are_known_names() -> None:
    known = TENSOR_METHODS.keys() | TENSOR_ATTRIBUTES.keys()
    assert known >= tensor_methods.TENSOR_ONLY_METHODS
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
    code = "import sys, tensorlint.knowledge, tensorlint.verify.knowledge; "
    code += "sys.exit(bool({'torch', 'numpy', 'libcst', 'click'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_everything_exported_is_there() -> None:
    assert sorted(knowledge.__all__, key=lambda name: (not name.isupper(), name)) == knowledge.__all__
    assert all(hasattr(knowledge, name) for name in knowledge.__all__)


# What follows runs the tables.


@pytest.fixture(scope="module")
def torch_and_numpy() -> None:
    """Skips where torch or NumPy is missing, or of a version that the tables do not speak of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for needed in ("torch", "numpy"):
            pytest.importorskip(needed, reason=f"the tables are executed only where {needed} is installed")
    if not measure({}, sets=()).comparable:
        pytest.skip("the tables speak of the versions they were measured on")


@pytest.mark.parametrize(("space", "share"), [("tensor", 0.98), ("torch", 0.97), ("array", 0.94), ("numpy", 0.98)])
def test_rows_are_true(torch_and_numpy: None, space: str, share: float) -> None:
    report = measure({space: EXECUTED[space]}, sets=())
    assert [str(fact) for fact in report.refuted] == []
    counts = report.rows()[space]
    assert set(counts) <= {CONFIRMED, NOT_RUN}
    assert sum(counts.values()) == len(EXECUTED[space])
    assert counts[CONFIRMED] / sum(counts.values()) >= share
    assert all(fact.observed for fact in report.facts)


def test_parameters_have_the_names_that_functions_say(torch_and_numpy: None) -> None:
    report = measure({}, sets=("parameters",))
    assert [str(fact) for fact in report.refuted] == []
    assert sum(fact.observed.startswith("called") for fact in report.confirmed) > 1300


def test_another_name_or_order_of_parameters_is_refuted(torch_and_numpy: None) -> None:
    said_before = importlib.import_module("tensorlint.verify.measuring.parameters").said_before
    known = (Signature.read("input, dim, *, out"),)
    assert said_before(known, [Signature.read("input, dim, keepdim")])
    for lie in ("dim, input", "input, axis", "input", "*sizes"):
        assert not said_before(known, [Signature.read(lie)])


def test_signatures_are_read() -> None:
    assert signatures("torch.reshape") == (Signature(("input", "shape")),)
    assert {each.positional for each in signatures("torch.Tensor.to")} == {
        ("dtype", "non_blocking", "copy"),
        ("device", "dtype", "non_blocking", "copy"),
        ("other", "non_blocking", "copy"),
    }
    (add,) = signatures("numpy.add")
    assert [add.name(place) for place in range(4)] == ["x1", "x2", "out", None]
    (meshgrid,) = signatures("torch.meshgrid")
    assert [meshgrid.name(0), meshgrid.name(5), meshgrid.takes("indexing")] == ["tensors", "tensors", True]
    assert signatures("torch.no_such_function") == ()
    assert [str(Signature.read(text)) for text in ("a, b", "*xi, copy", "a, *, out")] == [
        "a, b",
        "*xi, copy",
        "a, *, out",
    ]


def test_in_place_methods_agree_with_the_operator_schemas(torch_and_numpy: None) -> None:
    report = measure({}, sets=("schema",))
    assert report.refuted == ()
    assert len(report.confirmed) > 150


def test_what_numpy_does_with_a_tensor(torch_and_numpy: None) -> None:
    report = measure({}, sets=("handed",))
    assert [str(fact) for fact in report.refuted] == []
    assert len(report.confirmed) > 800


def test_an_export_in_the_open_changes_nothing(torch_and_numpy: None) -> None:
    """A sample: all of them take half a minute (``tensorlint verify --knowledge``)."""
    unchanged = importlib.import_module("tensorlint.verify.measuring.unchanged")
    with warnings.catch_warnings(), importlib.import_module("numpy").errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for name in [*sorted(numpy_functions.EXPORTS_UNCHANGED)[::8], "asarray", "stack", "savetxt"]:
            assert unchanged.difference(name) is None, name
        for name in sorted(numpy_functions.EXPORTS_OF_LIST_UNCHANGED)[::16]:
            assert unchanged.difference(name, of_list=True) is None, name
        assert "tensor(" in unchanged.difference("exp")
        assert "raises" in unchanged.difference("bincount")
        assert unchanged.difference("linspace", of_list=True)


LIES = [
    ("tensor", "detach", {"share": Share.NEVER, "grad": Grad.KEEP}, ["grad", "share"]),
    ("tensor", "add_", {"writes": ()}, ["writes"]),
    ("tensor", "float", {"dtype": "float64"}, ["dtype"]),
    ("torch", "zeros_like", {"device": Device.CPU}, ["device"]),
    ("numpy", "flip", {"negative_strides": False}, ["negative_strides"]),
    ("array", "ravel", {"share": Share.NEVER}, ["share"]),
]


@pytest.mark.parametrize(("table", "name", "lie", "caught"), LIES, ids=[name for _, name, _, _ in LIES])
def test_a_lie_is_refuted(
    torch_and_numpy: None, table: str, name: str, lie: dict[str, object], caught: list[str]
) -> None:
    row = dataclasses.replace(EXECUTED[table][name], **lie)  # type: ignore[arg-type]
    report = measure({table: {name: row}}, sets=())
    assert [fact.property for fact in report.refuted] == caught
    assert all(fact.observed != fact.expected for fact in report.refuted)
    assert report.rows() == {table: {REFUTED: 1}}


def test_a_lie_to_the_schemas_is_refuted(torch_and_numpy: None) -> None:
    schemas = importlib.import_module("tensorlint.verify.measuring.schemas")
    lie = {"transpose": dataclasses.replace(TENSOR_METHODS["transpose"], share=Share.NEVER)}
    assert [fact.name for fact in schemas.check_schemas(lie) if fact.verdict == REFUTED] == ["transpose"]


def test_a_row_that_cannot_be_called_says_why(torch_and_numpy: None) -> None:
    report = measure({"numpy": {"no_such_function": NUMPY_FUNCTIONS["abs"]}}, sets=())
    assert [(fact.verdict, fact.observed) for fact in report.facts] == [(NOT_RUN, "these versions have no such name")]


def test_an_interpreter_that_cannot_says_so(tmp_path: Path) -> None:
    assert verify_knowledge(str(tmp_path / "python")).problem
    stub = tmp_path / "python"
    stub.write_text("#!/bin/sh\necho nothing here >&2\nexit 3\n")
    stub.chmod(0o755)
    assert verify_knowledge(str(stub)) == KnowledgeReport(problem="nothing here")


def test_a_report_survives_the_way_to_the_parent() -> None:
    facts = (
        Checked("numpy", "abs", "share", "never", "never", CONFIRMED),
        Checked("numpy", "abs", "out", "a", "b", REFUTED),
    )
    report = KnowledgeReport("2.13.0", "2.4.6", facts)
    assert KnowledgeReport.from_json(report.to_json()) == report
    assert report.rows() == {"numpy": {REFUTED: 1}}


def test_what_the_numbers_are(torch_and_numpy: None) -> None:
    """Functions that give fractions give none but these; layers have no bound."""
    import torch

    generator = torch.manual_seed(0)
    data = torch.randn(64, 64, generator=generator) * 100
    whole = torch.arange(1.0, 65.0).reshape(8, 8)
    for name in sorted(UNIT | WILD):
        given = (64, 64) if name in {"rand", "randn"} else (data,) if name in {"rand_like", "randn_like"} else None
        function = getattr(torch, name, None) or getattr(torch.nn.functional, name)
        made = function(*given) if given else function(data, -1) if "soft" in name else function(data)
        assert bool((made != made.round()).any())
        assert bool(((made >= 0) & (made <= 1)).all()) is (name in UNIT)
        assert bool((made.min() < -1) & (made.max() > 1)) is (name in WILD)
    for name in sorted(FRACTIONS - {"linspace", "normal"}):
        function = getattr(torch, name)
        made = function(whole, -1) if "soft" in name else function(whole)
        assert bool((made != made.round()).any())
    for name in sorted(WILD_LAYERS):
        sizes = (2, 2, 3) if name == "Bilinear" else (2, 3) if name == "Linear" else (2, 3, 1)
        shape = (8, 2) if name.endswith("inear") else (8, 2, *([2] * int(name[-2])))
        layer = getattr(torch.nn, name)(*sizes)
        with torch.no_grad():
            made = layer(*([torch.randn(shape) * 100] * (2 if name == "Bilinear" else 1)))
        assert bool((made.min() < -1) & (made.max() > 1))


def test_layouts(torch_and_numpy: None) -> None:
    """What gives a layout gives it, what keeps one keeps it, and the method that resolves it gives an array."""
    import torch

    data = torch.eye(3)
    sparse = data.to_sparse()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nested = torch.nested.nested_tensor([data, data[:2]])
    made = {"sparse": sparse, "mkldnn": data.to_mkldnn(), "nested": nested}
    plain = {"t", "transpose", "permute", "unsqueeze", "index_select", "to", "type", "mul", "div"}

    def laid_out(tensor: torch.Tensor) -> str:
        if tensor.is_conj() or tensor.is_neg():
            return "conj" if tensor.is_conj() else "neg"
        if tensor.is_nested or tensor.layout is torch.strided:
            return "nested" if tensor.is_nested else ""
        return "mkldnn" if tensor.is_mkldnn else "sparse"

    for layout, tensor in made.items():
        for name in sorted(KEPT[layout] - plain):
            if "." not in name:
                assert laid_out(getattr(tensor, name)()) == layout
    for kept in (
        *(sparse.t(), sparse.transpose(0, 1), sparse.permute(1, 0), sparse.unsqueeze(0), sparse.to("cpu")),
        *(sparse.index_select(0, torch.tensor([0])), sparse.type(torch.float64), sparse.mul(2), sparse.div(2)),
        *(torch.sparse.softmax(sparse, 1), torch.sparse.log_softmax(sparse, 1), sparse * 2, sparse + sparse),
    ):
        assert laid_out(kept) == "sparse"
    turned = torch.tensor([[1 + 2j]])
    for tensor in (turned.conj(), turned.mH, turned.H, turned.adjoint(), turned.conj().t(), turned.conj()[0]):
        assert laid_out(tensor) == "conj"
    assert laid_out(turned.conj().imag) == "neg"
    for tensor in (turned.conj().conj(), turned.conj().clone(), turned.conj() * 2, turned.conj().real, data.conj()):
        assert laid_out(tensor) == ""
    assert [laid_out(turned.conj().resolve_conj()), laid_out(sparse.to_dense())] == ["", ""]


def test_numpy_has_no_more_what_is_said_to_be_gone() -> None:
    numpy = pytest.importorskip("numpy")
    installed = release(".".join(numpy.__version__.split(".")[:2]))
    checked = [name for name, since in gone.GONE_FROM_NUMPY.items() if release(since) <= installed]
    assert checked
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in checked:
            with pytest.raises(AttributeError):
                attrgetter(name)(numpy)
