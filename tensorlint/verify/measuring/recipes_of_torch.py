"""What to call functions of torch with, where the generic arguments do not fit them."""

from __future__ import annotations

import importlib
import io
from collections.abc import Mapping
from typing import Any

from tensorlint.verify.measuring.arguments import Arguments, Make, Options, Recipe, index, m, m_and, several

torch: Any = importlib.import_module("torch")
np: Any = importlib.import_module("numpy")


def _sparse(make: Make) -> Any:
    return m(make).to_sparse()


def _uncoalesced(make: Make) -> Any:
    return torch.sparse_coo_tensor(several(0, 0)[None], make(2), (3,))


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


#: Recipes by name, as in ``recipes``.
TORCH_RECIPES: Mapping[str, tuple[Recipe, ...]] = {
    # torch: indexing, scattering
    "index_select": (lambda make: m_and(make, 0, several(0, 2)),),
    "index_add": (lambda make: m_and(make, 0, several(0, 1, 2), m(make)),),
    "index_add_": (lambda make: m_and(make, 0, several(0, 1, 2), m(make)),),
    "index_copy": (lambda make: m_and(make, 0, several(2, 1, 0), m(make)),),
    "index_copy_": (lambda make: m_and(make, 0, several(2, 1, 0), m(make)),),
    "index_fill": (lambda make: m_and(make, 0, several(0, 2), 0),),
    "index_fill_": (lambda make: m_and(make, 0, several(0, 2), 0),),
    "index_put": (lambda make: m_and(make, (several(0, 2),), make(3)),),
    "index_put_": (lambda make: m_and(make, (several(0, 2),), make(3)),),
    "index_reduce": (lambda make: m_and(make, 0, several(0, 1, 2), m(make), "mean"),),
    "index_reduce_": (lambda make: m_and(make, 0, several(2, 1, 0), m(make), "amax"),),
    "scatter": (lambda make: m_and(make, 0, index(make), m(make)),),
    "scatter_": (lambda make: m_and(make, 0, index(make), m(make)),),
    "scatter_add": (lambda make: m_and(make, 0, index(make), m(make)),),
    "scatter_add_": (lambda make: m_and(make, 0, index(make), m(make)),),
    "scatter_reduce": (lambda make: m_and(make, 0, index(make), m(make), "sum"),),
    "scatter_reduce_": (lambda make: m_and(make, 0, index(make), m(make), "sum"),),
    "masked_fill": (lambda make: m_and(make, m(make) != 0, 0),),
    "masked_fill_": (lambda make: m_and(make, m(make) != 0, 0),),
    "masked_select": (lambda make: m_and(make, m(make) != 0),),
    "masked_scatter": (lambda make: m_and(make, m(make) != 0, m(make)),),
    "masked_scatter_": (lambda make: m_and(make, make(3, 3) != 0, make(9).flip(0)),),
    "torch:put": (lambda make: m_and(make, index(make), m(make)),),
    "tensor:put": (lambda make: m_and(make, index(make), m(make)),),
    "put_": (lambda make: m_and(make, several(0, 4, 8), make(3)),),
    "tensor:take": (lambda make: m_and(make, index(make)),),
    "torch:take": (lambda make: m_and(make, index(make)),),
    "gather": (lambda make: m_and(make, 0, index(make)),),
    "narrow": (lambda make: m_and(make, 0, 1, 2),),
    "narrow_copy": (lambda make: m_and(make, 0, 1, 2),),
    "select": (lambda make: m_and(make, 0, 1),),
    "select_scatter": (lambda make: m_and(make, make(3), 0, 0),),
    "slice_scatter": (lambda make: m_and(make, m(make)),),
    "diagonal_scatter": (lambda make: m_and(make, make(3)),),
    "as_strided_scatter": (lambda make: m_and(make, m(make), (3, 3), (3, 1)),),
    "where": (lambda make: (m(make), m(make) != 0, m(make)),),
    "torch:where": (lambda make: (m(make) != 0, m(make), m(make)),),
    "fill_diagonal_": (lambda make: m_and(make, 0),),
    # torch: views
    "tensor:view": (lambda make: m_and(make, 9), lambda make: m_and(make, 3, 3)),
    "tensor:reshape": (lambda make: m_and(make, 9), lambda make: (make(2, 3).t(), 6)),
    "torch:reshape": (lambda make: m_and(make, (9,)), lambda make: (make(2, 3).t(), (6,))),
    "reshape_as": (lambda make: (make(2, 3), make(6)), lambda make: (make(2, 3).t(), make(6))),
    "tensor:flatten": (lambda make: m_and(make), lambda make: (make(2, 3).t(),)),
    "torch:flatten": (lambda make: m_and(make), lambda make: (make(2, 3).t(),)),
    "tensor:ravel": (lambda make: m_and(make), lambda make: (make(2, 3).t(),)),
    "torch:ravel": (lambda make: m_and(make), lambda make: (make(2, 3).t(),)),
    "contiguous": (lambda make: m_and(make), lambda make: (make(2, 3).t(),)),
    "unflatten": (lambda make: m_and(make, 0, (3, 1)),),
    "as_strided": (lambda make: m_and(make, (3, 3), (3, 1)),),
    "as_strided_": (lambda make: m_and(make, (3, 3), (1, 3)),),
    "as_strided_copy": (lambda make: m_and(make, (3, 3), (3, 1)),),
    "as_subclass": (lambda make: m_and(make, torch.Tensor),),
    "unfold": (lambda make: m_and(make, 0, 2, 1),),
    "unfold_copy": (lambda make: m_and(make, 0, 2, 1),),
    "expand": (lambda make: (make(3, 1), 3, 3),),
    "expand_as": (lambda make: (make(3, 1), m(make)),),
    "tensor:broadcast_to": (lambda make: (make(3, 1), (3, 3)),),
    "torch:broadcast_to": (lambda make: (make(3, 1), (3, 3)),),
    "broadcast_tensors": (lambda make: (make(3, 1), make(3, 3)),),
    "torch:meshgrid": (lambda make: (make(3), make(2), Options(indexing="ij")),),
    "conj_physical": (lambda make: m_and(make),),
    "resolve_conj": (lambda make: m_and(make), lambda make: (m(make).conj(),)),
    "resolve_neg": (lambda make: m_and(make), lambda make: (m(make).conj().imag,)),
    "coalesce": (lambda make: (_uncoalesced(make),), lambda make: (_sparse(make).coalesce(),)),
    "to_dense": (lambda make: m_and(make), lambda make: (_sparse(make),)),
    "tensor:values": (lambda make: (_sparse(make).coalesce(),),),
    "tensor:indices": (lambda make: (_sparse(make).coalesce(),),),
    "crow_indices": (lambda make: (m(make).to_sparse_csr(),),),
    "col_indices": (lambda make: (m(make).to_sparse_csr(),),),
    "ccol_indices": (lambda make: (m(make).to_sparse_csc(),),),
    "row_indices": (lambda make: (m(make).to_sparse_csc(),),),
    "is_coalesced": (lambda make: (_sparse(make),),),
    "tensor:resize": (lambda make: m_and(make, 3, 3), lambda make: m_and(make, 5, 5)),
    "resize_as": (lambda make: m_and(make, m(make)), lambda make: m_and(make, make(5, 5))),
    "sum_to_size": (lambda make: m_and(make, 3, 3), lambda make: m_and(make, 3, 1)),
    "dsplit": (lambda make: (make(1, 2, 4), 2),),
    "tensor:hsplit": (lambda make: (make(4, 4), 2),),
    "tensor:vsplit": (lambda make: (make(4, 4), 2),),
    "torch:hsplit": (lambda make: (make(4, 4), 2),),
    "torch:vsplit": (lambda make: (make(4, 4), 2),),
    "tensor_split": (lambda make: (make(4, 4), 2),),
    "chunk": (lambda make: (make(4, 4), 2),),
    "unsafe_chunk": (lambda make: (make(4, 4), 2),),
    "split_with_sizes": (lambda make: m_and(make, [1, 2]),),
    "unsafe_split_with_sizes": (lambda make: m_and(make, [1, 2]),),
    "split_with_sizes_copy": (lambda make: m_and(make, [1, 2]),),
    "repeat": (lambda make: m_and(make, 2),),
    "tensor:repeat": (lambda make: m_and(make, 2, 1),),
    "repeat_interleave": (lambda make: m_and(make, 2),),
    "tile": (lambda make: m_and(make, (2, 2)),),
    "roll": (lambda make: m_and(make, 1),),
    "tensor:flip": (lambda make: m_and(make, 0),),
    "torch:flip": (lambda make: m_and(make, (0,)),),
    "to_sparse_bsr": (lambda make: m_and(make, (1, 1)),),
    "to_sparse_bsc": (lambda make: m_and(make, (1, 1)),),
    "sparse_mask": (lambda make: m_and(make, _sparse(make).coalesce()),),
    "smm": (lambda make: (_sparse(make), m(make)),),
    "sspaddmm": (lambda make: (_sparse(make), _sparse(make), m(make)),),
    "resize_as_sparse_": (lambda make: (torch.zeros(3, 3).to_sparse(), torch.zeros(4, 4).to_sparse()),),
    "sparse_resize_": (lambda make: (_sparse(make), (5, 5), 2, 0),),
    "sparse_resize_and_clear_": (lambda make: (_sparse(make), (5, 5), 2, 0),),
    "to_padded_tensor": (lambda make: (torch.nested.nested_tensor([make(2), make(3)], layout=torch.strided), 0.0),),
    # torch: transfers and casts
    "tensor:to": (lambda make: m_and(make, "cpu"), lambda make: m_and(make, torch.float16)),
    "tensor:type": (lambda make: m_and(make, torch.float16), lambda make: m_and(make, m(make).dtype)),
    "tensor:bitwise_and_": (lambda make: m_and(make, make(3, 3).flip(0)),),
    "tensor:bitwise_or_": (lambda make: m_and(make, make(3, 3).flip(0)),),
    "tensor:copysign_": (lambda make: m_and(make, -m(make)),),
    "frac_": (lambda make: (m(make) * 7,),),
    "nan_to_num_": (lambda make: (m(make) / torch.eye(3),),),
    "tensor:nextafter_": (lambda make: m_and(make, m(make) + 1),),
    "type_as": (lambda make: m_and(make, torch.ones(2)),),
    "chalf": (lambda make: m_and(make), lambda make: (m(make).chalf(),)),
    "cdouble": (lambda make: m_and(make), lambda make: (m(make).cdouble(),)),
    "half": (lambda make: m_and(make), lambda make: (m(make).half(),)),
    "bfloat16": (lambda make: m_and(make), lambda make: (m(make).bfloat16(),)),
    "byte": (lambda make: m_and(make), lambda make: (m(make).byte(),)),
    "char": (lambda make: m_and(make), lambda make: (m(make).char(),)),
    "tensor:short": (lambda make: m_and(make), lambda make: (m(make).short(),)),
    "tensor:__array__": (lambda make: m_and(make), lambda make: m_and(make, np.dtype("float16"))),
    "tensor:item": (lambda make: (make(1),),),
    "is_nonzero": (lambda make: (make(1),),),
    "tensor:new_tensor": (lambda make: m_and(make, [1]),),
    "new_full": (lambda make: m_and(make, (3, 3), 1),),
    "new_zeros": (lambda make: m_and(make, (3, 3)),),
    "new_ones": (lambda make: m_and(make, (3, 3)),),
    "new_empty": (lambda make: m_and(make, (3, 3)),),
    "new_empty_strided": (lambda make: m_and(make, (3, 3), (3, 1)),),
    "new": (lambda make: m_and(make, 3, 3),),
    "int_repr": (lambda make: (torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8),),),
    "dequantize": (
        lambda make: m_and(make),
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
    "torch:linalg.tensorsolve": (lambda make: m_and(make, make(3)),),
    "torch:linalg.multi_dot": (lambda make: ([m(make), m(make)],),),
    "torch:linalg.vander": (lambda make: (make(3),),),
    "torch:linalg.householder_product": (lambda make: m_and(make, make(3)),),
    "ormqr": (lambda make: m_and(make, make(3), m(make)),),
    "geqrf": (lambda make: m_and(make),),
    "renorm": (lambda make: m_and(make, 2, 0, 1.0),),
    "renorm_": (lambda make: m_and(make, 2, 0, 0.1),),
    "logit": (lambda make: m_and(make),),
    "quantile": (lambda make: m_and(make, 0.5),),
    "nanquantile": (lambda make: m_and(make, 0.5),),
    "kthvalue": (lambda make: m_and(make, 1),),
    "torch:sum": (lambda make: m_and(make), lambda make: m_and(make, 0)),
    "torch:prod": (lambda make: m_and(make), lambda make: m_and(make, 0)),
    "torch:multinomial": (lambda make: m_and(make, 2),),
    "tensor:multinomial": (lambda make: m_and(make, 2),),
    "nonzero_static": (lambda make: m_and(make, Options(size=9)),),
    "polygamma": (lambda make: (1, m(make)),),
    "tensor:polygamma": (lambda make: m_and(make, 1),),
    "tensor:polygamma_": (lambda make: m_and(make, 1),),
    "mvlgamma_": (lambda make: (make(3) + 2, 1),),
    "mvlgamma": (lambda make: (make(3) + 2, 1),),
    "multigammaln": (lambda make: (make(3) + 2, 1),),
    "geometric_": (lambda make: m_and(make, 0.5),),
    "map_": (lambda make: m_and(make, m(make), lambda a, b: a + b),),
    "map2_": (lambda make: m_and(make, m(make), m(make), lambda a, b, c: a + b + c),),
    "apply_": (lambda make: m_and(make, lambda a: a + 1),),
    "set_": (lambda make: m_and(make, m(make)),),
    "copy_": (lambda make: m_and(make, make(3, 3).flip(0)),),
    "resize_": (lambda make: m_and(make, 3, 2),),
    "rename_": (lambda make: m_and(make, None),),
    "clamp": (lambda make: m_and(make, m(make), m(make)), lambda make: m_and(make, 0)),
    "tensor:clip": (lambda make: m_and(make, m(make), m(make)),),
    "torch:clip": (lambda make: m_and(make, m(make), m(make)),),
    "clamp_": (lambda make: m_and(make, 0, 0.1),),
    "clip_": (lambda make: m_and(make, 0, 0.1),),
    "clamp_max_": (lambda make: m_and(make, -5),),
    "clamp_min_": (lambda make: m_and(make, 20),),
    "fill_": (lambda make: m_and(make, 0),),
    "normal": (lambda make: m_and(make),),
    "torch:normal": (lambda make: (m(make), 1.0),),
    "max": (lambda make: m_and(make), lambda make: m_and(make, 0)),
    "min": (lambda make: m_and(make), lambda make: m_and(make, 0)),
    "tensor:median": (lambda make: m_and(make), lambda make: m_and(make, 0)),
    "torch:median": (lambda make: m_and(make), lambda make: m_and(make, 0)),
    "tensor:nanmedian": (lambda make: m_and(make), lambda make: m_and(make, 0)),
    "torch:nanmedian": (lambda make: m_and(make), lambda make: m_and(make, 0)),
    "tensor:unique": (
        lambda make: m_and(make),
        lambda make: m_and(make, Options(return_inverse=True, return_counts=True)),
    ),
    "torch:unique": (
        lambda make: m_and(make),
        lambda make: m_and(make, Options(return_inverse=True, return_counts=True)),
    ),
    "unique_consecutive": (
        lambda make: m_and(make),
        lambda make: m_and(make, Options(return_inverse=True, return_counts=True)),
    ),
    "tensor:size": (lambda make: m_and(make), lambda make: m_and(make, 0)),
    "stride": (lambda make: m_and(make), lambda make: m_and(make, 0)),
    "register_hook": (lambda make: (make(3, of="float32").requires_grad_(), lambda grad: None),),
    "register_post_accumulate_grad_hook": (lambda make: (torch.ones(2, requires_grad=True), lambda tensor: None),),
    "backward": (lambda make: (torch.ones(2, requires_grad=True).sum(),),),
    "retain_grad": (lambda make: (torch.ones(2, requires_grad=True) * 2,),),
    "module_load": (lambda make: m_and(make, make(3, 3).flip(0)),),
    "tensor:grad": (lambda make: (_with_gradient(),),),
    "tensor:imag": (lambda make: (make(3, 3, of="complex64"),),),
    "torch:imag": (lambda make: (make(3, 3, of="complex64"),),),
    "view_as_real": (lambda make: (make(3, 3, of="complex64"),),),
    "view_as_complex": (lambda make: (make(3, 2),),),
    # torch: creation and import
    "linspace": (lambda make: (0, 1, 3),),
    "logspace": (lambda make: (0, 1, 3),),
    "torch:full": (lambda make: ((3, 3), 1.5),),
    "full_like": (lambda make: m_and(make, 1),),
    "empty_strided": (lambda make: ((3, 3), (3, 1)),),
    "empty_permuted": (lambda make: ((3, 3), (0, 1)),),
    "scalar_tensor": (lambda make: (3.0,),),
    "randint": (lambda make: (5, (3, 3)),),
    "randint_like": (lambda make: m_and(make, 5),),
    "torch:arange": (lambda make: (0.0, 1.0, 0.2), lambda make: (5,)),
    "torch:range": (lambda make: (1, 5),),
    "torch:tril_indices": (lambda make: (3, 3),),
    "torch:triu_indices": (lambda make: (3, 3),),
    "torch:from_numpy": (lambda make: (m(make).numpy(),),),
    "torch:frombuffer": (lambda make: (bytearray(m(make).numpy().tobytes()), Options(dtype=m(make).dtype)),),
    "torch:from_dlpack": (lambda make: m_and(make), lambda make: (m(make).numpy(),)),
    "torch:utils.dlpack.from_dlpack": (lambda make: m_and(make), lambda make: (m(make).numpy(),)),
    "torch:tensor": (lambda make: (m(make).detach().numpy(),), lambda make: m_and(make)),
    "torch:as_tensor": (
        lambda make: (m(make).detach().numpy(),),
        lambda make: m_and(make),
        lambda make: m_and(make, Options(dtype=torch.float16)),
    ),
    "torch:asarray": (
        lambda make: (m(make).detach().numpy(),),
        lambda make: m_and(make),
        lambda make: m_and(make, Options(copy=True)),
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
    "default_convert": (lambda make: (m(make).numpy(),), lambda make: m_and(make)),
    "default_collate": (lambda make: ([m(make), m(make)],),),
    "torch:load": (lambda make: (_saved(),),),
    "torch:save": (lambda make: m_and(make, io.BytesIO()),),
    # torch: joins and the rest
    "block_diag": (lambda make: m_and(make, m(make)),),
    "cartesian_prod": (lambda make: (make(3),), lambda make: (make(3), make(3))),
    "combinations": (lambda make: (make(3),),),
    "torch:fill": (lambda make: m_and(make, 0),),
    "torch:einsum": (lambda make: ("ij->ji", m(make)), lambda make: ("ij,jk->ik", m(make), m(make))),
    "torch:spmm": (lambda make: (_sparse(make), m(make)),),
    "torch:sparse.mm": (lambda make: (_sparse(make), m(make)),),
    "torch:complex": (lambda make: m_and(make, m(make)),),
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
    "layer_norm": (lambda make: m_and(make, (3,)),),
    "rms_norm": (lambda make: m_and(make, (3,)),),
    "torch:threshold": (lambda make: m_and(make, 0.3, 0.0),),
    "torch:nn.functional.threshold": (lambda make: m_and(make, 0.3, 0.0),),
    "threshold_": (lambda make: m_and(make, 20, 0),),
    "torch:dropout": (lambda make: m_and(make, 0.5, False), lambda make: m_and(make, 0.5, True)),
    "torch:feature_dropout": (lambda make: m_and(make, 0.5, False), lambda make: m_and(make, 0.5, True)),
    "torch:alpha_dropout": (lambda make: m_and(make, 0.5, False), lambda make: m_and(make, 0.5, True)),
    "torch:feature_alpha_dropout": (lambda make: m_and(make, 0.5, False), lambda make: m_and(make, 0.5, True)),
    "torch:batch_norm": (lambda make: m_and(make, None, None, None, None, True, 0.1, 1e-5, False),),
    "torch:instance_norm": (lambda make: (make(1, 3, 3), None, None, None, None, True, 0.1, 1e-5, False),),
    "conv1d": (lambda make: (make(1, 3, 5), make(2, 3, 2)),),
    "conv2d": (lambda make: (make(1, 3, 5, 5), make(2, 3, 2, 2)),),
    "conv3d": (lambda make: (make(1, 3, 5, 5, 5), make(2, 3, 2, 2, 2)),),
    "conv_transpose1d": (lambda make: (make(1, 3, 5), make(3, 2, 2)),),
    "conv_transpose2d": (lambda make: (make(1, 3, 5, 5), make(3, 2, 2, 2)),),
    "conv_transpose3d": (lambda make: (make(1, 3, 5, 5, 5), make(3, 2, 2, 2, 2)),),
    "constant_pad_nd": (lambda make: m_and(make, (1, 1)),),
    "channel_shuffle": (lambda make: (make(1, 4, 2, 2), 2),),
    "pixel_shuffle": (lambda make: (make(1, 4, 2, 2), 2),),
    "pixel_unshuffle": (lambda make: (make(1, 4, 2, 2), 2),),
    "torch:embedding": (lambda make: (m(make), index(make)),),
    "torch:pdist": (lambda make: m_and(make),),
    "torch:gradient": (lambda make: m_and(make),),
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
    "torch:nn.functional.pad": (lambda make: m_and(make, (1, 1)),),
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
    "torch:nn.functional.batch_norm": (lambda make: m_and(make, None, None, Options(training=True)),),
    "torch:nn.functional.instance_norm": (lambda make: (make(1, 3, 3),),),
    "cross_entropy": (lambda make: m_and(make, several(0, 1, 2)), lambda make: m_and(make, m(make))),
    "nll_loss": (lambda make: m_and(make, several(0, 1, 2)),),
    "multi_margin_loss": (lambda make: m_and(make, several(0, 1, 2)),),
    "cosine_embedding_loss": (lambda make: m_and(make, m(make), torch.ones(3)),),
    "ctc_loss": (lambda make: (make(5, 1, 3).log_softmax(2), several(1, 2)[None], several(5), several(2)),),
    "gaussian_nll_loss": (lambda make: m_and(make, m(make), m(make)),),
    "one_hot": (lambda make: (several(0, 2),),),
    "leaky_relu_": (lambda make: m_and(make),),
    "multi_head_attention_forward": (lambda make: _attention(make),),
    # torch.nn.init, torch.nn.utils
    "torch:nn.init.constant_": (lambda make: m_and(make, 3.0),),
    "torch:nn.init.dirac_": (lambda make: (make(3, 3, 3),),),
    "torch:nn.init.sparse_": (lambda make: m_and(make, 0.5),),
    "torch:nn.utils.clip_grad_norm_": (lambda make: ([_with_gradient()], 1.0),),
    "torch:nn.utils.clip_grad_value_": (lambda make: ([_with_gradient()], 1.0),),
}
