"""How sure it is that a tensor is off the CPU, by what decides where it is put."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent, indent

import pytest

from tensorlint.findings import Certainty
from tests.projects import findings, write

CERTAIN = {
    "whether there is an accelerator is all that decides": """
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        x = torch.ones(3, device=device)
        """,
    "a name for the answer, negated": """
        alone = not torch.cuda.is_available()
        x = torch.ones(3)
        if alone:
            print("slow")
        else:
            x = x.cuda()
        """,
    "one of several accelerators": """
        if torch.cuda.is_available():
            device = "cuda"
        elif torch.backends.mps.is_available():
            device = "mps"
        else:
            device = "cpu"
        x = torch.ones(3).to(torch.device(device))
        """,
    "where another tensor is": """
        y = torch.ones(3, device="cuda" if torch.cuda.is_available() else "cpu")
        x = batch.to(y)
        """,
    "something that was handed over, put there": """
        x = batch.to("cuda" if torch.cuda.is_available() else "cpu")
        """,
    "a network and its input": """
        device = "cuda" if torch.cuda.is_available() else "cpu"
        net = torch.nn.Linear(3, 3).to(device)
        x = net(batch.to(device)).detach()
        """,
    "a network that is moved where there is one": """
        net = torch.nn.Linear(3, 3)
        if torch.cuda.is_available():
            net = net.cuda()
            batch = batch.cuda()
        x = net(batch).detach()
        """,
}

LIKELY = {
    "a network, and an input that may not be there": """
        net = torch.nn.Linear(3, 3).to("cuda" if torch.cuda.is_available() else "cpu")
        x = net(batch).detach()
        """,
    "a network on a GPU, and an input that may not be there": """
        net = torch.nn.Linear(3, 3).cuda()
        x = net(batch).detach()
        """,
    "a flag of the user decides, too": """
        device = "cuda" if torch.cuda.is_available() and args.gpu else "cpu"
        x = torch.ones(3, device=device)
        """,
    "one of two paths goes there": """
        device = "cuda" if torch.cuda.is_available() else "cpu"
        x = torch.ones(3)
        if args.fast:
            x = x.to(device)
        """,
    "the other path of the test goes there": """
        device = "cpu" if torch.cuda.is_available() else "cuda"
        x = torch.ones(3, device=device)
        """,
}


def off_the_cpu(root: Path, text: str, **others: str) -> list[Certainty | None]:
    """How sure TBX101 is of what it finds in a program of its own."""
    write(root, {"main.py": text, **{f"{name}.py": other for name, other in others.items()}})
    found = findings(root, "main.py", certainty=Certainty.LIKELY)
    return [finding.certainty for finding in found if finding.code == "TBX101"]


@pytest.mark.parametrize("case", [*CERTAIN, *LIKELY])
def test_what_decides_where_a_tensor_is(case: str, tmp_path: Path) -> None:
    body = indent(dedent(CERTAIN.get(case) or LIKELY[case]), "    ")
    found = off_the_cpu(tmp_path, f"import torch\n\ndef run(batch, args):\n{body}\n    return x.numpy()\n")
    assert found == [Certainty.CERTAIN if case in CERTAIN else Certainty.LIKELY]


def option(added: str, device: str) -> str:
    return f"""
import argparse
import torch

