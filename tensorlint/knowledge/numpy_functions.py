"""What the functions below ``numpy`` do to arrays, and what they do when they are handed a torch tensor.

Keys are dotted names without the leading ``numpy.``: ``"asarray"``, ``"random.shuffle"``, ``"add.at"``. Measured on
NumPy 2.4.6 with torch 2.13.0; names that only older or newer versions have (``float_``, ``in1d``, ``product``,
``row_stack``, ``trapz``, ``alltrue``, ...) follow their documented successors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tensorlint.knowledge.row import Access, Device, Grad, Result, Row, Share, names, rows, table


def _array(dtype: str = "keep", share: Share = Share.NEVER) -> Row:
    return Row(Result.ARRAY, share, grad=Grad.NO, device=Device.CPU, dtype=dtype)


def _number(dtype: str) -> Row:
    return Row(Result.NUMPY_SCALAR, Share.NONE, grad=Grad.NO, device=Device.CPU, dtype=dtype)


def _tuple(dtype: str = "keep", share: Share = Share.NEVER) -> Row:
    return Row(Result.ARRAY_TUPLE, share, grad=Grad.NO, device=Device.CPU, dtype=dtype)


def _out(row: Row) -> Row:
    return replace(row, out=True)


_VIEW = _array(share=Share.ALWAYS)
_MAYBE = _array(share=Share.MAYBE)
_SCALAR = Row(Result.SCALAR, Share.NONE, grad=Grad.NO, device=Device.CPU, dtype="?")
_OTHER = Row(Result.OTHER, Share.NONE, grad=Grad.NO, device=Device.CPU, dtype="?")
_CALLED = Row(Result.NONE, Share.NONE, grad=Grad.NO, device=Device.CPU, dtype="?")
_WRITES = replace(_CALLED, writes=(0,))
_SAMPLE = Row(Result.SAMPLE, Share.NONE, grad=Grad.NO, device=Device.CPU, dtype="float64")

_UFUNCS_FLOAT = (
    "acos acosh arccos arccosh arcsin arcsinh arctan arctanh asin asinh atan atanh cbrt cos cosh deg2rad degrees exp exp2 "
    "expm1 log log10 log1p log2 rad2deg radians sin sinh sqrt tan tanh fabs rint spacing"
)
_UFUNCS_FLOAT_2 = "arctan2 atan2 divide true_divide copysign hypot logaddexp logaddexp2 nextafter heaviside ldexp"
_UFUNCS_REAL = "absolute abs"
_UFUNCS_KEEP = "negative positive sign square reciprocal conj conjugate ceil floor trunc"
_UFUNCS_KEEP_2 = (
    "add subtract multiply floor_divide mod remainder fmod power pow maximum minimum fmax fmin matmul vecdot"
)
_UFUNCS_INTEGER_2 = (
    "bitwise_and bitwise_or bitwise_xor left_shift right_shift bitwise_left_shift bitwise_right_shift gcd lcm"
)
_UFUNCS_BOOL = "isnan isinf isfinite signbit logical_not isneginf isposinf"
_UFUNCS_BOOL_2 = "greater greater_equal less less_equal equal not_equal logical_and logical_or logical_xor"

#: What is computed of each element, or of each pair: the result has the dimensions of what goes in.
ELEMENTWISE: frozenset[str] = names(
    f"{_UFUNCS_FLOAT} {_UFUNCS_FLOAT_2} {_UFUNCS_REAL} {_UFUNCS_KEEP} {_UFUNCS_KEEP_2} {_UFUNCS_INTEGER_2} float_power "
    f"{_UFUNCS_BOOL} {_UFUNCS_BOOL_2} invert bitwise_not bitwise_invert clip nan_to_num around round"
) - names("matmul vecdot")

_UFUNC_ROWS = table(
    rows(_out(_array("float")), f"{_UFUNCS_FLOAT} {_UFUNCS_FLOAT_2}"),
    rows(
        _out(_array("promote")),
        f"{_UFUNCS_KEEP} {_UFUNCS_KEEP_2} {_UFUNCS_INTEGER_2} invert bitwise_not bitwise_invert",
    ),
    rows(_out(_array("real")), _UFUNCS_REAL),
    rows(_out(_array("double")), "float_power"),
    rows(_out(_array("bool")), f"{_UFUNCS_BOOL} {_UFUNCS_BOOL_2}"),
    rows(_out(_tuple("float")), "modf"),
    rows(_out(_tuple("?")), "frexp"),
    rows(_out(_tuple("promote")), "divmod"),
    rows(_WRITES, "add.at subtract.at multiply.at divide.at maximum.at minimum.at logical_or.at logical_and.at"),
    rows(
        _out(_array("?")),
        "add.reduce multiply.reduce maximum.reduce minimum.reduce logical_and.reduce logical_or.reduce",
    ),
    rows(_out(_array("?")), "add.accumulate add.reduceat maximum.accumulate minimum.accumulate multiply.accumulate"),
)

_VIEW_ROWS = table(
    rows(
        _VIEW,
        "squeeze transpose permute_dims matrix_transpose linalg.matrix_transpose swapaxes moveaxis rollaxis expand_dims "
        "atleast_1d atleast_2d atleast_3d trim_zeros",
    ),
    rows(_array("real", Share.ALWAYS), "real"),
    rows(_array("?", Share.ALWAYS), "real_if_close"),
    rows(_tuple(share=Share.ALWAYS), "split array_split hsplit vsplit dsplit unstack"),
    rows(replace(_VIEW, negative_strides=True), "flip fliplr flipud rot90"),
    rows(replace(_VIEW, access=Access.NEVER), "diagonal linalg.diagonal"),
    rows(replace(_MAYBE, access=Access.NEVER), "diag"),
    rows(replace(_VIEW, access=Access.NEVER, overlaps=True), "broadcast_to lib.stride_tricks.sliding_window_view"),
    rows(replace(_VIEW, overlaps=True), "lib.stride_tricks.as_strided"),
    rows(replace(_tuple(share=Share.ALWAYS), source=-1, overlaps=True), "broadcast_arrays"),
    rows(replace(_tuple("?", Share.MAYBE), source=-1), "ix_"),
    # The array itself when dtype and layout fit.
    rows(
        _array("argument", Share.MAYBE),
        "asarray asanyarray ascontiguousarray asfortranarray require asarray_chkfinite asmatrix asfarray",
    ),
    rows(_MAYBE, "ravel reshape"),
    rows(replace(_array("argument", Share.ALWAYS), access=Access.BUFFER), "frombuffer"),
    rows(_VIEW, "from_dlpack"),
    # Of a real array a fresh read-only array of zeros, of a complex one a view.
    rows(_array("real", Share.MAYBE), "imag"),
)

#: Scalar types called as functions: of an array a cast, which returns the very array when the dtype is the same.
_CASTS = {
    "bool_": "bool",
    "bool": "bool",
    "uint8": "uint8",
    "ubyte": "uint8",
    "int8": "int8",
    "byte": "int8",
    "int16": "int16",
    "short": "int16",
    "int32": "int32",
    "intc": "int32",
    "int64": "int64",
    "int_": "int64",
    "intp": "int64",
    "float16": "float16",
    "half": "float16",
    "float32": "float32",
    "single": "float32",
    "float64": "float64",
    "double": "float64",
    "float_": "float64",
    "complex64": "complex64",
    "csingle": "complex64",
    "complex128": "complex128",
    "cdouble": "complex128",
    "uint16": "?",
    "uint32": "?",
    "uint64": "?",
    "longlong": "?",
    "longdouble": "?",
}
_CAST_ROWS = {name: _array(dtype, Share.MAYBE) for name, dtype in _CASTS.items()}

_COPY_ROWS = table(
    rows(_array("argument"), "array copy astype matrix"),
    rows(_array("default-float"), "zeros ones empty eye identity linspace logspace geomspace loadtxt genfromtxt"),
    rows(
        _array("argument"), "full zeros_like ones_like empty_like full_like fromiter fromfunction fromfile fromstring"
    ),
    rows(_array("?"), "arange indices tri where select piecewise apply_along_axis vander block"),
    rows(_array("float64"), "hanning hamming blackman bartlett kaiser"),
    rows(_out(_array("promote")), "stack concatenate concat"),
    rows(
        _array("promote"),
        "vstack hstack column_stack row_stack dstack append insert kron cross tensordot convolve correlate union1d intersect1d setxor1d",
    ),
    rows(
        _array(),
        "repeat tile roll pad delete resize sort partition unique tril triu diff ediff1d nan_to_num diagflat take_along_axis "
        "extract fft.fftshift fft.ifftshift random.permutation setdiff1d unique_values",
    ),
    rows(_out(_array()), "take compress round around fix"),
    rows(_out(_array("promote")), "clip"),
    rows(_out(_array("?")), "choose"),
    rows(_array("?"), "sort_complex"),
    rows(_array("float"), "sinc i0 unwrap histogram_bin_edges"),
    rows(_array("float-real"), "angle linalg.svdvals"),
    rows(_array("double"), "cov corrcoef interp"),
    rows(_out(_array("promote")), "dot outer einsum linalg.multi_dot"),
    rows(_array("promote"), "inner"),
    rows(
        _array("promote"), "linalg.matmul linalg.outer linalg.cross linalg.tensordot linalg.vecdot linalg.matrix_power"
    ),
    rows(
        _array("float"),
        "linalg.inv linalg.pinv linalg.solve linalg.cholesky linalg.tensorinv linalg.tensorsolve",
    ),
    rows(_array("?"), "linalg.eigvals linalg.eigvalsh roots poly polyfit polyval polyadd polymul polyder polyint"),
    # ifft2(), hfft() and irfft2() take out= too, and NumPy 2.4.6 leaves it alone.
    rows(
        _out(_array("complex")), "fft.fft fft.fft2 fft.fftn fft.ifft fft.ifftn fft.ihfft fft.rfft fft.rfft2 fft.rfftn"
    ),
    rows(_array("complex"), "fft.ifft2"),
    rows(_out(_array("?")), "fft.irfft fft.irfftn"),
    rows(_array("?"), "fft.hfft fft.irfft2 fft.fftfreq fft.rfftfreq"),
    rows(
        _array("int64"),
        "argsort argpartition argwhere flatnonzero searchsorted digitize bincount lexsort ravel_multi_index",
    ),
    rows(_array("uint8"), "packbits unpackbits"),
    rows(_out(_array("uint8")), "bitwise_count"),
    rows(_array("bool"), "isclose isin in1d iscomplex isreal"),
    rows(_out(_array("accumulate")), "cumsum cumprod nancumsum nancumprod cumulative_sum cumulative_prod"),
    rows(
        _tuple("?"),
        "linalg.eig linalg.eigh linalg.svd linalg.qr linalg.slogdet linalg.lstsq histogram histogram2d histogramdd",
    ),
    rows(_tuple("?"), "unique_all unique_counts unique_inverse"),
    rows(
        _tuple("int64"),
        "nonzero unravel_index diag_indices tril_indices triu_indices diag_indices_from tril_indices_from",
    ),
    rows(_tuple("int64"), "triu_indices_from mask_indices"),
    rows(_tuple(), "meshgrid"),
    # Of a one-dimensional array an array.
    rows(_tuple("float"), "gradient"),
)

_NUMBER_ROWS = table(
    rows(_out(_number("accumulate")), "sum prod nansum nanprod"),
    rows(_out(_number("accumulate")), "trace"),
    rows(_number("accumulate"), "linalg.trace"),
    rows(
        _out(_number("float")),
        "mean nanmean median nanmedian percentile nanpercentile quantile nanquantile",
    ),
    rows(_out(_number("float-real")), "std var nanstd nanvar"),
    rows(_number("float"), "average trapezoid trapz linalg.det"),
    rows(_number("float-real"), "linalg.norm linalg.vector_norm linalg.matrix_norm linalg.cond"),
    rows(_out(_number("keep")), "max min amax amin ptp nanmax nanmin"),
    rows(_out(_number("int64")), "argmax argmin nanargmax nanargmin"),
    rows(_number("int64"), "count_nonzero linalg.matrix_rank"),
    rows(_out(_number("bool")), "any all"),
    rows(_number("promote"), "vdot"),
)

_PYTHON_ROWS = table(
    rows(
        _SCALAR,
        "ndim size iscomplexobj isrealobj isscalar iterable isfortran allclose array_equal array_equiv shares_memory "
        "may_share_memory can_cast issubdtype array_str array_repr array2string",
    ),
    rows(Row(Result.SIZE, Share.NONE, grad=Grad.NO, device=Device.CPU, dtype="?"), "shape broadcast_shapes"),
    rows(
        Row(Result.DTYPE, Share.NONE, grad=Grad.NO, device=Device.CPU, dtype="?"),
        "dtype result_type promote_types min_scalar_type",
    ),
    rows(
        _CALLED,
        "save savez savez_compressed savetxt testing.assert_allclose testing.assert_almost_equal testing.assert_array_equal "
        "testing.assert_array_almost_equal testing.assert_array_less testing.assert_equal random.seed",
    ),
    rows(
        _OTHER,
        "common_type random.default_rng random.RandomState nditer ndenumerate ndindex vectorize broadcast poly1d",
    ),
    rows(_WRITES, "copyto put putmask place fill_diagonal put_along_axis random.shuffle"),
    # An array of an .npy file, a mapping of arrays of an .npz file; mmap_mode="r" gives a read-only array.
    rows(replace(_array("?"), access=Access.MODE), "load memmap lib.format.open_memmap"),
)

_RANDOM_ROWS = {
    f"random.{name}": row
    for part in (
        rows(
            _SAMPLE,
            "rand randn random random_sample ranf sample normal uniform standard_normal exponential standard_exponential gamma "
            "standard_gamma beta laplace logistic lognormal gumbel chisquare rayleigh pareto power weibull triangular vonmises "
            "standard_t standard_cauchy wald f noncentral_chisquare noncentral_f",
        ),
        rows(
            replace(_SAMPLE, dtype="int64"),
            "randint random_integers binomial poisson geometric hypergeometric negative_binomial logseries zipf",
        ),
        rows(replace(_SAMPLE, dtype="?"), "choice"),
        rows(_array("float64"), "dirichlet multivariate_normal"),
        rows(_array("int64"), "multinomial"),
    )
    for name, row in part.items()
}

#: How many parameters stand before ``size`` in functions of ``numpy.random``, where it is not two. Without a size the
#: older functions give a number of Python (measured on NumPy 2.4.6).
SIZE_BEHIND: Mapping[str, int] = {
    **dict.fromkeys(["rand", "randn", "random", "random_sample", "ranf", "sample"], 0),
    **dict.fromkeys(["standard_normal", "standard_exponential", "standard_cauchy"], 0),
    **dict.fromkeys(["choice", "exponential", "poisson", "geometric", "chisquare", "rayleigh", "pareto", "power"], 1),
    **dict.fromkeys(["standard_gamma", "standard_t", "weibull", "zipf", "logseries"], 1),
    **dict.fromkeys(["triangular", "hypergeometric", "noncentral_f"], 3),
}

NUMPY_FUNCTIONS: Mapping[str, Row] = table(
    _UFUNC_ROWS, _VIEW_ROWS, _CAST_ROWS, _COPY_ROWS, _NUMBER_ROWS, _PYTHON_ROWS, _RANDOM_ROWS
)

# What a function does when its first argument is a torch tensor.

#: Bool-valued ufuncs give a *uint8 tensor* (so ``~`` flips bits and a mask selects by byte), and ``nonzero``, ``argwhere``
#: and ``size`` dispatch to methods of the tensor that mean something else. The ufuncs export (raise off the CPU or with
#: grad); ``nonzero``, ``argwhere`` and ``size`` never do.
SILENTLY_WRONG: frozenset[str] = names(f"{_UFUNCS_BOOL} {_UFUNCS_BOOL_2} nonzero argwhere size")

#: TypeError on every tensor: they call ``tensor.sum(axis=None, out=None)``, which torch does not know. On a *list* of
#: tensors they export.
REDUCTIONS_RAISE: frozenset[str] = names("all amax amin any max mean min prod std sum var")

#: Other functions that raise on every tensor, whatever its device. ``copyto``, ``putmask`` and the like export a tensor
#: that is their source rather than their target.
RAISES: frozenset[str] = names(
    "flip moveaxis rollaxis concatenate concat block lexsort frombuffer imag isreal common_type isfortran copyto put place "
    "putmask fill_diagonal unstack astype add.at subtract.at multiply.at divide.at maximum.at minimum.at can_cast "
    "result_type array_str array_repr array2string linalg.tensorsolve"
)

#: Swallow the error of the export and answer False for a tensor that requires grad or lives off the CPU.
FALSE_OFF_CPU: frozenset[str] = names("array_equal array_equiv")

#: Never touch the data, or hand on to a method of the tensor that means the same; the result of the latter is a tensor.
HARMLESS: frozenset[str] = names(
    "shape ndim iterable isscalar diag_indices_from tril_indices_from triu_indices_from squeeze real swapaxes split "
    "array_split hsplit vsplit dsplit take_along_axis"
)

#: Go through ``Tensor.__array__`` (raise off the CPU and with grad) and return a *tensor* by ``__array_wrap__``, or
#: several things of which some are tensors (``PARTS_OF_TENSOR``).
EXPORTS_TO_TENSOR: frozenset[str] = names(
    f"{_UFUNCS_FLOAT} {_UFUNCS_FLOAT_2} {_UFUNCS_REAL} {_UFUNCS_KEEP} {_UFUNCS_KEEP_2} {_UFUNCS_INTEGER_2} float_power "
    f"{_UFUNCS_BOOL} {_UFUNCS_BOOL_2} invert bitwise_not bitwise_invert bitwise_count modf frexp divmod "
    "add.reduce multiply.reduce maximum.reduce minimum.reduce logical_and.reduce logical_or.reduce add.accumulate "
    "multiply.accumulate maximum.accumulate minimum.accumulate add.reduceat "
    "argsort argpartition argmax argmin around round clip cumsum cumprod diagflat fix permute_dims transpose reshape repeat "
    "take compress delete insert trim_zeros ptp linspace logspace apply_along_axis histogramdd "
    "linalg.inv linalg.pinv linalg.solve linalg.lstsq linalg.cholesky linalg.eig linalg.eigh linalg.qr linalg.svd "
    "linalg.matmul linalg.vecdot choose"
)

#: What those of them that return several things make of a tensor: whether each part is a tensor, or an array. So it is
#: with the arguments as they are when nobody gives them: ``compute_uv`` and ``mode`` change what comes out.
PARTS_OF_TENSOR: Mapping[str, tuple[bool, ...]] = {
    "divmod": (True, True),
    "frexp": (True, True),
    "modf": (True, True),
    "linalg.eig": (False, True),
    "linalg.eigh": (False, True),
    "linalg.lstsq": (True, True, False, False),
    "linalg.qr": (True, True),
    "linalg.svd": (True, False, True),
}

#: Go through ``Tensor.__array__`` (raise off the CPU and with grad) and return an array, a number or nothing.
EXPORTS_TO_ARRAY: frozenset[str] = names(
    "allclose angle append array asanyarray asarray asarray_chkfinite ascontiguousarray asfortranarray asmatrix atleast_1d "
    "atleast_2d atleast_3d average bincount broadcast broadcast_arrays broadcast_to column_stack convolve copy corrcoef "
    "correlate count_nonzero cov cross cumulative_prod cumulative_sum diag diagonal diff digitize dot dstack ediff1d einsum "
    "empty_like expand_dims extract flatnonzero fliplr flipud full full_like geomspace gradient histogram histogram2d "
    "histogram_bin_edges hstack i0 in1d inner interp intersect1d iscomplex iscomplexobj isclose isin isrealobj ix_ kron matrix "
    "matrix_transpose may_share_memory median meshgrid min_scalar_type nan_to_num nanargmax nanargmin nancumprod nancumsum "
    "nanmax nanmean nanmedian nanmin nanpercentile nanprod nanquantile nanstd nansum nanvar ndenumerate ones_like outer "
    "packbits pad partition percentile piecewise poly polyadd polyder polyfit polyint polymul polyval quantile ravel real_if_close require "
    "resize roll roots rot90 row_stack save savetxt savez savez_compressed searchsorted select setdiff1d setxor1d "
    "shares_memory sinc sort sort_complex stack tensordot tile trace trapezoid trapz tril triu union1d unique unique_all "
    "unique_counts unique_inverse unique_values unpackbits unravel_index unwrap vander vdot vstack where zeros_like "
    "lib.stride_tricks.as_strided lib.stride_tricks.sliding_window_view linalg.cond linalg.cross linalg.det linalg.diagonal "
    "linalg.eigvals linalg.eigvalsh linalg.matrix_norm linalg.matrix_power linalg.matrix_rank linalg.matrix_transpose "
    "linalg.multi_dot linalg.norm linalg.outer linalg.slogdet linalg.svdvals linalg.tensordot linalg.tensorinv linalg.trace "
    "linalg.vector_norm fft.fft fft.fft2 fft.fftn fft.fftshift fft.hfft fft.ifft fft.ifft2 fft.ifftn fft.ifftshift "
    "fft.ihfft fft.irfft fft.irfft2 fft.irfftn fft.rfft fft.rfft2 fft.rfftn random.chisquare random.choice "
    "random.dirichlet random.exponential random.gamma random.gumbel random.laplace random.logistic random.lognormal random.multinomial "
    "random.normal random.pareto random.permutation random.poisson random.power random.randint random.rayleigh "
    "random.standard_gamma random.standard_t random.uniform random.weibull testing.assert_allclose "
    "testing.assert_almost_equal testing.assert_array_almost_equal testing.assert_array_equal testing.assert_array_less"
) | frozenset(_CASTS)

#: All that go through ``Tensor.__array__``: they work for a plain CPU tensor, raise TypeError off the CPU and
#: RuntimeError for a tensor that requires grad (all but ``np.float64`` of one element, which asks ``float()``).
EXPORTS: frozenset[str] = EXPORTS_TO_TENSOR | EXPORTS_TO_ARRAY

#: Functions that go through ``__array__`` of each tensor when they are handed a *list* of tensors, and return no tensor: a
#: list has no methods to dispatch to, so the reductions and even ``np.shape`` export it.
EXPORTS_OF_LIST: frozenset[str] = (
    EXPORTS
    | REDUCTIONS_RAISE
    | names(
        "concat concatenate flip imag isreal lexsort ndim shape size squeeze real nonzero argwhere swapaxes moveaxis"
    )
)

#: Handing ``t.detach().cpu().numpy()`` to these in the place of ``t`` changes nothing: wherever the call on a plain CPU
#: tensor works, the call on its array gives the same type, dtype, shape, strides and values, in the memory of the argument
#: or not, as before (measured: ``verify/measuring/unchanged.py``). Of the others, ``bincount`` truncates a tensor of floats
#: and refuses an array; ``float64`` of one element is a scalar, of an array an array; ``matrix`` and the ``_like`` functions
#: lay out the copy of a transposed array as the array is, of a tensor in C order; ``broadcast`` and ``ndenumerate`` give
#: objects that cannot be compared; ``float_``, ``in1d`` and ``trapz`` are gone from the NumPy that was measured. All of
#: ``EXPORTS_TO_TENSOR`` give a tensor for a tensor.
EXPORTS_UNCHANGED: frozenset[str] = EXPORTS_TO_ARRAY - names(
    "bincount broadcast double float64 matrix empty_like full_like ones_like zeros_like ndenumerate float_ in1d trapz"
)

#: The same for the tensors in a list. ``ix_`` of a list with an empty tensor gives int64; ``linspace``, ``logspace`` and
#: ``trim_zeros`` call a method of a tensor in it.
EXPORTS_OF_LIST_UNCHANGED: frozenset[str] = EXPORTS_OF_LIST - names(
    "bincount broadcast ix_ linspace logspace trim_zeros ndenumerate float_ in1d trapz"
)
