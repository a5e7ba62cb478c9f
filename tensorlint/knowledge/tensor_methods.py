"""What the methods and attributes of ``torch.Tensor`` do.

Names: every public name of ``dir(torch.Tensor)`` of torch 2.13.0 that does something there. Facts: measured on
torch 2.13.0 (CPU and ``meta``), in-place methods also against the alias annotations of PyTorch's operator schemas.
Rows of transfers to accelerators follow from the documentation; no accelerator was at hand.
"""

from __future__ import annotations

from collections.abc import Mapping

from tensorlint.knowledge.row import Device, Grad, Result, Row, Share, names, rows, table

_VIEW = Row(Result.TENSOR, Share.ALWAYS)
_MAYBE = Row(Result.TENSOR, Share.MAYBE)
_FRESH = Row(Result.TENSOR)
_PROMOTE = Row(Result.TENSOR, dtype="promote")
_FLOAT = Row(Result.TENSOR, dtype="float")
_ACCUMULATE = Row(Result.TENSOR, dtype="accumulate")
_BOOL = Row(Result.TENSOR, grad=Grad.NO, dtype="bool")
_INT64 = Row(Result.TENSOR, grad=Grad.NO, dtype="int64")
_SCALAR = Row(Result.SCALAR, Share.NONE, grad=Grad.NO, dtype="?")
_OTHER = Row(Result.OTHER, Share.NONE, grad=Grad.NO, dtype="?")
_CALLED = Row(Result.NONE, Share.NONE, grad=Grad.NO, dtype="?")
_PAIR = Row(Result.TENSOR_TUPLE, indices=(1,))
_TUPLE = Row(Result.TENSOR_TUPLE)
_WRITES = Row(Result.SAME, Share.ALWAYS, writes=(0,))
_HEADER = Row(Result.SAME, Share.ALWAYS)


def _cast(dtype: str, grad: Grad) -> Row:
    return Row(Result.TENSOR, Share.MAYBE, grad=grad, dtype=dtype)


_VIEWS = table(
    rows(
        _VIEW,
        "view_as squeeze unsqueeze transpose t permute movedim moveaxis swapaxes swapdims narrow select diagonal "
        "unflatten as_strided adjoint positive as_subclass slice_inverse conj resize resize_as",
    ),
    rows(Row(Result.TENSOR, Share.ALWAYS, dtype="argument"), "view"),
    rows(Row(Result.TENSOR, Share.ALWAYS, overlaps=True), "expand expand_as broadcast_to unfold"),
    rows(Row(Result.TENSOR, Share.ALWAYS, grad=Grad.NO), "detach"),
    rows(
        Row(Result.TENSOR_TUPLE, Share.ALWAYS),
        "unbind split chunk tensor_split hsplit vsplit dsplit split_with_sizes unsafe_split unsafe_chunk "
        "unsafe_split_with_sizes",
    ),
    # An alias when there is nothing to do: contiguous already, the layout allows it, real, dense, no bit to resolve.
    rows(
        _MAYBE,
        "contiguous reshape reshape_as flatten ravel conj_physical resolve_conj resolve_neg coalesce to_dense",
    ),
    rows(Row(Result.TENSOR, Share.MAYBE, dtype="float32"), "dequantize"),
    # Sparse tensors only: views of the parts.
    rows(_VIEW, "values"),
    rows(
        Row(Result.TENSOR, Share.ALWAYS, grad=Grad.NO, dtype="int64"),
        "indices crow_indices col_indices ccol_indices row_indices",
    ),
)

_TRANSFERS = table(
    rows(Row(Result.TENSOR, Share.MAYBE, device=Device.CPU), "cpu"),
    rows(Row(Result.TENSOR, Share.MAYBE, device=Device.ACCELERATOR), "cuda xpu ipu mtia"),
    rows(Row(Result.TENSOR, Share.MAYBE, device=Device.ARGUMENT, dtype="argument"), "to"),
    rows(Row(Result.TENSOR, Share.MAYBE, dtype="argument"), "type"),
    rows(Row(Result.TENSOR, Share.MAYBE, device=Device.OTHER, dtype="argument"), "type_as"),
    rows(Row(Result.TENSOR, Share.MAYBE, device=Device.CPU), "pin_memory"),
    rows(_cast("float32", Grad.KEEP), "float"),
    rows(_cast("float64", Grad.KEEP), "double"),
    rows(_cast("float16", Grad.KEEP), "half"),
    rows(_cast("bfloat16", Grad.KEEP), "bfloat16"),
    rows(_cast("complex32", Grad.KEEP), "chalf"),
    rows(_cast("complex64", Grad.KEEP), "cfloat"),
    rows(_cast("complex128", Grad.KEEP), "cdouble"),
    rows(_cast("bool", Grad.NO), "bool"),
    rows(_cast("uint8", Grad.NO), "byte"),
    rows(_cast("int8", Grad.NO), "char"),
    rows(_cast("int16", Grad.NO), "short"),
    rows(_cast("int32", Grad.NO), "int"),
    rows(_cast("int64", Grad.NO), "long"),
)

