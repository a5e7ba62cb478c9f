"""The first and cheapest stage: can this file matter at all?

Every finding needs tokens of the PyTorch/NumPy boundary, or of memory written in place and kept, in the text; so a
search over the raw bytes lets most files of most projects go before anything is decoded or parsed. The screen is
generous: a file it keeps in vain costs a parse, one it drops wrongly costs a finding. This module imports nothing but
``re``.
"""

from __future__ import annotations

import re

#: Any of these alone is reason enough. Plain substrings: ``in`` runs at memory speed.
_BOUNDARY = (
    b".numpy",
    b"from_numpy",
    b"as_tensor",
    b"asarray",
    b"frombuffer",
    b"state_dict",
    b".shuffle",
    b"dlpack",
)
_CONSTRUCTOR = re.compile(rb"Tensor\s*\(")
#: With torch: both libraries in one file, a method that writes in place (``add_(``), an alias without a gradient.
_WITH_TORCH = re.compile(rb"\b(?:numpy|np\.)|[a-z]_\(|\.detach\b|\.data\b(?! import|\.)|\bshuffle\(")
#: A buffer that may be stored again and again, in a file that stores things.
_BUFFER = re.compile(rb"\b(?:zeros|empty|ones|full)(?:_like)?\(")
_STORES = (b"append(", b"yield")


def may_matter(data: bytes) -> bool:
    """Whether the file with these bytes can have a finding."""
    torch = b"torch" in data
    return (
        any(token in data for token in _BOUNDARY)
        or _CONSTRUCTOR.search(data) is not None
        or (torch and _WITH_TORCH.search(data) is not None)
        or (
            (torch or b"numpy" in data) and any(token in data for token in _STORES) and _BUFFER.search(data) is not None
        )
    )
