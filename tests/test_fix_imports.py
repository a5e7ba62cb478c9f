"""Where a fix puts the import that it needs, and what it calls what is imported already."""

from __future__ import annotations

import pytest

from tests.fixing import CAST, TRAIN, TRAINED, WAS_CAST, after, fixed

# Imports


TYPED = "from typing import TYPE_CHECKING\nfrom torch import Tensor\nif TYPE_CHECKING:\n    import torch\n"


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("import torch\n", "import copy\n\nimport torch\n"),
        ("import os\n\nimport torch\n", "import copy\nimport os\n\nimport torch\n"),
        ("import abc\nimport os\n\nimport torch\n", "import abc\nimport copy\nimport os\n\nimport torch\n"),
        ("import abc\n\nimport torch\n", "import abc\nimport copy\n\nimport torch\n"),
        ("from os import path\n\nimport torch\n", "import copy\nfrom os import path\n\nimport torch\n"),
        ("import abc, os  # two\nimport torch\n", "import abc, os  # two\nimport copy\nimport torch\n"),
        ("from __future__ import annotations\n", "from __future__ import annotations\n\nimport copy\n"),
        (
            "from __future__ import annotations\n\nimport torch\n",
            "from __future__ import annotations\n\nimport copy\n\nimport torch\n",
        ),
        ('"""Doc."""\n', '"""Doc."""\n\nimport copy\n'),
        ('"""Doc."""\nimport torch\n', '"""Doc."""\nimport copy\n\nimport torch\n'),
        ("'a' 'b'\n", "'a' 'b'\n\nimport copy\n"),
        ("#!/bin/x\n# c\n\n", "#!/bin/x\n# c\n\nimport copy\n\n"),
        ("# c\nimport torch\n", "# c\nimport copy\n\nimport torch\n"),
        ("", "import copy\n\n"),
        ("@decorator\n", "import copy\n\n@decorator\n"),
        ("@one\n# c\n@two(\n    3)\n", "import copy\n\n@one\n# c\n@two(\n    3)\n"),
        ("if True:\n    import torch\n", "import copy\n\nif True:\n    import torch\n"),
        ("try:\n    import torch\nexcept ImportError:\n    pass\n", None),
        ("from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    import copy\n", None),
        ("import torch; y = 1\n", "import copy\n\nimport torch; y = 1\n"),
        ("import abc; import torch\n", "import abc; import torch\nimport copy\n"),
        ("import abc, \\\n    os\n", "import abc, \\\n    os\nimport copy\n"),
        ("from . import a\nfrom .b import c\n", "import copy\n\nfrom . import a\nfrom .b import c\n"),
        ("from a import (\n    b,\n)\n", "import copy\n\nfrom a import (\n    b,\n)\n"),
        ("import Abc\n", "import copy\n\nimport Abc\n"),
        ("def f():\n    import copy\n", "import copy\n\ndef f():\n    import copy\n"),
    ],
)
def test_where_a_standard_import_goes(before: str, expected: str | None) -> None:
    if expected is None:
        first, blank, rest = before.partition("\n\n")
        expected = f"{first}\nimport copy\n\n{rest}" if blank else f"import copy\n\n{before}"
        expected = expected.replace(
            "from typing import TYPE_CHECKING\nimport copy", "import copy\nfrom typing import TYPE_CHECKING"
        )
    assert after(before + TRAIN) == expected + TRAINED


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("from torch import Tensor\n", "import torch\nfrom torch import Tensor\n"),
        ("import os\nfrom torch import Tensor\n", "import os\nimport torch\nfrom torch import Tensor\n"),
        ("import numpy\nfrom torch import Tensor\n", "import numpy\nimport torch\nfrom torch import Tensor\n"),
        (
            "import torchvision\nfrom torch import Tensor\n",
            "import torch\nimport torchvision\nfrom torch import Tensor\n",
        ),
        (
            "import torch.nn as nn\nfrom torch import Tensor\n",
            "import torch\nimport torch.nn as nn\nfrom torch import Tensor\n",
        ),
        ("if 1:\n    from torch import Tensor\n", "import torch\n\nif 1:\n    from torch import Tensor\n"),
        (
            TYPED,
            TYPED.replace("\nfrom", "\nimport torch\nfrom"),
        ),
    ],
)
def test_where_an_import_of_torch_goes(before: str, expected: str) -> None:
    assert after(before + CAST) == expected + WAS_CAST
    assert after(before + CAST.rstrip()) == expected + WAS_CAST.rstrip()


@pytest.mark.parametrize("newline", ["\r\n", "\r"])
def test_an_added_import_ends_as_its_neighbours_do(newline: str) -> None:
    program = ("import abc\nimport torch\n" + TRAIN).replace("\n", newline)
    assert after(program) == ("import abc\nimport copy\nimport torch\n" + TRAINED).replace("\n", newline)


def test_an_import_after_the_only_line() -> None:
    assert after("from torch import Tensor; x = Tensor([1, 2])") == (
        "import torch\nfrom torch import Tensor; x = torch.tensor([1, 2], dtype=torch.float32)"
    )
    lines = TRAIN.replace("\n    ", "; ").replace("def train(model, opt):; ", "def train(model, opt): ")
    assert after("'Doc.'\n" + lines) == "'Doc.'\n\nimport copy\n" + lines.replace(
        "model.state_dict()", "copy.deepcopy(model.state_dict())"
    )