_EXPORTS = table(
    # numpy() is always a view, or raises; numpy(force=True) copies what is not on the CPU.
    rows(Row(Result.ARRAY, Share.ALWAYS, grad=Grad.NO, device=Device.CPU, force=True), "numpy"),
    rows(Row(Result.ARRAY, Share.MAYBE, grad=Grad.NO, device=Device.CPU, dtype="argument"), "__array__"),
    rows(_SCALAR, "item"),
    rows(_OTHER, "tolist storage untyped_storage __dlpack__ __dlpack_device__"),
)

_COPIES = table(
    rows(
        _FRESH,
        "clone repeat tile repeat_interleave flip fliplr flipud rot90 roll tril triu diag diag_embed diagflat "
        "diagonal_scatter select_scatter slice_scatter as_strided_scatter narrow_copy gather index_select take "
        "take_along_dim masked_select index_add index_copy index_fill index_put index_reduce masked_fill masked_scatter "
        "scatter scatter_add scatter_reduce put diff msort renorm bernoulli neg negative sgn sign relu prelu hardshrink "
        "ceil floor trunc fix frac round nan_to_num heaviside amax amin matmul mm bmm mv dot vdot inner addmm addmv addr "
        "addbmm baddbmm addcdiv addcmul cross matrix_power matrix_exp cholesky cholesky_inverse cholesky_solve inverse "
        "pinverse det logdet lu_solve orgqr ormqr mean nanmean quantile nanquantile lerp "
        "logcumsumexp softmax log_softmax bitwise_and bitwise_or bitwise_xor bitwise_not bitwise_left_shift "
        "bitwise_right_shift gcd lcm to_sparse to_sparse_coo to_sparse_csr to_sparse_csc to_sparse_bsr to_sparse_bsc "
        "to_mkldnn to_padded_tensor sparse_mask smm sspaddmm",
    ),
    rows(Row(Result.TENSOR, dtype="real"), "abs absolute std var norm"),
    rows(Row(Result.TENSOR, dtype="float-real"), "angle dist"),
    rows(Row(Result.TENSOR, grad=Grad.NO), "histc"),
    rows(
        _PROMOTE,
        "add sub subtract mul multiply pow remainder fmod floor_divide clamp clip clamp_min clamp_max maximum minimum "
        "fmax fmin outer ger kron where hypot igamma igammac logaddexp logaddexp2 nextafter square",
    ),
    rows(
        _FLOAT,
        "acos acosh arccos arccosh arcsin arcsinh arctan arctanh asin asinh atan atanh cos cosh deg2rad digamma erf "
        "erfc erfinv exp exp2 expm1 i0 lgamma log log10 log1p log2 logit logsumexp mvlgamma polygamma rad2deg reciprocal "
        "rsqrt sigmoid sin sinc sinh sqrt tan tanh corrcoef cov div divide true_divide atan2 arctan2 copysign ldexp xlogy",
    ),
    rows(Row(Result.TENSOR, dtype="double"), "float_power"),
    rows(_ACCUMULATE, "sum nansum prod cumsum cumprod trace"),
    rows(Row(Result.TENSOR, Share.MAYBE, dtype="?"), "sum_to_size"),
    rows(Row(Result.TENSOR, dtype="complex"), "stft"),
    rows(Row(Result.TENSOR, dtype="?"), "istft"),
    rows(
        Row(Result.TENSOR, grad=Grad.ARGUMENT, device=Device.LIKE, dtype="argument"),
        "new_tensor new_empty new_empty_strided new_full new_ones new_zeros",
    ),
    rows(Row(Result.TENSOR, grad=Grad.NO), "new"),
    rows(
        Row(Result.TENSOR, grad=Grad.NO, dtype="?"),
        "int_repr q_per_channel_scales q_per_channel_zero_points hash_tensor",
    ),
)

_WITHOUT_GRAD = table(
    rows(
        _BOOL,
        "eq ne lt le gt ge greater greater_equal less less_equal not_equal isclose isfinite isinf isnan isneginf isposinf "
        "isreal signbit logical_and logical_or logical_xor logical_not all any",
    ),
    rows(_INT64, "argmax argmin argsort argwhere nonzero nonzero_static count_nonzero multinomial"),
    rows(Row(Result.TENSOR, grad=Grad.NO, dtype="?"), "bincount"),
)

