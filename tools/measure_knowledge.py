"""Execute the knowledge tables on real torch and NumPy, and say where they lie.

    python tools/measure_knowledge.py            mismatches, counts, and what could not be called
    python tools/measure_knowledge.py --quiet    mismatches and counts only

Exit status 1 when a row does not say what its function does. Each row is called with generated arguments of six
dtypes; from the results are checked: the kind of the result, which storage it lies in, whether it requires grad, its
device (arguments on ``meta``), its dtype, which arguments were overwritten, ``out=``, ``inplace=``, overlapping
elements, and for arrays the sign of the strides and whether they may be written to. In-place methods and views are
also held against the alias annotations of PyTorch's operator schemas, and the sets of ``numpy_functions`` against what
NumPy does when it is handed a plain tensor, one on ``meta`` and one that requires grad.
"""

from __future__ import annotations

import argparse
import importlib
import io
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tensorlint.knowledge import numpy_functions as on_tensor
from tensorlint.knowledge.array_methods import ARRAY_ATTRIBUTES, ARRAY_METHODS
from tensorlint.knowledge.numpy_functions import NUMPY_FUNCTIONS
from tensorlint.knowledge.row import Access, Device, Grad, Result, Row, Share, names
from tensorlint.knowledge.tensor_methods import HEADER_METHODS, IN_PLACE_METHODS, TENSOR_ATTRIBUTES, TENSOR_METHODS
from tensorlint.knowledge.torch_functions import TORCH_FUNCTIONS

torch: Any = importlib.import_module("torch")
np: Any = importlib.import_module("numpy")

Make = Callable[..., Any]
Arguments = tuple[Any, ...]
Recipe = Callable[[Make], Arguments]

DTYPES = ("float32", "float64", "int64", "int32", "bool", "complex64")


class Options(dict[str, Any]):
    """Keyword arguments of a recipe: its last element, when it has one."""


def split(arguments: Arguments) -> tuple[Arguments, dict[str, Any]]:
    if arguments and isinstance(arguments[-1], Options):
        return arguments[:-1], dict(arguments[-1])
    return arguments, {}


# -- arguments --------------------------------------------------------------------------------------------------------


def numbers(shape: tuple[int, ...], dtype: str, sign: int = 1) -> Any:
    """Values in (0, 1), negated by ``sign`` -1; square matrices are symmetric and positive definite."""
    count = int(np.prod(shape)) if shape else 1
    values = (np.arange(count) * 7 % 10 + 1.37) / 15.0
    data = values.reshape(shape)
    if len(shape) >= 2 and shape[-1] == shape[-2]:
        data = (data + np.swapaxes(data, -1, -2)) / 4 + np.eye(shape[-1]) * 0.45
    if dtype == "bool":
        return data > 0.4
    if dtype.startswith("int"):
        return np.asarray(np.ceil(data * 10) * sign).astype(dtype)
    if dtype.startswith("complex"):
        return np.asarray(data * sign + 0.25j * data).astype(dtype)
    return np.asarray(data * sign).astype(dtype)


def tensors(dtype: str, sign: int = 1, grad: bool = False) -> Make:
    def make(*shape: int, of: str = dtype) -> Any:
        made = torch.tensor(numbers(shape, of, sign))
        if grad and (made.is_floating_point() or made.is_complex()):
            return made.requires_grad_().clone()
        return made

    return make


def arrays(dtype: str, sign: int = 1) -> Make:
    def make(*shape: int, of: str = dtype) -> Any:
        return np.array(numbers(shape, of, sign))

    return make


def m(make: Make) -> Any:
    return make(3, 3)


def index(make: Make) -> Any:
    """A (3, 3) matrix of indices, of the library that ``make`` serves."""
    found = np.array([[0, 1, 2], [1, 2, 0], [2, 0, 1]])
    return torch.tensor(found) if isinstance(make(1), torch.Tensor) else found


def several(*values: int) -> Any:
    return torch.tensor(values)


#: Tried in this order when a name has no recipe of its own; the first that does not raise is used.
GENERIC: tuple[Recipe, ...] = (
    lambda make: (m(make),),
    lambda make: (m(make), m(make)),
    lambda make: (m(make), 0),
    lambda make: (m(make), 0, 1),
    lambda make: (m(make), 1),
    lambda make: (make(3),),
    lambda make: (make(3), make(3)),
    lambda make: (m(make), make(3)),
    lambda make: (m(make), make(3), make(3)),
    lambda make: (m(make), m(make), m(make)),
    lambda make: (make(1, 3, 3),),
    lambda make: (make(1, 3, 3), make(1, 3, 3)),
    lambda make: (m(make), make(1, 3, 3), make(1, 3, 3)),
    lambda make: (make(1, 3, 3), make(1, 3, 3), make(1, 3, 3)),
    lambda make: (make(3), m(make), make(3)),
    lambda make: (m(make), (3, 3)),
    lambda make: (m(make), 0, index(make)),
    lambda make: (m(make), index(make)),
    lambda make: (m(make), (0, 1)),
    lambda make: ([m(make), m(make)],),
    lambda make: (3,),
    lambda make: ((3, 3),),
    lambda make: (make(1, 3, 4, 4), 2),
    lambda make: (make(1, 3, 4, 4, 4), 2),
)


def _sparse(make: Make) -> Any:
    return m(make).to_sparse()


def _uncoalesced(make: Make) -> Any:
    return torch.sparse_coo_tensor(several(0, 0)[None], make(2), (3,))


def _m(make: Make, *rest: Any) -> Arguments:
    return (m(make), *rest)


def _per_channel() -> Any:
    return torch.quantize_per_channel(torch.ones(2, 2), torch.ones(2), torch.zeros(2), 0, torch.qint8)


def _with_gradient() -> Any:
    leaf = torch.ones(2, requires_grad=True)
    leaf.sum().backward()
    return leaf


def _graph() -> Arguments:
    leaf = torch.ones(2, requires_grad=True)
    return (leaf * 2).sum(), [leaf]


def _saved() -> io.BytesIO:
    buffer = io.BytesIO()
    torch.save({"weight": torch.ones(2)}, buffer)
    buffer.seek(0)
    return buffer


def _attention(make: Make) -> Arguments:
    x = make(2, 1, 4)
    return x, x, x, 4, 2, make(12, 4), None, None, None, False, 0.0, make(4, 4), None


def _pooling(dimensions: int, **options: Any) -> Recipe:
    return lambda make: (make(1, 1, *[4] * dimensions), 2, Options(options))


def _unpooling(dimensions: int) -> Recipe:
    shape = (1, 1, *[2] * dimensions)
    return lambda make: (make(*shape), torch.arange(2**dimensions).reshape(shape), 2)


def _same_and_cast(dtype: str) -> tuple[Recipe, Recipe]:
    """An argument of any dtype, and one of exactly this dtype."""
    return lambda make: (m(make),), lambda make: (m(make).astype(getattr(np, dtype)),)


def _drawing(*arguments: Any) -> tuple[Recipe, Recipe]:
    """One number, and three of them."""
    return lambda make: arguments, lambda make: (*arguments, Options(size=3))


def _scratch(suffix: str) -> str:
    return str(Path(tempfile.mkdtemp(dir=_SCRATCH.name)) / f"values{suffix}")


def _raw_file(make: Make) -> str:
    path = _scratch(".bin")
    make(3).tofile(path)
    return path


def _saved_array(make: Make) -> str:
    path = _scratch(".npy")
    np.save(path, make(3))
    return path


_SCRATCH = tempfile.TemporaryDirectory()