@pytest.mark.parametrize(
    ("imports", "spelled"),
    [
        ("import torch\n", "torch.tensor({}, dtype=torch.float32)"),
        ("import torch as th\n", "th.tensor({}, dtype=th.float32)"),
        ("from torch import tensor, float32\n", "tensor({}, dtype=float32)"),
        ("from torch import tensor as t, float32 as f\n", "t({}, dtype=f)"),
        ("import torch.nn\n", "torch.tensor({}, dtype=torch.float32)"),
        ("try:\n    import torch as th\nexcept ImportError:\n    raise\n", "th.tensor({}, dtype=th.float32)"),
        ("if TYPE_CHECKING:\n    import torch\nimport torch as th\n", "th.tensor({}, dtype=th.float32)"),
        ("import torch\nif TYPE_CHECKING:\n    import torch\n", "torch.tensor({}, dtype=torch.float32)"),
        ("if TYPE_CHECKING:\n    import torch\nimport torch\n", "torch.tensor({}, dtype=torch.float32)"),
        ("if TYPE_CHECKING:\n    import torch\nelse:\n    import torch\n", "torch.tensor({}, dtype=torch.float32)"),
        ("import torch as a, torch as b\n", "a.tensor({}, dtype=a.float32)"),
    ],
)
def test_torch_is_called_as_the_program_calls_it(imports: str, spelled: str) -> None:
    program = f"from torch import Tensor\n{imports}x = Tensor([1, 2])\n"
    assert after(program) == program.replace("Tensor([1, 2])", spelled.format("[1, 2]"))


FROM = "from torch import Tensor\n"
SCRIPT = """\
import torch
net = torch.nn.Linear(2, 1)
opt = torch.optim.SGD(net.parameters(), lr=0.1)
best = net.state_dict()
opt.step()
import copy
net.load_state_dict(best)
"""


@pytest.mark.parametrize(
    "program",
    [
        FROM + "torch = None\nx = Tensor([1, 2])\n",
        FROM + "def f(torch):\n    return Tensor([1, 2])\n",
        FROM + "def f(x):\n    y = Tensor([1, 2])\n    torch = x\n    return y\n",
        FROM + "def f(x):\n    y = Tensor([1, 2])\n    import torch\n    return torch, y\n",
        FROM + "def f(x):\n    for torch in x:\n        yield Tensor([1, 2])\n",
        FROM + "def f(torch):\n    def g():\n        return Tensor([1, 2])\n    return g\n",
        FROM + "from a import torch\nx = Tensor([1, 2])\n",
        FROM + "from a import *\nx = Tensor([1, 2])\n",
        FROM + "def torch(): pass\nx = Tensor([1, 2])\n",
        FROM + "class torch: pass\nx = Tensor([1, 2])\n",
        "import torch\n" + TRAIN.replace("opt)", "opt, copy)"),
        "import torch\n" + TRAIN + "    import copy\n",
        "import torch\n" + TRAIN.replace("    opt.step()", "    import copy\n    opt.step()"),
        "import torch\ndef copy(): pass\n" + TRAIN,
        "import torch\nfrom shutil import copy\n" + TRAIN,
        "import torch\nfrom numpy import *\n" + TRAIN,
        SCRIPT,
        "import numpy as np\nlist = 3\nx = np.array({}.values())\n",
        "import numpy as np\ndef f(list):\n    return np.array({}.values())\n",
    ],
)
def test_no_fix_where_a_name_it_needs_means_something_else(program: str) -> None:
    result = fixed(program)
    assert [finding.fix for finding in result.findings] == [None]
    assert (result.source.text, result.applied) == (program, ())


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("    import copy\n", "copy.deepcopy"),
        ("    import copy as c\n", "c.deepcopy"),
        ("    from copy import deepcopy\n", "deepcopy"),
        ("    try:\n        from copy import deepcopy as d\n    finally:\n        pass\n", "d"),
    ],
)
def test_an_import_of_the_function_is_used_when_it_came_first(program: str, expected: str) -> None:
    head, body = TRAIN.split("\n", 1)
    text = f"import torch\n{head}\n{program}{body}"
    assert after(text) == text.replace("model.state_dict()", f"{expected}(model.state_dict())")


def test_only_imports_lend_their_names() -> None:
    program = "import torch\nclass K:\n    make, t = torch.as_tensor, torch\n    x = torch.Tensor([1, 2])\n"
    assert "x = torch.tensor([1, 2], dtype=torch.float32)" in after(program)


def test_a_name_imported_on_one_path_is_only_used_beside_itself() -> None:
    head = "import sys\nfrom torch import Tensor\nif sys.argv:\n    import torch\n"
    assert after(head + "x = Tensor([1, 2])\n") == head + "x = Tensor([1, 2])\n"
    assert after(head + "x = torch.Tensor([1, 2])\n").endswith(WAS_CAST)
    both = head + "else:\n    import torch\n"
    assert after(both + CAST).endswith(WAS_CAST)