_TUPLES = table(
    rows(Row(Result.TENSOR_OR_TUPLE, indices=(1,)), "max min median nanmedian"),
    rows(_PAIR, "sort topk kthvalue mode cummax cummin"),
    rows(Row(Result.TENSOR_TUPLE, dtype="?", indices=(1,)), "frexp lu"),
    rows(_TUPLE, "aminmax geqrf qr triangular_solve histogram"),
    rows(Row(Result.TENSOR_TUPLE, dtype="?"), "slogdet svd"),
    # A tensor; a tuple with return_inverse= or return_counts=.
    rows(Row(Result.TENSOR_OR_TUPLE, indices=(1, 2)), "unique unique_consecutive"),
)

_PYTHON = table(
    rows(
        _SCALAR,
        "dim ndimension numel nelement element_size get_device storage_offset data_ptr const_data_ptr dense_dim sparse_dim "
        "allclose equal is_coalesced is_complex is_conj is_contiguous is_distributed is_floating_point is_inference is_neg "
        "is_nonzero is_pinned is_same_size is_set_to is_shared is_signed q_per_channel_axis q_scale q_zero_point __len__",
    ),
    rows(Row(Result.SIZE, Share.NONE, grad=Grad.NO, dtype="?"), "size stride dim_order"),
    rows(_OTHER, "storage_type qscheme register_hook register_post_accumulate_grad_hook reinforce"),
    rows(Row(Result.TENSOR, Share.ALWAYS, grad=Grad.NO, writes=(0,)), "module_load"),
    rows(_CALLED, "backward retain_grad record_stream"),
)

_IN_PLACE = table(
    rows(
        _WRITES,
        "abs_ absolute_ acos_ acosh_ add_ addbmm_ addcdiv_ addcmul_ addmm_ addmv_ addr_ apply_ arccos_ arccosh_ arcsin_ "
        "arcsinh_ arctan2_ arctan_ arctanh_ asin_ asinh_ atan2_ atan_ atanh_ baddbmm_ bernoulli_ bitwise_and_ "
        "bitwise_left_shift_ bitwise_not_ bitwise_or_ bitwise_right_shift_ bitwise_xor_ cauchy_ ceil_ clamp_ clamp_max_ "
        "clamp_min_ clip_ copy_ copysign_ cos_ cosh_ cumprod_ cumsum_ deg2rad_ digamma_ div_ divide_ eq_ erf_ erfc_ "
        "erfinv_ exp2_ exp_ expm1_ exponential_ fill_ fill_diagonal_ fix_ float_power_ floor_ floor_divide_ fmod_ frac_ "
        "gcd_ ge_ geometric_ greater_ greater_equal_ gt_ heaviside_ hypot_ i0_ igamma_ igammac_ index_add_ index_copy_ "
        "index_fill_ index_put_ index_reduce_ lcm_ ldexp_ le_ lerp_ less_ less_equal_ lgamma_ log10_ log1p_ log2_ log_ "
        "log_normal_ logical_and_ logical_not_ logical_or_ logical_xor_ logit_ lt_ map2_ map_ masked_fill_ "
        "masked_scatter_ mul_ multiply_ mvlgamma_ nan_to_num_ ne_ neg_ negative_ nextafter_ normal_ not_equal_ polygamma_ "
        "pow_ put_ rad2deg_ random_ reciprocal_ relu_ remainder_ renorm_ round_ rsqrt_ scatter_ scatter_add_ "
        "scatter_reduce_ sgn_ sigmoid_ sign_ sin_ sinc_ sinh_ sqrt_ square_ sub_ subtract_ tan_ tanh_ tril_ triu_ "
        "true_divide_ trunc_ uniform_ xlogy_ zero_ conj_physical_ sparse_resize_and_clear_",
    ),
    # These change the tensor object, never the elements of its storage.
    rows(
        _HEADER,
        "unsqueeze_ squeeze_ transpose_ t_ swapaxes_ swapdims_ as_strided_ resize_ resize_as_ share_memory_ rename_ "
        "resize_as_sparse_ sparse_resize_",
    ),
    # set_ puts the tensor on another storage: that of its argument.
    rows(Row(Result.SAME, Share.ALWAYS), "set_"),
    rows(Row(Result.SAME, Share.ALWAYS, grad=Grad.NO), "detach_"),
    rows(Row(Result.SAME, Share.ALWAYS, grad=Grad.YES), "requires_grad_"),
)

