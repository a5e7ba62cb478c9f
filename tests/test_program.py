"""A file in its program: what other files define, where Python would find it, and what is known of it here."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tensorlint.config import Layer, Resolver
from tensorlint.discovery import discover
from tensorlint.findings import Certainty, Finding
from tensorlint.program.index import Lines, Star, index_of
from tensorlint.program.layout import absolute, locate, module_name
from tensorlint.runner import run
from tests.projects import AWAY, HOME, brief, findings, forget, likely, write


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> None:
    forget()


# Where things are found


def test_index_knows_by_which_lines_a_name_is_bound() -> None:
    index = index_of(
        "import os\n"
        "try:\n    from a import b\nexcept ImportError:\n    b = None\n"
        "@cache\ndef f():\n    inner = 1\n"
        "class C:\n    def m(self):\n        pass\n    x = 1\n"
        "u, (v, *w) = g()\n"
        "if __name__ == '__main__':\n    args = 1\n"
        "from .sub import *\n"
    )
    assert index.bound == {
        "os": (Lines(1, 1),),
        "b": (Lines(2, 5),),
        "f": (Lines(6, 8),),
        "C": (Lines(9, 12),),
        "u": (Lines(13, 13),),
        "v": (Lines(13, 13),),
        "w": (Lines(13, 13),),
    }
    assert index.methods == {Lines(9, 12): (("m", Lines(10, 11)),)}
    assert index.stars == (Star(Lines(16, 16), 1, "sub"),)


def test_a_file_that_is_no_program_binds_nothing() -> None:
    assert index_of("def f(:").bound == {}


@pytest.mark.parametrize(
    ("files", "importer", "dotted", "found"),
    [
        (["pkg/__init__.py", "pkg/a.py", "main.py"], "main.py", "pkg.a.f", "pkg/a.py"),
        (["pkg/__init__.py", "pkg/sub/__init__.py"], "pkg/x.py", "pkg.sub.f", "pkg/sub/__init__.py"),
        (["src/pkg/__init__.py", "src/pkg/a.py"], "tests/test_a.py", "pkg.a.f", "src/pkg/a.py"),
        (["space/part/a.py"], "main.py", "space.part.a.f", "space/part/a.py"),
        (["scripts/helper.py"], "scripts/run.py", "helper.f", "scripts/helper.py"),
        (["pkg/__init__.py", "pkg/helper.py"], "pkg/run.py", "helper.f", "pkg/helper.py"),
        (["utils.py", "scripts/utils.py"], "scripts/run.py", "utils.f", "scripts/utils.py"),
        (["torch/__init__.py"], "main.py", "torch.zeros", None),
        (["logging.py"], "main.py", "logging.f", None),
        (["space/readme.txt"], "main.py", "space.f", None),
        ([], "main.py", "nowhere.f", None),
    ],
)
def test_modules_are_found_where_python_looks(
    tmp_path: Path, files: list[str], importer: str, dotted: str, found: str | None
) -> None:
    write(tmp_path, dict.fromkeys([*files, importer], ""))
    located = locate(dotted, str(tmp_path / importer))
    assert (None if located is None else Path(located.path).relative_to(tmp_path).as_posix()) == found


@pytest.mark.parametrize(
    ("name", "end", "found"),
    [
        ("train.py", "if __name__ == '__main__':\n    main()\n", "pkg/loss/focal.py"),
        ("train.py", "", "loss/focal.py"),
        ("test_train.py", "if __name__ == '__main__':\n    main()\n", "loss/focal.py"),
    ],
)
def test_what_lies_beside_a_script_in_a_package_comes_first(tmp_path: Path, name: str, end: str, found: str) -> None:
    program = "from loss.focal import FocalLoss\n" + end
    write(tmp_path, {"pkg/__init__.py": "", "pkg/loss/focal.py": "", "loss/focal.py": "", f"pkg/{name}": program})
    there = locate("loss.focal.FocalLoss", str(tmp_path / "pkg" / name))
    assert there is not None
    assert there.path == str(tmp_path / found)


def test_relative_names_are_made_absolute(tmp_path: Path) -> None:
    write(tmp_path, {"pkg/__init__.py": "", "pkg/sub/__init__.py": "", "pkg/sub/a.py": ""})
    path = str(tmp_path / "pkg/sub/a.py")
    assert module_name(path) == "pkg.sub.a"
    assert absolute(path, 1, "b") == "pkg.sub.b"
    assert absolute(path, 2, "") == "pkg"


# What is known of it

IMPORTS = {
    "by name": "from pkg.tools import away\n\n\ndef f(x: torch.Tensor):\n    return away(x).numpy()\n",
    "by module": "from pkg import tools\n\n\ndef f(x: torch.Tensor):\n    return tools.away(x).numpy()\n",
    "whole path": "import pkg.tools\n\n\ndef f(x: torch.Tensor):\n    return pkg.tools.away(x).numpy()\n",
    "relative": "from .tools import away as gone\n\n\ndef f(x: torch.Tensor):\n    return gone(x).numpy()\n",
    "handed on by the package": "from pkg import away\n\n\ndef f(x: torch.Tensor):\n    return away(x).numpy()\n",
    "with a star": "from pkg.tools import *\n\n\ndef f(x: torch.Tensor):\n    return away(x).numpy()\n",
    "in the function": "def f(x: torch.Tensor):\n    from pkg.tools import away\n\n\n    return away(x).numpy()\n",
}


@pytest.mark.parametrize("how", IMPORTS)
def test_what_a_function_of_another_file_does_is_known(tmp_path: Path, how: str) -> None:
    write(
        tmp_path,
        {
            "pkg/__init__.py": "from .tools import *\n",
            "pkg/tools.py": "import torch\n\n\n" + AWAY,
            "pkg/main.py": "import torch\n" + IMPORTS[how],
        },
    )
    (finding,) = findings(tmp_path)
    assert (finding.code, finding.span.row, finding.certainty) == ("TBX101", 6, Certainty.CERTAIN)
    (step,) = finding.trace
    assert (Path(step.path).name, step.span.row, step.span.column) == ("tools.py", 5, 12)


def test_a_file_without_torch_may_be_given_its_tensors(tmp_path: Path) -> None:
    tools = 'import torch\n\n\ndef made():\n    return torch.zeros(2, device="cuda")\n'
    write(tmp_path, {"tools.py": tools, "main.py": "from tools import made\n\nprint(made().numpy())\n"})
    assert brief(findings(tmp_path)) == [("TBX101", "main.py", 3)]


def test_what_a_function_of_another_file_brings_home_is_home(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "tools.py": "import torch\n\n\n" + HOME,
            "main.py": "import torch\nfrom tools import home\n\n\n"
            "def f(x: torch.Tensor):\n    return home(x.cuda()).numpy()\n",
        },
    )
    assert findings(tmp_path) == []


def test_a_network_of_another_file_has_parameters(tmp_path: Path) -> None:
    net = (
        "import torch\n\n\nclass Base(torch.nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.fc = torch.nn.Linear(2, 2)\n\n    def embed(self, x):\n        return self.fc(x)\n"
    )
    main = (
        "import torch\nfrom net import Base\n\n\nclass Net(Base):\n    def forward(self, x):\n"
        "        return self.embed(x)\n\n\nnet = Net()\nprint(net(torch.zeros(2, 2)).numpy())\n"
    )
    write(tmp_path, {"net.py": net, "main.py": main})
    (finding,) = findings(tmp_path)
    assert (finding.code, finding.span.row, finding.certainty) == ("TBX102", 11, Certainty.CERTAIN)


def test_what_a_base_of_another_file_kept_is_there_before_it_is_bound_anew(tmp_path: Path) -> None:
    base = "class Base:\n    def __init__(self, x):\n        self.x = x\n"
    main = (
        "import torch\nfrom base import Base\n\n\nclass Below(Base):\n    def __init__(self, x):\n"
        "        super().__init__(x)\n        self.x = torch.from_numpy(self.x)\n\n    def again(self):\n"
        "        return torch.from_numpy(self.x)\n"
    )
    write(tmp_path, {"base.py": base, "main.py": main})
    assert [(each.code, each.span.row) for each in findings(tmp_path)] == [("TBX215", 11)]


def test_that_something_is_a_tensor_is_no_surer_behind_numpy_than_its_annotation(tmp_path: Path) -> None:
    text = (
        "import numpy as np\nimport torch\n\n\ndef weigh(grads: torch.Tensor):\n"
        "    weights = np.maximum(grads, 0) * 2\n    return np.sum(weights, axis=1)\n\n\n"
        "made = np.maximum(torch.ones(2, 3), 0)\nprint(np.sum(made, axis=1))\n"
    )
    write(tmp_path, {"main.py": text})
    told = [each for each in findings(tmp_path, certainty=Certainty.POSSIBLE) if each.code == "TBX109"]
    assert [(each.span.row, each.certainty) for each in told] == [(7, Certainty.POSSIBLE), (11, Certainty.CERTAIN)]


def test_a_constant_of_another_file_is_a_device(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "settings.py": 'DEVICE = "cuda:0"\n',
            "main.py": "import torch\nfrom settings import DEVICE\n\nprint(torch.zeros(2, device=DEVICE).numpy())\n",
        },
    )
    assert brief(findings(tmp_path)) == [("TBX101", "main.py", 4)]


def test_only_what_is_named_is_reported_and_all_around_it_is_read(tmp_path: Path) -> None:
    tools = "import torch\n\n\n" + AWAY + "\n\nprint(away(torch.zeros(2)).numpy())\n"
    write(tmp_path, {"tools.py": tools, "main.py": "import torch\n" + IMPORTS["by name"].replace("pkg.", "")})
    assert brief(findings(tmp_path, "main.py")) == [("TBX101", "main.py", 6)]
    assert len(findings(tmp_path)) == 2


def test_what_stands_wrong_in_another_file_is_said_there_alone(tmp_path: Path) -> None:
    tools = "import numpy as np\nimport torch\n\nchosen = np.argwhere(torch.ones(3) > 0)\n"
    main = "import torch\nfrom tools import chosen\n\nprint(torch.Tensor(chosen))\n"
    write(tmp_path, {"tools.py": tools, "main.py": main})
    assert brief(findings(tmp_path, "main.py")) == []
    assert likely(tmp_path, "tools.py") == [("TBX103", "tools.py", 4)]


def test_a_network_of_another_file_is_traced(tmp_path: Path) -> None:
    network = (
        "from torch import nn\n\n\nclass Scale(nn.Module):\n"
        "    def forward(self, x):\n        return x / x.max().item()\n"
    )
    main = "import torch\nfrom network import Scale\n\n\ndef export(model):\n"
    main += "    return torch.jit.trace(model, torch.rand(3))\n\n\nexport(Scale().eval())\n"
    write(tmp_path, {"network.py": network, "main.py": main})
    (found,) = findings(tmp_path)
    assert brief([found]) == [("TBX403", "main.py", 6)]
    assert [(Path(step.path).name, step.span.row) for step in found.trace] == [("network.py", 6)]


def test_what_a_star_hands_on_is_what_the_other_file_imports(tmp_path: Path) -> None:
    main = (
        "import torch\nfrom tools import *\n\n\ndef mask(rows):\n    ones = np.triu(np.ones((rows, rows)), k=1)\n"
        "    print(np.argwhere(torch.ones(3) > 0))\n    return torch.from_numpy(ones)\n"
    )
    write(tmp_path, {"tools.py": "import numpy as np\n", "main.py": main})
    assert likely(tmp_path, "main.py") == [("TBX103", "main.py", 7)]


# Circles, and orders

CIRCLE = {
    "a.py": (
        "import torch\nimport b\n\n\nclass A:\n    def __init__(self):\n        self.other = b.B()\n"
        "        self.x = torch.zeros(2).cuda()\n\n    def get(self):\n        return self.other.y\n\n\n"
        "def left(x):\n    return b.right(x)\n\n\nprint(A().get().numpy())\nprint(left(torch.zeros(2)).numpy())\n"
    ),
    "b.py": (
        "import torch\nimport a\n\n\nclass B:\n    def __init__(self):\n        self.other = a.A()\n"
        "        self.y = self.other.x\n\n\ndef right(x):\n    return a.left(x) if x.sum() else x.cuda()\n\n\n"
        "print(B().y.numpy())\nprint(right(torch.zeros(2)).numpy())\n"
    ),
    "c.py": "import torch\nfrom a import A, left\nfrom b import B, right\n\nprint(B().other.x.numpy(), A().x.numpy())\n"
    "print(right(left(torch.zeros(2))).numpy())\n",
}


def test_files_that_import_each_other_come_to_an_end_and_their_order_does_not_show(tmp_path: Path) -> None:
    write(tmp_path, CIRCLE)
    whole = findings(tmp_path)
    assert {finding.path for finding in whole} == {str(tmp_path / name) for name in CIRCLE}
    alone: list[Finding] = []
    for name in random.Random(3).sample(sorted(CIRCLE), 3):
        alone += findings(tmp_path, name)
    assert sorted(alone, key=lambda finding: finding.sort_key) == whole


def test_a_circle_through_a_value_does_not_show_who_asked_first(tmp_path: Path) -> None:
    away = "def f(n):\n    if n:\n        return torch.zeros(2).cuda()\n    return b.Y\n"
    write(
        tmp_path,
        {
            "a.py": f"import torch\nimport b\n\n\n{away}",
            "b.py": 'import a\n\nY = a.f(len("x"))\n',
            "c.py": 'import torch\nimport a\n\nprint(a.f(len("x")).numpy())\n',
            "d.py": "import torch\nimport b\n\nprint(b.Y.numpy())\n",
        },
    )
    resolver = Resolver(Layer.of_options(certainty="possible"), isolated=True)
    outcomes = []
    for names in (["c.py", "d.py"], ["d.py"]):
        files = discover([str(tmp_path / name) for name in names], resolver.for_directory)
        report = run(files, resolver)
        outcomes.append([finding.message for finding in report.findings if finding.path.endswith("d.py")])
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("seed", range(6))
def test_in_circles_of_any_shape_it_does_not_show_what_was_asked_before(tmp_path: Path, seed: int) -> None:
    drawn = random.Random(seed)
    modules = "abcde"
    for name in modules:

        def other(name: str = name) -> str:
            module = drawn.choice([each for each in modules if each != name])
            return f"{module}." + drawn.choice(["f(1)", "Y", "K().x"])

        made = drawn.choice(["torch.zeros(2)", 'torch.zeros(2, device="cuda")', "torch.ones(2, requires_grad=True)"])
        text = (
            f"import torch\n{''.join(f'import {each}' + chr(10) for each in modules if each != name)}\n\n"
            f"def f(n):\n    if n:\n        return {other()}\n"
            f"    return {other() if drawn.random() < 0.6 else made}\n\n\n"
            f"class K:\n    def __init__(self):\n"
            f"        self.x = {other()} if f(2) is None else {made}\n\n\nY = {other()}\n"
        )
        ask = f"import torch\nimport {name}\n\nprint({name}.f(1).numpy(), {name}.Y.numpy(), {name}.K().x.numpy())\n"
        write(tmp_path, {f"{name}.py": text, f"ask_{name}.py": ask})
    resolver = Resolver(Layer.of_options(certainty="possible"), isolated=True)
    asking = [f"ask_{name}.py" for name in modules]
    outcomes = set()
    for names in (asking, asking[::-1], drawn.sample(asking, 5), *([name] for name in asking)):
        forget()
        for name in names:
            found = run(discover([str(tmp_path / name)], resolver.for_directory), resolver).findings
            outcomes.add((name, tuple((finding.message, finding.certainty, finding.trace) for finding in found)))
    assert len(outcomes) == len(asking)


def test_many_functions_that_call_each_other_over_many_files_take_bounded_time(tmp_path: Path) -> None:
    files = {
        f"m{n}.py": f"import torch\nimport m{(n + 1) % 60}\n\n\n"
        + "\n\n".join(
            f"def f{k}(x):\n    y = m{(n + 1) % 60}.f{(k + 1) % 40}(x)\n"
            f"    return m{(n + 1) % 60}.f{(k + 7) % 40}(y).cpu()\n"
            for k in range(40)
        )
        + "\n\nprint(f1(torch.zeros(2)).numpy())\n"
        for n in range(60)
    }
    write(tmp_path, files)
    assert findings(tmp_path) == []


def test_what_cannot_be_read_around_a_file_is_not_known(tmp_path: Path) -> None:
    write(tmp_path, {"main.py": "from broken import f\nfrom gone import g\n\nprint(f().numpy(), g().numpy())\n"})
    (tmp_path / "broken.py").write_bytes(b"def f(:\n\xff")
    (tmp_path / "gone.py").symlink_to(tmp_path / "nowhere.py")
    assert findings(tmp_path, "main.py") == []


def test_what_goes_wrong_in_one_file_leaves_nothing_half_done_for_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tensorlint.flow.world import World

    write(tmp_path, {**CIRCLE, "z.py": CIRCLE["c.py"]})
    expected = brief(findings(tmp_path, "z.py"))
    forget()
    bound, broken = World._bound_by, iter([True])

    def once(self: World, unit: object, name: str) -> object:
        if name == "A" and next(broken, False):
            raise ValueError(name)
        return bound(self, unit, name)  # type: ignore[arg-type]

    monkeypatch.setattr(World, "_bound_by", once)
    found = findings(tmp_path)
    assert [finding.code for finding in found].count("TBX900") == 1
    assert brief([finding for finding in found if finding.path.endswith("z.py")]) == expected != []


# What one file says of another


def test_generator_of_a_dataset_in_another_file_is_told_of_at_the_loader(tmp_path: Path) -> None:
    dataset = (
        "import numpy as np\nfrom torch.utils.data import Dataset\n\n\nclass Noisy(Dataset):\n"
        "    def __init__(self, rows):\n        self.rows = rows\n        self.rng = np.random.default_rng(0)\n\n"
        "    def __getitem__(self, index):\n        return self.augment(self.rows[index])\n\n"
        "    def augment(self, row):\n        return row + self.rng.normal()\n"
    )
    train = (
        "from torch.utils.data import DataLoader\nfrom data.noisy import Noisy\n\n\n"
        "def main(rows):\n    return DataLoader(Noisy(rows), num_workers=2)\n"
    )
    write(tmp_path, {"data/noisy.py": dataset, "train.py": train})
    (found,) = findings(tmp_path)
    assert (found.code, Path(found.path).name, found.span.row, found.certainty) == (
        "TBX217",
        "train.py",
        6,
        Certainty.CERTAIN,
    )
    assert [(Path(step.path).name, step.span.row) for step in found.trace] == [("noisy.py", 8), ("noisy.py", 14)]


def test_a_script_that_was_judged_first_does_not_show_in_the_file_beside_it(tmp_path: Path) -> None:
    importing = "import torch\nfrom helper import bring\n\n\ndef f():\n    x = torch.ones(3, device='cuda')\n"
    asking = "    return bring(x).numpy()\n"
    write(
        tmp_path,
        {
            "helper.py": "def bring(x):\n    return x.cuda()\n",
            "pack/__init__.py": "",
            "pack/helper.py": "def bring(x):\n    return x.detach().cpu()\n",
            # A script finds what lies beside it, a module of the package what lies above.
            "pack/a_script.py": importing + asking + "\n\nif __name__ == '__main__':\n    f()\n",
            "pack/module.py": importing + asking,
        },
    )
    together = likely(tmp_path, "pack")
    forget()
    assert together == likely(tmp_path, "pack/module.py")
    assert [(code, name) for code, name, _ in together] == [("TBX101", "module.py")]


def test_a_function_that_another_file_gives_a_part_of_its_arguments(tmp_path: Path) -> None:
    tools = (
        "from functools import partial\n\n\ndef put(device, x, copy=False):\n    return x.to(device)\n\n\n"
        'away = partial(put, "cuda")\nhome = partial(put, "cpu", copy=True)\n'
    )
    main = "import torch\nfrom tools import away, home\n\nprint(away(torch.rand(3)).numpy())\n"
    write(tmp_path, {"tools.py": tools, "main.py": main + "print(home(torch.rand(3).cuda()).numpy())\n"})
    assert brief(findings(tmp_path)) == [("TBX101", "main.py", 4)]


@pytest.mark.parametrize(
    ("body", "grad"),
    [
        ("    def run(*args):\n        with torch.no_grad():\n            return f(*args)\n", False),
        ("    @torch.no_grad()\n    def run(*args):\n        return f(*args)\n", False),
        ("    run = torch.no_grad()(f)\n", False),
        ("    def run(*args):\n        with torch.inference_mode(mode=on):\n            return f(*args)\n", True),
        ("    def run(*args):\n        with torch.no_grad():\n            g(*args)\n        return f(*args)\n", True),
        ("    def run(*args):\n        return f(*args)\n", True),
        ("    run = f\n", True),
    ],
)
def test_a_decorator_of_another_file_may_switch_gradients_off(tmp_path: Path, body: str, grad: bool) -> None:
    main = (
        "import torch\nimport tools\nfrom tools import quiet\n\nnet = torch.nn.Linear(3, 3)\n\n\n"
        "@quiet\ndef f(x):\n    return net(x).numpy()\n\n\n"
        "class Net:\n    @tools.quiet\n    def act(self, x):\n        return net(x).numpy()\n"
    )
    write(tmp_path, {"tools.py": f"import torch\n\n\ndef quiet(f):\n{body}    return run\n", "main.py": main})
    assert likely(tmp_path, "main.py") == [("TBX102", "main.py", 10), ("TBX102", "main.py", 16)] * grad
