"""The first and cheapest stage: can this file matter at all?

Every finding needs tokens of the PyTorch/NumPy boundary, or of memory written in place and kept, in the text; so a
search over the raw bytes lets most files of most projects go before LibCST is imported. A file it keeps in vain costs
a parse, one it drops wrongly costs a finding. This module imports nothing but ``re``.
"""

from __future__ import annotations

import re

#: Any of these alone is reason enough. Plain substrings: ``in`` runs at memory speed.
_BOUNDARY = (b".numpy", b"from_numpy", b"dlpack", b"TBX", b"tensorlint: ignore")
_CONSTRUCTOR = re.compile(rb"Tensor\s*\(")
#: One of these stands in whatever the next pattern finds. To look for them first is ten times as fast.
_WITH_TORCH_WORDS = (b"np.", b"numpy", b"as_tensor", b"asarray", b"frombuffer", b"shuffle(")
#: With torch: calls of NumPy, its dtypes as arguments, imports of buffers, shuffles.
_WITH_TORCH = re.compile(
    rb"\b(?:np|numpy)\.[\w.]+\(|[=(]\s*(?:np|numpy)\.|from numpy|\.numpy\b|as_tensor|asarray|frombuffer|\bshuffle\("
)
#: A snapshot of parameters, and what may change them while it is kept.
_SNAPSHOT = re.compile(rb"state_dict\(\)|\.detach\(|\.data\b(?! import)")
_TRAINING = re.compile(
    rb"\.step\(|\bfit|train\w*\(|backward\(|best|init_|old|prev|orig|\.(?:add|sub|mul|copy|data)_?\("
)
#: Libraries that make arrays of the tensors they are given.
_ARRAY_LIBRARIES = (b"matplotlib", b"sklearn", b"scipy", b"pandas")
#: What is kept of each step of a training.
_KEPT_EACH_STEP = re.compile(rb"\+=|append\(|\.item\(\)|= \w+ \+ ")
#: A leaf that is made of data, and differentiated.
_REWRAPPED = re.compile(rb"requires_grad(?:_\(|\s*=\s*True)")
#: What leaves a graph behind, before something is differentiated.
_CUT = re.compile(rb"\.(?:detach|item|argm\w+)\(|\.data\b|\btensor\(|\bVariable\(|\) ?[<>]=? ?[\d.]")
#: A tensor that is written in place, and kept in something.
_IN_PLACE = re.compile(rb"\.(?:add|sub|mul|div|copy|fill|zero|clamp|uniform|random)_\(")
_STORED = re.compile(rb"append\(|yield|\w\[\w+\]\s*=\s*\w+\s*[#\n]|\[[^\]\n]*_\([^\n]* for ")
#: Pure NumPy: a buffer that is written and kept, an array made of something that is no sequence.
_BUFFER = re.compile(rb"\b(?:zeros|empty|ones|full)(?:_like)?\(")
_OBJECTS = re.compile(rb"\barray\((?:map|zip|filter|set|\(|\{|[\w.\[\]\"']+\.(?:values|keys|items)\()")


def may_matter(data: bytes) -> bool:
    """Whether the file with these bytes can have a finding, be it that a comment of ours suppresses nothing."""
    if any(token in data for token in _BOUNDARY) or _CONSTRUCTOR.search(data):
        return True
    if b"torch" in data:
        return bool(
            (any(word in data for word in _WITH_TORCH_WORDS) and _WITH_TORCH.search(data))
            or any(library in data for library in _ARRAY_LIBRARIES)
            or b"non_blocking" in data
            or (b"backward(" in data and _KEPT_EACH_STEP.search(data))
            or (_SNAPSHOT.search(data) and _TRAINING.search(data))
            or (b"backward(" in data and (_CUT.search(data) or _REWRAPPED.search(data)))
            or (_IN_PLACE.search(data) and _STORED.search(data))
        )
    return b"numpy" in data and bool(_OBJECTS.search(data) or (_BUFFER.search(data) and _STORED.search(data)))
