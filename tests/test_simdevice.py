"""The simulated accelerator: what must be exact, and every accelerator program of the fixtures.

All of it runs in two child processes, because a process that has the device has it for good.
"""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tensorlint.fixtures_path import fixtures_root
from tensorlint.verify.devices import adapt, available, prelude

if importlib.util.find_spec("torch") is None or importlib.util.find_spec("numpy") is None:
    pytest.skip("torch and NumPy are not installed", allow_module_level=True)
if not (found := available("sim", sys.executable)).usable:
    pytest.skip(f"no simulated accelerator: {found.reason}", allow_module_level=True)

ROOT = fixtures_root()
assert ROOT is not None


def runs_here(text: str) -> bool:
    """Whether the program is for the accelerator, and needs nothing that is not here: a real card, a library."""
    found = re.search(r"^# requires: (.+)$", text, re.MULTILINE)
    needed = {re.split(r"[<>=]", part.strip())[0] for part in found[1].split(",")} if found else set()
    modules = {"pillow": "PIL", "scikit-learn": "sklearn"}
    here = {name for name in needed if importlib.util.find_spec(modules.get(name, name)) is not None}
    return "\n# device: accelerator\n" in text and needed == here


PROGRAMS = {
    f"{path.parent.name}/{path.stem}": path.read_text(encoding="utf-8")
    for path in sorted(ROOT.glob("*/*.py"))
    if runs_here(path.read_text(encoding="utf-8"))
}
HEADER = "import numpy as np\nimport torch\nfrom torch import nn\n"

#: Runs each program of the JSON on standard input in a namespace of its own; the answer is JSON as well.
DRIVER = """
import contextlib, io, json, sys, traceback, warnings
import torch
warnings.simplefilter("ignore")
answers = {}
for name, (program, questions) in json.load(sys.stdin).items():
    space, answer = {"__name__": "__main__"}, {"error": "", "rows": [], "values": []}
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(program, "program", "exec"), space)
            answer["values"] = [repr(eval(question, space)) for question in questions]
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        answer["rows"] = [frame.lineno for frame in frames if frame.filename == "program"]
        answer["error"] = f"{type(error).__name__}: {error}"
    torch.set_default_device(None)
    torch.set_grad_enabled(True)
    answers[name] = answer
print(json.dumps(answers))
"""
REFUSED = (
    "TypeError: can't convert sim:0 device type tensor to numpy. "
    "Use Tensor.cpu() to copy the tensor to host memory first."
)


