"""What the tests of the verifier share: where fixtures lie, how one is written, and a machine that is not there."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from tensorlint.fixtures_path import fixtures_root
from tensorlint.verify.pool import Environment

ROOT = fixtures_root()
assert ROOT is not None
needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None or importlib.util.find_spec("numpy") is None,
    reason="torch or NumPy is not installed",
)
NOWHERE = Environment("3.12.1", "2.13.0", "2.4.6", "Linux x86_64", {"torch": "2.13.0+cpu", "numpy": "2.4.6"})
RAISES = """\
# claim: raises TypeError "can't convert"
\"\"\"Story.\"\"\"
import torch

t = torch.ones(2, device="meta")
print("before")
a = t.numpy()
print("after", a)
"""


def write(folder: Path, text: str, name: str = "bad_it.py") -> Path:
    path = folder / "TBX101_x" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