#: Recipes by name; ``tensor:NAME`` (methods and attributes), ``torch:DOTTED``, ``array:NAME`` and ``numpy:DOTTED`` go
#: before the bare last part of the name, which serves methods and functions alike. All recipes of a name are run.
RECIPES: Mapping[str, tuple[Recipe, ...]] = {
    # torch: indexing, scattering
    "index_select": (lambda make: _m(make, 0, several(0, 2)),),
    "index_add": (lambda make: _m(make, 0, several(0, 1, 2), m(make)),),
    "index_add_": (lambda make: _m(make, 0, several(0, 1, 2), m(make)),),
    "index_copy": (lambda make: _m(make, 0, several(2, 1, 0), m(make)),),
    "index_copy_": (lambda make: _m(make, 0, several(2, 1, 0), m(make)),),
    "index_fill": (lambda make: _m(make, 0, several(0, 2), 0),),
    "index_fill_": (lambda make: _m(make, 0, several(0, 2), 0),),
    "index_put": (lambda make: _m(make, (several(0, 2),), make(3)),),
    "index_put_": (lambda make: _m(make, (several(0, 2),), make(3)),),
    "index_reduce": (lambda make: _m(make, 0, several(0, 1, 2), m(make), "mean"),),
    "index_reduce_": (lambda make: _m(make, 0, several(2, 1, 0), m(make), "amax"),),
    "scatter": (lambda make: _m(make, 0, index(make), m(make)),),
    "scatter_": (lambda make: _m(make, 0, index(make), m(make)),),
    "scatter_add": (lambda make: _m(make, 0, index(make), m(make)),),
    "scatter_add_": (lambda make: _m(make, 0, index(make), m(make)),),
    "scatter_reduce": (lambda make: _m(make, 0, index(make), m(make), "sum"),),
    "scatter_reduce_": (lambda make: _m(make, 0, index(make), m(make), "sum"),),
    "masked_fill": (lambda make: _m(make, m(make) != 0, 0),),
    "masked_fill_": (lambda make: _m(make, m(make) != 0, 0),),
    "masked_select": (lambda make: _m(make, m(make) != 0),),
    "masked_scatter": (lambda make: _m(make, m(make) != 0, m(make)),),
    "masked_scatter_": (lambda make: _m(make, make(3, 3) != 0, make(9).flip(0)),),
    "torch:put": (lambda make: _m(make, index(make), m(make)),),
    "tensor:put": (lambda make: _m(make, index(make), m(make)),),
    "put_": (lambda make: _m(make, several(0, 4, 8), make(3)),),
    "tensor:take": (lambda make: _m(make, index(make)),),
    "torch:take": (lambda make: _m(make, index(make)),),
    "gather": (lambda make: _m(make, 0, index(make)),),
    "narrow": (lambda make: _m(make, 0, 1, 2),),
    "narrow_copy": (lambda make: _m(make, 0, 1, 2),),
    "select": (lambda make: _m(make, 0, 1),),
    "select_scatter": (lambda make: _m(make, make(3), 0, 0),),
    "slice_scatter": (lambda make: _m(make, m(make)),),
    "diagonal_scatter": (lambda make: _m(make, make(3)),),
    "as_strided_scatter": (lambda make: _m(make, m(make), (3, 3), (3, 1)),),
    "where": (lambda make: (m(make), m(make) != 0, m(make)),),
    "torch:where": (lambda make: (m(make) != 0, m(make), m(make)),),
    "fill_diagonal_": (lambda make: _m(make, 0),),
    # torch: views
    "tensor:view": (lambda make: _m(make, 9), lambda make: _m(make, 3, 3)),
    "tensor:reshape": (lambda make: _m(make, 9), lambda make: (make(2, 3).t(), 6)),
    "torch:reshape": (lambda make: _m(make, (9,)), lambda make: (make(2, 3).t(), (6,))),
    "reshape_as": (lambda make: (make(2, 3), make(6)), lambda make: (make(2, 3).t(), make(6))),
    "tensor:flatten": (lambda make: _m(make), lambda make: (make(2, 3).t(),)),
    "torch:flatten": (lambda make: _m(make), lambda make: (make(2, 3).t(),)),
    "tensor:ravel": (lambda make: _m(make), lambda make: (make(2, 3).t(),)),
    "torch:ravel": (lambda make: _m(make), lambda make: (make(2, 3).t(),)),
    "contiguous": (lambda make: _m(make), lambda make: (make(2, 3).t(),)),
    "unflatten": (lambda make: _m(make, 0, (3, 1)),),
    "as_strided": (lambda make: _m(make, (3, 3), (3, 1)),),
    "as_strided_": (lambda make: _m(make, (3, 3), (1, 3)),),
    "as_strided_copy": (lambda make: _m(make, (3, 3), (3, 1)),),
    "as_subclass": (lambda make: _m(make, torch.Tensor),),
    "unfold": (lambda make: _m(make, 0, 2, 1),),
    "unfold_copy": (lambda make: _m(make, 0, 2, 1),),
    "expand": (lambda make: (make(3, 1), 3, 3),),
    "expand_as": (lambda make: (make(3, 1), m(make)),),
    "tensor:broadcast_to": (lambda make: (make(3, 1), (3, 3)),),
    "torch:broadcast_to": (lambda make: (make(3, 1), (3, 3)),),
    "broadcast_tensors": (lambda make: (make(3, 1), make(3, 3)),),
    "torch:meshgrid": (lambda make: (make(3), make(2), Options(indexing="ij")),),
    "conj_physical": (lambda make: _m(make),),
    "resolve_conj": (lambda make: _m(make), lambda make: (m(make).conj(),)),
    "resolve_neg": (lambda make: _m(make), lambda make: (m(make).conj().imag,)),
    "coalesce": (lambda make: (_uncoalesced(make),), lambda make: (_sparse(make).coalesce(),)),
    "to_dense": (lambda make: _m(make), lambda make: (_sparse(make),)),
    "tensor:values": (lambda make: (_sparse(make).coalesce(),),),
    "tensor:indices": (lambda make: (_sparse(make).coalesce(),),),
    "crow_indices": (lambda make: (m(make).to_sparse_csr(),),),
    "col_indices": (lambda make: (m(make).to_sparse_csr(),),),
    "ccol_indices": (lambda make: (m(make).to_sparse_csc(),),),
    "row_indices": (lambda make: (m(make).to_sparse_csc(),),),
    "is_coalesced": (lambda make: (_sparse(make),),),
    "tensor:resize": (lambda make: _m(make, 3, 3), lambda make: _m(make, 5, 5)),
    "resize_as": (lambda make: _m(make, m(make)), lambda make: _m(make, make(5, 5))),
    "sum_to_size": (lambda make: _m(make, 3, 3), lambda make: _m(make, 3, 1)),
    "dsplit": (lambda make: (make(1, 2, 4), 2),),
    "tensor:hsplit": (lambda make: (make(4, 4), 2),),
    "tensor:vsplit": (lambda make: (make(4, 4), 2),),
    "torch:hsplit": (lambda make: (make(4, 4), 2),),
    "torch:vsplit": (lambda make: (make(4, 4), 2),),
    "tensor_split": (lambda make: (make(4, 4), 2),),
    "chunk": (lambda make: (make(4, 4), 2),),
    "unsafe_chunk": (lambda make: (make(4, 4), 2),),
    "split_with_sizes": (lambda make: _m(make, [1, 2]),),
    "unsafe_split_with_sizes": (lambda make: _m(make, [1, 2]),),
    "split_with_sizes_copy": (lambda make: _m(make, [1, 2]),),
    "repeat": (lambda make: _m(make, 2),),
    "tensor:repeat": (lambda make: _m(make, 2, 1),),
    "repeat_interleave": (lambda make: _m(make, 2),),
    "tile": (lambda make: _m(make, (2, 2)),),
    "roll": (lambda make: _m(make, 1),),
    "tensor:flip": (lambda make: _m(make, 0),),
    "torch:flip": (lambda make: _m(make, (0,)),),
    "to_sparse_bsr": (lambda make: _m(make, (1, 1)),),
    "to_sparse_bsc": (lambda make: _m(make, (1, 1)),),
    "sparse_mask": (lambda make: _m(make, _sparse(make).coalesce()),),
    "smm": (lambda make: (_sparse(make), m(make)),),
    "sspaddmm": (lambda make: (_sparse(make), _sparse(make), m(make)),),
    "resize_as_sparse_": (lambda make: (torch.zeros(3, 3).to_sparse(), torch.zeros(4, 4).to_sparse()),),
    "sparse_resize_": (lambda make: (_sparse(make), (5, 5), 2, 0),),
    "sparse_resize_and_clear_": (lambda make: (_sparse(make), (5, 5), 2, 0),),
    "to_padded_tensor": (lambda make: (torch.nested.nested_tensor([make(2), make(3)], layout=torch.strided), 0.0),),
    # torch: transfers and casts
    "tensor:to": (lambda make: _m(make, "cpu"), lambda make: _m(make, torch.float16)),
    "tensor:type": (lambda make: _m(make, torch.float16), lambda make: _m(make, m(make).dtype)),
    "tensor:bitwise_and_": (lambda make: _m(make, make(3, 3).flip(0)),),
    "tensor:bitwise_or_": (lambda make: _m(make, make(3, 3).flip(0)),),
    "tensor:copysign_": (lambda make: _m(make, -m(make)),),
    "frac_": (lambda make: (m(make) * 7,),),
    "nan_to_num_": (lambda make: (m(make) / torch.eye(3),),),
    "tensor:nextafter_": (lambda make: _m(make, m(make) + 1),),
    "type_as": (lambda make: _m(make, torch.ones(2)),),
    "chalf": (lambda make: _m(make), lambda make: (m(make).chalf(),)),
    "cdouble": (lambda make: _m(make), lambda make: (m(make).cdouble(),)),
    "half": (lambda make: _m(make), lambda make: (m(make).half(),)),
    "bfloat16": (lambda make: _m(make), lambda make: (m(make).bfloat16(),)),
    "byte": (lambda make: _m(make), lambda make: (m(make).byte(),)),
    "char": (lambda make: _m(make), lambda make: (m(make).char(),)),
    "tensor:short": (lambda make: _m(make), lambda make: (m(make).short(),)),
    "tensor:__array__": (lambda make: _m(make), lambda make: _m(make, np.dtype("float16"))),
    "tensor:item": (lambda make: (make(1),),),
    "is_nonzero": (lambda make: (make(1),),),
    "tensor:new_tensor": (lambda make: _m(make, [1]),),
    "new_full": (lambda make: _m(make, (3, 3), 1),),
    "new_zeros": (lambda make: _m(make, (3, 3)),),
    "new_ones": (lambda make: _m(make, (3, 3)),),
    "new_empty": (lambda make: _m(make, (3, 3)),),
    "new_empty_strided": (lambda make: _m(make, (3, 3), (3, 1)),),
    "new": (lambda make: _m(make, 3, 3),),
    "int_repr": (lambda make: (torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8),),),
    "dequantize": (
        lambda make: _m(make),
        lambda make: (torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8),),
    ),
    "q_scale": (lambda make: (torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8),),),
    "q_zero_point": (lambda make: (torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8),),),
    "qscheme": (lambda make: (torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8),),),
    "q_per_channel_axis": (lambda make: (_per_channel(),),),
    "q_per_channel_scales": (lambda make: (_per_channel(),),),
    "q_per_channel_zero_points": (lambda make: (_per_channel(),),),
    # torch: arithmetic that needs particular shapes or values
    "stft": (lambda make: (make(16), 4, Options(return_complex=True, window=torch.ones(4))),),
    "istft": (
        lambda make: (torch.stft(make(16), 4, return_complex=True, window=torch.ones(4)), 4, None, None, torch.ones(4)),
    ),
    "lu_solve": (lambda make: (m(make), *torch.linalg.lu_factor(m(make))),),
    "torch:linalg.lu_solve": (lambda make: (*torch.linalg.lu_factor(m(make)), m(make)),),
    "torch:linalg.ldl_solve": (lambda make: (*torch.linalg.ldl_factor(m(make)), m(make)),),
    "torch:linalg.solve_triangular": (lambda make: (m(make), m(make), Options(upper=True)),),
    "torch:linalg.tensorsolve": (lambda make: _m(make, make(3)),),
    "torch:linalg.multi_dot": (lambda make: ([m(make), m(make)],),),
    "torch:linalg.vander": (lambda make: (make(3),),),
    "torch:linalg.householder_product": (lambda make: _m(make, make(3)),),
    "ormqr": (lambda make: _m(make, make(3), m(make)),),
    "geqrf": (lambda make: _m(make),),
    "renorm": (lambda make: _m(make, 2, 0, 1.0),),
    "renorm_": (lambda make: _m(make, 2, 0, 0.1),),
    "logit": (lambda make: _m(make),),
    "quantile": (lambda make: _m(make, 0.5),),
    "nanquantile": (lambda make: _m(make, 0.5),),
    "kthvalue": (lambda make: _m(make, 1),),
    "torch:sum": (lambda make: _m(make), lambda make: _m(make, 0)),
    "torch:prod": (lambda make: _m(make), lambda make: _m(make, 0)),
    "torch:multinomial": (lambda make: _m(make, 2),),
    "tensor:multinomial": (lambda make: _m(make, 2),),
    "nonzero_static": (lambda make: _m(make, Options(size=9)),),
    "polygamma": (lambda make: (1, m(make)),),
    "tensor:polygamma": (lambda make: _m(make, 1),),
    "tensor:polygamma_": (lambda make: _m(make, 1),),
    "mvlgamma_": (lambda make: (make(3) + 2, 1),),
    "mvlgamma": (lambda make: (make(3) + 2, 1),),
    "multigammaln": (lambda make: (make(3) + 2, 1),),
    "geometric_": (lambda make: _m(make, 0.5),),
    "map_": (lambda make: _m(make, m(make), lambda a, b: a + b),),
    "map2_": (lambda make: _m(make, m(make), m(make), lambda a, b, c: a + b + c),),
    "apply_": (lambda make: _m(make, lambda a: a + 1),),
    "set_": (lambda make: _m(make, m(make)),),
    "copy_": (lambda make: _m(make, make(3, 3).flip(0)),),
    "resize_": (lambda make: _m(make, 3, 2),),
    "rename_": (lambda make: _m(make, None),),
    "clamp": (lambda make: _m(make, m(make), m(make)), lambda make: _m(make, 0)),
    "tensor:clip": (lambda make: _m(make, m(make), m(make)),),
    "torch:clip": (lambda make: _m(make, m(make), m(make)),),
    "clamp_": (lambda make: _m(make, 0, 0.1),),
    "clip_": (lambda make: _m(make, 0, 0.1),),
    "clamp_max_": (lambda make: _m(make, -5),),
    "clamp_min_": (lambda make: _m(make, 20),),
    "fill_": (lambda make: _m(make, 0),),
    "normal": (lambda make: _m(make),),
    "torch:normal": (lambda make: (m(make), 1.0),),
    "max": (lambda make: _m(make), lambda make: _m(make, 0)),
    "min": (lambda make: _m(make), lambda make: _m(make, 0)),
    "tensor:median": (lambda make: _m(make), lambda make: _m(make, 0)),
    "torch:median": (lambda make: _m(make), lambda make: _m(make, 0)),
    "tensor:nanmedian": (lambda make: _m(make), lambda make: _m(make, 0)),
    "torch:nanmedian": (lambda make: _m(make), lambda make: _m(make, 0)),
    "tensor:unique": (lambda make: _m(make), lambda make: _m(make, Options(return_inverse=True, return_counts=True))),
    "torch:unique": (lambda make: _m(make), lambda make: _m(make, Options(return_inverse=True, return_counts=True))),
    "unique_consecutive": (
        lambda make: _m(make),
        lambda make: _m(make, Options(return_inverse=True, return_counts=True)),
    ),
    "tensor:size": (lambda make: _m(make), lambda make: _m(make, 0)),
    "stride": (lambda make: _m(make), lambda make: _m(make, 0)),
    "register_hook": (lambda make: (make(3, of="float32").requires_grad_(), lambda grad: None),),
    "register_post_accumulate_grad_hook": (lambda make: (torch.ones(2, requires_grad=True), lambda tensor: None),),
    "backward": (lambda make: (torch.ones(2, requires_grad=True).sum(),),),
    "retain_grad": (lambda make: (torch.ones(2, requires_grad=True) * 2,),),
    "module_load": (lambda make: _m(make, make(3, 3).flip(0)),),
    "tensor:grad": (lambda make: (_with_gradient(),),),
    "tensor:imag": (lambda make: (make(3, 3, of="complex64"),),),
    "torch:imag": (lambda make: (make(3, 3, of="complex64"),),),
    "view_as_real": (lambda make: (make(3, 3, of="complex64"),),),
    "view_as_complex": (lambda make: (make(3, 2),),),
    # torch: creation and import
    "linspace": (lambda make: (0, 1, 3),),
    "logspace": (lambda make: (0, 1, 3),),
    "torch:full": (lambda make: ((3, 3), 1.5),),
    "full_like": (lambda make: _m(make, 1),),
    "empty_strided": (lambda make: ((3, 3), (3, 1)),),
    "empty_permuted": (lambda make: ((3, 3), (0, 1)),),
    "scalar_tensor": (lambda make: (3.0,),),
    "randint": (lambda make: (5, (3, 3)),),
    "randint_like": (lambda make: _m(make, 5),),
    "torch:arange": (lambda make: (0.0, 1.0, 0.2), lambda make: (5,)),
    "torch:range": (lambda make: (1, 5),),
    "torch:tril_indices": (lambda make: (3, 3),),
    "torch:triu_indices": (lambda make: (3, 3),),
    "torch:from_numpy": (lambda make: (m(make).numpy(),),),
    "torch:frombuffer": (lambda make: (bytearray(m(make).numpy().tobytes()), Options(dtype=m(make).dtype)),),
    "torch:from_dlpack": (lambda make: _m(make), lambda make: (m(make).numpy(),)),
    "torch:utils.dlpack.from_dlpack": (lambda make: _m(make), lambda make: (m(make).numpy(),)),
    "torch:tensor": (lambda make: (m(make).detach().numpy(),), lambda make: _m(make)),
    "torch:as_tensor": (
        lambda make: (m(make).detach().numpy(),),
        lambda make: _m(make),
        lambda make: _m(make, Options(dtype=torch.float16)),
    ),
    "torch:asarray": (
        lambda make: (m(make).detach().numpy(),),
        lambda make: _m(make),
        lambda make: _m(make, Options(copy=True)),
    ),
    **{
        f"torch:{name}Tensor": (lambda make: (m(make).detach().numpy(),),)
        for name in ("", "Float", "Double", "Long", "Int", "Bool")
    },
    "torch:ShortTensor": (lambda make: (m(make).numpy(),), lambda make: (m(make).numpy().astype("int16"),)),
    "torch:CharTensor": (lambda make: (m(make).numpy(),), lambda make: (m(make).numpy().astype("int8"),)),
    "torch:ByteTensor": (lambda make: (m(make).numpy(),), lambda make: (m(make).numpy().astype("uint8"),)),
    "torch:HalfTensor": (lambda make: (m(make).numpy(),), lambda make: (m(make).numpy().astype("float16"),)),
    "torch:BFloat16Tensor": (lambda make: (m(make).numpy(),), lambda make: (m(make).bfloat16(),)),
    "torch:nn.Parameter": (lambda make: (m(make).float(),),),
    "torch:nn.parameter.Parameter": (lambda make: (make(3, 3, of="float32"),),),
    "default_convert": (lambda make: (m(make).numpy(),), lambda make: _m(make)),
    "default_collate": (lambda make: ([m(make), m(make)],),),
    "torch:load": (lambda make: (_saved(),),),
    "torch:save": (lambda make: _m(make, io.BytesIO()),),
    # torch: joins and the rest
    "block_diag": (lambda make: _m(make, m(make)),),
    "cartesian_prod": (lambda make: (make(3),), lambda make: (make(3), make(3))),
    "combinations": (lambda make: (make(3),),),
    "torch:fill": (lambda make: _m(make, 0),),
    "torch:einsum": (lambda make: ("ij->ji", m(make)), lambda make: ("ij,jk->ik", m(make), m(make))),
    "torch:spmm": (lambda make: (_sparse(make), m(make)),),
    "torch:sparse.mm": (lambda make: (_sparse(make), m(make)),),
    "torch:complex": (lambda make: _m(make, m(make)),),
    "unravel_index": (lambda make: (several(1, 2), (3, 3)),),
    "sparse_coo_tensor": (lambda make: (several(0, 1)[None], make(2), (3,)),),
    "sparse_csr_tensor": (lambda make: (several(0, 1, 2), several(0, 1), make(2), (2, 2)),),
    "sparse_csc_tensor": (lambda make: (several(0, 1, 2), several(0, 1), make(2), (2, 2)),),
    "autograd.grad": (lambda make: _graph(),),
    "torch:autograd.grad": (lambda make: _graph(),),
    "torch:autograd.backward": (lambda make: (torch.ones(2, requires_grad=True).sum(),),),
    "torch:set_default_dtype": (lambda make: (torch.float32,),),
    "torch:set_default_device": (lambda make: ("cpu",),),
    "promote_types": (lambda make: (torch.float32, torch.float64),),
    "can_cast": (lambda make: (torch.float32, torch.float64),),
    "torch:device": (lambda make: ("cpu",),),
    "torch:Size": (lambda make: ([1, 2],),),
    "torch:broadcast_shapes": (lambda make: ((1, 2), (3, 1)),),
    "torch:manual_seed": (lambda make: (0,),),
    "torch:get_rng_state": (lambda make: (),),
    "torch:group_norm": (lambda make: (make(1, 3, 3), 1),),
    "group_norm": (lambda make: (make(1, 3, 3), 1),),
    "layer_norm": (lambda make: _m(make, (3,)),),
    "rms_norm": (lambda make: _m(make, (3,)),),
    "torch:threshold": (lambda make: _m(make, 0.3, 0.0),),
    "torch:nn.functional.threshold": (lambda make: _m(make, 0.3, 0.0),),
    "threshold_": (lambda make: _m(make, 20, 0),),
    "torch:dropout": (lambda make: _m(make, 0.5, False), lambda make: _m(make, 0.5, True)),
    "torch:feature_dropout": (lambda make: _m(make, 0.5, False), lambda make: _m(make, 0.5, True)),
    "torch:alpha_dropout": (lambda make: _m(make, 0.5, False), lambda make: _m(make, 0.5, True)),
    "torch:feature_alpha_dropout": (lambda make: _m(make, 0.5, False), lambda make: _m(make, 0.5, True)),
    "torch:batch_norm": (lambda make: _m(make, None, None, None, None, True, 0.1, 1e-5, False),),
    "torch:instance_norm": (lambda make: (make(1, 3, 3), None, None, None, None, True, 0.1, 1e-5, False),),
    "conv1d": (lambda make: (make(1, 3, 5), make(2, 3, 2)),),
    "conv2d": (lambda make: (make(1, 3, 5, 5), make(2, 3, 2, 2)),),
    "conv3d": (lambda make: (make(1, 3, 5, 5, 5), make(2, 3, 2, 2, 2)),),
    "conv_transpose1d": (lambda make: (make(1, 3, 5), make(3, 2, 2)),),
    "conv_transpose2d": (lambda make: (make(1, 3, 5, 5), make(3, 2, 2, 2)),),
    "conv_transpose3d": (lambda make: (make(1, 3, 5, 5, 5), make(3, 2, 2, 2, 2)),),
    "constant_pad_nd": (lambda make: _m(make, (1, 1)),),
    "channel_shuffle": (lambda make: (make(1, 4, 2, 2), 2),),
    "pixel_shuffle": (lambda make: (make(1, 4, 2, 2), 2),),
    "pixel_unshuffle": (lambda make: (make(1, 4, 2, 2), 2),),
    "torch:embedding": (lambda make: (m(make), index(make)),),
    "torch:pdist": (lambda make: _m(make),),
    "torch:gradient": (lambda make: _m(make),),
    "torch:lobpcg": (lambda make: (make(9, 9), 1),),
    # torch.nn.functional
    "glu": (lambda make: (make(2, 4),),),
    "avg_pool3d": (lambda make: (make(1, 3, 4, 4, 4), 2),),
    "lp_pool1d": (lambda make: (make(1, 3, 4), 2, 2),),
    "lp_pool2d": (lambda make: (make(1, 3, 4, 4), 2, 2),),
    "lp_pool3d": (lambda make: (make(1, 3, 4, 4, 4), 2, 2),),
    "interpolate": (lambda make: (make(1, 3, 4), 8),),
    "upsample": (lambda make: (make(1, 3, 4), 8),),
    "upsample_nearest": (lambda make: (make(1, 3, 4), 8),),
    "upsample_bilinear": (lambda make: (make(1, 3, 4, 4), 8),),
    "grid_sample": (lambda make: (make(1, 3, 4, 4), make(1, 2, 2, 2), Options(align_corners=False)),),
    "affine_grid": (lambda make: (make(1, 2, 3), (1, 1, 2, 2), Options(align_corners=False)),),
    "torch:nn.functional.pad": (lambda make: _m(make, (1, 1)),),
    "torch:nn.functional.fold": (lambda make: (make(1, 4, 4), (4, 4), (2, 2), Options(stride=2)),),
    "torch:nn.functional.unfold": (lambda make: (make(1, 1, 4, 4), (2, 2)),),
    "torch:nn.functional.embedding": (lambda make: (index(make), m(make)),),
    "torch:nn.functional.embedding_bag": (lambda make: (index(make), m(make)),),
    **{f"torch:nn.functional.max_unpool{n}d": (_unpooling(n),) for n in (1, 2, 3)},
    **{
        f"torch:nn.functional.{kind}max_pool{n}d": (_pooling(n), _pooling(n, return_indices=True))
        for kind in ("", "adaptive_")
        for n in (1, 2, 3)
    },
    **{
        f"torch:nn.functional.fractional_max_pool{n}d": (
            _pooling(n, output_size=2),
            _pooling(n, output_size=2, return_indices=True),
        )
        for n in (2, 3)
    },
    **{
        f"torch:nn.functional.{name}": (
            lambda make: (make(1, 3, 3), 0.5, False),
            lambda make: (make(1, 3, 3), 0.5, True),
        )
        for name in ("dropout", "dropout1d", "alpha_dropout", "feature_alpha_dropout")
    },
    "torch:nn.functional.dropout2d": (
        lambda make: (make(1, 3, 3, 3), 0.5, False),
        lambda make: (make(1, 3, 3, 3), 0.5, True),
    ),
    "torch:nn.functional.dropout3d": (
        lambda make: (make(1, 3, 3, 3, 3), 0.5, False),
        lambda make: (make(1, 3, 3, 3, 3), 0.5, True),
    ),
    "torch:nn.functional.batch_norm": (lambda make: _m(make, None, None, Options(training=True)),),
    "torch:nn.functional.instance_norm": (lambda make: (make(1, 3, 3),),),
    "cross_entropy": (lambda make: _m(make, several(0, 1, 2)), lambda make: _m(make, m(make))),
    "nll_loss": (lambda make: _m(make, several(0, 1, 2)),),
    "multi_margin_loss": (lambda make: _m(make, several(0, 1, 2)),),
    "cosine_embedding_loss": (lambda make: _m(make, m(make), torch.ones(3)),),
    "ctc_loss": (lambda make: (make(5, 1, 3).log_softmax(2), several(1, 2)[None], several(5), several(2)),),
    "gaussian_nll_loss": (lambda make: _m(make, m(make), m(make)),),
    "one_hot": (lambda make: (several(0, 2),),),
    "leaky_relu_": (lambda make: _m(make),),
    "multi_head_attention_forward": (lambda make: _attention(make),),
    # torch.nn.init, torch.nn.utils
    "torch:nn.init.constant_": (lambda make: _m(make, 3.0),),
    "torch:nn.init.dirac_": (lambda make: (make(3, 3, 3),),),
    "torch:nn.init.sparse_": (lambda make: _m(make, 0.5),),
    "torch:nn.utils.clip_grad_norm_": (lambda make: ([_with_gradient()], 1.0),),
    "torch:nn.utils.clip_grad_value_": (lambda make: ([_with_gradient()], 1.0),),
    # NumPy
    "array:reshape": (lambda make: _m(make, 9), lambda make: (make(2, 3).T, 6)),
    "array:ravel": (lambda make: _m(make), lambda make: (make(2, 3).T,)),
    "numpy:reshape": (lambda make: _m(make, (9,)), lambda make: (make(2, 3).T, (6,))),
    "numpy:ravel": (lambda make: _m(make), lambda make: (make(2, 3).T,)),
    "array:view": (lambda make: _m(make),),
    "array:getfield": (lambda make: _m(make, m(make).dtype),),
    "array:setfield": (lambda make: _m(make, 0, m(make).dtype),),
    "array:astype": (lambda make: _m(make, "float16"), lambda make: _m(make, m(make).dtype)),
    "array:__array__": (lambda make: _m(make), lambda make: _m(make, np.dtype("float16"))),
    "array:base": (lambda make: (m(make)[1:],),),
    "array:__deepcopy__": (lambda make: _m(make, {}),),
    "array:item": (lambda make: _m(make, 0),),
    "array:dump": (lambda make: _m(make, _scratch(".bin")),),
    "array:tofile": (lambda make: _m(make, _scratch(".bin")),),
    "array:setflags": (lambda make: _m(make, True),),
    "array:fill": (lambda make: _m(make, 0),),
    "array:put": (lambda make: _m(make, [0, 1], make(3)[1:]),),
    "array:partition": (lambda make: (make(9)[::-1].copy(), 4),),
    "array:sort": (lambda make: (make(9),),),
    "array:resize": (lambda make: _m(make, (2, 2), Options(refcheck=False)),),
    "array:to_device": (lambda make: _m(make, "cpu"),),
    "array:choose": (lambda make: (np.array([0, 1]), [make(2), make(2)]),),
    "array:compress": (lambda make: _m(make, [True, False, True], 0),),
    "array:searchsorted": (lambda make: (np.sort(make(3)), make(3)),),
    "array:take": (lambda make: _m(make, [0, 1]),),
    "array:nonzero": (lambda make: _m(make),),
    "array:argpartition": (lambda make: _m(make, 1),),
    "numpy:squeeze": (lambda make: (make(1, 3),),),
    "numpy:moveaxis": (lambda make: _m(make, 0, 1),),
    "numpy:rollaxis": (lambda make: _m(make, 1),),
    "numpy:expand_dims": (lambda make: _m(make, 0),),
    "numpy:trim_zeros": (lambda make: (make(3),),),
    "numpy:broadcast_to": (lambda make: _m(make, (2, 3, 3)),),
    "numpy:broadcast_arrays": (lambda make: (make(3, 1), make(3, 3)),),
    "numpy:lib.stride_tricks.sliding_window_view": (lambda make: (make(5), 2),),
    "numpy:lib.stride_tricks.as_strided": (lambda make: (make(3), (2, 3), (0, make(3).itemsize)),),
    "numpy:diag": (lambda make: _m(make), lambda make: (make(3),)),
    "numpy:dsplit": (lambda make: (make(1, 2, 4), 2),),
    "numpy:split": (lambda make: (make(4, 4), 2),),
    "numpy:array_split": (lambda make: (make(4, 4), 2),),
    "numpy:hsplit": (lambda make: (make(4, 4), 2),),
    "numpy:vsplit": (lambda make: (make(4, 4), 2),),
    "numpy:asarray": (lambda make: _m(make), lambda make: _m(make, "float16")),
    "numpy:asanyarray": (lambda make: _m(make), lambda make: _m(make, "float16")),
    "numpy:asarray_chkfinite": (lambda make: _m(make), lambda make: _m(make, "float16")),
    "numpy:asmatrix": (lambda make: _m(make), lambda make: _m(make, "float16")),
    "numpy:require": (lambda make: _m(make), lambda make: _m(make, "float16")),
    "numpy:ascontiguousarray": (lambda make: _m(make), lambda make: (make(2, 3).T,)),
    "numpy:asfortranarray": (lambda make: (make(3),), lambda make: (make(2, 3),)),
    "numpy:real_if_close": (lambda make: _m(make), lambda make: (make(3, of="float64") + 0j,)),
    "numpy:frombuffer": (lambda make: (bytearray(m(make).tobytes()), m(make).dtype),),
    "numpy:imag": (lambda make: _m(make),),
    **{f"numpy:{name}": _same_and_cast(name) for name in on_tensor._CASTS if hasattr(np, name)},
    "numpy:linspace": (lambda make: (0, 1, 3),),
    "numpy:logspace": (lambda make: (0, 1, 3),),
    "numpy:polyint": (lambda make: (make(3),),),
    "numpy:linalg.slogdet": (lambda make: (make(2, 3, 3),),),
    "numpy:kaiser": (lambda make: (3, 1.0),),
    "numpy:unpackbits": (lambda make: (make(3, of="int32").astype("uint8"),),),
    "array:imag": (lambda make: _m(make),),
    "numpy:full": (lambda make: ((3, 3), make(3)),),
    "numpy:full_like": (lambda make: _m(make, 0),),
    "numpy:astype": (lambda make: _m(make, m(make).dtype),),
    "numpy:fromiter": (lambda make: (list(make(3)), make(3).dtype),),
    "numpy:fromfunction": (lambda make: (lambda i: i * 1.0, (3,)),),
    "numpy:fromfile": (lambda make: (_raw_file(make), make(3).dtype),),
    "numpy:fromstring": (lambda make: ("1 2", Options(sep=" ")),),
    "numpy:arange": (lambda make: (3,),),
    "numpy:indices": (lambda make: ((2, 2),),),
    "numpy:tri": (lambda make: (3,),),
    "numpy:eye": (lambda make: (3,),),
    "numpy:geomspace": (lambda make: (1, 2, 3),),
    "numpy:loadtxt": (lambda make: (io.StringIO("1 2"),),),
    "numpy:genfromtxt": (lambda make: (io.StringIO("1 2"),),),
    "numpy:where": (lambda make: (m(make) != 0, m(make), m(make)),),
    "numpy:choose": (lambda make: (np.array([0, 1]), [make(2), make(2)]),),
    "numpy:select": (lambda make: ([m(make) != 0], [m(make)]),),
    "numpy:piecewise": (lambda make: _m(make, [m(make) != 0], [1]),),
    "numpy:apply_along_axis": (lambda make: (lambda row: row * 2, 0, m(make)),),
    "numpy:insert": (lambda make: _m(make, 0, 1),),
    "numpy:pad": (lambda make: _m(make, 1),),
    "numpy:delete": (lambda make: _m(make, 0, 0),),
    "numpy:resize": (lambda make: _m(make, (2, 2)),),
    "numpy:take_along_axis": (lambda make: _m(make, index(make), 0),),
    "numpy:extract": (lambda make: (m(make) != 0, m(make)),),
    "numpy:compress": (lambda make: ([True, False, True], m(make), 0),),
    "numpy:clip": (lambda make: _m(make, 0, 1),),
    "numpy:roots": (lambda make: (make(3),),),
    "numpy:interp": (lambda make: (make(3), [0.0, 1.0], [0.0, 1.0]),),
    "numpy:take": (lambda make: _m(make, [0, 1]),),
    "numpy:einsum": (lambda make: ("ij,jk->ik", m(make), m(make)),),
    "numpy:linalg.multi_dot": (lambda make: ([m(make), m(make), m(make)],),),
    "numpy:linalg.matrix_power": (lambda make: _m(make, 2),),
    "numpy:linalg.tensorinv": (lambda make: _m(make, 1),),
    "numpy:linalg.tensorsolve": (lambda make: _m(make, make(3)),),
    "numpy:linalg.lstsq": (lambda make: _m(make, m(make)),),
    "numpy:polyfit": (lambda make: (make(5), make(5), 1),),
    "numpy:poly": (lambda make: (make(3),),),
    "numpy:fft.fftfreq": (lambda make: (4,),),
    "numpy:fft.rfftfreq": (lambda make: (4,),),
    "numpy:cross": (lambda make: (make(3), make(3)),),
    "numpy:linalg.cross": (lambda make: (make(3), make(3)),),
    "numpy:convolve": (lambda make: (make(3), make(3)),),
    "numpy:correlate": (lambda make: (make(3), make(3)),),
    "numpy:digitize": (lambda make: _m(make, [0.0, 0.5]),),
    "numpy:bincount": (lambda make: (np.array([1, 2]),),),
    "numpy:lexsort": (lambda make: ((make(3), make(3)),),),
    "numpy:ravel_multi_index": (lambda make: (([1], [1]), (2, 2)),),
    "numpy:searchsorted": (lambda make: (np.sort(make(3)), make(3)),),
    "numpy:argpartition": (lambda make: _m(make, 1),),
    "numpy:partition": (lambda make: _m(make, 1),),
    "numpy:cumulative_sum": (lambda make: (make(3),),),
    "numpy:cumulative_prod": (lambda make: (make(3),),),
    "numpy:histogram2d": (lambda make: (make(5), make(5)),),
    "numpy:unravel_index": (lambda make: ([1, 2], (3, 3)),),
    "numpy:diag_indices": (lambda make: (3,),),
    "numpy:tril_indices": (lambda make: (3,),),
    "numpy:triu_indices": (lambda make: (3,),),
    "numpy:mask_indices": (lambda make: (3, np.triu),),
    "numpy:meshgrid": (lambda make: (make(3), make(2)),),
    "numpy:ix_": (lambda make: (make(3), make(2)),),
    "numpy:percentile": (lambda make: _m(make, 50),),
    "numpy:nanpercentile": (lambda make: _m(make, 50),),
    "numpy:quantile": (lambda make: _m(make, 0.5),),
    "numpy:nanquantile": (lambda make: _m(make, 0.5),),
    "numpy:vdot": (lambda make: (make(3), make(3)),),
    "numpy:matmul": (lambda make: _m(make, m(make)),),
    "numpy:can_cast": (lambda make: ("float32", "float64"),),
    "numpy:issubdtype": (lambda make: ("float32", np.floating),),
    "numpy:promote_types": (lambda make: ("float32", "float64"),),
    "numpy:dtype": (lambda make: ("float32",),),
    "numpy:broadcast_shapes": (lambda make: ((1, 2), (3, 1)),),
    "numpy:save": (lambda make: (io.BytesIO(), m(make)),),
    "numpy:savez": (lambda make: (io.BytesIO(), m(make)),),
    "numpy:savez_compressed": (lambda make: (io.BytesIO(), m(make)),),
    "numpy:savetxt": (lambda make: (io.BytesIO(), m(make)),),
    "numpy:testing.assert_array_less": (lambda make: (make(3), make(3) + 1),),
    "numpy:random.seed": (lambda make: (0,),),
    "numpy:vectorize": (lambda make: (abs,),),
    "numpy:copyto": (lambda make: _m(make, 0),),
    "numpy:put": (lambda make: _m(make, [0, 4], 0),),
    "numpy:putmask": (lambda make: _m(make, m(make) != 0, 0),),
    "numpy:place": (lambda make: _m(make, m(make) != 0, [0]),),
    "numpy:fill_diagonal": (lambda make: _m(make, 0),),
    "numpy:put_along_axis": (lambda make: _m(make, index(make), 0, 0),),
    "numpy:random.shuffle": (lambda make: (make(9),),),
    "numpy:load": (lambda make: (_saved_array(make),),),
    "numpy:memmap": (lambda make: (_raw_file(make), Options(dtype="uint8", mode="r+")),),
    "numpy:lib.format.open_memmap": (lambda make: (_saved_array(make),),),
    **{
        f"numpy:{name}.{method}": ((lambda make: _m(make, [0, 1], 5)),)
        for name in ("add", "subtract", "multiply", "divide", "maximum", "logical_or", "logical_and")
        for method in ("at",)
    },
    "numpy:minimum.at": (lambda make: _m(make, [0, 1], -50),),
    "numpy:add.reduceat": (lambda make: _m(make, [0, 1]),),
    "numpy:random.rand": (lambda make: (3,), lambda make: ()),
    "numpy:random.randn": (lambda make: (3,), lambda make: ()),
    **{
        f"numpy:random.{name}": _drawing(*a)
        for name, a in {
            "random": (),
            "random_sample": (),
            "ranf": (),
            "sample": (),
            "normal": (),
            "uniform": (),
            "standard_normal": (),
            "exponential": (),
            "standard_exponential": (),
            "gamma": (1.0,),
            "standard_gamma": (1.0,),
            "beta": (1.0, 1.0),
            "laplace": (),
            "logistic": (),
            "lognormal": (),
            "gumbel": (),
            "chisquare": (1.0,),
            "rayleigh": (),
            "pareto": (1.0,),
            "power": (1.0,),
            "weibull": (1.0,),
            "triangular": (0.0, 1.0, 2.0),
            "vonmises": (0.0, 1.0),
            "standard_t": (1.0,),
            "standard_cauchy": (),
            "wald": (1.0, 1.0),
            "f": (1.0, 1.0),
            "noncentral_chisquare": (1.0, 1.0),
            "noncentral_f": (1.0, 1.0, 1.0),
            "randint": (5,),
            "random_integers": (5,),
            "binomial": (5, 0.5),
            "poisson": (),
            "geometric": (0.5,),
            "hypergeometric": (5, 5, 5),
            "negative_binomial": (5, 0.5),
            "logseries": (0.5,),
            "zipf": (2.0,),
            "choice": (5,),
        }.items()
    },
    "numpy:random.dirichlet": (lambda make: ([1.0, 2.0],),),
    "numpy:random.multivariate_normal": (lambda make: ([0.0, 0.0], np.eye(2)),),
    "numpy:random.multinomial": (lambda make: (5, [0.5, 0.5]),),
}


