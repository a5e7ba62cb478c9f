"""Programs that name cuda, put on another device."""

from __future__ import annotations

import sys

import pytest

from tensorlint.fixtures_path import fixtures_root
from tensorlint.verify.devices import DEVICES, adapt, available, prelude, probe

REWRITTEN = [
    ('x.to("cuda")', 'x.to("sim")'),
    ("x.to('cuda:1')", "x.to('sim:1')"),
    ('x.to(f"cuda:{rank}")', 'x.to(f"sim:{rank}")'),
    ("x.cuda()", 'x.to("sim")'),
    ("x.cuda(0)", 'x.to("sim:0")'),
    ("x.cuda(device)", "x.to(device)"),
    ("x.cuda(device=device)", "x.to(device=device)"),
    ('x.cuda("cuda:0")', 'x.to("sim:0")'),
    ("x.cuda(non_blocking=True)", 'x.to("sim", non_blocking=True)'),
    ("x = [\n    a.cuda(\n    ), b.cuda()]", 'x = [\n    a.to("sim"\n    ), b.to("sim")]'),
    ("y if y.is_cuda else x", "y if y.is_sim else x"),
    ('t.device.type == "cuda"', 't.device.type == "sim"'),
    ("import torch\ntorch.cuda.is_available()", "import torch\ntorch.sim.is_available()"),
    ("import torch as th\nth.cuda.synchronize()", "import torch as th\nth.sim.synchronize()"),
    ("import torch.cuda", "import torch.sim"),
    ("from torch import nn, cuda\ncuda.empty_cache()", "from torch import nn, sim as cuda\ncuda.empty_cache()"),
    ("from torch import cuda as card", "from torch import sim as card"),
]
LEFT = [
    'print("no cuda here")',
    '"""cuda: a story"""',
    "# x.cuda()",
    "cuda = None\nf(x, cuda)",
    'parser.add_argument("--cuda")\nargs.cuda',
    "def is_cuda(x):\n    return x",
    'f"{name} on cuda:{rank}"',
]


@pytest.mark.parametrize(("before", "after"), REWRITTEN, ids=[before for before, _ in REWRITTEN])
def test_a_program_is_put_on_another_device(before: str, after: str) -> None:
    assert adapt(before, "sim") == after
    assert adapt(before, "cuda") == before


@pytest.mark.parametrize("text", LEFT)
def test_prose_and_other_names_are_left_alone(text: str) -> None:
    assert adapt(text, "sim") == text


@pytest.mark.parametrize("device", DEVICES)
def test_fixtures_keep_their_lines_and_still_compile(device: str) -> None:
    root = fixtures_root()
    assert root is not None
    for path in root.glob("*/*.py"):
        text = path.read_text(encoding="utf-8")
        adapted = adapt(text, device)
        compile(adapted, str(path), "exec")
        assert adapted.count("\n") == text.count("\n")
        changed = [
            row
            for old, row in zip(text.splitlines(), adapted.splitlines(), strict=True)
            if old != row and "cuda" in row
        ]
        assert changed == []


def test_only_the_simulated_device_needs_a_prelude() -> None:
    assert [device for device in DEVICES if prelude(device)] == ["sim"]
    for device in DEVICES:
        compile(prelude(device), "prelude", "exec")
        compile(probe(device), "probe", "exec")


def test_a_device_that_cannot_be_had_says_why() -> None:
    assert "not one of" in available("tpu", sys.executable).reason
    assert available("cpu", "/nowhere/python").reason
    assert not available("cuda", "/nowhere/python").usable