parser = argparse.ArgumentParser()
parser.add_argument({added})
args = parser.parse_args()
x = torch.ones(3).to({device})
print(x.numpy())
"""


@pytest.mark.parametrize(
    ("added", "device", "certainty"),
    [
        ("'--device', default='cuda:0'", "args.device", Certainty.CERTAIN),
        ("'--device', default='cuda'", "torch.device(args.device)", Certainty.CERTAIN),
        ("'--device', default='cuda'", "args.device if torch.cuda.is_available() else 'cpu'", Certainty.CERTAIN),
        ("'-d', '--device', default='cuda' if torch.cuda.is_available() else 'cpu'", "args.device", Certainty.CERTAIN),
        (
            "'--no-cuda', action='store_true', default=False",
            "'cuda' if not args.no_cuda and torch.cuda.is_available() else 'cpu'",
            Certainty.CERTAIN,
        ),
        ("'--gpu', default=torch.cuda.is_available()", "'cuda' if args.gpu else 'cpu'", Certainty.CERTAIN),
        ("'--cpu', dest='slow', action='store_true'", "'cpu' if args.slow else 'cuda'", Certainty.LIKELY),
        ("'--device', default='cpu'", "args.device", Certainty.LIKELY),
        ("'--device'", "args.device", Certainty.LIKELY),
        ("'--cuda', action='store_true'", "'cuda' if args.cuda else 'cpu'", Certainty.LIKELY),
    ],
)
def test_what_an_option_is_by_default(added: str, device: str, certainty: Certainty, tmp_path: Path) -> None:
    assert off_the_cpu(tmp_path, option(added, device)) == [certainty]


def test_what_has_a_numpy_of_its_own_somewhere_in_the_program_may_see_to_it(tmp_path: Path) -> None:
    use = "import torch\n\ndef run(batch):\n    batch = batch.cuda()\n    return batch.numpy()\n"
    boxes = "class Boxes:\n    def {}(self):\n        return self.data.cpu().numpy()\n"
    for method, certainty in (("numpy", Certainty.LIKELY), ("to_numpy", Certainty.CERTAIN)):
        assert off_the_cpu(tmp_path / method, use, boxes=boxes.format(method)) == [certainty]


def test_a_flag_that_a_constructor_of_another_file_has_by_default_may_be_passed_otherwise(tmp_path: Path) -> None:
    gan = """
        import torch

        class Gan:
            def __init__(self, gpu=True):
                self.gpu = gpu

            def make(self):
                x = torch.ones(3)
                if torch.cuda.is_available() and self.gpu:
                    x = x.cuda()
                return x
        """
    main = """
        import torch
        from gan import Gan

        def show(args):
            return Gan(gpu=args.gpu).make().numpy()
        """
    assert off_the_cpu(tmp_path, dedent(main), gan=dedent(gan)) == [Certainty.LIKELY]


AVAILABLE = "torch.cuda.is_available()"
#: What a constructor is given, what it does, and how it is called.
CONSTRUCTORS = {
    "a test in two branches": ("", f"if {AVAILABLE}:\n    self.device = 'cuda'\nelse:\n    self.device = 'cpu'", ""),
    "one that is bound anew": (
        "",
        f"self.device = 'cpu'\nif {AVAILABLE}:\n    self.device = 'cuda:{{}}'.format(0)",
        "",
    ),
    "a word that nobody gives": (
        "kind='gpu'",
        f"if kind == 'cpu' or not {AVAILABLE}:\n    self.device = 'cpu'\nelse:\n    self.device = 'cuda'",
        "",
    ),
    "the other word": ("kind='gpu'", "self.device = 'cuda' if kind != 'cpu' else 'cpu'", ""),
    "a flag that nobody sets": ("cpu=False", f"self.device = 'cpu' if cpu or not {AVAILABLE} else 'cuda'", ""),
    "none, which is a question": (
        "device=None",
        f"if device is None:\n    device = 'cuda' if {AVAILABLE} else 'cpu'\nself.device = device",
        "",
    ),
    "none, or": ("device=None", f"self.device = device or ('cuda' if {AVAILABLE} else 'cpu')", ""),
    "a default": ("device='cuda'", "self.device = device", ""),
}
LEFT_OPEN = {
    "a word that somebody gives": ("kind='gpu'", "self.device = 'cpu' if kind == 'cpu' else 'cuda'", "sys.argv[1]"),
    "one word of two that are given": ("kind='gpu'", "self.device = 'cpu' if kind == 'cpu' else 'cuda'", "*sys.argv"),
    "a default that may be given": ("device='cuda'", "self.device = device", "**options"),
    "none that may be given": ("device=None", "self.device = device or 'cuda'", "device=sys.argv[1]"),
    "a number": ("n=1", "self.device = 'cuda' if n > 3 else 'cpu'", "4"),
}
OTHER_PLACE = "    def home(self):\n        self.device = 'cpu'\n\n"


def kept_device(given: str, body: str, passed: str, others: str = "") -> str:
    return (
        "import sys\nimport torch\n\noptions = dict(arg.split('=') for arg in sys.argv)\n\n\nclass Runner:\n"
        f"    def __init__(self, {given}):\n{indent(body, ' ' * 8)}\n\n{others}"
        "    def run(self):\n        x = torch.zeros(3).to(self.device)\n        return x.numpy()\n\n\n"
        f"print(Runner({passed}).run())\n"
    )


@pytest.mark.parametrize("case", [*CONSTRUCTORS, *LEFT_OPEN])
def test_the_device_that_an_object_keeps(case: str, tmp_path: Path) -> None:
    found = off_the_cpu(tmp_path, kept_device(*(CONSTRUCTORS.get(case) or LEFT_OPEN[case])))
    assert found == [Certainty.CERTAIN if case in CONSTRUCTORS else Certainty.LIKELY]


def test_a_device_that_another_method_binds_too_is_either(tmp_path: Path) -> None:
    program = kept_device(*CONSTRUCTORS["a test in two branches"], OTHER_PLACE)
    assert off_the_cpu(tmp_path, program) == [Certainty.LIKELY]


#: How a function says where to compute.
CHOOSING = {
    "it returns early": (f"if {AVAILABLE}:\n    return torch.device('cuda')\nreturn torch.device('cpu')", True),
    "it returns early, negated": (f"if not {AVAILABLE}:\n    return 'cpu'\nreturn 'cuda'", True),
    "one of three": (
        f"if {AVAILABLE}:\n    return 'cuda'\nelif torch.backends.mps.is_available():\n    return 'mps'\nreturn 'cpu'",
        True,
    ),
    "two branches": (f"if {AVAILABLE}:\n    return 'cuda'\nelse:\n    return 'cpu'", True),
    "only where somebody wants it": (
        f"if n:\n    if {AVAILABLE}:\n        return 'cuda'\nreturn 'cpu'",
        False,
    ),
    "not where somebody does not want it": (
        f"if n > 3:\n    return 'cpu'\nif {AVAILABLE}:\n    return 'cuda'\nreturn 'cpu'",
        False,
    ),
}


@pytest.mark.parametrize("case", CHOOSING)
def test_the_device_that_a_function_returns(case: str, tmp_path: Path) -> None:
    body, certain = CHOOSING[case]
    chosen = f"import torch\n\n\ndef choose(n):\n{indent(body, '    ')}\n"
    use = "import sys\nimport torch\nfrom chosen import choose\n\nx = torch.ones(3).to(choose(len(sys.argv)))\n"
    expected = Certainty.CERTAIN if certain else Certainty.LIKELY
    assert off_the_cpu(tmp_path, f"{use}x.numpy()\n", chosen=chosen) == [expected]


#: What is done where there is an accelerator, after a tensor was brought there.
ASKED_AGAIN = {
    "nothing to it": f"if {AVAILABLE}:\n    print('there is one')\nx.numpy()\n",
    "by a flag": f"use_cuda = {AVAILABLE}\nif use_cuda:\n    x = x.cuda()\nif use_cuda:\n    print(1)\nx.numpy()\n",
    "the network, too": f"net = torch.nn.ReLU()\nif {AVAILABLE}:\n    net.cuda()\nnet(x).numpy()\n",
    "weights, too": (
        f"net = torch.nn.Linear(3, 1)\nif {AVAILABLE}:\n    net.cuda()\n"
        "with torch.no_grad():\n    y = net(x)\ny.numpy()\n"
    ),
}


@pytest.mark.parametrize("case", ASKED_AGAIN)
def test_asking_for_the_accelerator_again_changes_nothing(case: str, tmp_path: Path) -> None:
    begin = f"import torch\n\ndevice = 'cuda' if {AVAILABLE} else 'cpu'\nx = torch.ones(3).to(device)\n"
    assert off_the_cpu(tmp_path, begin + ASKED_AGAIN[case]) == [Certainty.CERTAIN]
    inside = f"import torch\n\ndef run():\n{indent(begin.partition(chr(10))[2] + ASKED_AGAIN[case], '    ')}\nrun()\n"
    assert off_the_cpu(tmp_path, inside) == [Certainty.CERTAIN]


#: The helper of many lessons, which puts whatever it is given on the device, and the loader that does so.
HELPER = """
import torch


