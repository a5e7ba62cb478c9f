"""The first and cheapest stage: can this file matter at all?

Every finding needs a token of the PyTorch/NumPy boundary in the text, so a search over the raw bytes lets most
files of most projects go before anything is decoded or parsed. The screen is generous: a file it keeps in vain costs a
parse, one it drops wrongly costs a finding. This module imports nothing but ``re``.
"""

from __future__ import annotations

import re

#: Any of these alone is reason enough. Plain substrings: ``in`` runs at memory speed.
_TOKENS = (
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


def may_matter(data: bytes) -> bool:
    """Whether the file with these bytes can have a finding."""
    return (
        any(token in data for token in _TOKENS)
        or (b"torch" in data and (b"numpy" in data or b"np." in data))
        or _CONSTRUCTOR.search(data) is not None
    )