# -- looking at results -----------------------------------------------------------------------------------------------


def is_tensor(value: Any) -> bool:
    return isinstance(value, torch.Tensor)


def is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray)


def leaves(value: Any) -> Iterator[Any]:
    """The tensors and arrays in a value, tuples and lists opened."""
    if is_tensor(value) or is_array(value):
        yield value
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from leaves(item)


def parts(value: Any) -> list[Any]:
    """The dense tensors a sparse one is made of; any other value itself."""
    if not is_tensor(value) or value.layout is torch.strided:
        return [value]
    if value.layout is torch.sparse_coo:
        return [value._indices(), value._values()]
    if value.layout in {torch.sparse_csr, torch.sparse_bsr}:
        return [value.crow_indices(), value.col_indices(), value.values()]
    if value.layout in {torch.sparse_csc, torch.sparse_bsc}:
        return [value.ccol_indices(), value.row_indices(), value.values()]
    return []


def span(value: Any) -> tuple[int, int] | None:
    """First and last address of the memory a tensor or array lies in; None when there is none."""
    if is_tensor(value):
        if value.is_meta or value.layout is not torch.strided or value.is_nested or value.numel() == 0:
            return None
        storage = value.untyped_storage()
        return storage.data_ptr(), storage.data_ptr() + storage.nbytes()
    if is_array(value) and value.size:
        low, high = np.lib.array_utils.byte_bounds(value)
        return int(low), int(high)
    if isinstance(value, bytearray):
        return span(np.frombuffer(value, np.uint8))
    return None


