"""Memory and snapshots: what does not happen in files that look as if it did."""

from __future__ import annotations

import pytest

from tensorlint.findings import Certainty
from tensorlint.runner.judging import judge_source
from tensorlint.source import Source

#: What does not happen, in files that look as if it did.
NOT_SHOWN = {
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
    "what may be a list is copied": (
        "TBX303",
        (
            "import torch\n\nclass Stream:\n    def __init__(self, intrinsics):\n"
            "        self.intrinsics = intrinsics\n\n    def __getitem__(self, index):\n"
            "        found = torch.as_tensor(self.intrinsics)\n"
            "        found[0] *= 2\n        return found\n"
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
    "parameters that were asked for as they are": (
        "TBX302",
        (
            "import torch\n\nnet = torch.nn.Linear(2, 1)\nbest = net.state_dict(keep_vars=True)\n"
            "optimizer = torch.optim.SGD(net.parameters(), lr=0.1)\nnet(torch.ones(1, 2)).sum().backward()\n"
            "optimizer.step()\nnet.load_state_dict(best)\n"
        ),
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


@pytest.mark.parametrize(("code", "text"), NOT_SHOWN.values(), ids=NOT_SHOWN)
def test_what_does_not_happen_is_not_shown(code: str, text: str) -> None:
    found = judge_source(Source("src/program.py", text), frozenset({code}), Certainty.LIKELY)
    assert not found


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