def answers(programs: dict[str, tuple[str, list[str]]]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", prelude("sim") + DRIVER],
        input=json.dumps(programs),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.fixture(scope="module")
def fixtures() -> dict[str, Any]:
    return answers({name: (adapt(text, "sim"), list(questions(text))) for name, text in PROGRAMS.items()})


def questions(text: str) -> dict[str, str]:
    """Expressions of the claims, and what their ``repr`` is to be."""
    asked = dict(re.findall(r"^# claim: value (.+) is (.+)$", text, re.MULTILINE))
    for first, second in re.findall(r"^# claim: (?:copies|alias on cpu.*:) (\S+) (\S+)$", text, re.MULTILINE):
        pointers = [f"getattr({name}, 'data_ptr', lambda: {name}.ctypes.data)()" for name in (first, second)]
        asked[f"{pointers[0]} == {pointers[1]}"] = "False"
    return asked


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_fixture_does_what_it_claims(name: str, fixtures: dict[str, Any]) -> None:
    text, answer = PROGRAMS[name], fixtures[name]
    raised = re.search(r'^# claim: raises (\w+) "(.+)"$', text, re.MULTILINE)
    if raised is None:
        assert answer["error"] == ""
        assert answer["values"] == list(questions(text).values())
        return
    assert answer["error"].startswith(f"{raised[1]}: ")
    assert raised[2] in answer["error"]
    assert re.search(r"\bsim\b|non-leaf", answer["error"]), "what is moved to a card is no leaf"
    marked = {row for row, line in enumerate(text.splitlines(), 1) if "# expect:" in line or "# miss:" in line}
    # What is thrown away raises where the tensor that stayed is used.
    assert name.startswith("TBX118") or marked & set(answer["rows"])


EXACT = {
    "x = torch.ones(2, device='sim')\nx.numpy()": REFUSED,
    "x = torch.ones(2, device='sim')\nnp.asarray(x)": REFUSED,
    "x = torch.ones(2, device='sim', requires_grad=True)\nx.numpy()": REFUSED,
    "x = torch.ones(2, device='sim')\nx + torch.ones(2)": "RuntimeError: Expected all tensors to be on the same device",
    "x = torch.ones(2, 2, device='sim')\nx @ torch.ones(2, 2)": "RuntimeError: Expected all tensors to be on the same",
    "nn.Linear(2, 2).to('sim')(torch.ones(2))": "RuntimeError: Expected all tensors to be on the same device",
    "torch.cat([torch.ones(2), torch.ones(2, device='sim')])": "RuntimeError: Expected all tensors to be on the same",
    "torch.Tensor([1.0], device='sim')": "RuntimeError: legacy constructor expects device type: cpu",
    "torch.ones(2, 2, device='sim').to_sparse()": "NotImplementedError",
}
HOLDS = {
    "cpu() copies": "x = torch.arange(3.0, device='sim'); c = x.cpu(); c[0] = 9; holds = x[0].item() == 0",
    "to('sim') copies": "c = torch.zeros(2); x = c.to('sim'); c[0] = 9; holds = x.tolist() == [0, 0]",
    "to('sim') of a sim tensor does not": "x = torch.ones(2, device='sim'); holds = x.to('sim') is x",
    "numpy(force=True) copies": "x = torch.ones(2, device='sim'); x.numpy(force=True)[0] = 9; holds = x[0].item() == 1",
    "views share": "x = torch.zeros(4, device='sim'); v = x.view(2, 2)[1]; v += 1; holds = x.tolist() == [0, 0, 1, 1]",
    "a view has its offset": "v = torch.zeros(6, device='sim')[2:]; holds = v.storage_offset() == 2 and v._is_view()",
    "detach shares": "x = torch.ones(2, device='sim'); x.detach().zero_(); holds = x.sum().item() == 0",
    "numbers may be on the CPU": "holds = (torch.ones(2, device='sim') * torch.tensor(2.0)).tolist() == [2, 2]",
    "indices may be on the CPU": "holds = torch.ones(3, device='sim')[torch.tensor([0, 1])].shape == (2,)",
    "out= is resized": "o, x = torch.ones(0).to('sim'), torch.ones(2).to('sim'); torch.add(x, 1, out=o); "
    "holds = len(o) == 2",
    "conj": "x = torch.ones(2, dtype=torch.complex64, device='sim') * 1j; holds = x.conj().cpu()[0].item() == -1j",
    "print": "holds = repr(torch.ones(1, device='sim')) == \"tensor([1.], device='sim:0')\"",
    "gradients meet in-place writes": "w = torch.ones(3, device='sim', requires_grad=True); y = w * 2; y[1:].mul_(3); "
    "y.sum().backward(); holds = w.grad.tolist() == [2, 6, 6]",
    "parameters keep their identity": "m = nn.Linear(2, 2); w = m.weight; m.to('sim'); "
    "holds = m.weight is w and w.device.type == 'sim'",
    "saved and loaded": "import io; f = io.BytesIO(); torch.save(torch.ones(2, device='sim'), f); f.seek(0); "
    "holds = torch.load(f).device.type == 'sim'",
    "autocast": "m = nn.Linear(2, 2).to('sim')\nwith torch.autocast('sim'):\n"
    "    holds = m(torch.ones(1, 2, device='sim')).dtype is torch.float16",
    "set_default_device": "torch.set_default_device('sim'); holds = torch.zeros(1).device.type == 'sim'",
    "pinned memory": "holds = torch.ones(2).pin_memory().to('sim', non_blocking=True).sum().item() == 2",
    "the device module": "torch.sim.synchronize(); holds = torch.sim.is_available() and torch.sim.device_count() == 1",
    "generator": "g = torch.Generator('sim').manual_seed(1); x = torch.rand(9, device='sim', generator=g); "
    "holds = torch.equal(x.cpu(), torch.rand(9, generator=torch.Generator().manual_seed(1)))",
    "attention": "q = torch.rand(1, 2, 3, 4); f = nn.functional.scaled_dot_product_attention; d = q.to('sim'); "
    "holds = torch.allclose(f(q, q, q), f(d, d, d).cpu(), atol=1e-6)",
}
#: A network on the device and on the CPU: its output and its gradients agree.
TRAINS = {
    "convolutions": "nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten())",
    "transposed, in groups": "nn.ConvTranspose2d(3, 6, 3, groups=3)",
    "GRU": "nn.Sequential(nn.Flatten(1, 2), nn.GRU(6, 3, batch_first=True))",
    "LSTM": "nn.Sequential(nn.Flatten(1, 2), nn.LSTM(6, 3, batch_first=True))",
    "transformer": "nn.Sequential(nn.Flatten(1, 2), nn.TransformerEncoderLayer(6, 2, 8, 0.0, batch_first=True))",
}
TRAIN = """
x = torch.rand(2, 3, 6, 6)
net = {net}
def run(net, x):
    out = net(x)
    out = out[0] if isinstance(out, tuple) else out
    (out ** 2).sum().backward()
    return [out.detach().cpu()] + [p.grad.cpu() for p in net.parameters()]
here = run(net, x)
net.zero_grad()
optimizer = torch.optim.Adam(net.parameters())
there = run(net.to("sim"), x.to("sim"))
optimizer.step()
holds = all(torch.allclose(a, b, atol=1e-3) for a, b in zip(here, there))
"""


@pytest.fixture(scope="module")
def facts() -> dict[str, Any]:
    programs = {text: (HEADER + text, []) for text in EXACT}
    programs |= {name: (HEADER + text, ["holds"]) for name, text in HOLDS.items()}
    programs |= {name: (HEADER + TRAIN.format(net=net), ["holds"]) for name, net in TRAINS.items()}
    return answers(programs)


@pytest.mark.parametrize("text", EXACT)
def test_it_refuses_in_the_words_of_torch(text: str, facts: dict[str, Any]) -> None:
    assert facts[text]["error"].startswith(EXACT[text])


@pytest.mark.parametrize("name", [*HOLDS, *TRAINS])
def test_it_behaves_as_a_device(name: str, facts: dict[str, Any]) -> None:
    assert facts[name]["error"] == ""
    assert facts[name]["values"] == ["True"]


def test_a_torch_that_cannot_host_it_says_so() -> None:
    program = "import torch\ndel torch._C._acc\n" + prelude("sim")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert re.search(r"SimUnavailable: torch \S+ cannot host", done.stderr)


def test_the_package_imports_neither_torch_nor_numpy() -> None:
    imported = "import sys, tensorlint.verify.devices, tensorlint.verify.simdevice; "
    program = imported + "print({'torch', 'numpy'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parent.parent,
    )
    assert done.stdout.strip() == "set()"
