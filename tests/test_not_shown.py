"""Exports, dtypes and what else does not happen in files that look as if it did."""

from __future__ import annotations

import pytest

from tensorlint.findings import Certainty
from tensorlint.runner.judging import judge_source
from tensorlint.source import Source

#: What does not happen, in files that look as if it did.
NOT_SHOWN = {
    "what a network of somebody's own is asked for after its own `backward`": (
        "TBX503",
        (
            "import torch\n\ndef train(model, data, labels):\n    accuracy = 0\n"
            "    for part, expected in zip(data, labels):\n        model.forward(part)\n        model.backward()\n"
            "        accuracy += model.calculate_accuracy(expected)\n    return accuracy\n"
        ),
    ),
    "a weight that is float64 as the data is, where it is never float32": (
        "TBX506",
        (
            "import numpy as np\nimport torch\n\ndef same(own):\n    layer = torch.nn.Linear(3, 4, bias=False)\n"
            "    layer.weight.data = torch.tensor(np.random.rand(4, 3))\n"
            "    return layer(torch.tensor(np.random.rand(2, 3)))\n\nsame(None)\n"
        ),
    ),
    "a mask by the data it is given": (
        "TBX213",
        (
            "import torch\n\nclass Spread(torch.nn.Module):\n    def __init__(self, near):\n"
            "        super().__init__()\n        self.near = torch.Tensor(near).unsqueeze(1)\n"
            "        self.near.data = self.near.data.ceil().bool()\n\n    def forward(self, x):\n"
            "        return torch.zeros(3, 1).masked_scatter_(self.near, x)\n"
        ),
    ),
    "one entry after another, each converted once": (
        "TBX215",
        (
            "import numpy as np\nimport torch\n\ndef convert(mesh):\n"
            "    entries = {'area': np.asarray(mesh.area), 'distance': np.asarray(mesh.distance)}\n"
            "    for key in entries:\n        entries[key] = torch.from_numpy(entries[key])\n    return entries\n"
        ),
    ),
    "a tensor that is told from others by a comparison with True": (
        "TBX215",
        (
            "import torch\n\ndef solve(x):\n    if torch.is_tensor(x) != True:\n        x = torch.from_numpy(x)\n"
            "    return x\n\nsolve(torch.zeros(3))\n"
        ),
    ),
    "integers that are cast to the dtype of the day": (
        "TBX213",
        "import torch\n\nids = torch.tensor([1, 2, 2])\nprint(ids.to(torch.get_default_dtype()).mean())\n",
    ),
    "double weights for double data": (
        "TBX207",
        (
            "import torch\n\nclass Net(torch.nn.Module):\n    def __init__(self):\n        super().__init__()\n"
            "        self.fc = torch.nn.Linear(3, 1)\n\n    def forward(self, x):\n        return self.fc(x)\n\n"
            "def main():\n    model = Net()\n    model.double()\n    fit(model)\n"
            "    model(torch.zeros(2, 3, dtype=torch.float64))\n"
        ),
    ),
    "what is asked of a tuple and can be asked of an array alone": (
        "TBX215",
        (
            "import torch\n\ndef weigh(x):\n    return x, 1\n\ndef read(x):\n    cam = weigh(x)\n"
            "    cam = cam[:, None, :]\n    return torch.from_numpy(cam)\n"
        ),
    ),
    "a number of a row that may be turned round": (
        "TBX204",
        (
            "import numpy as np\nimport torch\n\ndef steps(count, backwards):\n    times = np.linspace(0, 1, count)\n"
            "    if backwards:\n        times = times[::-1]\n    for i in range(count):\n"
            "        t = torch.tensor([times[i]])\n    for time in times:\n        t = torch.tensor([time])\n"
            "    return t\n"
        ),
    ),
    "places that are not zero, taken as the tensor they are": (
        "TBX103",
        (
            "import numpy as np\nimport torch\n\ndef points(mask: np.ndarray):\n"
            "    found = np.nonzero(torch.from_numpy(mask))\n"
            "    return torch.cat([found, torch.ones(len(found), 1)], dim=1)\n"
        ),
    ),
    "a buffer that another method fills before it is read": (
        "TBX202",
        (
            "import torch\n"
            "\n"
            "class Noisy(torch.nn.Module):\n"
            "    def __init__(self, size: int):\n"
            "        super().__init__()\n"
            '        self.register_buffer("noise", torch.Tensor(size))\n'
            "        self.renew()\n"
            "\n"
            "    def renew(self):\n"
            "        self.noise.normal_()\n"
            "\n"
            "    def forward(self, x):\n"
            "        return x + self.noise\n"
        ),
    ),
    "the singular values, which are an array even where the other two parts are tensors": (
        "TBX109",
        (
            "import numpy as np\nimport torch\n\ndef rank(a, b, threshold):\n"
            "    u, s, vh = np.linalg.svd(torch.Tensor(a @ a.T) @ b, full_matrices=False)\n"
            "    return np.sum(np.cumsum(s**2 / (s**2).sum()) < threshold)\n"
        ),
    ),
    "only the truth of it is asked": (
        "TBX103",
        (
            "import numpy as np\nimport torch\n\nd = torch.ones(3)\nassert np.isnan(d[0]) == 0\n"
            "print(np.argwhere(d == 0).flatten())\n"
        ),
    ),
    "a dictionary is saved as it is": (
        "TBX105",
        (
            "import numpy as np\nimport torch\n\npose = torch.ones(3, requires_grad=True).cuda()\n"
            "np.save('pose.npy', {'pose': pose}, allow_pickle=True)\n"
        ),
    ),
    "the form that is asked for goes through another file": (
        "TBX101",
        (
            "import torch\nimport geometry\n\ndef turned(pose, form='matrix'):\n    if form == 'matrix':\n"
            "        return pose @ pose\n    return geometry.axes(pose)\n\n"
            "pose = torch.ones(3, 3).cuda()\nprint(turned(pose), turned(pose, 'axis').cpu().numpy())\n"
        ),
    ),
    "a type of tensors that another file chose": (
        "TBX101",
        (
            "import torch\nimport settings\n\ntorch.set_default_tensor_type(settings.kind)\n"
            "print(torch.zeros(3).numpy())\n"
        ),
    ),
    "a list of places": (
        "TBX201",
        (
            "import torch\n\ndef read(path):\n    test_index = [int(line) for line in open(path)]\n"
            "    return torch.Tensor(test_index).long()\n"
        ),
    ),
    "gradients are switched off as the file is imported": (
        "TBX102",
        (
            "import torch\n\ntorch.set_grad_enabled(False)\nnet = torch.nn.Linear(2, 1)\n\n"
            "def predict(x):\n    return net(x).numpy()\n\nclass Agent:\n    def act(self, x):\n"
            "        return net(x).numpy()\n"
        ),
    ),
    "whoever makes the backward pass of a loss": (
        "TBX102",
        (
            "import torch\nfrom accelerate import Accelerator\n\naccelerator = Accelerator()\n\n"
            "def run(model, loader, loss):\n    accelerator.backward(loss)\n    for batch in loader:\n"
            "        with torch.no_grad():\n            outputs = model(**batch)\n"
            "        print(accelerator.gather(outputs.logits).cpu().numpy())\n"
        ),
    ),
    "a list of integers that another method adds to": (
        "TBX213",
        (
            "import torch\n\nclass Envs:\n    def __init__(self, envs):\n        self.envs = envs\n"
            "        self.rewards = [0 for _ in envs]\n\n    def step(self, actions):\n"
            "        for i, env in enumerate(self.envs):\n            self.rewards[i] += env.step(actions[i])[1]\n\n"
            "    def mean(self):\n        return torch.tensor(self.rewards).mean()\n"
        ),
    ),
    "the gradient that a backward pass begins with": (
        "TBX102",
        ("import torch\n\ndef saliency(outputs, start):\n    outputs.backward(start)\n    return start.numpy()\n"),
    ),
    "a branch for arrays that is given a tensor": (
        "TBX109",
        (
            "import numpy as np\nimport torch\n\ndef of_arrays(pred, true):\n"
            "    return np.mean(np.absolute(pred - true))\n\ndef metric(pred, true):\n"
            "    if type(pred) == np.ndarray:\n        return of_arrays(pred, true)\n"
            "    elif type(pred) == torch.Tensor:\n        return torch.mean(torch.abs(pred - true))\n\n"
            "print(metric(torch.ones(3), torch.zeros(3)))\n"
        ),
    ),
    "a branch for what is no tensor, where there is one": (
        "TBX215",
        (
            "import torch\n\nclass Normalizer:\n    def __init__(self, x):\n        self.mean = torch.mean(x, 0)\n"
            "        self.std = torch.std(x, 0)\n\n    def to(self, device):\n"
            "        if torch.is_tensor(self.mean):\n            self.std = self.std.to(device)\n"
            "        else:\n            self.std = torch.from_numpy(self.std).to(device)\n        return self\n"
        ),
    ),
    "a method called values that is given something": (
        "TBX208",
        (
            "import numpy as np\nimport pyBigWig\nimport torch\n\nwith pyBigWig.open('x.bw') as file:\n"
            "    print(np.array(file.values('chr1', 0, 10, numpy=True)))\n"
        ),
    ),
    "a declared tuple, of which one path gives a part": (
        "TBX215",
        (
            "from typing import Optional, Tuple\nimport numpy as np\nimport torch\nfrom audio import read\n\n"
            "def load(path, both=False) -> Tuple[np.ndarray, Optional[np.ndarray]]:\n    wave = read(path)\n"
            "    mel = wave.T\n    if both:\n        return wave, mel\n    return mel\n\n"
            "print(torch.from_numpy(load('a.wav')))\n"
        ),
    ),
    "the weight of an embedding, which comes first": (
        "TBX212",
        (
            "import torch\n\nweight = torch.rand((11, 7), requires_grad=True)\n"
            "print(torch.embedding(weight, torch.randint(0, 11, (2, 3)), padding_idx=-1))\n"
        ),
    ),
    "the dtype of what is only declared to be an array": (
        "TBX210",
        (
            "import numpy as np\nimport torch\n\ndef padded(sequence: np.ndarray, count: int):\n"
            "    padding = torch.zeros(count, dtype=sequence.dtype)\n    return torch.cat((sequence, padding))\n"
        ),
    ),
    "how many there are of each": (
        "TBX201",
        (
            "import numpy as np\nimport torch\n\ndef collate(batch):\n"
            "    counts = np.array([len(each) for each in batch])\n"
            "    order = np.argsort(counts)[::-1]\n    return torch.Tensor(counts[order]).long()\n"
        ),
    ),
    "the place of one element": (
        "TBX103",
        ("import numpy as np\nimport torch\n\nclasses = torch.arange(4)\nprint(np.argwhere(classes == 2).item())\n"),
    ),
}


@pytest.mark.parametrize(("code", "text"), NOT_SHOWN.values(), ids=NOT_SHOWN)
def test_what_does_not_happen_is_not_shown(code: str, text: str) -> None:
    found = judge_source(Source("src/program.py", text), frozenset({code}), Certainty.LIKELY)
    assert not found
