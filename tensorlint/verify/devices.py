"""Where a program runs: fixtures name ``cuda``, and this puts the device of the machine in its place.

Text in, text out; the number of lines never changes, so that a line of a traceback is a line of the fixture.
"""

from __future__ import annotations

import io
import json
import re
import subprocess
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SIMULATED = "sim"
DEVICES = ("cpu", "cuda", "mps", SIMULATED)

_SIMULATOR = Path(__file__).with_name("simdevice.py")
_WHOLE = re.compile(r"cuda(?::\d+)?")
_SPACE = {tokenize.NL, tokenize.COMMENT}
_STRING = re.compile(r"""([a-zA-Z]*)('''|\"\"\"|'|\")(.*)\2""", re.DOTALL)


@dataclass(frozen=True)
class Availability:
    """Whether the device can be used by an interpreter, under which name, and if not, why."""

    device: str
    usable: bool
    name: str = ""
    reason: str = ""


def adapt(text: str, device: str) -> str:
    """The program with ``device`` wherever it names cuda: in strings, in ``.cuda()``, ``.is_cuda`` and ``torch.cuda``.

    A string is rewritten when all of it is the name of a device (``"cuda"``, ``'cuda:0'``, ``f"cuda:{rank}"``); prose
    that mentions cuda is left alone. ``t.cuda(non_blocking=True)`` becomes ``t.to("sim", non_blocking=True)``.
    """
    if device == "cuda" or "cuda" not in text:
        return text
    tokens = [token for token in tokenize.generate_tokens(io.StringIO(text).readline) if token.type not in _SPACE]
    lines = text.splitlines(keepends=True)
    for start, end, new in sorted(_edits(tokens, device), reverse=True):
        (row, column), (last, until) = start, end
        head, tail = lines[row - 1][:column], lines[last - 1][until:]
        lines[row - 1 : last] = [head + new + tail]
    return "".join(lines)


_Position = tuple[int, int]
_Edit = tuple[_Position, _Position, str]


def _edits(tokens: list[tokenize.TokenInfo], device: str) -> Iterator[_Edit]:
    torch = {"torch"}
    imported = False  # within ``from torch import ...``
    for number, token in enumerate(tokens):
        before = [found.string for found in tokens[max(0, number - 3) : number]]
        after = [found.string for found in tokens[number + 1 : number + 3]]
        kind = tokenize.tok_name[token.type]
        if kind == "NEWLINE":
            imported = False
        elif before == ["from", "torch", "import"]:
            imported = True
        elif before == ["import", "torch", "as"]:
            torch.add(token.string)
        if kind == "STRING" and (new := _literal(token.string, device)) != token.string:
            yield token.start, token.end, new
        elif kind == "FSTRING_MIDDLE" and token.string.startswith("cuda:") and before[-1][-1:] in {"'", '"'}:
            yield token.start, (token.start[0], token.start[1] + len("cuda")), device  # Python 3.12 and later
        elif token.string == "is_cuda" and before[-1:] == ["."]:
            yield token.start, token.end, f"is_{device}"
        elif token.string != "cuda" or kind != "NAME":
            continue
        elif imported:
            yield token.start, token.end, device if after[0] == "as" else f"{device} as cuda"
        elif before[-1:] == ["."] and after[0] == "(":
            yield from _call(tokens, number, device)
        elif before[-1:] == ["."] and before[-2] in torch:
            yield token.start, token.end, device


def _call(tokens: list[tokenize.TokenInfo], number: int, device: str) -> Iterator[_Edit]:
    """``.cuda(...)``: the device is its first argument when that is not a keyword or a number of its own."""
    token, bracket, first = tokens[number], tokens[number + 1], tokens[number + 2]
    yield token.start, token.end, "to"
    if first.string == ")":
        yield bracket.start, bracket.end, f'("{device}"'
    elif first.type == tokenize.NUMBER:
        yield first.start, first.end, f'"{device}:{first.string}"'
    elif first.type == tokenize.NAME and tokens[number + 3].string == "=" and first.string != "device":
        yield bracket.start, bracket.end, f'("{device}", '


def _literal(text: str, device: str) -> str:
    found = _STRING.fullmatch(text)
    if found is None:
        return text
    prefix, quotes, body = found.groups()
    formatted = "f" in prefix.lower() and body.startswith("cuda:{")
    if not formatted and not _WHOLE.fullmatch(body):
        return text
    return f"{prefix}{quotes}{device}{body.removeprefix('cuda')}{quotes}"


def prelude(device: str) -> str:
    """Source that a child executes before the program: it makes the device exist. Empty where that takes nothing."""
    if device != SIMULATED:
        return ""
    return f"""\
import importlib.util as _util, sys as _sys
if "_tensorlint_simdevice" not in _sys.modules:
    _spec = _util.spec_from_file_location("_tensorlint_simdevice", {str(_SIMULATOR)!r})
    _sys.modules["_tensorlint_simdevice"] = _util.module_from_spec(_spec)
    _spec.loader.exec_module(_sys.modules["_tensorlint_simdevice"])
    _sys.modules["_tensorlint_simdevice"].install()
"""


def probe(device: str) -> str:
    """Source of a program that says, as one line of JSON, whether the device can be used, and what it is called."""
    return f"""\
import json
device, usable, name, reason = {device!r}, False, "", ""
try:
    import numpy
    import torch
    exec({prelude(device)!r})
    if device == "cuda":
        usable = torch.cuda.is_available()
        name = torch.cuda.get_device_name(0) if usable else ""
        reason = "" if usable else f"torch {{torch.__version__}} finds no CUDA device"
    elif device == "mps":
        found = getattr(torch.backends, "mps", None)
        usable = found is not None and found.is_available()
        name = "Metal" if usable else ""
        reason = "" if usable else f"torch {{torch.__version__}} finds no Metal device"
    else:
        usable, name = True, "simulated accelerator" if device == {SIMULATED!r} else "cpu"
    if usable:
        torch.ones(1, device=device).add(1).cpu().numpy()
except Exception as error:
    usable, reason = False, f"{{type(error).__name__}}: {{error}}"
print(json.dumps({{"device": device, "usable": usable, "name": name, "reason": reason}}))
"""


def available(device: str, python: str) -> Availability:
    """Ask an interpreter whether its torch can use the device."""
    if device not in DEVICES:
        return Availability(device, False, reason=f"not one of {', '.join(DEVICES)}")
    try:
        done = subprocess.run([python, "-c", probe(device)], capture_output=True, text=True, check=False, timeout=120)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Availability(device, False, reason=str(error))
    try:
        return Availability(**json.loads(done.stdout.strip().splitlines()[-1]))
    except (IndexError, TypeError, ValueError):
        said = done.stderr.strip().splitlines()
        return Availability(device, False, reason=said[-1] if said else f"it ended with status {done.returncode}")
