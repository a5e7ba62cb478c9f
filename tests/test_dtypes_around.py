"""What dtype a network computes in, where another file of the program casts it or sets the default."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.projects import brief, findings, likely, write

NETS = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 2)
        CAST

    def forward(self, x):
        return self.layer(x)


def build(layers, dtype=DTYPE):
    made = [None] * layers
    for i in range(layers):
        made[i] = nn.Linear(2, 2).type(dtype)
    return nn.Sequential(*made)
"""
USE = """
import numpy as np
import torch
from nets import Net, build

points = torch.from_numpy(np.zeros((3, 2)))
Net()(points)
net = Net()
net.layer.weight.data = torch.from_numpy(np.zeros((2, 2)))
row = build(2)
row[0].weight.data = torch.from_numpy(np.zeros((2, 2)))
"""


def nets(cast: str, dtype: str) -> str:
    return NETS.replace("CAST", cast).replace("DTYPE", dtype)


def test_a_network_that_casts_itself_elsewhere_takes_what_it_was_cast_to(tmp_path: Path) -> None:
    write(tmp_path, {"nets.py": nets("self.double()", "torch.float64"), "use.py": USE})
    assert likely(tmp_path, "use.py") == []


def test_a_network_that_nobody_casts_does_not(tmp_path: Path) -> None:
    write(tmp_path, {"nets.py": nets("pass", "torch.float32"), "use.py": USE})
    found = likely(tmp_path, "use.py")
    assert found[:2] == [("TBX207", "use.py", 7), ("TBX506", "use.py", 9)]


LAYER = """
import numpy as np
import torch

layer = torch.nn.Linear(2, 2)


def output():
    return layer(torch.from_numpy(np.zeros((3, 2))))
"""
SETS = "import torch\n{imports}\ntorch.set_default_dtype(torch.float64)\n{call}\n"


@pytest.mark.parametrize(
    ("name", "imports", "expected"),
    [
        ("main.py", "import layers", []),
        ("main.py", "from layers import output", []),
        ("study.py", "import json", [("TBX207", "layers.py", 9)]),
        ("test_layers.py", "import layers", [("TBX207", "layers.py", 9)]),
    ],
)
def test_who_imports_a_file_may_set_the_default_for_it(
    tmp_path: Path, name: str, imports: str, expected: list[tuple[str, str, int]]
) -> None:
    write(tmp_path, {"layers.py": LAYER, name: SETS.format(imports=imports, call="print(1)")})
    assert likely(tmp_path, "layers.py") == expected


def test_what_a_file_imports_may_set_it_too(tmp_path: Path) -> None:
    write(tmp_path, {"setup_torch.py": SETS.format(imports="", call=""), "layers.py": "import setup_torch\n" + LAYER})
    assert likely(tmp_path, "layers.py") == []


def test_who_imports_a_file_may_cast_its_networks(tmp_path: Path) -> None:
    write(tmp_path, {"layers.py": LAYER, "main.py": "import layers\n\nlayers.layer.double()\n"})
    assert likely(tmp_path, "layers.py") == []


def test_float64_by_name_is_meant(tmp_path: Path) -> None:
    named = LAYER.replace("np.zeros((3, 2))", "np.zeros((3, 2))).to(torch.float64")
    write(tmp_path, {"named.py": named, "commented.py": LAYER + "\n# not torch.float64\n"})
    assert brief(findings(tmp_path, "named.py")) == []
    assert likely(tmp_path, "named.py") == [("TBX207", "named.py", 9)]
    assert brief(findings(tmp_path, "commented.py")) == [("TBX207", "commented.py", 9)]