TENSOR_METHODS: Mapping[str, Row] = table(
    _VIEWS, _TRANSFERS, _EXPORTS, _COPIES, _WITHOUT_GRAD, _TUPLES, _PYTHON, _IN_PLACE
)

TENSOR_ATTRIBUTES: Mapping[str, Row] = table(
    rows(_VIEW, "T mT H mH"),
    rows(Row(Result.TENSOR, Share.ALWAYS, dtype="real"), "real imag"),
    rows(Row(Result.TENSOR, Share.ALWAYS, grad=Grad.NO), "data"),
    # The gradient has a storage of its own; it carries a graph only after backward(create_graph=True).
    rows(Row(Result.TENSOR, grad=Grad.NO), "grad"),
    rows(Row(Result.SIZE, Share.NONE, grad=Grad.NO, dtype="?"), "shape"),
    rows(Row(Result.DTYPE, Share.NONE, grad=Grad.NO, dtype="?"), "dtype grad_dtype"),
    rows(Row(Result.DEVICE, Share.NONE, grad=Grad.NO, dtype="?"), "device"),
    rows(
        _SCALAR,
        "is_cuda is_cpu is_mps is_xpu is_meta is_quantized is_sparse is_sparse_csr is_mkldnn is_nested is_leaf is_ipu "
        "is_maia is_mtia is_vulkan is_xla requires_grad retains_grad ndim itemsize nbytes output_nr _version",
    ),
    rows(_OTHER, "layout grad_fn name names volatile _base"),
)

#: Methods with a trailing underscore that overwrite elements.
IN_PLACE_METHODS: frozenset[str] = frozenset(
    name for name, row in TENSOR_METHODS.items() if name.endswith("_") and row.writes
)
#: Methods with a trailing underscore that overwrite none: they change shape, flags or storage of the tensor object.
HEADER_METHODS: frozenset[str] = frozenset(
    name for name, row in TENSOR_METHODS.items() if name.endswith("_") and not name.endswith("__") and not row.writes
)

#: Names whose use shows a torch tensor: on ``torch.Tensor``, and not on ``ndarray``, ``nn.Module``, the containers, files
#: and dates of the standard library, optimizers, distributions, data frames, nor the tensors of TensorFlow and JAX. Short
#: or general words (``t``, ``dim``, ``grad``, ``log``, ``scatter``, ``gather``) are left out, as other libraries use them.
#: Paddle and OneFlow copied this interface: there the imports of the file speak (``frameworks.FOREIGN_FRAMEWORKS``).
TENSOR_ONLY_METHODS: frozenset[str] = (
    IN_PLACE_METHODS
    | HEADER_METHODS
    | names(
        "addbmm addcdiv addcmul addmm addmv baddbmm bmm mm argwhere as_strided as_subclass aminmax amax amin atan2 backward "
        "bernoulli bitwise_and bitwise_not bitwise_or bitwise_xor broadcast_to cfloat chalf clamp clamp_max clamp_min "
        "col_indices conj_physical count_nonzero crow_indices cummax cummin data_ptr deg2rad rad2deg detach diag_embed "
        "diagflat diagonal_scatter dsplit element_size erf erfc erfinv exp2 expand_as expm1 fliplr flipud float_power fmax "
        "fmin fmod frac get_device grad_fn hardshrink hsplit index_add index_copy index_fill index_put index_select "
        "is_complex is_conj is_contiguous is_cpu is_cuda is_floating_point is_leaf is_meta is_mkldnn is_mps is_nested "
        "is_quantized is_sparse is_xpu isfinite isinf isneginf isposinf kthvalue lerp lgamma log10 log1p log2 log_softmax "
        "logaddexp logcumsumexp logdet logical_and logical_not logical_or logical_xor logit logsumexp masked_fill "
        "masked_scatter masked_select matmul moveaxis movedim multinomial mvlgamma nan_to_num nanmean nanmedian nansum narrow "
        "ndimension nelement new_empty new_full new_ones new_tensor new_zeros permute pin_memory pinverse polygamma "
        "record_stream register_hook relu repeat_interleave requires_grad reshape_as resolve_conj resolve_neg retain_grad "
        "retains_grad rsqrt scatter_add scatter_reduce select_scatter sigmoid signbit slice_scatter slogdet softmax "
        "split_with_sizes storage_offset swapdims take_along_dim tensor_split to_dense to_mkldnn to_sparse topk "
        "tril triu type_as unbind unflatten unsqueeze untyped_storage vdot view_as vsplit xlogy"
    )
) - names("map_ apply_ set_ t_ requires_grad_ share_memory_ rename_ copy_")
