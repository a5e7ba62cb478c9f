"""What the domain says of dtypes that meet is what torch and NumPy do, for each pair."""

import itertools
import warnings

import pytest

from tensorlint.flow.domain.dtypes import UNKNOWN_DTYPE, Dtype
from tensorlint.flow.domain.promotion import of_arrays, of_joined_tensors, of_tensors

TORCH = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64")
NUMPY = (
    *("bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"),
    *("float16", "float32", "float64"),
)


@pytest.mark.parametrize(("left", "right"), list(itertools.product(TORCH, TORCH)))
def test_torch(left: str, right: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch = pytest.importorskip("torch")
    one, other = getattr(torch, left), getattr(torch, right)
    joined = of_joined_tensors([Dtype(left), Dtype(right)])
    assert f"torch.{joined.name}" == str(torch.promote_types(one, other))
    said = of_tensors(Dtype(left), Dtype(right))
    shapes = [(2,), ()]
    found = {
        str((torch.ones(mine, dtype=one) * torch.ones(its, dtype=other)).dtype)
        for mine, its in itertools.product(shapes, shapes)
    }
    assert said is UNKNOWN_DTYPE or found == {f"torch.{said.name}"}
    assert said or len(found) > 1 or {left, right} == {"float16", "bfloat16"} or found == {f"torch.{joined.name}"}


@pytest.mark.parametrize(("left", "right"), list(itertools.product(NUMPY, NUMPY)))
def test_numpy(left: str, right: str) -> None:
    numpy = pytest.importorskip("numpy")
    assert of_arrays([Dtype(left), Dtype(right)]).name == numpy.promote_types(left, right).name


def test_what_is_not_known_makes_nothing_known() -> None:
    unsure = Dtype("float32", unsure=True)
    for unknown in (UNKNOWN_DTYPE, unsure, Dtype("complex64"), Dtype(">f4")):
        assert of_tensors(Dtype("int64"), unknown) is UNKNOWN_DTYPE
        assert of_arrays([Dtype("float64"), unknown]) is UNKNOWN_DTYPE
        assert of_joined_tensors([unknown, Dtype("float64")]) is UNKNOWN_DTYPE
    assert of_joined_tensors([]) is of_arrays([]) is UNKNOWN_DTYPE
    assert of_arrays([Dtype("complex64")] * 2) is Dtype("complex64")
