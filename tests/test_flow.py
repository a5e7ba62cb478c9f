"""The interpreter, asked about one program at a time: what it knows of the receiver of each ``.numpy()``."""

from __future__ import annotations

import textwrap

import libcst as cst
import pytest

from tensorlint.flow import events
from tensorlint.flow.domain.facts import Truth
from tensorlint.flow.domain.tensors import Tensor
from tensorlint.flow.domain.values import Unknown
from tensorlint.flow.interpreter import interpret
from tensorlint.flow.scene import FileFacts

HEADER = "import numpy as np\nimport torch\nfrom torch import nn\n"


def exports(program: str) -> list[events.Export]:
    found: list[events.Event] = []
    module = cst.parse_module(HEADER + textwrap.dedent(program))
    interpret(module, FileFacts(imports_torch=True), found.append)
    return [event for event in found if isinstance(event, events.Export)]


def receiver(program: str) -> Tensor | Unknown:
    (export,) = exports(program)
    assert isinstance(export.value, (Tensor, Unknown)), export.value
    return export.value


@pytest.mark.parametrize(
    ("program", "off_cpu"),
    [
        ("torch.zeros(2).numpy()", Truth.NO),
        ("torch.zeros(2, device='cuda').numpy()", Truth.YES),
        ("torch.zeros(2).cuda().numpy()", Truth.YES),
        ("torch.zeros(2).cuda().cpu().numpy()", Truth.NO),
        ("torch.zeros(2).to('cuda').to('cpu').numpy()", Truth.NO),
        ("torch.zeros(2).to(torch.float16).numpy()", Truth.NO),
        ("(torch.zeros(2).cuda() + 1).numpy()", Truth.YES),
        ("d = 'cuda' if torch.cuda.is_available() else 'cpu'\ntorch.zeros(2).to(d).numpy()", Truth.MAYBE),
        ("x = torch.zeros(2)\nif torch.cuda.is_available():\n    x = x.cuda()\nx.numpy()", Truth.MAYBE),
        ("x = torch.zeros(2).cuda()\nif x.is_cuda:\n    x = x.cpu()\nx.numpy()", Truth.NO),
        ("x = torch.zeros(2)\nfor _ in range(3):\n    x.numpy()\n    x = x.cuda()", Truth.MAYBE),
        ("x = torch.zeros(2)\nx.cuda()\nx.numpy()", Truth.NO),
        ("net = nn.Linear(2, 2)\nnet.cuda()\nnet.weight.detach().numpy()", Truth.YES),
        ("with torch.device('cuda'):\n    x = torch.zeros(2)\nx.numpy()", Truth.YES),
        ("def f(x):\n    return x.numpy()\nf(torch.zeros(2).cuda())", Truth.YES),
        ("def f(x):\n    return x.numpy()\nf(torch.zeros(2))", Truth.NO),
        ("def f(x: torch.Tensor):\n    return x.numpy()", Truth.UNKNOWN),
        (
            (
                "class A:\n    def __init__(self):\n        self.x = torch.zeros(2).cuda()\n"
                "    def f(self):\n        self.x.numpy()"
            ),
            Truth.YES,
        ),
        ("from torch.utils.data import DataLoader\nfor x in DataLoader([]):\n    x.numpy()", Truth.NO),
        ("match torch.zeros(2).cuda():\n    case x:\n        x.numpy()", Truth.YES),
        ("if (x := torch.zeros(2).cuda()) is not None:\n    x.numpy()", Truth.YES),
        ("a, (b, c) = 1, (2, torch.zeros(2).cuda())\nc.numpy()", Truth.YES),
        ("d = {'x': torch.zeros(2).cuda()}\nd['x'].numpy()", Truth.YES),
        ("[x.numpy() for x in [torch.zeros(2).cuda()]]", Truth.YES),
        ("try:\n    x = torch.zeros(2).cuda()\nexcept ValueError:\n    x = torch.zeros(2)\nx.numpy()", Truth.MAYBE),
    ],
)
def test_device(program: str, off_cpu: Truth) -> None:
    assert receiver(program).device.truth is off_cpu


