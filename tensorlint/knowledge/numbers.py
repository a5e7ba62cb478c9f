"""What the numbers are that functions and methods of torch give: measured on torch 2.13.0 (``tests/test_knowledge.py``).

``UNIT``: none below 0 or above 1, and fractions but for the odd one. ``WILD``: fractions on both sides of 0, without a
bound. ``FRACTIONS``: fractions of data that are none. ``AS_GIVEN``: what is taken out of the data, or an average of it.
``EXTREMES`` of it are "loose": fractions like "wild" ones, but who computes with them may be about to give them bounds,
as by ``(x - x.min()) / (x.max() - x.min())``.
"""

from __future__ import annotations

from tensorlint.knowledge.row import names

UNIT = names("rand rand_like sigmoid softmax softmin")
WILD = names("randn randn_like")
FRACTIONS = names("tanh log_softmax exp log sqrt rsqrt sin cos std var reciprocal linspace normal")
AS_GIVEN = names(
    "clone cat concat stack vstack hstack flip roll repeat tile gather index_select masked_select max min amax amin sort "
    "topk contiguous diag tril triu mean median"
)
EXTREMES = names("max min amax amin")
#: What moves and scales the data by the number it is given.
SCALING = names("mul multiply div divide add sub subtract")
#: Those of them that are given a list.
FROM_SEVERAL = names("cat concat stack vstack hstack")
#: Layers whose output is a weighted sum of what they are given.
WILD_LAYERS = names("Linear Bilinear Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d")


def numbers_of(function: str, given: str) -> str:
    """The kind of number, "unit", "wild", "loose" or "fraction", that a function gives; empty for unknown."""
    if function in UNIT:
        return "unit"
    if function in WILD:
        return "wild"
    if function in FRACTIONS:
        return "fraction"
    if function in EXTREMES and given == "wild":
        return "loose"
    if function in AS_GIVEN:
        return given or ("fraction" if function == "mean" else "")
    return ""
