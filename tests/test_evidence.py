"""Not knowing is no evidence: what is said at the default certainty shows the reader where the trouble comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tensorlint.findings import Certainty
from tensorlint.runner.judging import judge_source
from tensorlint.source import Source
from tests.test_fixtures import PROGRAMS, name

#: The rules that rest on a ``Fact``: where a tensor lives, whether it needs a gradient, whether memory may be written.
RESTING_ON_FACTS = frozenset({"TBX101", "TBX102", "TBX105", "TBX113", "TBX203", "TBX204"})


@pytest.mark.parametrize("path", PROGRAMS, ids=name)
def test_every_finding_that_is_shown_has_its_evidence_in_the_trace(path: Path) -> None:
    text = Source.read(str(path)).text
    source = Source(f"{path.parent.name}/{path.name}", text)
    for finding in judge_source(source, RESTING_ON_FACTS, Certainty.LIKELY):
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

#: What does not happen, in files that look as if it did.
NOT_SHOWN = {
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
    "weights of a model that each call makes anew, picked one by one": (
        "TBX302",
        (
            "import torch\nfrom torch import nn\n\nclass Router(nn.Module):\n    def __init__(self):\n"
            "        super().__init__()\n        self.fc = nn.Linear(3, 1)\n\n    def forward(self, x):\n"
            "        return self.fc(x)\n\ndef train_fold(x, y):\n    model = Router()\n"
            "    optimizer = torch.optim.Adam(model.parameters())\n    for _ in range(3):\n"
            "        loss = ((model(x) - y) ** 2).mean()\n        optimizer.zero_grad()\n        loss.backward()\n"
            "        optimizer.step()\n"
            "    return loss, {name: value.detach().cpu() for name, value in model.state_dict().items()}\n\n"
            "def main(folds):\n    states = []\n    for x, y in folds:\n        loss, state = train_fold(x, y)\n"
            "        states.append(state)\n    torch.save(states, 's.pt')\n"
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
    "the weights before a copy of the model is trained": (
        "TBX302",
        (
            "import copy\n"
            "import torch\n"
            "\n"
            "def updates(model, previous, x, y):\n"
            "    model = copy.deepcopy(model)\n"
            "    optimizer = make(model, lr=0.1)\n"
            "    torch.nn.functional.mse_loss(model(x), y).backward()\n"
            "    optimizer.step()\n"
            "    return [previous[name] - value for name, value in model.state_dict().items()]\n"
            "\n"
            "def run(model, batches):\n"
            "    previous = model.state_dict()\n"
            "    return [updates(model, previous, x, y) for x, y in batches]\n"
        ),
    ),
    "weights of a model whose copy another class trains": (
        "TBX302",
        (
            "import copy\n"
            "import torch\n"
            "\n"
            "class Local:\n"
            "    def __init__(self, batches):\n"
            "        self.batches = batches\n"
            "\n"
            "    def train(self, net):\n"
            "        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)\n"
            "        for x, y in self.batches:\n"
            "            torch.nn.functional.mse_loss(net(x), y).backward()\n"
            "            optimizer.step()\n"
            "        return net.state_dict()\n"
            "\n"
            "def main(batches):\n"
            "    net = torch.nn.Linear(3, 3)\n"
            "    states = [net.state_dict() for _ in range(4)]\n"
            "    for number in range(4):\n"
            "        states[number] = copy.deepcopy(Local(batches).train(net=copy.deepcopy(net)))\n"
            "    return states\n"
        ),
    ),
    "weights of one object after another, each of which trains its own": (
        "TBX302",
        (
            "import torch\n"
            "\n"
            "class Client:\n"
            "    def __init__(self, batches):\n"
            "        self.batches = batches\n"
            "        self.model = torch.nn.Linear(3, 3)\n"
            "\n"
            "    def train(self):\n"
            "        optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1)\n"
            "        for x, y in self.batches:\n"
            "            torch.nn.functional.mse_loss(self.model(x), y).backward()\n"
            "            optimizer.step()\n"
            "\n"
            "    def state(self):\n"
            "        return self.model.state_dict()\n"
            "\n"
            "def one_round(batches):\n"
            "    clients = [Client(batches) for _ in range(4)]\n"
            "    states = []\n"
            "    for client in clients:\n"
            "        client.train()\n"
            "        states.append(client.state())\n"
            "    return average(states)\n"
        ),
    ),
    "weights of a model that is fitted anew each time": (
        "TBX301",
        (
            "import torch\n"
            "from sklearn.linear_model import LogisticRegression\n"
            "\n"
            "def readout(features, loader, how):\n"
            "    cls = torch.nn.Linear(features, 2)\n"
            '    if how == "sklearn":\n'
            "        regression = LogisticRegression()\n"
            "        regression.fit(loader.dataset.tensors[0].numpy(), loader.dataset.tensors[1].numpy())\n"
            "        cls.weight.data = torch.Tensor(regression.coef_)\n"
            "        cls.bias.data[0] -= 1\n"
            "        return cls\n"
            "    optimizer = torch.optim.SGD(cls.parameters(), lr=0.1)\n"
            "    for x, y in loader:\n"
            "        torch.nn.functional.cross_entropy(cls(x), y).backward()\n"
            "        optimizer.step()\n"
            "    return cls\n"
            "\n"
            "def weights(loaders):\n"
            "    kept = []\n"
            "    for loader in loaders:\n"
            '        cls = readout(4, loader, "sklearn")\n'
            "        kept.append(cls.bias.data.cpu().numpy())\n"
            "    return kept\n"
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
    "a gradient that is replaced by another": (
        "TBX301",
        (
            "import torch\n\nx = torch.rand(3, requires_grad=True)\n(x * 2).sum().backward()\n"
            "first = x.grad.detach().cpu()\nx.grad = None\n(x * 3).sum().backward()\nprint(first, x.grad)\n"
        ),
    ),
    "another element each time": (
        "TBX304",
        (
            "import torch\n\ndef images(maps, count):\n    found = []\n    for image in range(count):\n"
            "        part = [maps[level][image].detach() for level in range(3)]\n        for each in part:\n"
            "            each.mul_(2)\n        found.append(part)\n    return found\n"
        ),
    ),
    "another entry each time": (
        "TBX304",
        (
            "import torch\n\ndef kept(tensors: dict[str, torch.Tensor], table, results):\n"
            "    for name, unit in table:\n        data = tensors[name].cpu().numpy()\n        data *= unit\n"
            "        results[name] = data\n"
        ),
    ),
    "another tensor of a list each time": (
        "TBX304",
        (
            "import torch\n\ndef fill(x):\n    with torch.no_grad():\n        return x.uniform_(0, 1)\n\n"
            "def filled(x):\n    if isinstance(x, list):\n        return [fill(each) for each in x]\n"
            "    return fill(x)\n"
        ),
    ),
    "only the truth of it is asked": (
        "TBX103",
        (
            "import numpy as np\nimport torch\n\nd = torch.ones(3)\nassert np.isnan(d[0]) == 0\n"
            "print(np.argwhere(d == 0).flatten())\n"
        ),
    ),
    "a view of another argument": (
        "TBX305",
        (
            "import torch\n\ndef f(rows):\n    start = torch.zeros(3)\n    kept = start.numpy()\n"
            "    found = torch.reshape(rows, start)\n    found.add_(1)\n    return kept, found\n"
        ),
    ),
    "only the shape of what was written is asked": (
        "TBX303",
        (
            "import numpy as np\nimport torch\n\nimage = np.zeros((3, 4))\nsample = torch.from_numpy(image)\n"
            "sample.sub_(1)\nprint(sample.sum(), image.shape, image.size)\n"
        ),
    ),
    "a row of its own each time": (
        "TBX304",
        (
            "import numpy as np\nimport torch\n\ndef moved(points: np.ndarray, by):\n"
            "    points[::2] = points[::2] + by\n    return points\n\ndef polygons(results, by):\n"
            "    found = []\n    for each in results['polygons']:\n"
            "        each = moved(each, by)\n        found.append(each)\n    return found\n"
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
    "what may be a list is copied": (
        "TBX303",
        (
            "import torch\n\nclass Stream:\n    def __init__(self, intrinsics):\n"
            "        self.intrinsics = intrinsics\n\n    def __getitem__(self, index):\n"
            "        found = torch.as_tensor(self.intrinsics)\n"
            "        found[0] *= 2\n        return found\n"
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
    "what was kept before the model went to another device": (
        "TBX302",
        (
            "import torch\n\nnet = torch.nn.Linear(2, 1)\nkept = net.state_dict()\nnet.cuda()\n"
            "optimizer = torch.optim.SGD(net.parameters(), lr=0.1)\n"
            "net(torch.ones(1, 2).cuda()).sum().backward()\noptimizer.step()\nnet.load_state_dict(kept)\n"
        ),
    ),
    "what was kept of the model when it was at home": (
        "TBX302",
        (
            "import torch\n\ndevice = torch.device('cuda' if torch.cuda.is_available() else 'cpu')\n"
            "net = torch.nn.Linear(2, 1).to(device)\noptimizer = torch.optim.SGD(net.parameters(), lr=0.1)\n"
            "for epoch in range(3):\n    net(torch.ones(1, 2, device=device)).sum().backward()\n"
            "    optimizer.step()\n    kept = net.cpu().state_dict()\n    torch.save(kept, 'a.pt')\n"
            "    net = net.to(device)\ntorch.save(kept, 'last.pt')\n"
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
    "parameters that were asked for as they are": (
        "TBX302",
        (
            "import torch\n\nnet = torch.nn.Linear(2, 1)\nbest = net.state_dict(keep_vars=True)\n"
            "optimizer = torch.optim.SGD(net.parameters(), lr=0.1)\nnet(torch.ones(1, 2)).sum().backward()\n"
            "optimizer.step()\nnet.load_state_dict(best)\n"
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
    "another parameter in each iteration": (
        "TBX304",
        (
            "import torch\n\ndef prune(model, masks):\n    kept = {}\n"
            "    for name, parameter in model.named_parameters():\n        weight = parameter.data\n"
            "        weight *= masks[name]\n        kept[name] = weight\n    return kept\n"
        ),
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


@pytest.mark.parametrize(("code", "text"), NOT_SHOWN.values(), ids=NOT_SHOWN)
def test_what_does_not_happen_is_not_shown(code: str, text: str) -> None:
    found = judge_source(Source("src/program.py", text), frozenset({code}), Certainty.LIKELY)
    assert not found


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


def test_a_method_that_hands_out_the_weights_of_its_object() -> None:
    text = (
        "import torch\n\nclass Engine:\n    def __init__(self):\n        self.net = torch.nn.Linear(2, 1)\n"
        "        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=0.1)\n\n"
        "    def weights(self):\n        return self.net.state_dict()\n\n"
        "    def run(self, x):\n        self.initial = self.weights()\n        self.net(x).sum().backward()\n"
        "        self.optimizer.step()\n        self.net.load_state_dict(self.initial)\n"
    )
    found = judge_source(Source("src/engine.py", text), frozenset({"TBX302"}), Certainty.LIKELY)
    assert [finding.span.row for finding in found] == [9]


def test_a_checkpoint_that_is_saved_again_may_be_meant_to_be_the_latest() -> None:
    text = (
        "import torch\n\nmodel = torch.nn.Linear(2, 1)\n"
        "optimizer = torch.optim.SGD(model.parameters(), lr=0.1)\n\n"
        "for epoch in range(9):\n    for step in range(9):\n"
        "        model(torch.ones(1, 2)).sum().backward()\n        optimizer.step()\n"
        "        if step == 5:\n"
        "            {name} = {{'epoch': epoch, 'model': model.state_dict()}}\n            {first}\n"
        "    {second}\n"
    )
    save = "torch.save({}, 'last.pt')"
    for held, first, second, certainty in (
        ("snap", save, save, Certainty.LIKELY),
        ("best_snap", save, save, Certainty.CERTAIN),
        ("snap", "pass", save, Certainty.CERTAIN),
        ("snap", save, "model.load_state_dict({}['model'])", Certainty.CERTAIN),
    ):
        program = text.format(name=held, first=first.format(held), second=second.format(held))
        found = judge_source(Source("src/train.py", program), frozenset({"TBX302"}), Certainty.POSSIBLE)
        assert [finding.certainty for finding in found] == [certainty], program


def test_a_first_value_that_is_copied_as_soon_as_there_is_a_better_one() -> None:
    text = (
        "import copy\nimport torch\n\nnet = torch.nn.Linear(2, 1)\n"
        "optimizer = torch.optim.SGD(net.parameters(), lr=0.1)\nbest, score = net.state_dict(), 0.0\n"
        "for epoch in range(9):\n    net(torch.ones(1, 2)).sum().backward()\n    optimizer.step()\n"
        "    if epoch > score:\n        best, score = copy.deepcopy(net.state_dict()), epoch\n"
        "net.load_state_dict(best)\n"
    )
    found = judge_source(Source("src/train.py", text), frozenset({"TBX302"}), Certainty.POSSIBLE)
    assert [finding.certainty for finding in found] == [Certainty.LIKELY]


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