@pytest.mark.parametrize(
    ("program", "needs_grad"),
    [
        ("torch.zeros(2, requires_grad=True).numpy()", Truth.YES),
        ("(torch.zeros(2, requires_grad=True) * 2).numpy()", Truth.YES),
        ("(torch.zeros(2, requires_grad=True) > 0).numpy()", Truth.NO),
        ("torch.zeros(2, requires_grad=True).argmax().numpy()", Truth.NO),
        ("torch.zeros(2, requires_grad=True).detach().numpy()", Truth.NO),
        ("torch.zeros(2, requires_grad=True).data.numpy()", Truth.NO),
        ("x = torch.zeros(2)\nx.requires_grad = True\nx.numpy()", Truth.YES),
        ("x = torch.zeros(2)\nx.requires_grad_()\nx.numpy()", Truth.YES),
        ("x = torch.zeros(2, requires_grad=True)\ny = x\nx.requires_grad_(False)\ny.numpy()", Truth.NO),
        ("nn.Linear(2, 2)(torch.zeros(2)).numpy()", Truth.YES),
        ("nn.ReLU()(torch.zeros(2)).numpy()", Truth.NO),
        ("net = nn.Linear(2, 2)\nwith torch.no_grad():\n    y = net(torch.zeros(2))\ny.numpy()", Truth.NO),
        ("net = nn.Linear(2, 2)\ntorch.set_grad_enabled(False)\nnet(torch.zeros(2)).numpy()", Truth.NO),
        ("net = nn.Linear(2, 2).requires_grad_(False)\nnet(torch.zeros(2)).numpy()", Truth.NO),
        (
            "net = nn.Linear(2, 2)\n@torch.inference_mode()\ndef f(x):\n    return net(x)\nf(torch.zeros(2)).numpy()",
            Truth.NO,
        ),
        ("values, indices = torch.zeros(2, requires_grad=True).max(0)\nindices.numpy()", Truth.NO),
        ("values, indices = torch.zeros(2, requires_grad=True).max(0)\nvalues.numpy()", Truth.YES),
        ("for p in nn.Linear(2, 2).parameters():\n    p.numpy()", Truth.YES),
    ],
)
def test_grad(program: str, needs_grad: Truth) -> None:
    assert receiver(program).grad.truth is needs_grad


def test_no_grad_in_the_caller_reaches_the_helper() -> None:
    program = """
    net = nn.Linear(2, 2)
    def helper(x):
        return net(x).numpy()
    with torch.no_grad():
        helper(torch.zeros(2))
    """
    (export,) = exports(program)
    assert export.scene.grad_mode.truth is Truth.NO


@pytest.mark.parametrize(
    "imports",
    ["import torch as th\nx = th.zeros(2).cuda()", "from torch import zeros as z\nx = z(2).cuda()",
     "try:\n    import torch as th\nexcept ImportError:\n    th = None\nx = th.zeros(2).cuda()"],
)  # fmt: skip
def test_names_come_from_the_import_table(imports: str) -> None:
    assert receiver(imports + "\nx.numpy()").device.truth is Truth.YES


def test_star_imports_degrade_to_nothing_known() -> None:
    assert isinstance(receiver("from torch import *\nx = zeros(2)\nx.numpy()"), Unknown)


@pytest.mark.parametrize("framework", ["tensorflow", "paddle", "tinygrad", "cupy", "jax"])
def test_values_of_other_frameworks_are_never_exported(framework: str) -> None:
    assert exports(f"import {framework} as other\nother.make(2).numpy()") == []


def test_a_method_that_getattr_names_is_that_method() -> None:
    (export,) = exports("getattr(torch.zeros(2).cuda(), 'numpy')()")
    assert export.value.device.truth is Truth.YES
    assert isinstance(export.receiver, cst.Call)


@pytest.mark.parametrize("call", ["f()", "table['f']()", "getattr(x, name)()", "o.f()"])
def test_a_method_that_was_looked_up_before_is_called(call: str) -> None:
    program = f"""
    x = torch.zeros(2)
    f = x.numpy
    table = {{"f": x.cpu}}
    name = "cpu"
    class O: pass
    o = O()
    o.f = x.cpu
    {call}
    x.cuda().numpy()
    """
    assert len(exports(program)) == 1


def test_recursion_and_self_reference_end() -> None:
    program = """
    def f(x, n):
        return f(x.cuda(), n - 1) if n else x
    def g(x):
        return h(x)
    def h(x):
        return g(x)
    f(torch.zeros(2), 3).numpy()
    """
    assert len(exports(program)) == 1


def test_an_event_is_told_once() -> None:
    program = """
    def helper(x):
        return x.numpy()
    for i in range(3):
        while i:
            helper(torch.zeros(2).cuda())
    """
    assert len(exports(program)) == 1


@pytest.mark.parametrize(
    ("statement", "prepared"),
    [
        ("try:\n    {}\nexcept TypeError:\n    pass", True),
        ("try:\n    {}\nexcept Exception as error:\n    print(error)", True),
        ("try:\n    {}\nexcept:\n    pass", True),
        ("with pytest.raises(TypeError):\n    {}", True),
        # That handler may be there for the other one.
        ("try:\n    load()\n    {}\nexcept Exception as error:\n    print(error)", False),
        ("try:\n    {}\nexcept ValueError:\n    pass", False),
        ("{}", False),
    ],
)
def test_a_program_that_is_prepared_for_a_failing_export(statement: str, prepared: bool) -> None:
    (export,) = exports("import pytest\n" + statement.format("torch.zeros(2).cuda().numpy()"))
    assert export.scene.caught is prepared