def shares(left: Any, right: Any) -> bool | None:
    """Whether two values lie in one piece of memory; None when one has none to compare."""
    ones = [one for part in parts(left) if (one := span(part)) is not None]
    others = [other for part in parts(right) if (other := span(part)) is not None]
    if not ones or not others:
        return None
    return any(one[0] < other[1] and other[0] < one[1] for one in ones for other in others)


def contents(value: Any) -> bytes | None:
    """The memory of a value, to see whether it is overwritten."""
    if is_tensor(value):
        if value.layout is torch.sparse_coo:
            value = value._values()
        if value.is_meta or value.layout is not torch.strided or value.is_nested or value.dtype == torch.qint8:
            return None
        flat = torch.empty(0, dtype=torch.uint8).set_(value.detach().untyped_storage())
        return bytes(flat.numpy().tobytes())
    if is_array(value):
        return bytes(value.tobytes())
    return None


def dtype_name(value: Any) -> str:
    return str(value.dtype).removeprefix("torch.")


def overlapping(value: Any) -> bool:
    """Whether two elements lie in one cell: more elements than cells between the first and the last."""
    if is_tensor(value):
        if value.layout is not torch.strided or value.is_nested:
            return False
        sizes, strides = tuple(value.shape), tuple(value.stride())
    else:
        sizes, strides = value.shape, tuple(step // value.itemsize for step in value.strides)
    if not value.shape or 0 in sizes:
        return False
    cells = 1 + sum((size - 1) * abs(step) for size, step in zip(sizes, strides, strict=True))
    return bool(np.prod(sizes) > cells)


def kind(value: Any) -> set[Result]:
    """What the value may be called."""
    if value is None:
        return {Result.NONE}
    if is_tensor(value):
        return {Result.TENSOR, Result.SAME, Result.TENSOR_OR_TUPLE}
    if isinstance(value, np.memmap):
        return {Result.ARRAY}
    if is_array(value):
        return {Result.ARRAY, Result.NUMPY_SCALAR, Result.SAMPLE, Result.SAME}
    if isinstance(value, np.generic):
        return {Result.NUMPY_SCALAR, Result.SAMPLE, Result.SCALAR}
    if isinstance(value, (bool, int, float, complex, str)):
        return {Result.SCALAR, Result.SIZE, Result.SAMPLE}
    if isinstance(value, (tuple, list)):
        found = list(leaves(value))
        if found and all(is_tensor(item) for item in found):
            return {Result.TENSOR_TUPLE, Result.TENSOR_LIST, Result.TENSOR_OR_TUPLE}
        if found or any(isinstance(item, np.generic) for item in value):
            return {Result.ARRAY_TUPLE}
        return {Result.SIZE, Result.OTHER}
    if isinstance(value, (torch.dtype, np.dtype)):
        return {Result.DTYPE}
    if isinstance(value, torch.device):
        return {Result.DEVICE}
    return {Result.OTHER}


# -- measuring one row ------------------------------------------------------------------------------------------------


@dataclass
class Measured:
    """What came out for one row: ``calls`` counts the calls that returned."""

    name: str
    calls: int = 0
    problems: list[str] = field(default_factory=list)

    def expect(self, truth: bool, problem: str) -> None:
        if not truth and problem not in self.problems:
            self.problems.append(problem)


#: Rows that say "maybe" and yet alias whatever the arguments are, as long as these are on the CPU.
ALWAYS_ALIASES_HERE = {"tensor:cpu"}
#: On ``meta`` these leave their own path: the gradients of the parameters stay behind.
NOT_ON_META = {"torch:nn.utils.clip_grad_norm_"}


def resolve(root: Any, dotted: str) -> Any:
    for part in dotted.split("."):
        root = getattr(root, part)
    return root


def function(name: str) -> Callable[..., Any]:
    """What to call for a key such as ``tensor:abs`` or ``numpy:linalg.norm``; ``AttributeError`` when there is none."""
    space, _, dotted = name.partition(":")
    root = {"torch": torch, "numpy": np, "tensor": torch.Tensor, "array": np.ndarray}[space]
    found: Callable[..., Any] = resolve(root, dotted)
    return found if callable(found) else lambda receiver: getattr(receiver, dotted)


def recipes(name: str) -> tuple[Recipe, ...]:
    space, _, dotted = name.partition(":")
    last = dotted.rpartition(".")[2]
    if name in RECIPES:
        return RECIPES[name]
    if space in {"tensor", "torch"} and last in RECIPES:
        return RECIPES[last]
    return GENERIC


def attempt(call: Callable[..., Any], arguments: Arguments, **more: Any) -> Any:
    positional, options = split(arguments)
    result = call(*positional, **{**options, **more})
    if result is NotImplemented:
        raise TypeError("NotImplemented")
    return result


def on_meta(value: Any) -> Any:
    if is_tensor(value):
        return value.to("meta")
    if isinstance(value, Options):
        return value
    if isinstance(value, (tuple, list)):
        return type(value)(on_meta(item) for item in value)
    return value


def tried(call: Callable[..., Any], *arguments: Any, **options: Any) -> tuple[Any, Exception | None]:
    """What a call gives, or what it raises: rows are called with arguments many of them refuse."""
    try:
        return call(*arguments, **options), None
    except Exception as error:
        return None, error


def perform(call: Callable[..., Any], recipe: Recipe, make: Make, **more: Any) -> Any:
    return attempt(call, recipe(make), **more)


def usable(call: Callable[..., Any], name: str) -> list[Recipe]:
    """The recipes to measure with: all of the name's own, or the first generic one that works for some dtype."""
    own = recipes(name)
    if own is not GENERIC:
        return list(own)
    make_of = arrays if name.startswith(("array", "numpy")) else tensors
    for recipe in own:
        for dtype in DTYPES:
            if tried(perform, call, recipe, make_of(dtype))[1] is None:
                return [recipe]
    return []


def measure(name: str, row: Row) -> Measured:
    """Call one row in every way there is and collect what the table says wrongly."""
    measured = Measured(name)
    try:
        call = function(name)
    except AttributeError:
        return measured
    numpy_side = name.startswith(("array", "numpy"))
    shared: set[bool] = set()
    written: set[int] = set()
    overlaps: set[bool] = set()
    outs: set[bool | None] = set()
    torch.manual_seed(0)
    np.random.seed(0)
    for recipe in usable(call, name):
        for dtype in DTYPES:
            for sign in (1, -1):
                make = arrays(dtype, sign) if numpy_side else tensors(dtype, sign)
                arguments, error = tried(recipe, make)
                if error is not None:
                    continue
                positional, _ = split(arguments)
                before = [contents(value) for value in positional]
                result, error = tried(attempt, call, arguments)
                if error is not None:
                    continue
                measured.calls += 1
                for position, (value, old) in enumerate(zip(positional, before, strict=True)):
                    if old is not None and contents(value) != old:
                        written.add(position)
                if sign == -1:
                    continue
                check_kind(measured, row, result, positional)
                check_share(measured, row, result, positional, shared)
                check_dtype(measured, row, result, positional, dtype, numpy_side)
                overlaps.update(overlapping(item) for item in leaves(result) if row.share is Share.ALWAYS)
                if numpy_side:
                    check_array(measured, row, result, positional)
        if not numpy_side:
            check_grad(measured, row, call, recipe)
            check_device(measured, row, call, recipe)
        check_promotion(measured, row, call, recipe, numpy_side)
        if row.inplace:
            check_inplace(measured, call, recipe)
        if name.startswith(("torch", "numpy")):
            outs.add(accepts_out(call, recipe, arrays if numpy_side else tensors))
    if not measured.calls:
        return measured
    if outs & {True, False}:
        measured.expect((True in outs) == row.out, f"out=: {True in outs}, the row says {row.out}")
    measured.expect(written == set(row.writes), f"overwrites {sorted(written)}, the row says {sorted(row.writes)}")
    if shared:
        expected = {Share.ALWAYS: {True}, Share.NEVER: {False}, Share.MAYBE: {True, False}, Share.NONE: set()}[
            row.share
        ]
        if name not in ALWAYS_ALIASES_HERE or row.share is not Share.MAYBE:
            measured.expect(shared == expected, f"shares memory: {sorted(shared)}, the row says {row.share.value}")
    if row.share is Share.ALWAYS and overlaps and not name.endswith(("as_strided", "as_strided_")):
        measured.expect((True in overlaps) == row.overlaps, f"overlapping elements: {True in overlaps}")
    return measured


def check_kind(measured: Measured, row: Row, result: Any, positional: Arguments) -> None:
    other = row.result is Result.OTHER and not list(leaves(result))
    measured.expect(
        other or row.result in kind(result), f"gives {type(result).__name__}, the row says {row.result.value}"
    )
    if row.result is Result.SAME:
        measured.expect(result is positional[row.source], f"does not return argument {row.source}")


def check_share(measured: Measured, row: Row, result: Any, positional: Arguments, shared: set[bool]) -> None:
    if row.share is Share.NONE:
        measured.expect(not list(leaves(result)) or row.result is not Result.TENSOR, "gives tensors or arrays")
        return
    for i, item in enumerate(leaves(result)):
        source = i if row.source < 0 else row.source
        if source < len(positional):
            sources = list(leaves(positional[source])) or [positional[source]]
            found = {shares(item, one) for one in sources}
            if found != {None}:
                shared.add(True in found)


def check_dtype(measured: Measured, row: Row, result: Any, positional: Arguments, dtype: str, numpy_side: bool) -> None:
    found = [dtype_name(item) for i, item in enumerate(leaves(result)) if i not in row.indices or row.dtype == "?"]
    if isinstance(result, np.generic) and row.result is Result.NUMPY_SCALAR:
        found = [dtype_name(result)]
    inputs = {dtype_name(item) for value in positional for item in leaves(value)}
    base = next((dtype_name(item) for value in positional[max(row.source, 0) :] for item in leaves(value)), dtype)
    dtype = base if row.dtype in {"real", "complex", "float-real"} else dtype
    expected = expected_dtype(row.dtype, dtype, inputs, numpy_side)
    for name in found:
        if expected:
            measured.expect(name in expected, f"{dtype} gives {name}, the row says {row.dtype}")
    for i, item in enumerate(leaves(result)):
        if i in row.indices and is_tensor(item):
            integer = not item.is_floating_point() and not item.is_complex()
            measured.expect(integer or row.dtype == "?", f"element {i} is {dtype_name(item)}, not an index")


def check_promotion(measured: Measured, row: Row, call: Callable[..., Any], recipe: Recipe, numpy_side: bool) -> None:
    """Of a float32 and a float64 argument "promote" and "float" make float64, unless the function refuses the pair."""
    if row.dtype not in {"promote", "float", "float-real"}:
        return
    make_of = arrays if numpy_side else tensors
    (narrow, refused), (wide, _) = tried(recipe, make_of("float32")), tried(recipe, make_of("float64"))
    if refused is not None:
        return
    values = [
        i for i, value in enumerate(narrow) if (is_tensor(value) or is_array(value)) and dtype_name(value) == "float32"
    ]
    if len(values) < 2 or wide is None:
        return
    mixed = tuple(wide[i] if i == values[1] else value for i, value in enumerate(narrow))
    result, _ = tried(attempt, call, mixed)
    found = {dtype_name(item) for item in leaves(result)}
    measured.expect(found <= {"float64", "bool", "int64"}, f"float32 and float64 give {sorted(found)}")


def expected_dtype(rule: str, dtype: str, inputs: set[str], numpy_side: bool) -> set[str]:
    default = "float64" if numpy_side else "float32"
    floating = dtype if dtype.startswith(("float", "complex")) else default
    if rule == "?":
        return set()
    if rule in {"keep", "argument"}:
        return (inputs or {dtype}) | {dtype, "float16", default if not inputs else dtype}
    if rule == "promote":
        # Some operators of booleans answer in a small integer or int64.
        return {dtype} | ({"int64", "int8"} if dtype == "bool" else set())
    if rule == "float":
        return {floating, *({"float16", "complex64"} if dtype == "bool" else ())}
    if rule == "float-real":
        return {"float64" if floating == "complex128" else "float32" if floating == "complex64" else floating}
    if rule == "double":
        return {"complex128" if dtype.startswith("complex") else "float64"}
    if rule == "accumulate":
        return {dtype if dtype.startswith(("float", "complex")) else "int64"}
    if rule == "real":
        return {"float64" if dtype == "complex128" else "float32" if dtype == "complex64" else dtype}
    if rule == "complex":
        return {"complex128" if floating in {"float64", "complex128"} else "complex64"}
    if rule == "default-float":
        return {default}
    return {rule}


def check_array(measured: Measured, row: Row, result: Any, positional: Arguments) -> None:
    if not is_array(result) or result.size == 0:
        return
    negative = any(step < 0 for step in result.strides)
    measured.expect(negative == row.negative_strides, f"negative strides: {negative}")
    shared = any(shares(result, source) for value in positional for source in leaves(value))
    if row.access is Access.NEVER and (shared or row.share is Share.ALWAYS):
        measured.expect(not result.flags.writeable, "is writable")
    if row.access is Access.KEEP and row.share is not Share.NONE:
        zeros_of_real = measured.name.endswith("imag")
        measured.expect(result.flags.writeable or zeros_of_real, "is read-only")


def requires(result: Any, skip: tuple[int, ...]) -> set[bool]:
    """Whether the floating elements of a result require grad, indices aside."""
    return {
        bool(item.requires_grad)
        for i, item in enumerate(leaves(result))
        if is_tensor(item) and i not in skip and (item.is_floating_point() or item.is_complex())
    }


def check_grad(measured: Measured, row: Row, call: Callable[..., Any], recipe: Recipe) -> None:
    for dtype in ("float32", "complex64"):
        arguments, error = tried(recipe, tensors(dtype, grad=True))
        if error is not None:
            continue
        positional, _ = split(arguments)
        fed = any(item.requires_grad for value in positional for item in leaves(value) if is_tensor(item))
        result, error = tried(attempt, call, arguments)
        if error is not None:
            continue
        every = list(leaves(result))
        for i in row.indices:
            if i < len(every) and is_tensor(every[i]):
                measured.expect(not every[i].requires_grad, f"element {i} requires grad")
        found = requires(result, row.indices)
        if row.grad is Grad.KEEP and fed:
            measured.expect(False not in found, "drops the gradient")
        if row.grad in {Grad.NO, Grad.ARGUMENT}:
            measured.expect(True not in found, "keeps the gradient")
        if row.grad is Grad.YES:
            measured.expect(False not in found, "does not require grad")
        if row.grad is Grad.ARGUMENT and found:
            asked, error = tried(perform, call, recipe, tensors(dtype), requires_grad=True)
            measured.expect(error is None, f"requires_grad=True: {error}")
            measured.expect(False not in requires(asked, ()), "requires_grad=True has no effect")
        return


def check_device(measured: Measured, row: Row, call: Callable[..., Any], recipe: Recipe) -> None:
    if row.result not in {Result.TENSOR, Result.TENSOR_TUPLE, Result.SAME, Result.TENSOR_OR_TUPLE}:
        return
    if measured.name in NOT_ON_META:
        return
    for dtype in ("float32", "int64"):
        arguments, error = tried(lambda make: on_meta(recipe(make)), tensors(dtype))
        if error is not None:
            continue
        fed = any(item.is_meta for value in arguments for item in leaves(value) if is_tensor(item))
        result, error = tried(attempt, call, arguments)
        if error is not None:
            continue
        found = {item.device.type for item in leaves(result) if is_tensor(item)}
        if fed and row.device in {Device.KEEP, Device.LIKE} and found:
            measured.expect(found == {"meta"}, f"meta gives {sorted(found)}, the row says {row.device.value}")
        if row.device is Device.CPU:
            measured.expect(found <= {"cpu"}, f"meta gives {sorted(found)}, the row says cpu")
        break
    if row.device in {Device.LIKE, Device.DEFAULT, Device.ARGUMENT}:
        for dtype in ("float32", "int64"):
            result, error = tried(perform, call, recipe, tensors(dtype))
            if error is not None:
                continue
            found = {item.device.type for item in leaves(result)}
            measured.expect(found <= {"cpu"}, f"gives {sorted(found)} by itself")
            if row.device is Device.ARGUMENT:
                return
            moved, error = tried(perform, call, recipe, tensors(dtype), device="meta")
            measured.expect(error is None, f"device=: {error}")
            measured.expect({item.device.type for item in leaves(moved)} <= {"meta"}, "device= has no effect")
            return


def accepts_out(call: Callable[..., Any], recipe: Recipe, make_of: Callable[[str], Make]) -> bool | None:
    """Whether the call takes ``out=`` and returns it; None when there is nothing to try it on."""
    for dtype in ("float32", "int64", "bool"):
        arguments, _ = tried(recipe, make_of(dtype))
        if arguments is None or "out" in split(arguments)[1]:
            continue
        result, _ = tried(attempt, call, arguments)
        copies = tuple(item.copy() if is_array(item) else item.clone() for item in leaves(result))
        if isinstance(result, np.generic):
            copies = (np.asarray(result).copy(),)
        if not copies or any(is_tensor(item) and item.layout is not torch.strided for item in copies):
            continue
        out = copies if len(copies) > 1 else copies[0]
        again, error = tried(perform, call, recipe, make_of(dtype), out=out)
        return error is None and all(
            shares(left, right) is not False for left, right in zip(leaves(again), copies, strict=False)
        )
    return None


def check_inplace(measured: Measured, call: Callable[..., Any], recipe: Recipe) -> None:
    """``inplace=`` is accepted, and obeyed: the first argument is returned, or left alone."""
    for option in (True, False):
        arguments = recipe(tensors("float32"))
        if len(arguments) > 2 and arguments[2] is False:
            continue
        result, error = tried(attempt, call, arguments, inplace=option)
        measured.expect(error is None, f"inplace=: {error}")
        if error is None:
            measured.expect(shares(result, arguments[0]) is option, f"inplace={option} is not obeyed")


# -- operator schemas, and NumPy functions handed a tensor ------------------------------------------------------------


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


#: Calls whose tensor is not the only argument, or where a function needs integers; by NumPy name.
TENSOR_CALLS: Mapping[str, Callable[[Any, Callable[..., Any]], Any]] = {
    "append": lambda t, f: f(t, t),
    "apply_along_axis": lambda t, f: f(lambda row: row, 0, t),
    "argpartition": lambda t, f: f(t, 0),
    "array_split": lambda t, f: f(t, 2),
    "bincount": lambda t, f: f(t[0]),
    "broadcast_to": lambda t, f: f(t, (3, 2, 2)),
    "can_cast": lambda t, f: f(t, np.float64),
    "choose": lambda t, f: f(t, [1, 2, 3, 4, 5, 6]),
    "ldexp": lambda t, f: f(t, 2),
    "testing.assert_almost_equal": lambda t, f: f(t[0, 0], t[0, 0]),
    "full": lambda t, f: f((2, 2), t[0]),
    "polyint": lambda t, f: f(t[0]),
    "polyder": lambda t, f: f(t[0]),
    "roots": lambda t, f: f(t[0]),
    "vander": lambda t, f: f(t[0]),
    "polymul": lambda t, f: f(t[0], t[0]),
    "add.reduceat": lambda t, f: f(t, [0, 1]),
    "piecewise": lambda t, f: f(t, [np.ones((2, 2), bool)], [1.0]),
    "random.dirichlet": lambda t, f: f(t[0]),
    "random.randint": lambda t, f: f(t, 9),
    "linalg.outer": lambda t, f: f(t[0], t[0]),
    "clip": lambda t, f: f(t, 0, 1),
    "compress": lambda t, f: f([True, False], t),
    "concatenate": lambda t, f: f(t),
    "copyto": lambda t, f: f(t, 0.0),
    "correlate": lambda t, f: f(t[0], t[1]),
    "convolve": lambda t, f: f(t[0], t[1]),
    "cross": lambda t, f: f([1.0, 2.0, 3.0], t.reshape(-1)[:3]),
    "cumulative_sum": lambda t, f: f(t, axis=0),
    "cumulative_prod": lambda t, f: f(t, axis=0),
    "delete": lambda t, f: f(t, 0, 0),
    "digitize": lambda t, f: f(t, [0.0, 1.0]),
    "dsplit": lambda t, f: f(t[None], 2),
    "einsum": lambda t, f: f("ij->ji", t),
    "expand_dims": lambda t, f: f(t, 0),
    "extract": lambda t, f: f([True, False], t[0]),
    "fill_diagonal": lambda t, f: f(t, 0.0),
    "full_like": lambda t, f: f(t, 1),
    "hsplit": lambda t, f: f(t, 2),
    "histogram2d": lambda t, f: f(t[0], t[1]),
    "insert": lambda t, f: f(t, 0, 1),
    "interp": lambda t, f: f(t, [0.0, 1.0], [0.0, 1.0]),
    "ix_": lambda t, f: f(t[0], t[1]),
    "linspace": lambda t, f: f(t[0], t[1]),
    "logspace": lambda t, f: f(t[0], t[1]),
    "geomspace": lambda t, f: f(t[0], t[1]),
    "lib.stride_tricks.sliding_window_view": lambda t, f: f(t, (1, 1)),
    "linalg.multi_dot": lambda t, f: f([t, t]),
    "linalg.matrix_power": lambda t, f: f(t, 2),
    "linalg.tensorinv": lambda t, f: f(t, 1),
    "linalg.tensorsolve": lambda t, f: f(t, t[0]),
    "linalg.cross": lambda t, f: f([1.0, 2.0, 3.0], t.reshape(-1)[:3]),
    "meshgrid": lambda t, f: f(t[0], t[1]),
    "moveaxis": lambda t, f: f(t, 0, 1),
    "pad": lambda t, f: f(t, 1),
    "partition": lambda t, f: f(t, 0),
    "percentile": lambda t, f: f(t, 50),
    "nanpercentile": lambda t, f: f(t, 50),
    "place": lambda t, f: f(t, [True], [1.0]),
    "polyfit": lambda t, f: f(t[0], t[1], 1),
    "polyval": lambda t, f: f([1.0, 2.0], t),
    "put": lambda t, f: f(t, [0], 5.0),
    "put_along_axis": lambda t, f: f(t, np.zeros((1, 2), int), 5.0, 0),
    "putmask": lambda t, f: f(t, [True], [1.0]),
    "quantile": lambda t, f: f(t, 0.5),
    "nanquantile": lambda t, f: f(t, 0.5),
    "random.choice": lambda t, f: f(t[0]),
    "random.multinomial": lambda t, f: f(3, t[0] / t[0].sum()),
    "random.normal": lambda t, f: f(t, 1.0),
    "random.uniform": lambda t, f: f(t, 1.0),
    "repeat": lambda t, f: f(t, 2),
    "reshape": lambda t, f: f(t, (4,)),
    "resize": lambda t, f: f(t, (3,)),
    "roll": lambda t, f: f(t, 1),
    "rollaxis": lambda t, f: f(t, 1),
    "save": lambda t, f: f(io.BytesIO(), t),
    "savez": lambda t, f: f(io.BytesIO(), t),
    "savez_compressed": lambda t, f: f(io.BytesIO(), t),
    "savetxt": lambda t, f: f(io.BytesIO(), t),
    "searchsorted": lambda t, f: f([0.0, 1.0], t),
    "select": lambda t, f: f([np.ones((2, 2), bool)], [t]),
    "split": lambda t, f: f(t, 2),
    "swapaxes": lambda t, f: f(t, 0, 1),
    "take": lambda t, f: f(t, [0]),
    "take_along_axis": lambda t, f: f(t, np.zeros((1, 2), int), 0),
    "tile": lambda t, f: f(t, 2),
    "trim_zeros": lambda t, f: f(t[0]),
    "vsplit": lambda t, f: f(t, 2),
    "where": lambda t, f: f(np.ones((2, 2), bool), t, 0),
    "astype": lambda t, f: f(t, np.float32),
    "add.at": lambda t, f: f(t, [0], 1.0),
    "testing.assert_array_less": lambda t, f: f(t, t + 1),
    "block": lambda t, f: f([t, t]),
    "unstack": lambda t, f: f(t),
}
#: Integer-only functions are given an integer tensor.
_INTEGERS = names(
    f"{on_tensor._UFUNCS_INTEGER_2} invert bitwise_not bitwise_invert bitwise_count packbits unpackbits bincount choose"
)


def outcome(name: str, variant: str) -> Any:
    """What a NumPy function does with a plain, a ``meta``, a grad tensor or an array: its result or its exception."""
    values = torch.tensor([[1.0, 2.0], [3.0, 5.0]], dtype=torch.float64)
    if name.rpartition(".")[2] in {"cholesky"}:
        values = values @ values.T
    if name in _INTEGERS:
        values = values.to(torch.uint8)
    given = {
        "plain": values,
        "meta": values.to("meta"),
        "grad": values.clone().requires_grad_() if values.is_floating_point() else values.to("meta"),
        "array": values.numpy().copy(),
    }[variant]
    call = resolve(np, name)
    try:
        if name in TENSOR_CALLS:
            return TENSOR_CALLS[name](given, call)
        for arguments in ((given,), (given, given)):
            try:
                return call(*arguments)
            except TypeError as error:
                missing = "argument" in str(error) and ("required" in str(error) or "missing" in str(error))
                if not missing and "takes from" not in str(error) and "takes exactly" not in str(error):
                    raise
        return call(given, given, given)
    except Exception as error:
        return error


def behaviour(name: str) -> str:
    """The class of a NumPy function by what it does with tensors."""
    plain, meta, grad = (outcome(name, variant) for variant in ("plain", "meta", "grad"))
    refused = isinstance(meta, TypeError) and "can't convert meta" in str(meta)
    refused_grad = isinstance(grad, Exception) and ("Can't call numpy()" in str(grad) or "meta" in str(grad))
    if isinstance(plain, Exception):
        return "exports, then raises" if refused and name not in on_tensor.RAISES else "raises"
    if refused and refused_grad:
        tensor = any(is_tensor(item) for item in leaves(plain))
        return "exports to tensor" if tensor else "exports to array"
    if isinstance(meta, Exception) or isinstance(grad, Exception):
        return f"mixed: {type(meta).__name__}, {type(grad).__name__}"
    return "never exports"


def check_behaviours() -> tuple[int, list[str]]:
    problems: list[str] = []
    count = 0
    sets = {
        "exports to tensor": on_tensor.EXPORTS_TO_TENSOR,
        "exports to array": on_tensor.EXPORTS_TO_ARRAY,
        "raises": on_tensor.RAISES | on_tensor.REDUCTIONS_RAISE,
        "never exports": on_tensor.HARMLESS,
    }
    for expected, group in sets.items():
        for name in sorted(group):
            try:
                found = behaviour(name)
            except AttributeError:
                continue
            count += 1
            if found != expected:
                problems.append(
                    f"numpy:{name} of a tensor: {found}, listed as {expected}: {outcome(name, 'plain')!r:.80}"
                )
    for name in sorted(on_tensor.SILENTLY_WRONG):
        count += 1
        plain, array = outcome(name, "plain"), outcome(name, "array")
        if isinstance(plain, Exception) or (type(plain) is type(array) and plain.dtype == array.dtype):
            problems.append(f"numpy:{name} of a tensor is not silently wrong: {plain!r:.80}")
    for name in sorted(on_tensor.EXPORTS_OF_LIST):
        with suppress(AttributeError):
            call = resolve(np, name)
            errors = [tried(call, [torch.ones(shape, device="meta")] * 2) for shape in ((), (2, 2))]
            ignored = all(error is None for _, error in errors)
            count += any("can't convert meta" in str(error) for _, error in errors)
            if ignored:
                problems.append(f"numpy:{name} of a list of tensors does not export")
    for name in sorted(on_tensor.FALSE_OFF_CPU):
        count += 1
        answers = [outcome(name, variant) for variant in ("plain", "meta", "grad")]
        if answers != [True, False, False]:
            problems.append(f"numpy:{name} of a tensor: {answers}")
    return count, problems


def unlisted() -> list[str]:
    """NumPy functions of the table that are in no set though their behaviour with a tensor can be measured."""
    listed = (
        on_tensor.EXPORTS
        | on_tensor.RAISES
        | on_tensor.REDUCTIONS_RAISE
        | on_tensor.HARMLESS
        | on_tensor.SILENTLY_WRONG
        | on_tensor.FALSE_OFF_CPU
        | on_tensor.SHUFFLES
        | on_tensor.EXPORTS_BY_DLPACK
    )
    found = []
    for name in sorted(NUMPY_FUNCTIONS.keys() - listed):
        with suppress(AttributeError):
            kind_of = behaviour(name)
            if kind_of.startswith("exports"):
                found.append(f"{name} ({kind_of})")
    return found


# -- all of it --------------------------------------------------------------------------------------------------------

TABLES: Mapping[str, Mapping[str, Row]] = {
    "tensor": {**TENSOR_METHODS, **TENSOR_ATTRIBUTES},
    "torch": TORCH_FUNCTIONS,
    "array": {**ARRAY_METHODS, **ARRAY_ATTRIBUTES},
    "numpy": NUMPY_FUNCTIONS,
}


def measure_all(space: str) -> list[Measured]:
    """Every row of one table: ``tensor``, ``torch``, ``array`` or ``numpy``."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return [measure(f"{space}:{name}", row) for name, row in TABLES[space].items()]


def comparable() -> bool:
    """Whether these are versions the tables speak of: torch 2.13 and NumPy 2.4, and their nearest successors."""
    torch_version, numpy_version = (
        tuple(int(part) for part in version.split("+")[0].split(".")[:2])
        for version in (torch.__version__, np.__version__)
    )
    return (2, 13) <= torch_version < (2, 16) and (2, 4) <= numpy_version < (2, 6)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quiet", action="store_true", help="do not name the rows that could not be called")
    options = parser.parse_args()
    print(f"torch {torch.__version__}, NumPy {np.__version__}")
    problems: list[str] = []
    for space in TABLES:
        measured = measure_all(space)
        uncalled = [one.name for one in measured if not one.calls]
        print(f"{space}: {len(measured)} rows, {len(measured) - len(uncalled)} executed, {len(uncalled)} not called")
        if uncalled and not options.quiet:
            print("    not called:", " ".join(name.partition(":")[2] for name in uncalled))
        problems += [f"{one.name}: {problem}" for one in measured for problem in one.problems]
    problems += check_schemas()
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        count, found = check_behaviours()
        print(f"NumPy functions handed a tensor: {count} classified")
        if not options.quiet:
            print("    exporting but in no set:", " ".join(unlisted()))
    problems += found
    for problem in problems:
        print(problem)
    print(f"{len(problems)} mismatches")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
