"""What takes tensors, and refuses an array where they would stand. Keys are those of ``torch_functions``.

Facts: measured on torch 2.13.0 with NumPy 2.4.6, by ``tests/test_knowledge.py``. A NumPy scalar is a number to most.
"""

from __future__ import annotations

from tensorlint.knowledge.row import names

#: A tensor stands second, too, and no array: of the functions by these names, and first in the brackets of the methods.
_OF_TWO = names(
    "add sub subtract mul multiply div divide true_divide floor_divide remainder fmod pow float_power matmul mm inner "
    "maximum minimum fmax fmin eq ne lt le gt ge greater greater_equal less less_equal not_equal isclose allclose equal "
    "logical_and logical_or logical_xor atan2 arctan2 hypot copysign heaviside kron ldexp logaddexp logaddexp2 xlogy "
    "dist take take_along_dim"
)
_OF_VECTORS = names("dot vdot outer ger cross")
_OF_MATRICES = names("bmm mv")

#: Functions whose first two arguments are tensors.
TWO_TENSORS: frozenset[str] = (
    _OF_TWO
    | _OF_VECTORS
    | _OF_MATRICES
    | names(
        "cdist tensordot bucketize searchsorted isin cosine_similarity pairwise_distance linalg.matmul linalg.vecdot "
        "linalg.solve linalg.lstsq nn.functional.linear nn.functional.l1_loss nn.functional.mse_loss "
        "nn.functional.smooth_l1_loss nn.functional.huber_loss nn.functional.binary_cross_entropy "
        "nn.functional.binary_cross_entropy_with_logits nn.functional.kl_div nn.functional.cross_entropy "
        "nn.functional.nll_loss nn.functional.multi_margin_loss nn.functional.soft_margin_loss "
        "nn.functional.hinge_embedding_loss nn.functional.multilabel_soft_margin_loss nn.functional.poisson_nll_loss "
        "nn.functional.cosine_similarity nn.functional.pairwise_distance"
    )
)

#: Functions whose first argument is one.
ONE_TENSOR: frozenset[str] = TWO_TENSORS | names(
    "abs absolute acos all amax amin angle any argmax argmin argsort asin atan ceil clamp clip clone cos cosh cumprod "
    "cumsum det detach diag diagonal diff erf exp expm1 flatten fliplr flipud floor isfinite isinf isnan log log10 log1p "
    "log2 log_softmax logical_not logit logsumexp max mean median min mode nan_to_num neg nonzero norm numel ones_like "
    "permute prod qr rand_like randn_like ravel reciprocal relu reshape round rsqrt sigmoid sign sin sinh softmax sort "
    "sqrt square squeeze std sum svd swapaxes t tan tanh topk trace transpose tril triu trunc unbind unique "
    "unique_consecutive unsqueeze var zeros_like empty_like linalg.cholesky linalg.det linalg.eigh linalg.inv linalg.norm "
    "linalg.pinv linalg.qr linalg.svd linalg.vector_norm fft.fft fft.fft2 fft.fftshift fft.ifft fft.irfft fft.rfft "
    "nn.functional.dropout nn.functional.elu nn.functional.gelu nn.functional.leaky_relu nn.functional.log_softmax "
    "nn.functional.logsigmoid nn.functional.normalize nn.functional.relu nn.functional.sigmoid nn.functional.silu "
    "nn.functional.softmax nn.functional.softplus nn.functional.tanh"
)

#: Methods of a tensor that are given another one.
TAKE_ANOTHER: frozenset[str] = (
    _OF_TWO
    | _OF_VECTORS
    | _OF_MATRICES
    | names(
        "add_ sub_ subtract_ mul_ multiply_ div_ divide_ true_divide_ floor_divide_ remainder_ fmod_ pow_ copy_ eq_ ne_ "
        "lt_ le_ gt_ ge_ logical_and_ logical_or_ atan2_ copysign_ expand_as view_as reshape_as type_as"
    )
)

#: Functions of a list of tensors.
LISTED_TENSORS: frozenset[str] = names("cat concat concatenate stack hstack vstack dstack column_stack row_stack")

#: Layers that compute with what they are given: arrays are refused.
LAYERS: frozenset[str] = names(
    "nn.Linear nn.Conv1d nn.Conv2d nn.Conv3d nn.ReLU nn.GELU nn.SiLU nn.Sigmoid nn.Tanh nn.Softmax nn.LogSoftmax "
    "nn.LayerNorm nn.Dropout nn.Embedding nn.LSTM nn.GRU nn.MSELoss nn.L1Loss nn.SmoothL1Loss nn.HuberLoss nn.BCELoss "
    "nn.BCEWithLogitsLoss nn.CrossEntropyLoss nn.NLLLoss nn.KLDivLoss"
)
#: Of these the ones that compare two.
LOSSES: frozenset[str] = frozenset(name for name in LAYERS if name.endswith("Loss"))
