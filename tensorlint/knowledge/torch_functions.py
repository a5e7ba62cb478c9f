"""What the functions below ``torch`` do. Keys are dotted names without the leading ``torch.``: ``"from_numpy"``,
``"nn.functional.relu"``, ``"linalg.norm"``.

A function that is also a method of ``Tensor`` shares its row; only ``out=`` is added where the function takes it.
Facts: measured on torch 2.13.0 (CPU and ``meta``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tensorlint.knowledge.row import Access, Device, Grad, Result, Row, Share, rows, table
from tensorlint.knowledge.tensor_methods import TENSOR_METHODS

_FRESH = Row(Result.TENSOR)
_OUT = Row(Result.TENSOR, out=True)
_OUT_PROMOTE = Row(Result.TENSOR, dtype="promote", out=True)
_PROMOTE = Row(Result.TENSOR, dtype="promote")
_FLOAT = Row(Result.TENSOR, dtype="float")
_VIEW = Row(Result.TENSOR, Share.ALWAYS)
_TUPLE = Row(Result.TENSOR_TUPLE)
_PAIR = Row(Result.TENSOR_TUPLE, indices=(1,))
_SCALAR = Row(Result.SCALAR, Share.NONE, grad=Grad.NO, dtype="?")
_OTHER = Row(Result.OTHER, Share.NONE, grad=Grad.NO, dtype="?")
_CALLED = Row(Result.NONE, Share.NONE, grad=Grad.NO, dtype="?")
_CREATION = Row(Result.TENSOR, grad=Grad.ARGUMENT, device=Device.DEFAULT, dtype="default-float", out=True)
_LIKE = Row(Result.TENSOR, grad=Grad.ARGUMENT, device=Device.LIKE, dtype="argument")


def _methods(text: str, *, out: bool = False) -> dict[str, Row]:
    return {name: replace(TENSOR_METHODS[name], out=out) for name in text.split()}


_SHARED = table(
    _methods(
        "abs absolute acos acosh add addbmm addcdiv addcmul addmm addmv addr all amax amin aminmax angle any arccos arccosh "
        "arcsin arcsinh arctan arctan2 arctanh argmax argmin asin asinh atan atan2 atanh baddbmm "
        "bernoulli bitwise_and bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift bitwise_xor bmm ceil "
        "cholesky cholesky_inverse cholesky_solve clamp clamp_max clamp_min clip copysign cos cosh "
        "cross cummax cummin cumprod cumsum deg2rad diag diff digamma div "
        "divide dot eq erf erfc erfinv exp exp2 expm1 fix float_power floor floor_divide fmax fmin fmod frac frexp "
        "gather gcd ge geqrf ger greater greater_equal gt hardshrink heaviside histc histogram hypot i0 igamma igammac "
        "index_add index_copy index_reduce index_select inner inverse isneginf isposinf "
        "kron kthvalue lcm ldexp le lerp less less_equal lgamma log log10 log1p log2 log_softmax logaddexp logaddexp2 "
        "logcumsumexp logical_and logical_not logical_or logical_xor logit logsumexp lt lu_solve "
        "masked_select matmul matrix_power max maximum mean median min minimum mm mode msort mul multinomial "
        "multiply mv mvlgamma nan_to_num nanmean nanmedian nanquantile nansum narrow_copy ne neg negative nextafter nonzero "
        "norm not_equal orgqr ormqr outer polygamma pow prod qr quantile rad2deg reciprocal remainder renorm "
        "round rsqrt scatter scatter_add scatter_reduce sgn sigmoid sign "
        "signbit sin sinc sinh slice_scatter slogdet softmax sort sqrt square std sub subtract sum svd take take_along_dim "
        "tan tanh topk conj_physical lu triangular_solve tril triu true_divide trunc var vdot where xlogy",
        out=True,
    ),
    _methods(
        "adjoint allclose argwhere as_strided broadcast_to chunk clone conj corrcoef cov dequantize det "
        "detach diagflat diagonal dsplit equal flatten fliplr flipud get_device hsplit is_complex is_conj is_distributed "
        "is_floating_point is_inference is_neg is_nonzero is_same_size is_signed isclose isfinite isreal istft logdet "
        "matrix_exp moveaxis movedim narrow numel permute pinverse positive prelu ravel reshape resolve_conj resolve_neg "
        "select split split_with_sizes squeeze stft swapaxes swapdims t tensor_split tile transpose unbind unflatten unique "
        "unsafe_chunk unsafe_split unsafe_split_with_sizes unsqueeze vsplit smm sspaddmm argsort as_strided_scatter bincount count_nonzero diag_embed diagonal_scatter dist flip index_fill index_put isinf isnan masked_fill masked_scatter put relu repeat_interleave roll rot90 select_scatter trace unique_consecutive"
    ),
    _methods(
        "abs_ acos_ acosh_ addmv_ arccos_ arccosh_ arcsin_ arcsinh_ arctan_ arctanh_ asin_ asinh_ atan_ atanh_ ceil_ clamp_ "
        "clamp_max_ clamp_min_ clip_ conj_physical_ cos_ cosh_ deg2rad_ erf_ erfc_ exp2_ exp_ expm1_ fill_ fix_ floor_ "
        "frac_ gcd_ i0_ index_put_ lcm_ ldexp_ log10_ log1p_ log2_ log_ logit_ nan_to_num_ neg_ negative_ rad2deg_ "
        "reciprocal_ relu_ round_ rsqrt_ sigmoid_ sin_ sinc_ sinh_ sqrt_ square_ tan_ tanh_ trunc_ xlogy_ zero_ "
        "detach_ as_strided_ resize_as_"
    ),
    rows(Row(Result.TENSOR, Share.ALWAYS, dtype="real"), "real imag view_as_real"),
    rows(Row(Result.TENSOR, Share.ALWAYS, dtype="complex"), "view_as_complex"),
)

_CREATION_ROWS = table(
    rows(_CREATION, "zeros ones empty eye linspace logspace rand randn"),
    rows(replace(_CREATION, out=False), "hann_window hamming_window bartlett_window blackman_window kaiser_window"),
    rows(replace(_CREATION, out=False), "empty_strided empty_permuted scalar_tensor"),
    rows(replace(_CREATION, grad=Grad.NO, dtype="int64"), "randint randperm"),
    # int64 for integer arguments, the default float otherwise.
    rows(replace(_CREATION, dtype="?"), "arange range full"),
    rows(replace(_CREATION, dtype="int64", grad=Grad.NO, out=False), "tril_indices triu_indices"),
    rows(_LIKE, "zeros_like ones_like empty_like full_like rand_like randn_like randint_like"),
    rows(Row(Result.TENSOR, dtype="keep", out=True), "normal"),
    rows(_FRESH, "poisson binomial"),
)

_IMPORTS = table(
    rows(Row(Result.TENSOR, Share.ALWAYS, grad=Grad.NO, device=Device.CPU), "from_numpy"),
    rows(
        Row(Result.TENSOR, Share.ALWAYS, grad=Grad.ARGUMENT, device=Device.CPU, dtype="argument", access=Access.BUFFER),
        "frombuffer",
    ),
    rows(Row(Result.TENSOR, Share.ALWAYS), "from_dlpack utils.dlpack.from_dlpack"),
    # A copy of anything; of a tensor it drops the graph (and warns).
    rows(Row(Result.TENSOR, grad=Grad.ARGUMENT, device=Device.DEFAULT, dtype="argument"), "tensor"),
    rows(Row(Result.TENSOR, Share.MAYBE, device=Device.LIKE, dtype="argument"), "as_tensor asarray"),
    # The legacy constructors: an array or tensor of exactly that dtype is aliased, all else is cast and copied.
    rows(Row(Result.TENSOR, Share.MAYBE, device=Device.CPU, dtype="float32"), "Tensor FloatTensor"),
    rows(Row(Result.TENSOR, Share.MAYBE, device=Device.CPU, dtype="float64"), "DoubleTensor"),
    rows(Row(Result.TENSOR, Share.MAYBE, device=Device.CPU, dtype="float16"), "HalfTensor"),
    rows(Row(Result.TENSOR, Share.MAYBE, device=Device.CPU, dtype="bfloat16"), "BFloat16Tensor"),
    rows(Row(Result.TENSOR, Share.MAYBE, grad=Grad.NO, device=Device.CPU, dtype="int64"), "LongTensor"),
    rows(Row(Result.TENSOR, Share.MAYBE, grad=Grad.NO, device=Device.CPU, dtype="int32"), "IntTensor"),
    rows(Row(Result.TENSOR, Share.MAYBE, grad=Grad.NO, device=Device.CPU, dtype="int16"), "ShortTensor"),
    rows(Row(Result.TENSOR, Share.MAYBE, grad=Grad.NO, device=Device.CPU, dtype="int8"), "CharTensor"),
    rows(Row(Result.TENSOR, Share.MAYBE, grad=Grad.NO, device=Device.CPU, dtype="uint8"), "ByteTensor"),
    rows(Row(Result.TENSOR, Share.MAYBE, grad=Grad.NO, device=Device.CPU, dtype="bool"), "BoolTensor"),
    rows(Row(Result.TENSOR, device=Device.ACCELERATOR, dtype="float32"), "cuda.FloatTensor"),
    rows(Row(Result.TENSOR, device=Device.ACCELERATOR, dtype="float64"), "cuda.DoubleTensor"),
    rows(Row(Result.TENSOR, device=Device.ACCELERATOR, dtype="float16"), "cuda.HalfTensor"),
    rows(Row(Result.TENSOR, grad=Grad.NO, device=Device.ACCELERATOR, dtype="int64"), "cuda.LongTensor"),
    rows(Row(Result.TENSOR, grad=Grad.NO, device=Device.ACCELERATOR, dtype="int32"), "cuda.IntTensor"),
    rows(Row(Result.TENSOR, grad=Grad.NO, device=Device.ACCELERATOR, dtype="uint8"), "cuda.ByteTensor"),
    rows(Row(Result.TENSOR, grad=Grad.NO, device=Device.ACCELERATOR, dtype="bool"), "cuda.BoolTensor"),
    # A parameter is its data under another name; a buffer keeps what the data says about the gradient.
    rows(Row(Result.TENSOR, Share.ALWAYS, grad=Grad.YES), "nn.Parameter nn.parameter.Parameter"),
    rows(Row(Result.TENSOR, Share.ALWAYS), "nn.Buffer nn.parameter.Buffer"),
    rows(Row(Result.TENSOR, Share.ALWAYS, grad=Grad.ARGUMENT), "autograd.Variable"),
    rows(
        Row(Result.OTHER, Share.NONE, grad=Grad.NO, device=Device.MAP, dtype="?"),
        "load hub.load hub.load_state_dict_from_url",
    ),
    # Arrays and tensors; the elements of containers likewise, anything else as it is.
    rows(Row(Result.TENSOR, Share.ALWAYS), "utils.data.default_convert utils.data._utils.collate.default_convert"),
    rows(
        _FRESH,
        "utils.data.default_collate utils.data.dataloader.default_collate utils.data._utils.collate.default_collate",
    ),
)

_JOINS = table(
    rows(_OUT_PROMOTE, "cat concat concatenate stack column_stack dstack hstack vstack row_stack"),
    rows(_FRESH, "block_diag combinations"),
    rows(Row(Result.TENSOR, Share.MAYBE), "cartesian_prod"),
    rows(_VIEW, "atleast_1d atleast_2d atleast_3d"),
    rows(Row(Result.TENSOR_TUPLE, Share.ALWAYS, source=-1, overlaps=True), "broadcast_tensors meshgrid"),
)

_OTHERS = table(
    rows(
        _OUT,
        "squeeze_copy view_copy detach_copy expand_copy permute_copy select_copy t_copy transpose_copy "
        "unsqueeze_copy diagonal_copy alias_copy as_strided_copy unfold_copy",
    ),
    rows(_FRESH, "fill"),
    rows(_OUT, "tensordot chain_matmul spmm dsmm threshold"),
    rows(_PROMOTE, "rsub"),
    rows(
        _FRESH,
        "celu selu rrelu group_norm layer_norm rms_norm max_pool1d max_pool2d avg_pool1d bilinear conv1d",
    ),
    rows(_FRESH, "conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d constant_pad_nd channel_shuffle"),
    rows(_FRESH, "pixel_shuffle pixel_unshuffle embedding adaptive_avg_pool1d pdist cdist batch_norm instance_norm"),
    rows(Row(Result.TENSOR, Share.MAYBE), "dropout feature_dropout alpha_dropout feature_alpha_dropout einsum"),
    rows(_FLOAT, "trapezoid trapz cumulative_trapezoid cosine_similarity"),
    rows(Row(Result.TENSOR, dtype="float-real"), "pairwise_distance"),
    rows(Row(Result.TENSOR, dtype="accumulate"), "vander"),
    rows(Row(Result.TENSOR, dtype="complex", out=True), "complex polar"),
    rows(Row(Result.TENSOR, grad=Grad.NO, dtype="bool", out=True), "isin"),
    rows(Row(Result.TENSOR, grad=Grad.NO, dtype="int64", out=True), "bucketize searchsorted"),
    rows(Row(Result.TENSOR_TUPLE, grad=Grad.NO, dtype="int64"), "unravel_index"),
    rows(Row(Result.TENSOR_TUPLE, dtype="float"), "gradient"),
    rows(_TUPLE, "lobpcg"),
    rows(replace(_TUPLE, out=True), "unbind_copy split_copy split_with_sizes_copy"),
    rows(Row(Result.TENSOR_TUPLE, dtype="?"), "std_mean var_mean svd_lowrank pca_lowrank"),
    rows(_FRESH, "sparse.mm"),
    # The values are aliased, and differentiable.
    rows(Row(Result.TENSOR, Share.ALWAYS, 1, device=Device.LIKE, dtype="argument"), "sparse_coo_tensor"),
    rows(
        Row(Result.TENSOR, Share.ALWAYS, 2, device=Device.LIKE, dtype="argument"), "sparse_csr_tensor sparse_csc_tensor"
    ),
    rows(Row(Result.TENSOR_TUPLE, grad=Grad.NO, dtype="?"), "autograd.grad"),
    rows(_CALLED, "autograd.backward save set_default_dtype set_default_device"),
    rows(
        _SCALAR,
        "is_tensor is_storage is_grad_enabled is_inference_mode_enabled typename can_cast cuda.is_available "
        "cuda.device_count backends.mps.is_available",
    ),
    rows(Row(Result.DTYPE, Share.NONE, grad=Grad.NO, dtype="?"), "result_type promote_types get_default_dtype"),
    rows(Row(Result.DEVICE, Share.NONE, grad=Grad.NO, dtype="?"), "device get_default_device"),
    rows(Row(Result.SIZE, Share.NONE, grad=Grad.NO, dtype="?"), "Size broadcast_shapes"),
    rows(_OTHER, "to_dlpack utils.dlpack.to_dlpack manual_seed Generator"),
    rows(Row(Result.TENSOR, grad=Grad.NO, device=Device.CPU, dtype="uint8"), "get_rng_state"),
)


def _under(prefix: str, *parts: Mapping[str, Row]) -> dict[str, Row]:
    return {f"{prefix}.{name}": row for name, row in table(*parts).items()}


_INPLACE = Row(Result.TENSOR, inplace=True)

_FUNCTIONAL = _under(
    "nn.functional",
    rows(
        _FRESH,
        "glu log_softmax softmax softmin gumbel_softmax "
        "layer_norm group_norm rms_norm batch_norm instance_norm bilinear "
        "conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d avg_pool1d "
        "adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d "
        "interpolate upsample upsample_nearest upsample_bilinear grid_sample affine_grid pad pixel_shuffle pixel_unshuffle "
        "channel_shuffle fold unfold embedding embedding_bag max_unpool1d max_unpool2d max_unpool3d pdist prelu "
        "scaled_dot_product_attention",
    ),
    rows(_OUT, "gelu hardshrink logsigmoid softplus softshrink normalize linear avg_pool2d avg_pool3d"),
    # With return_indices=True a pair of values and int64 indices.
    rows(
        Row(Result.TENSOR_OR_TUPLE, indices=(1,)),
        "max_pool1d max_pool2d max_pool3d adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d "
        "fractional_max_pool2d fractional_max_pool3d",
    ),
    rows(_INPLACE, "relu relu6 leaky_relu elu celu selu rrelu silu mish hardtanh hardsigmoid hardswish threshold"),
    # Returns its input when training=False or p=0.
    rows(
        Row(Result.TENSOR, Share.MAYBE, inplace=True),
        "dropout dropout1d dropout2d dropout3d alpha_dropout feature_alpha_dropout",
    ),
    rows(
        Row(Result.SAME, Share.ALWAYS, writes=(0,)),
        "relu_ leaky_relu_ elu_ celu_ selu_ rrelu_ hardtanh_ threshold_",
    ),
    rows(
        _FLOAT,
        "sigmoid tanh softsign tanhshrink lp_pool1d lp_pool2d lp_pool3d local_response_norm margin_ranking_loss poisson_nll_loss",
    ),
    rows(
        Row(Result.TENSOR, dtype="float-real"),
        "l1_loss pairwise_distance triplet_margin_loss triplet_margin_with_distance_loss",
    ),
    rows(
        _PROMOTE,
        "mse_loss smooth_l1_loss binary_cross_entropy_with_logits kl_div multilabel_soft_margin_loss cosine_similarity",
    ),
    rows(
        _FRESH,
        "cross_entropy nll_loss binary_cross_entropy huber_loss hinge_embedding_loss soft_margin_loss gaussian_nll_loss "
        "multi_margin_loss multilabel_margin_loss cosine_embedding_loss ctc_loss",
    ),
    rows(Row(Result.TENSOR, grad=Grad.NO, dtype="int64"), "one_hot"),
    rows(Row(Result.TENSOR_TUPLE), "multi_head_attention_forward"),
)

_LINALG = _under(
    "linalg",
    rows(
        _OUT,
        "cholesky det inv pinv tensorinv householder_product solve "
        "tensorsolve vecdot cross matmul multi_dot matrix_power solve_triangular lu_solve ldl_solve",
    ),
    rows(Row(Result.TENSOR, dtype="real", out=True), "cond eigvalsh norm svdvals vector_norm matrix_norm"),
    rows(_FRESH, "matrix_exp"),
    rows(Row(Result.TENSOR, Share.ALWAYS), "diagonal"),
    rows(Row(Result.TENSOR, grad=Grad.NO, dtype="int64", out=True), "matrix_rank"),
    rows(Row(Result.TENSOR, dtype="complex", out=True), "eigvals"),
    rows(Row(Result.TENSOR_TUPLE, dtype="complex", out=True), "eig"),
    rows(Row(Result.TENSOR_TUPLE, out=True), "qr"),
    rows(Row(Result.TENSOR_TUPLE, dtype="?", out=True), "eigh slogdet svd"),
    rows(Row(Result.TENSOR_TUPLE, dtype="?", indices=(0,), out=True), "lu"),
    rows(
        Row(Result.TENSOR_TUPLE, dtype="?", indices=(1,), out=True), "cholesky_ex inv_ex solve_ex ldl_factor lu_factor"
    ),
    rows(Row(Result.TENSOR_TUPLE, dtype="?", indices=(1, 2), out=True), "ldl_factor_ex lu_factor_ex"),
    rows(Row(Result.TENSOR_TUPLE, dtype="?", indices=(2, 3), out=True), "lstsq"),
    rows(Row(Result.TENSOR, dtype="accumulate"), "vander"),
)

_FFT = _under(
    "fft",
    rows(
        Row(Result.TENSOR, dtype="complex", out=True),
        "fft fft2 fftn ifft ifft2 ifftn ihfft ihfft2 ihfftn rfft rfft2 rfftn",
    ),
    rows(Row(Result.TENSOR, dtype="?", out=True), "hfft hfft2 hfftn irfft irfft2 irfftn"),
    rows(_CREATION, "fftfreq rfftfreq"),
    rows(_FRESH, "fftshift ifftshift"),
)

_SPECIAL = _under(
    "special",
    rows(
        Row(Result.TENSOR, dtype="float", out=True),
        "digamma entr erf erfc erfcx erfinv exp2 expit expm1 gammaln i0 i0e i1 i1e log1p log_ndtr logit logsumexp ndtr ndtri "
        "psi sinc xlog1py xlogy zeta gammainc gammaincc multigammaln polygamma",
    ),
    rows(_FRESH, "log_softmax softmax"),
    rows(_OUT, "round"),
    rows(
        Row(Result.TENSOR, grad=Grad.NO, dtype="float", out=True),
        "airy_ai bessel_j0 bessel_j1 bessel_y0 bessel_y1 modified_bessel_i0 modified_bessel_i1 modified_bessel_k0 "
        "modified_bessel_k1 scaled_modified_bessel_k0 scaled_modified_bessel_k1 spherical_bessel_j0 "
        "chebyshev_polynomial_t chebyshev_polynomial_u chebyshev_polynomial_v chebyshev_polynomial_w hermite_polynomial_h "
        "hermite_polynomial_he laguerre_polynomial_l legendre_polynomial_p shifted_chebyshev_polynomial_t "
        "shifted_chebyshev_polynomial_u shifted_chebyshev_polynomial_v shifted_chebyshev_polynomial_w",
    ),
)

_INIT = table(
    rows(
        Row(Result.SAME, Share.ALWAYS, writes=(0,)),
        "nn.init.uniform_ nn.init.normal_ nn.init.trunc_normal_ nn.init.constant_ nn.init.ones_ nn.init.zeros_ nn.init.eye_ "
        "nn.init.dirac_ nn.init.xavier_uniform_ nn.init.xavier_normal_ nn.init.kaiming_uniform_ nn.init.kaiming_normal_ "
        "nn.init.orthogonal_ nn.init.sparse_",
    ),
    # Scale the gradients of the parameters in place, not the parameters; the norm is the result.
    rows(Row(Result.TENSOR, grad=Grad.NO), "nn.utils.clip_grad_norm_"),
    rows(_CALLED, "nn.utils.clip_grad_value_"),
    rows(_FRESH, "nn.utils.parameters_to_vector nn.utils.rnn.pad_sequence"),
)

TORCH_FUNCTIONS: Mapping[str, Row] = table(
    _SHARED, _CREATION_ROWS, _IMPORTS, _JOINS, _OTHERS, _FUNCTIONAL, _LINALG, _FFT, _SPECIAL, _INIT
)
