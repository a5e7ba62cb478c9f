"""Not knowing is no evidence: what is said at the default certainty shows the reader where the trouble comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tensorlint.findings import Certainty
from tensorlint.rules import all_rules
from tensorlint.runner.judging import judge_source
from tensorlint.source import Source
from tests.test_fixtures import PROGRAMS, name

#: The rules that rest on a ``Fact``: where a tensor lives, whether it needs a gradient, whether memory may be written.
RESTING_ON_FACTS = frozenset({"TBX101", "TBX102", "TBX105", "TBX113", "TBX203", "TBX204"})


@pytest.mark.parametrize("path", PROGRAMS, ids=name)
def test_every_finding_that_is_shown_has_its_evidence_in_the_trace(path: Path) -> None:
    text = Source.read(str(path)).text
    source = Source(f"{path.parent.name}/{path.name}", text)
    for finding in judge_source(source, frozenset(all_rules()), Certainty.LIKELY):
        # What is certain shows itself at the line that it names, but where a device or a gradient makes it so.
        if finding.certainty is Certainty.LIKELY or finding.code in RESTING_ON_FACTS:
            assert finding.trace, f"row {finding.span.row}: {finding.message}"
        assert all(step.message for step in finding.trace)


#: What could happen and nothing shows: a file by its path, and the one rule that speaks of it.
ONLY_POSSIBLE = {
    "an object that was made here and not moved, whose class has a `to`": (
        "TBX101",
        "src/batch.py",
        (
            "from dataclasses import dataclass\n"
            "import torch\n"
            "from features import make\n"
            "\n"
            "@dataclass\n"
            "class Batch:\n"
            "    V: torch.Tensor\n"
            "\n"
            "    def to(self, device):\n"
            "        self.V = self.V.to(device)\n"
            "\n"
            "@torch.no_grad()\n"
            "def item(smiles):\n"
            "    batch = Batch(make(smiles))\n"
            "    return batch.V.numpy()\n"
        ),
    ),
    "a device that is chosen where a function is handed to": (
        "TBX101",
        "src/readout.py",
        (
            "from functools import partial\n"
            "import torch\n"
            "from attack import run\n"
            "\n"
            "def readout(features, loader, device, layer):\n"
            "    cls = torch.nn.Linear(features, 2).to(device)\n"
            "    fit(cls, loader)\n"
            "    return cls.weight.data.detach().numpy()\n"
            "\n"
            'run(partial(readout, layer=1), device="cpu")\n'
        ),
    ),
    "a number that one element of an array is set to": (
        "TBX105",
        "src/losses.py",
        (
            "import numpy as np\nimport torch\n\ndef losses(pairs):\n    kept = np.zeros(4)\n"
            "    for i, (x, y) in enumerate(pairs):\n"
            "        kept[i] = torch.nn.functional.mse_loss(x.cuda(), y.cuda())\n    return kept\n"
        ),
    ),
    "a network on a device that is given what lies on the CPU, which raises before": (
        "TBX101",
        "src/act.py",
        (
            "import numpy as np\nimport torch\n\nclass Net(torch.nn.Module):\n    def __init__(self):\n"
            "        super().__init__()\n        self.fc = torch.nn.Linear(3, 4)\n\n"
            "    def forward(self, x):\n        return self.fc(x)\n\n"
            "class Agent:\n    def __init__(self, device):\n        self.net = Net().to(device)\n\n"
            "    def act(self, ob: np.ndarray):\n        return self.net(torch.from_numpy(ob)).detach().numpy()\n"
        ),
    ),
    "workers of which nobody says how many there are": (
        "TBX217",
        "src/loaders.py",
        (
            "import numpy as np\nfrom torch.utils.data import DataLoader, Dataset\n\n"
            "class Noisy(Dataset):\n    def __init__(self, rows):\n        self.rows = rows\n"
            "        self.rng = np.random.default_rng(0)\n\n"
            "    def __getitem__(self, index):\n        return self.rows[index] + self.rng.normal()\n\n"
            "def loader(rows, cfg):\n    return DataLoader(Noisy(rows), num_workers=cfg.num_workers)\n"
        ),
    ),
    "an array that was made to take the result": (
        "TBX307",
        "src/fit.py",
        (
            "import numpy as np\nimport torch\n\ndef fit(loss):\n    found = np.zeros(3)\n"
            "    leaf = torch.from_numpy(found).requires_grad_()\n    optimizer = torch.optim.SGD([leaf], lr=0.1)\n"
            "    loss(leaf).backward()\n    optimizer.step()\n    return found\n"
        ),
    ),
    "a parameter that nobody is seen to call": (
        "TBX101",
        "src/plot.py",
        "import torch\n\ndef curve(values: torch.Tensor):\n    return values.numpy()\n",
    ),
    "read-only memory that is handed on": (
        "TBX203",
        "src/decode.py",
        (
            "import numpy as np\nimport torch\n\ndef decode(payload):\n"
            "    return torch.from_numpy(np.frombuffer(payload, dtype=np.uint8))\n"
        ),
    ),
    "a buffer of which nothing is known is written": (
        "TBX203",
        "src/fill.py",
        (
            "import numpy as np\nimport torch\n\ndef fill(memory, row):\n"
            "    torch.from_numpy(np.frombuffer(memory, dtype=np.float32)).copy_(row)\n"
        ),
    ),
    "a buffer that is yielded": (
        "TBX304",
        "src/windows.py",
        (
            "import numpy as np\nimport torch\n\ndef windows(rows):\n    window = np.zeros(4)\n    for row in rows:\n"
            "        window[:] = row\n        yield torch.from_numpy(window)\n"
        ),
    ),
    "a slot of something unknown": (
        "TBX304",
        "src/store.py",
        (
            "import numpy as np\nimport torch\n\ndef store(slots, rows):\n    window = np.zeros(4)\n"
            "    for number, row in enumerate(rows):\n        window[:] = row\n        slots[number] = window\n"
        ),
    ),
    "an array of something that need not be a tensor": (
        "TBX305",
        "src/boxes.py",
        "import torch\n\ndef turn(found):\n    rows = found['boxes'].numpy()\n    rows[:, 1] -= 2\n    return rows\n",
    ),
    "integers of a test": (
        "TBX201",
        "tests/test_labels.py",
        "import numpy as np\nimport torch\n\nlabels = torch.Tensor(np.arange(7))\n",
    ),
    "a helper that is told a device": (
        "TBX101",
        "src/stats.py",
        (
            "import torch\nfrom helpers import extract\n\ndevice = 'cuda' if torch.cuda.is_available() else 'cpu'\n"
            "features = extract(torch.ones(3), device)\nprint(features.numpy())\n"
        ),
    ),
    "a hook that a base class calls": (
        "TBX102",
        "src/detector.py",
        (
            "import torch\nfrom base import Detector\n\nclass Coder(Detector):\n    def __init__(self):\n"
            "        self.model = torch.nn.Linear(2, 2)\n\n    def score(self, batch):\n"
            "        return self.model(batch).cpu().numpy()\n"
        ),
    ),
    "pixels that become floats": (
        "TBX201",
        "src/pixels.py",
        "import numpy as np\nimport torch\n\ndef to_tensor(x):\n    return torch.Tensor(x.astype(np.uint8))\n",
    ),
    "a state that is kept where nothing is trained": (
        "TBX302",
        "src/explain.py",
        (
            "import torch\n\nclass Explainer:\n    def __init__(self, model: torch.nn.Module):\n"
            "        self.original_state = model.state_dict()\n"
        ),
    ),
    "the device of another tensor": (
        "TBX101",
        "src/boxes.py",
        "import torch\n\ndef check(boxes):\n    points = torch.zeros(3).to(boxes.device)\n    return points.numpy()\n",
    ),
    "a network that is given something of the CPU beside something of the GPU": (
        "TBX101",
        "src/demo.py",
        (
            "import torch\nimport config\n\ndef masks(image, points):\n    pixels = torch.tensor(image)\n"
            "    prompts = {'points': torch.tensor(points).cuda()}\n"
            "    return config.model(pixels, prompts).numpy()\n"
        ),
    ),
    "a device that is asked for in words of the program": (
        "TBX101",
        "src/chunks.py",
        (
            "import torch\nfrom settings import Device\n\ndef chunk(rows, device):\n"
            "    rows = torch.as_tensor(rows).to(device)\n    if Device.CPU not in device:\n        rows = rows.cpu()\n"
            "    return rows.numpy()\n"
        ),
    ),
    "a network of unseen code": (
        "TBX102",
        "src/features.py",
        (
            "import torch\nfrom detectors import Detector\n\nmodel = Detector.from_pretrained('small')\n"
            "features = model(torch.ones(1, 3, 8, 8))\nprint(features.cpu().numpy())\n"
        ),
    ),
    "what is told to train": (
        "TBX102",
        "src/space.py",
        (
            "import torch\n\nclass Space:\n    def __init__(self, transforms):\n        self.transforms = transforms\n"
            "        self.transforms.train()\n\n    def corner(self, point):\n"
            "        return self.transforms(torch.as_tensor(point)).numpy()\n"
        ),
    ),
    "an entry of what a detector gives": (
        "TBX102",
        "src/detect.py",
        (
            "import torch\nimport torchvision\n\nmodel = torchvision.models.detection.fasterrcnn_resnet50_fpn()\n"
            "found = model(torch.ones(1, 3, 64, 64))\nprint(found[0]['labels'].cpu().numpy())\n"
        ),
    ),
    "a caller that may have given it away": (
        "TBX305",
        "src/boxes.py",
        (
            "import torch\n\ndef turned(boxes: torch.Tensor):\n    rows = boxes.detach().cpu().numpy()\n"
            "    rows[:, 1] -= 2\n    return rows\n"
        ),
    ),
    "a caller's array that may have been given away": (
        "TBX303",
        "src/rows.py",
        (
            "import numpy as np\nimport torch\n\ndef scaled(rows: np.ndarray):\n    found = torch.from_numpy(rows)\n"
            "    found.mul_(2)\n    return found.sum()\n"
        ),
    ),
    "weights that are given back": (
        "TBX305",
        "src/prune.py",
        (
            "import torch\n\nlayer = torch.nn.Linear(2, 2)\nweights = layer.weight.data.cpu().numpy()\n"
            "weights[:, 0] = 0\nlayer.weight.data = torch.from_numpy(weights)\n"
        ),
    ),
    "what evaluates, called by what a base class calls": (
        "TBX102",
        "src/localizer.py",
        (
            "import torch\nfrom base import Model\n\nclass Localizer(Model):\n    def __init__(self):\n"
            "        self.layer = torch.nn.Linear(2, 2)\n\n    def forward(self, rows, mode):\n"
            "        return self.predict(rows) if mode == 'predict' else self.layer(rows)\n\n"
            "    def predict(self, rows):\n        return self.layer(rows).cpu().numpy()\n"
        ),
    ),
    "a number on a path that the export need not take": (
        "TBX403",
        "src/export.py",
        (
            "import torch\n\nclass Scale(torch.nn.Module):\n    def __init__(self, exact):\n"
            "        super().__init__()\n        self.exact = exact\n\n    def forward(self, x):\n"
            "        if self.exact:\n            return x / x.max()\n        return x / x.max().item()\n\n"
            "def export(args):\n    return torch.jit.trace(Scale(args.exact), torch.rand(3))\n"
        ),
    ),
    "what one of several methods put on a device": (
        "TBX101",
        "src/noise.py",
        (
            "import torch\n\nclass Noise:\n    def __init__(self):\n        self.noise = torch.ones(3)\n\n"
            "    def train(self):\n        self.noise = self.noise.cuda()\n\n"
            "    def show(self):\n        return self.noise.numpy()\n"
        ),
    ),
    "places in a sequence": (
        "TBX201",
        "src/fold.py",
        (
            "import numpy as np\nimport torch\n\ndef places(count):\n    indices = np.arange(count) - 1\n"
            "    return torch.Tensor(indices).long()\n"
        ),
    ),
    "a helper that differentiates something": (
        "TBX301",
        "src/compare.py",
        (
            "import torch\n\ndef gradient(net, x):\n    net(x).sum().backward()\n"
            "    return net.weight.grad.detach()\n\n"
            "first = torch.nn.Linear(2, 2)\nsecond = torch.nn.Linear(2, 2)\nx = torch.ones(1, 2)\n"
            "kept = gradient(first, x)\nother = gradient(second, x)\nprint(kept, other)\n"
        ),
    ),
    "a device that is the CPU by default": (
        "TBX101",
        "src/grid.py",
        (
            "import torch\n\ndef grid(count, device='cpu', form='torch'):\n"
            "    found = torch.linspace(0, 1, count, device=device)\n"
            "    return found.numpy() if form == 'numpy' else found\n"
        ),
    ),
    "a kind of axes that came as arrays": (
        "TBX101",
        "src/pca.py",
        (
            "import torch\n\nclass PCA:\n    def __init__(self, mean):\n        self.mean = torch.from_numpy(mean)\n\n"
            "    def to_cuda(self):\n        self.mean = self.mean.cuda()\n\n    def apply(self, rows):\n"
            "        given = False\n        if not isinstance(rows, torch.Tensor):\n"
            "            rows = torch.from_numpy(rows)\n            given = True\n        rows = rows - self.mean\n"
            "        return rows.numpy() if given else rows\n"
        ),
    ),
    "an annotation that the program denies": (
        "TBX109",
        "src/boxes.py",
        "import numpy as np\nimport torch\n\ndef rows(mask: torch.Tensor):\n    return np.any(mask, axis=1)\n",
    ),
    "one number that is asked for": (
        "TBX105",
        "src/loss.py",
        "import numpy as np\nimport torch\n\nloss = torch.ones(3, device='cuda').sum()\nprint(np.float64(loss))\n",
    ),
}


def test_what_is_detached_is_so_whoever_calls() -> None:
    text = (
        "import torch\nfrom base import Algorithm\n\nclass Contrast(Algorithm):\n    def validation(self, samples):\n"
        "        found = self.encoder(samples)\n        return found[0].detach().cpu().view(-1).numpy()\n"
    )
    assert not judge_source(Source("src/contrast.py", text), frozenset({"TBX102"}), Certainty.POSSIBLE)


@pytest.mark.parametrize(("code", "path", "text"), ONLY_POSSIBLE.values(), ids=ONLY_POSSIBLE)
def test_what_could_happen_is_only_possible(code: str, path: str, text: str) -> None:
    found = judge_source(Source(path, text), frozenset({code}), Certainty.POSSIBLE)
    assert [(finding.code, finding.certainty) for finding in found] == [(code, Certainty.POSSIBLE)]


def test_an_object_that_was_moved_lies_where_its_class_moves_it() -> None:
    _, _, program = ONLY_POSSIBLE["an object that was made here and not moved, whose class has a `to`"]
    moved = program.replace("    return batch", "    batch.to('cuda')\n    return batch")
    found = judge_source(Source("src/batch.py", moved), frozenset({"TBX101"}), Certainty.LIKELY)
    assert [finding.certainty for finding in found] == [Certainty.LIKELY]


def test_an_exporter_that_may_read_the_code_is_no_certain_tracer() -> None:
    text = (
        "import torch\n\nclass Scale(torch.nn.Module):\n    def forward(self, x):\n"
        "        return x / x.max().item()\n\n"
        'torch.onnx.export(Scale(), torch.rand(3), "scale.onnx"{})\n'
    )
    for told, certainty in (("", [Certainty.LIKELY]), (", dynamo=False", [Certainty.CERTAIN]), (", dynamo=True", [])):
        found = judge_source(Source("src/export.py", text.format(told)), frozenset({"TBX403"}), Certainty.POSSIBLE)
        assert [finding.certainty for finding in found] == certainty


def test_a_row_of_an_array_is_exported_to_and_one_element_is_not() -> None:
    text = (
        "import numpy as np\nimport torch\n\nrows, numbers = np.zeros((4, 1)), np.zeros(4)\n"
        "loss = torch.nn.functional.mse_loss(torch.rand(3).cuda(), torch.rand(3).cuda())\n"
        "rows[1] = loss\nrows[1, 0] = loss\nnumbers[1] = loss\n"
    )
    found = judge_source(Source("src/losses.py", text), frozenset({"TBX105"}), Certainty.LIKELY)
    assert [finding.span.row for finding in found] == [6]


def test_what_is_told_to_go_backward_needs_a_gradient_whatever_it_begins_with() -> None:
    text = (
        "import torch\n\ndef saliency(make, x):\n    out = make(x)\n    out.backward(torch.ones(3))\n"
        "    return out.numpy()\n"
    )
    found = judge_source(Source("src/saliency.py", text), frozenset({"TBX102"}), Certainty.LIKELY)
    assert [finding.span.row for finding in found] == [6]


def test_a_name_that_is_bound_to_a_part_of_itself_is_looked_up_once() -> None:
    text = (
        "import torch\n\ndef loss(predictions, targets, n):\n    loc, conf = predictions\n"
        "    pos = (targets.long() > 0).expand_as(conf)\n    conf = conf[pos.gt(0)].view(-1, n)\n"
        "    return conf.numpy()\n"
    )
    found = judge_source(Source("src/loss.py", text), frozenset({"TBX101", "TBX114"}), Certainty.POSSIBLE)
    assert [finding.code for finding in found] == ["TBX101"]


@pytest.mark.parametrize(
    ("before", "certainty"),
    [
        ("", Certainty.CERTAIN),
        ("if x is None:\n            print('none')", Certainty.CERTAIN),
        ("if x is None:\n            continue", Certainty.LIKELY),
        ("if x is None:\n            return None", Certainty.LIKELY),
    ],
)
def test_a_backward_pass_that_is_always_reached_says_that_gradients_are_on(before: str, certainty: Certainty) -> None:
    text = (
        "import torch\n\ndef fit(batches):\n    net = torch.nn.Linear(2, 1)\n    for x in batches:\n"
        f"        {before}\n        y = net(x)\n        y.numpy()\n        (y - x).square().mean().backward()\n"
    )
    found = judge_source(Source("src/fit.py", text), frozenset({"TBX102"}), Certainty.LIKELY)
    assert [finding.certainty for finding in found] == [certainty]
