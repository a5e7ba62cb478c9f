"""Tensors whose numbers do not lie one by one in memory, as NumPy wants them (measured on torch 2.13.0).

A layout is "sparse" (of any kind), "mkldnn", "nested", "conj" or "neg": the last two are tensors that hold the conjugate, or
the negative, of what they look like, and remember to turn it round.
"""

from __future__ import annotations

from tensorlint.knowledge.row import names

_MADE = {
    **dict.fromkeys(
        names(
            "to_sparse to_sparse_coo to_sparse_csr to_sparse_csc to_sparse_bsr to_sparse_bsc sparse_mask sparse_coo_tensor "
            "sparse_csr_tensor sparse_csc_tensor sparse_bsr_tensor sparse_bsc_tensor sparse_compressed_tensor "
            "sparse.spdiags sparse.FloatTensor sparse.DoubleTensor sparse.LongTensor"
        ),
        "sparse",
    ),
    "to_mkldnn": "mkldnn",
    "nested.nested_tensor": "nested",
    "nested.as_nested_tensor": "nested",
}
#: What gives the layout that it is given.
KEPT = {
    "sparse": names(
        "coalesce t transpose permute clone detach float double half bfloat16 cfloat cdouble long int cpu to type abs sqrt "
        "relu neg sign ceil floor round sin asin tanh unsqueeze index_select mul div sparse.softmax sparse.log_softmax "
        "requires_grad_"
    ),
    "mkldnn": names("clone detach requires_grad_"),
    "nested": names("clone detach float double half bfloat16 cpu to relu cos requires_grad_"),
}
#: By these a program asks how a tensor is laid out.
ASKED = names("is_sparse is_sparse_csr is_mkldnn is_nested layout is_conj is_neg is_coalesced")
#: The method that gives the numbers one by one.
RESOLVED = {"sparse": ".to_dense()", "mkldnn": ".to_dense()", "conj": ".resolve_conj()", "neg": ".resolve_neg()"}


def layout_of(function: str, given: str, *, is_complex: bool, is_view: bool) -> str:
    """The layout of what a function or method makes of a tensor laid out like ``given``; empty for the usual one.

    ``function`` is its path without ``torch.``; ``is_view``: its result always shares the memory of what it is given.
    """
    if function in _MADE:
        return _MADE[function]
    if function in {"conj", "adjoint", "H", "mH"} and given in {"", "conj"}:
        return "conj" if is_complex and not given else ""
    if given == "conj" and function in {"real", "imag"}:
        return "neg" if function == "imag" else ""
    if given in {"conj", "neg"}:
        return given if is_view else ""
    return given if function in KEPT.get(given, ()) else ""
