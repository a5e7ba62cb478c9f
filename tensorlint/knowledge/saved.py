"""What autograd keeps of an operation, by reference, until the backward pass reads it: measured on torch 2.13.0.

Each pair says: the first is kept, where the second needs a gradient. Positions count what is given; ``RESULT`` is what
is returned. ``tests/test_saved.py`` writes to each between the two passes, behind the back of autograd, and sees another
gradient. What only matters by its sign (``relu``, ``abs``), or by where it is the largest, is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tensorlint.knowledge.row import names

RESULT = -1

_OF_RESULT = names("exp expm1 sqrt rsqrt reciprocal sigmoid tanh softmax log_softmax")
_OF_OPERAND = names(
    "log log1p sin cos sinh cosh asin atan square pow var std norm prod cumprod logsumexp erf gelu silu softplus"
)
_PRODUCTS = names("mul multiply matmul mm bmm mv dot linear conv1d conv2d conv3d")
_DIFFERENCES = names("mse_loss smooth_l1_loss huber_loss")

#: By the name of the function, or method, without its module.
SAVED: Mapping[str, tuple[tuple[int, int], ...]] = MappingProxyType(
    {
        **dict.fromkeys(_OF_RESULT, ((RESULT, 0),)),
        **dict.fromkeys(_OF_OPERAND, ((0, 0),)),
        **dict.fromkeys(_PRODUCTS, ((0, 1), (1, 0))),
        **dict.fromkeys(_DIFFERENCES, ((0, 0), (1, 0), (0, 1), (1, 1))),
        **dict.fromkeys(names("div divide true_divide"), ((0, 1), (1, 0), (1, 1))),
        **dict.fromkeys(names("binary_cross_entropy binary_cross_entropy_with_logits"), ((0, 0), (1, 0))),
        **dict.fromkeys(names("cross_entropy nll_loss kl_div"), ((1, 0),)),
        "embedding": ((0, 1),),
    }
)

#: Losses, by their modules.
LOSSES: Mapping[str, str] = MappingProxyType(
    {
        "MSELoss": "mse_loss",
        "SmoothL1Loss": "smooth_l1_loss",
        "HuberLoss": "huber_loss",
        "BCELoss": "binary_cross_entropy",
        "BCEWithLogitsLoss": "binary_cross_entropy_with_logits",
        "CrossEntropyLoss": "cross_entropy",
        "NLLLoss": "nll_loss",
        "KLDivLoss": "kl_div",
    }
)

#: Layers that keep what they are given, where their weights need a gradient.
KEEP_INPUT = names("Linear Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d LayerNorm Embedding")
