"""The first and cheapest stage: can this file matter at all?

Each rule names its ``clues``: what has to stand in the text of a file in which it has a finding. So a search over the
raw bytes lets most files of most projects go before LibCST is imported, and a rule that is not selected lets none
through. A file that is kept in vain costs a parse, one that is dropped wrongly costs a finding. Which clues a rule has
is known without importing it (``tabulated``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property


class Expression:
    """A regular expression. It is compiled when it is looked for first, as most files are let go before that."""

    def __init__(self, text: bytes) -> None:
        self.text = text

    @cached_property
    def compiled(self) -> re.Pattern[bytes]:
        return re.compile(self.text)


#: Some bytes, one of several, or an expression. Bytes are looked for at memory speed, expressions are not: so what is
#: rare and plain stands first in a clue.
Pattern = bytes | tuple[bytes, ...] | Expression
#: All of these stand in the file.
Clue = tuple[Pattern, ...]

#: Without one of these in a file no rule speaks of it.
_WORDS = (b"torch", b"numpy", b"Tensor", b"dlpack")
#: A comment of ours, which may suppress nothing.
_COMMENTS = (b"TBX", b"tensorlint: ignore")

_TORCH, _NUMPY = b"torch", b"numpy"

#: Every file that speaks of tensors.
ANYTHING: Clue = ()
#: An array, or a tensor, is made of the other.
EXPORT: Clue = ((b".numpy", b', "numpy")', b", 'numpy')"),)
IMPORT: Clue = (b"from_numpy",)
DLPACK: Clue = (b"dlpack",)
CONSTRUCTOR: Clue = (Expression(rb"Tensor\s*\("),)
TENSOR: Clue = (_TORCH, Expression(rb"\btensor\s*\("))
#: With torch: calls of NumPy, its dtypes as arguments, imports of buffers, shuffles. One of the plain words stands in
#: whatever the expression finds; to look for them first is ten times as fast.
_NUMPY_WORDS = (b"np.", b"numpy", b"as_tensor", b"asarray", b"frombuffer", b"shuffle(")
_NUMPY_USES = Expression(
    rb"\b(?:np|numpy)\.[\w.]+\(|[=(]\s*(?:np|numpy)\.|from numpy|as_tensor|asarray|frombuffer|\bshuffle\("
)
NUMPY: Clue = (_TORCH, _NUMPY_WORDS, _NUMPY_USES)
#: Wherever arrays and tensors meet.
BOUNDARY: tuple[Clue, ...] = (EXPORT, IMPORT, DLPACK, NUMPY, CONSTRUCTOR)

#: A snapshot of parameters, and what may change them while it is kept.
SNAPSHOT: Clue = (
    _TORCH,
    Expression(rb"state_dict\(\)|\.detach\(|\.data\b(?! import)|(?:list|tuple)\([\w.]+\.parameters\(\)\)"),
    Expression(rb"\.step\(|\bfit|train\w*\(|backward\(|best|init_|old|prev|orig|\.(?:add|sub|mul|copy|data)_?\("),
)
#: Another name for what may be a model.
MODEL_KEPT: Clue = (
    _TORCH,
    b"backward(",
    Expression(rb"(?m)^[ \t]*\w*(?:best|init|backup|old|prev|orig|snapshot|saved|restore)\w* = \w+[ \t]*(?:#.*)?\r?$"),
)
#: A call whose result nobody takes, or that binds a name to what is made of it alone.
THROWN_AWAY: Clue = (
    _TORCH,
    Expression(
        rb"(?m)^[ \t]*(?:(?:(\w+) = (?=\1\.))?[\w.\[\]'\"]+\.(?:to|cuda|float|double|half|bfloat16|long|int|short|bool"
        rb"|byte|char|type|type_as|detach|astype)\("
        rb"|[\w.\[\]'\"]+\.(?:view|reshape|permute|transpose|(?:un)?squeeze|flatten|expand|repeat|clamp|clip|masked_fill)\("
        rb"|(?:np|numpy|torch|th|F|functional|nn\.functional)\.(?:append|con\w+|cat|[vh]?stack|delete|insert|where|flip"
        rb"|roll|pad|relu|softmax|normalize|interpolate|expand_dims|sort|swapaxes|moveaxis)\("
        rb"|(?:torch\.)?(?:[\w.]+\.)?(?:no_grad|inference_mode|enable_grad|autocast|detect_anomaly)\()"
    ),
)
#: What is kept of each step of a training.
EACH_STEP: Clue = (_TORCH, b"backward(", Expression(rb"\+=|append\(|\.item\(\)|= \w+ \+ "))
#: What leaves a graph behind, or makes a leaf, before something is differentiated.
CUT: Clue = (
    _TORCH,
    b"backward(",
    Expression(
        rb"\.(?:detach|item|argm\w+)\(|\.data\b|\btensor\(|\bVariable\(|\) ?[<>]=? ?[\d.]"
        rb"|requires_grad(?:_\(|\s*=\s*True)"
    ),
)
#: What autograd keeps, and what writes behind its back.
UNSEEN_WRITE: Clue = (
    _TORCH,
    b"backward(",
    Expression(rb"\.data\b(?! import)|\.numpy\(|from_numpy\(|as_tensor\(|asarray\("),
    Expression(
        rb"(?m)^[ \t]*[\w.()]+(?:\[[^=\n]*\] *[-+*/]?| *[-+*/])= |\w_\(|\bout=|copyto\(|\.(?:fill|sort|shuffle)\("
    ),
)
#: What leaves the graph of a number behind, where something is differentiated.
TERM: Clue = (_TORCH, b"backward(", Expression(rb"\.item\(|\bfloat\(\w|\.argm\w+\(|\btensor\(| [<>]=? \w"))
#: Pixels are made of floats.
PIXELS: Clue = (_TORCH, Expression(rb"\.byte\(\)|(?:\.|\(|=\s*|['\"])uint8\b|ByteTensor"))
#: A library that makes arrays of the tensors it is given.
ARRAY_LIBRARY: Clue = (_TORCH, (b"matplotlib", b"sklearn", b"scipy", b"pandas", b"fromarray(", b"cv2"))
#: NumPy in what is saved.
CHECKPOINT: Clue = (b"save(", _TORCH, (b"np.", _NUMPY, b"sklearn"))
#: Pinned memory, from which an accelerator copies while the program goes on.
PINNED: Clue = (b"pin_memory", b"non_blocking", _TORCH)
NON_BLOCKING: Clue = (_TORCH, Expression(rb"non_blocking|\.to\([^\n]*\bTrue\b"))

#: A tensor that is asked for its numbers one by one.
ONE_BY_ONE: Clue = (
    _TORCH,
    b"for ",
    Expression(rb"(?m)\.item\(\)|\b(?:float|int|bool)\(\w+(?:\.\w+\(\))*\)+(?:\]| for |\s*$)"),
)
#: Steps that do nothing, or in the wrong order.
NEEDLESS: Clue = (
    Expression(rb"\.cpu\(\)\s*\.(?:cpu|detach)\(|(?:\.(?:cpu|detach)\(\)|\.data)\s*\.(?:item|tolist|detach)\(\)"),
)
#: A tensor, a list of its numbers, and a tensor again.
ROUND_TRIP: Clue = (Expression(rb"ensor\([^\n]*\.tolist\(\)"),)
#: A part of what was brought to the CPU.
PART: Clue = (Expression(rb"\.(?:cpu|tolist)\(\)\["),)
#: A network is recorded.
RECORDED: Clue = (_TORCH, Expression(rb"\bjit\.(?:trace|script)\(|\bonnx\.export\("))
#: A dtype that indices and labels may not have, and what is no mask for torch.
SMALL_INTEGERS: Clue = (_TORCH, Expression(rb"\bu?int(?:8|16|32)\b|\.(?:int|short|byte)\(\)"))
#: A loss that is particular about the dtype of its target.
LOSS: Clue = (
    _TORCH,
    (
        *(b"BCE", b"binary_cross_entropy", b"KLDiv", b"kl_div", b"L1Loss", b"l1_loss"),
        *(b"ultiLabel", b"ultilabel", b"HuberLoss", b"huber_loss"),
        *(b"GaussianNLL", b"gaussian_nll", b"SoftMargin", b"soft_margin"),
    ),
)
MASK: Clue = (_TORCH, Expression(rb"\b1 ?- ?\w*mask|~\w*mask|masked_|\bwhere\("))
#: A part of a tensor that is written with another part of it, under its own name or under one that it was given.
OVERLAPPING: Clue = (
    _TORCH,
    Expression(
        rb"(?m)^[ \t]*([\w.]+)(?:\[[^=\n]*\] *[-+*/]?| *[-+*/])= *\1\[|\]\.(?:copy|add|sub|mul|div)_\(\w[^\n]*\["
        rb"|(?:\b1:|:-1)[\],][^=\n]*= *\w+ *$"
    ),
)
_WRITTEN = Expression(rb"(?m)^[ \t]*[\w.]+(?:\[[^=\n]*\] *[-+*/]?| *[-+*/])= |\w_\(")
#: What may be the tensor that it was made of, or a copy, and is written in place.
CONVERTED: Clue = (
    _TORCH,
    Expression(rb"\.(?:to|cpu|type|float|double|half|bfloat16|long|int|short|byte|char|bool)\("),
    Expression(rb"(?m)^[ \t]*[\w.]+(?:\[[^=\n]*\] *[-+*/]?| *[-+*/])= |\w_\(|inplace=True|\bout="),
)
#: Memory that is given another size, of what crossed the boundary.
RESIZED: Clue = (b".resize", (_TORCH, _NUMPY), (b"from_numpy", b"numpy(", b"as_tensor", b"asarray", b"Tensor("))
#: What may be an expanded tensor, or an item of a dataset, and is written in place.
SPREAD: Clue = (_TORCH, (b".expand", b"broadcast_to("), _WRITTEN)
ITEM: Clue = (_TORCH, b"def __getitem__", _WRITTEN)
QUEUED: Clue = (Expression(rb"\.put(?:_nowait)?\("), (_TORCH, _NUMPY))
#: What hashes the tensors it is given.
HASHED: Clue = (
    _TORCH,
    Expression(rb"\b(?:frozen)?set\([a-z_)]|Counter\(|fromkeys\([a-z_]|defaultdict\(|\{\w+(?:: \w+)? for |\{\d+: "),
)
WORKERS: Clue = (b"num_workers", b"DataLoader(")
SHARED_MEMORY: Clue = (_TORCH, (b"share_memory", b"multiprocessing"))
#: What is written as JSON.
JSON: Clue = (b"json", Expression(rb"\bdumps?\("), Expression(rb"torch|numpy"))
#: Something that trains.
OPTIMIZER: Clue = (_TORCH, Expression(rb"\boptim\b|Adam|SGD|LBFGS|RMSprop|add_param_group"))
DEEP_COPY: Clue = (b"deepcopy(", _TORCH)
#: Fractions, and a tensor of integers that is written.
FRACTIONS: Clue = (
    _TORCH,
    Expression(
        rb"\b(?:zeros|ones|empty|full)(?:_like)?\([^\n]*\.(?:long|short|int|u?int(?:8|16|32|64))\b"
        rb"|(?:zeros|ones|empty|full)_like\(|tensor\(\[+-?\d+,|randint\("
    ),
    Expression(rb"\.copy_\(|fill_\(|\] = "),
    Expression(rb"rand|softmax\(|sigmoid\(|\.mean\(|\d\.\d"),
)

_STORED = Expression(rb"append\(|yield|__getitem__|\w\[\w+\]\s*=\s*\w+\s*[#\n]|\[[^\]\n]*_\([^\n]* for ")
#: A tensor that is written in place, and kept in something.
KEPT_TENSOR: Clue = (_TORCH, Expression(rb"\.(?:add|sub|mul|div|copy|fill|zero|clamp|uniform|random)_\("), _STORED)
#: Pure NumPy: a buffer that is written and kept, an array made of something that is no sequence.
KEPT_BUFFER: Clue = (_NUMPY, Expression(rb"\b(?:zeros|empty|ones|full)(?:_like)?\("), _STORED)
OBJECTS: Clue = (_NUMPY, Expression(rb"\barray\((?:map|zip|filter|set|\(|\{|[\w.\[\]\"']+\.(?:values|keys|items)\()"))


def is_of_interest(data: bytes) -> bool:
    """Whether it is worth asking which rules judge a file of these bytes."""
    return any(word in data for word in (*_WORDS, *_COMMENTS))


def may_matter(data: bytes, clues: Iterable[Clue]) -> bool:
    """Whether a file of these bytes can have a finding of the rules with these clues, or a comment of ours.

    Each pattern is looked for once.
    """
    found: dict[Pattern, bool] = {}

    def has(pattern: Pattern) -> bool:
        if pattern not in found:
            found[pattern] = _stands(pattern, data)
        return found[pattern]

    return any(word in data for word in _COMMENTS) or any(all(has(pattern) for pattern in clue) for clue in clues)


def _stands(pattern: Pattern, data: bytes) -> bool:
    if isinstance(pattern, bytes):
        return pattern in data
    if isinstance(pattern, tuple):
        return any(word in data for word in pattern)
    return pattern.compiled.search(data) is not None
