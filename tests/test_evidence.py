"""Not knowing is no evidence: what is said at the default certainty shows the reader where the trouble comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tensorlint.findings import Certainty
from tensorlint.runner import judge_source
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
