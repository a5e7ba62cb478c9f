"""What an object is given as it is made: by attribute, also where its class stands in another file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.projects import forget, likely, write

CLASSES = {
    "a data class": "from dataclasses import dataclass\n\n\n@dataclass\nclass Out:\n    n: int\n    z: torch.Tensor\n",
    "a named tuple": "from typing import NamedTuple\n\n\nclass Out(NamedTuple):\n    n: int\n    z: torch.Tensor\n",
    "one of collections": 'from collections import namedtuple\n\nOut = namedtuple("Out", "n z")\n',
    "one of typing": 'from typing import NamedTuple\n\nOut = NamedTuple("Out", [("n", int), ("z", torch.Tensor)])\n',
    "a plain class": "class Out:\n    def __init__(self, n, z):\n        self.n = n\n        self.z: object = z\n",
    "one below": (
        "class Base:\n    def __init__(self, n, z):\n        self.n, self.m = n, n\n        self.z = z\n\n\n"
        "class Out(Base):\n    pass\n"
    ),
}
AWAY = 'torch.rand(3, device="cuda")'
MAKE = f"def make():\n    return Out(1, {AWAY})\n\n\ndef make_home():\n    return Out(1, z=torch.rand(3))\n"
READ = "def f():\n    o = make()\n    print(make_home().z.numpy())\n    return o.z.numpy()\n"


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> None:
    forget()


@pytest.mark.parametrize("kind", CLASSES)
def test_an_object_keeps_what_it_was_given(tmp_path: Path, kind: str) -> None:
    out = "import torch\n" + CLASSES[kind]
    write(
        tmp_path,
        {
            "out.py": out,
            "maker.py": f"import torch\nfrom out import Out\n\n\n{MAKE}",
            "user.py": f"from maker import make, make_home\n\n\n{READ}",
            "both.py": f"import torch\nfrom out import Out\n\n\n{MAKE}\n\n{READ}",
            "alone.py": f"{out}\n\n{MAKE}\n\n{READ}",
        },
    )
    for name in ("user.py", "both.py", "alone.py"):
        rows = (tmp_path / name).read_text().splitlines()
        assert [(code, rows[row - 1].strip()) for code, _, row in likely(tmp_path, name)] == [
            ("TBX101", "return o.z.numpy()")
        ]


@pytest.mark.parametrize("kind", [name for name in CLASSES if "tuple" in name or name.startswith("one of")])
def test_a_named_tuple_has_its_fields_for_elements(tmp_path: Path, kind: str) -> None:
    read = "def f():\n    n, z = make()\n    print(make_home()[1].numpy())\n    return z.numpy()\n"
    write(
        tmp_path,
        {
            "out.py": "import torch\n" + CLASSES[kind],
            "main.py": f"import torch\nfrom out import Out\n\n\n{MAKE}\n\n{read}\n\nmake()[1].numpy()\n",
        },
    )
    assert likely(tmp_path, "main.py") == [("TBX101", "main.py", 16), ("TBX101", "main.py", 19)]


@pytest.mark.parametrize(
    ("method", "between"),
    [
        # What binds it anew: a method, the file that reads it, a function of a third file, and who does not say what.
        ("    def home(self):\n        self.z = self.z.cpu()\n", "o.home()"),
        ("    def __post_init__(self):\n        self.z = self.z.cpu()\n", ""),
        ("", "p = o\n    p.z = p.z.cpu()"),
        ("", "o.n, o.z = 2, o.z.cpu()"),
        ("", "everyone(o)[0].z = o.z.cpu()"),
        ("", "fix(o)"),
        ("", 'setattr(o, "z", o.z.cpu())'),
    ],
)
def test_what_was_bound_anew_is_not_what_was_given(tmp_path: Path, method: str, between: str) -> None:
    write(
        tmp_path,
        {
            "out.py": f"import torch\n{CLASSES['a data class']}\n{method}",
            "third.py": "def fix(o):\n    o.z = o.z.cpu()\n",
            "main.py": (
                "import torch\nfrom out import Out\nfrom third import fix\n\n\n"
                f"def f():\n    o = Out(1, {AWAY})\n    {between or 'pass'}\n    return o.z.numpy()\n"
            ),
        },
    )
    assert likely(tmp_path, "main.py") == []


def test_a_constructor_that_changes_what_it_is_given_keeps_something_else(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "out.py": (
                "class Home:\n    def __init__(self, z):\n        z = z.cpu()\n        self.z = z\n\n\n"
                "class Later:\n    def __init__(self, z):\n        self.z = z\n        if len(z):\n"
                "            self.z = z.cpu()\n"
            ),
            "main.py": (
                "import torch\nfrom out import Home, Later\n\n\n"
                f"def f():\n    return Home({AWAY}).z.numpy(), Later({AWAY}).z.numpy()\n"
            ),
        },
    )
    assert likely(tmp_path, "main.py") == []


def test_a_global_that_another_function_brings_home(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "main.py": (
                f"import torch\n{CLASSES['a data class']}\n\nstate = Out(1, {AWAY})\n\n\n"
                "def home():\n    state.z = state.z.cpu()\n\n\ndef read():\n    return state.z.numpy()\n"
            )
        },
    )
    assert likely(tmp_path, "main.py") == []


def test_an_object_that_is_handed_on_is_what_it_was_given(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "out.py": "import torch\n" + CLASSES["a data class"],
            "plot.py": "def plot(o):\n    return o.z.numpy()\n",
            "main.py": f"import torch\nfrom out import Out\nfrom plot import plot\n\nplot(Out(1, {AWAY}))\n",
        },
    )
    assert likely(tmp_path, "plot.py") == [("TBX101", "plot.py", 2)]