def to_device(data, device):
    if isinstance(data, (list, tuple)):
        return [to_device(x, device) for x in data]
    return data.to(device, non_blocking=True)


class DeviceDataLoader:
    def __init__(self, loader, device):
        self.loader, self.device = loader, device

    def __iter__(self):
        for batch in self.loader:
            yield to_device(batch, self.device)


device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
"""
HANDED = {
    "a tensor": "to_device(torch.ones(3), device).numpy()\n",
    "a list of tensors": "x, y = to_device([torch.ones(3), torch.ones(1)], device)\ny.numpy()\n",
    "a batch": (
        "data = torch.utils.data.TensorDataset(torch.ones(4, 3), torch.ones(4))\n"
        "for x, y in DeviceDataLoader(torch.utils.data.DataLoader(data), device):\n    y.numpy()\n"
    ),
    "a network": (
        "net = to_device(torch.nn.Linear(3, 1), device)\nx = to_device(torch.ones(3), device)\n"
        "with torch.no_grad():\n    net(x).numpy()\n"
    ),
}


@pytest.mark.parametrize("case", HANDED)
def test_what_a_helper_that_calls_itself_puts_on_the_device(case: str, tmp_path: Path) -> None:
    assert off_the_cpu(tmp_path, HELPER + HANDED[case]) == [Certainty.CERTAIN]
