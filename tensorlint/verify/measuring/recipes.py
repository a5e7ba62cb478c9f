"""What to call each function with, where the generic arguments do not fit it."""

from __future__ import annotations

import importlib
import io
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tensorlint.knowledge import numpy_functions as on_tensor
from tensorlint.verify.measuring.arguments import Arguments, Make, Options, Recipe, index, m, several

torch: Any = importlib.import_module("torch")
np: Any = importlib.import_module("numpy")


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
