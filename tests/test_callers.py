"""Who calls a function: what the other files of a program pass to it, and under which grad mode."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tensorlint.findings import Certainty
from tensorlint.flow.world import World
from tensorlint.program.dependencies import Dependencies, recording
from tests.projects import PLOT, findings, forget, likely, possible, write

AGENT = (
    "import torch\n\n\nclass Agent:\n    def __init__(self, net):\n        self.net = net\n\n"
    "    def act(self, state):\n        return self.net(state).cpu().numpy()\n"
)
RUN = "import torch\nfrom model import Agent\n\n\ndef run(env):\n    agent = Agent(torch.nn.Linear(3, 4))\n"


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> None:
    forget()


def test_what_callers_pass_is_known(tmp_path: Path) -> None:
    train = 'import torch\nfrom model import plot\n\nplot(torch.rand(3, device="cuda"), "a")\n'
    write(tmp_path, {"model.py": PLOT, "train.py": train})
    (finding,) = findings(tmp_path, "model.py", certainty=Certainty.LIKELY)
    assert (finding.code, finding.span.row, finding.certainty) == ("TBX101", 5, Certainty.LIKELY)
    assert [(Path(step.path).name, step.span.row) for step in finding.trace] == [("train.py", 4)]


@pytest.mark.parametrize(
    "how",
    [
        "from plot import plot as draw\n\ndraw({})\n",
        "from plot import (\n    plot as draw,\n)\n\ndraw({})\n",
        "def f():\n    from plot import plot as draw\n\n    draw({})\n",
        "import plot as p\n\np.plot({})\n",
    ],
)
def test_what_callers_pass_by_another_name_is_known(tmp_path: Path, how: str) -> None:
    main = "import torch\n" + how.format('torch.rand(3, device="cuda"), ""')
    write(tmp_path, {"plot.py": PLOT, "main.py": main})
    assert likely(tmp_path, "plot.py") == [("TBX101", "plot.py", 5)]


def test_what_callers_pass_to_numpy_and_to_legacy_constructors_is_known(tmp_path: Path) -> None:
    model = "import numpy as np\nimport torch\n\n\ndef f(x):\n    return np.linalg.norm(x)\n\n\n"
    model += "def g(ids):\n    return torch.Tensor(ids)\n"
    train = 'import numpy as np\nimport torch\nfrom model import f, g\n\nf(torch.rand(3, device="cuda"))\n'
    write(tmp_path, {"model.py": model, "train.py": train + "g(np.arange(3))\n"})
    assert likely(tmp_path, "model.py") == [("TBX105", "model.py", 6), ("TBX201", "model.py", 10)]


ONLY_POSSIBLE = [("TBX101", Certainty.POSSIBLE)]


@pytest.mark.parametrize(
    ("train", "found"),
    [
        ('import torch\nfrom model import plot\n\nplot(torch.rand(3, device="cuda").cpu(), "a")\n', []),
        ('import torch\nfrom other import plot\n\nplot(torch.rand(3, device="cuda"), "a")\n', ONLY_POSSIBLE),
        ('import torch\nimport model\n\n# plot(torch.rand(3, device="cuda"))\n', ONLY_POSSIBLE),
    ],
)
def test_callers_that_bring_it_home_or_call_something_else(
    tmp_path: Path, train: str, found: list[tuple[str, Certainty]]
) -> None:
    write(tmp_path, {"model.py": PLOT, "train.py": train, "other.py": "def plot(x, title):\n    return 1\n"})
    assert possible(tmp_path, "model.py") == found


def test_what_a_caller_of_a_caller_passes_is_known(tmp_path: Path) -> None:
    middle = "from model import plot\n\n\ndef show(values):\n    plot(values, '')\n"
    train = 'import torch\nfrom middle import show\n\nshow(torch.rand(3, device="cuda"))\n'
    write(tmp_path, {"model.py": PLOT, "middle.py": middle, "train.py": train})
    assert likely(tmp_path, "model.py") == [("TBX101", "model.py", 5)]


def test_what_a_constructor_is_given_is_known_and_whether_callers_record_a_graph(tmp_path: Path) -> None:
    write(tmp_path, {"model.py": AGENT, "train.py": f"{RUN}    agent.act(torch.rand(3))\n"})
    assert possible(tmp_path, "model.py") == [("TBX102", Certainty.LIKELY)]
    write(tmp_path, {"train.py": f"{RUN}    with torch.no_grad():\n        agent.act(torch.rand(3))\n"})
    forget()
    assert possible(tmp_path, "model.py") == []


def test_the_weights_of_a_network_that_a_constructor_is_given_are_live(tmp_path: Path) -> None:
    trainer = (
        "import torch\n\n\nclass Trainer:\n    def __init__(self, net):\n        self.net = net\n\n"
        "    def train(self, x):\n        optimizer = torch.optim.Adam(self.net.parameters())\n"
        "        self.net(x).sum().backward()\n        optimizer.step()\n\n"
        "    def update(self, x):\n        before = self.net.state_dict()\n        self.train(x)\n"
        "        return before\n"
    )
    write(tmp_path, {"trainer.py": trainer})
    assert likely(tmp_path, "trainer.py") == [("TBX302", "trainer.py", 14)]
    main = "import torch\nfrom trainer import Trainer\n\nTrainer(torch.nn.Linear(2, 2)).update(torch.zeros(2))\n"
    write(tmp_path, {"main.py": main})
    forget()
    assert likely(tmp_path, "trainer.py") == [("TBX302", "trainer.py", 14)]


def test_a_method_that_is_asked_for_under_no_grad_alone_by_who_does_not_know_its_class(tmp_path: Path) -> None:
    train = "import torch\n\n\ndef run(agent, env):\n    with torch.no_grad():\n        agent.act(env)\n"
    makes = "import torch\nfrom model import Agent\n\nagent = Agent(torch.nn.Linear(3, 4))\n"
    write(tmp_path, {"model.py": AGENT, "make.py": makes})
    assert possible(tmp_path, "model.py") == [("TBX102", Certainty.LIKELY)]
    write(tmp_path, {"train.py": train})
    forget()
    assert possible(tmp_path, "model.py") == []
    # Unless that is more likely another class, whose file is nearer.
    (tmp_path / "train.py").unlink()
    write(tmp_path, {"copy/train.py": train, "copy/agents.py": AGENT})
    forget()
    assert possible(tmp_path, "model.py") == [("TBX102", Certainty.LIKELY)]


def test_who_calls_the_caller_of_a_copy_records_no_graph(tmp_path: Path) -> None:
    model = (
        "import copy\nimport torch\n\n\nclass Driver(torch.nn.Module):\n    def __init__(self):\n"
        "        super().__init__()\n        self.net = torch.nn.Linear(3, 2)\n\n    def drive(self, x):\n"
        "        self.draw(self.net(x))\n\n    def draw(self, points):\n        return copy.deepcopy(points[:, :1])\n"
    )
    agent = "import torch\nfrom model import Driver\n\n\ndef step(x):\n    driver = Driver()\n    driver.drive(x)\n"
    write(tmp_path, {"model.py": model, "agent.py": agent})
    assert possible(tmp_path, "model.py") == [("TBX507", Certainty.CERTAIN)]
    write(
        tmp_path,
        {"agent.py": agent.replace("    driver.drive(x)", "    with torch.no_grad():\n        driver.drive(x)")},
    )
    forget()
    assert possible(tmp_path, "model.py") == []


def test_a_method_is_called_by_who_calls_the_one_that_it_overrides(tmp_path: Path) -> None:
    base = (
        "class Base:\n    def explore(self):\n        return self.act(1)\n\n    def act(self, state):\n        pass\n"
    )
    agent = AGENT.replace("class Agent:", "from base import Base\n\n\nclass Agent(Base):")
    write(tmp_path, {"base.py": base, "model.py": agent, "train.py": RUN})
    assert possible(tmp_path, "model.py") == [("TBX102", Certainty.LIKELY)]
    write(tmp_path, {"train.py": f"{RUN}    with torch.no_grad():\n        agent.explore()\n"})
    forget()
    assert possible(tmp_path, "model.py") == []


def test_that_a_helper_asks_where_a_tensor_is_does_not_put_it_there(tmp_path: Path) -> None:
    helper = "def summed(x, how):\n    if how and x.is_cuda:\n        print('slow')\n    return x * 2\n"
    main = "import torch\nfrom helper import summed\n\n\ndef f(x: torch.Tensor):\n    return summed(x, 1).numpy()\n"
    write(tmp_path, {"helper.py": helper, "main.py": main})
    assert {certainty for _, certainty in possible(tmp_path, "main.py")} == {Certainty.POSSIBLE}


def test_that_a_table_of_dtypes_knows_one_does_not_choose_it(tmp_path: Path) -> None:
    table = (
        "import torch\n\n\ndef to_torch(name):\n    if name == 'bf16':\n        return torch.bfloat16\n"
        "    if name == 'f16':\n        return torch.float16\n    return torch.float32\n"
    )
    main = (
        "import torch\nfrom table import to_torch\n\n\ndef f(name):\n    out = torch.zeros(2, dtype=to_torch(name))\n"
    )
    write(tmp_path, {"table.py": table, "main.py": main + "    return out.numpy()\n"})
    assert likely(tmp_path, "main.py") == []


def test_tests_are_no_callers(tmp_path: Path) -> None:
    test = 'import torch\nfrom model import plot\n\n\ndef test_it():\n    plot(torch.rand(3, device="cuda"), "a")\n'
    write(tmp_path, {"model.py": PLOT, "tests/test_model.py": test})
    assert possible(tmp_path, "model.py") == ONLY_POSSIBLE


def test_what_everybody_calls_is_not_looked_for(tmp_path: Path) -> None:
    train = 'import torch\nfrom model import plot\n\nplot(torch.rand(3, device="cuda"), "a")\n'
    write(tmp_path, {"model.py": PLOT, **{f"train{number}.py": train for number in range(17)}})
    assert possible(tmp_path, "model.py") == ONLY_POSSIBLE


def test_a_method_that_something_unseen_may_call_too_is_given_more_than_its_own_file_gives(tmp_path: Path) -> None:
    decoder = (
        "import numpy as np\nimport torch\n\n\nclass Decoder(torch.nn.Module):\n"
        "    def sample(self, clip, places):\n        found = []\n        for i in range(2):\n"
        "            found.append(clip[places[:, i]])\n        return np.stack(found)\n\n\n"
        'if __name__ == "__main__":\n    Decoder().sample(torch.randn(3, 20), torch.ones(3, 20))\n'
    )
    whole = "def run(build, clip, data):\n    decoder = build()\n    return decoder.sample(clip, data)\n"
    write(tmp_path, {"decoder.py": decoder})
    assert likely(tmp_path, "decoder.py") == [("TBX212", "decoder.py", 9)]
    forget()
    write(tmp_path, {"whole.py": whole})
    assert likely(tmp_path, "decoder.py") == []


def test_an_object_that_another_file_casts_as_a_whole(tmp_path: Path) -> None:
    model = (
        "import torch\n\n\nclass Decoder(torch.nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.out = torch.nn.Linear(2, 4)\n\n    def sample(self, count):\n"
        "        z = torch.randn(count, 2).double()\n        return self.out(z).detach().numpy()\n"
    )
    script = "from model import Decoder\n\nmodel = Decoder()\nmodel.{}()\nprint(model.sample(3))\n"
    write(tmp_path, {"model.py": model, "script.py": script.format("eval")})
    assert likely(tmp_path, "model.py") == [("TBX207", "model.py", 11)]
    forget()
    write(tmp_path, {"script.py": script.format("double")})
    assert likely(tmp_path, "model.py") == []


def test_what_a_notebook_passes_is_known(tmp_path: Path) -> None:
    cells = ["%matplotlib inline\nimport torch\nfrom model import plot", 'plot(torch.rand(3, device="cuda"), "a")']
    content = {
        "cells": [{"cell_type": "code", "metadata": {}, "outputs": [], "source": each} for each in cells],
        "metadata": {"language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 4,
    }
    write(tmp_path, {"model.py": PLOT, "look.ipynb": json.dumps(content, indent=1)})
    (finding,) = findings(tmp_path, "model.py", certainty=Certainty.LIKELY)
    assert (finding.code, finding.span.row) == ("TBX101", 5)
    (step,) = finding.trace
    row = step.span.row
    assert Path(step.path).name == "look.ipynb"
    assert "plot(torch" in json.dumps(content, indent=1).splitlines()[row - 1]
    forget()
    write(tmp_path, {"look.ipynb": "no notebook: plot("})
    assert likely(tmp_path, "model.py") == []


def test_what_makes_objects_of_a_class_hangs_on_who_defines_one_of_that_name(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"model.py": "class Net(Module):\n    pass\n", "run.py": "class Net(Module):\n    pass\n\nNet()\nx.double()\n"},
    )
    callers = World().callers
    with recording(Dependencies()) as asked:
        assert not callers.make_and_call("Net", str(tmp_path / "model.py"), "double")
    assert {"called", "defined"} <= {each.kind for each in asked.all()}
    forget()
    write(tmp_path, {"run.py": "from model import Net\n\nNet()\nx.double()\n"})
    assert World().callers.make_and_call("Net", str(tmp_path / "model.py"), "double")
