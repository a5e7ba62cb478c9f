"""What one function, or one class, proves by itself is certain; where anything is left open, it is not."""

from __future__ import annotations

import pytest

from tensorlint.findings import Applicability, Certainty
from tensorlint.runner.judging import judge_source
from tensorlint.source import Source
from tests.fixing import fixed

HEADER = "import numpy as np\nimport torch\n"
DATASET = """
class Boxes(torch.utils.data.Dataset):
    def __init__(self, boxes):
        self.boxes = boxes
        self.scratch = {made}

    def __getitem__(self, index):
        {before}self.scratch[:] = 0
        return {returned}
"""
LOOP = """
def record(rows):
    frame = {made}
    frames = {kept}
    for row in rows:
        {write}
        frames.append({stored})
        {after}
    return {looked}
"""
EXPORTED = """
def clipped(image):
    found = torch.sigmoid(image)
    pixels = found.numpy()
    {write}
    {between}
    shown = pixels.astype('uint8')
    return shown, {read}
"""
SHARED = """
counts = torch.ones(4)
view = counts.numpy()
{share}
print(view)
"""
MOVED = """
def centred(n):
    device = {device}
    raw = torch.randn(n)
    moved = raw.{move}
    {write}
    return moved, {read}
"""
MOVES = {
    "device": "'cuda' if torch.cuda.is_available() else 'cpu'",
    "move": "to(device)",
    "write": "moved -= 1",
    "read": "raw.max()",
}
SAVED = """
best = np.mean([0.1, 0.2])
torch.save({{'best': best}}, 'last.pt')
{load}
"""
LOOPS = {
    "made": "np.ones(4)",
    "kept": "[]",
    "write": "frame[:] = row",
    "stored": "torch.from_numpy(frame)",
    "after": "pass",
    "looked": "torch.stack(frames)",
}
DATASETS = {"made": "np.zeros(4)", "before": "", "returned": "torch.from_numpy(self.scratch)"}
EXPORTS = {"write": "pixels *= 255", "between": "pass", "read": "found.mean()"}
CERTAIN, LIKELY = [Certainty.CERTAIN], [Certainty.LIKELY]


def certainty(code: str, text: str) -> list[Certainty]:
    found = judge_source(Source("src/program.py", HEADER + text), frozenset({code}), Certainty.LIKELY)
    return [finding.certainty for finding in found]


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ({}, CERTAIN),
        ({"returned": "index, self.scratch"}, CERTAIN),
        ({"returned": "index, torch.from_numpy(self.scratch[:2])"}, LIKELY),
        ({"made": "boxes"}, LIKELY),
        ({"before": "if index:\n            "}, LIKELY),
        ({"returned": "torch.from_numpy(self.scratch) if index else None"}, LIKELY),
        ({"returned": "torch.from_numpy(self.scratch.copy())"}, []),
    ],
)
def test_the_buffer_of_a_dataset(changed: dict[str, str], wanted: list[Certainty]) -> None:
    assert certainty("TBX304", DATASET.format(**DATASETS | changed)) == wanted


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ({}, CERTAIN),
        ({"stored": "(frame, 1)"}, CERTAIN),
        ({"write": "frame += row"}, CERTAIN),
        ({"write": "if row.any():\n            frame[:] = row"}, LIKELY),
        ({"stored": "torch.from_numpy(frame[:2])"}, LIKELY),
        ({"after": "frames.clear()"}, LIKELY),
        ({"after": "print(frames[-1])"}, LIKELY),
        ({"after": "if row.any():\n            break"}, LIKELY),
        ({"looked": "len(frames)"}, LIKELY),
        ({"looked": "frames[-1]"}, LIKELY),
        ({"kept": "sink()"}, LIKELY),
        ({"made": "allocate()"}, []),
        ({"stored": "frame.copy()"}, []),
    ],
)
def test_a_buffer_that_a_loop_keeps(changed: dict[str, str], wanted: list[Certainty]) -> None:
    assert certainty("TBX304", LOOP.format(**LOOPS | changed)) == wanted


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ({}, CERTAIN),
        ({"write": "pixels[0] = 0"}, LIKELY),
        ({"write": "if image.any():\n        pixels *= 255"}, LIKELY),
        ({"read": "1\nprint(clipped(torch.ones(1)))"}, []),
        ({"between": "print(found)", "read": "1"}, LIKELY),
        ({"between": "if image.any():\n        return None"}, LIKELY),
    ],
)
def test_a_write_to_a_view_of_a_tensor(changed: dict[str, str], wanted: list[Certainty]) -> None:
    assert certainty("TBX305", EXPORTED.format(**EXPORTS | changed)) == wanted


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ({}, CERTAIN),
        ({"device": "torch.device('cuda' if torch.cuda.is_available() else 'cpu')"}, CERTAIN),
        ({"device": "choose()"}, LIKELY),
        ({"device": "'cuda'"}, []),
        ({"device": "'cpu'"}, []),
        ({"move": "to(device, copy=True)"}, []),
        ({"move": "to(device).clone()"}, []),
        ({"move": "to(device)[:2]"}, CERTAIN),
        ({"move": "to(device, torch.float64)"}, []),
        ({"write": "moved = moved - 1"}, []),
        ({"write": "moved[0] = 1"}, LIKELY),
        ({"write": "if n:\n        moved -= 1"}, LIKELY),
        ({"read": "raw.shape"}, []),
    ],
)
def test_a_write_to_what_is_a_copy_on_some_machines(changed: dict[str, str], wanted: list[Certainty]) -> None:
    assert certainty("TBX310", MOVED.format(**MOVES | changed)) == wanted


@pytest.mark.parametrize(
    ("share", "wanted"),
    [("counts.share_memory_()", CERTAIN), ("if counts.any():\n    counts.share_memory_()", LIKELY)],
)
def test_an_array_that_is_left_behind(share: str, wanted: list[Certainty]) -> None:
    assert certainty("TBX311", SHARED.format(share=share)) == wanted


@pytest.mark.parametrize(
    ("load", "wanted"),
    [
        ("torch.load('last.pt')", CERTAIN),
        ("torch.load('last.pt', map_location='cpu')", CERTAIN),
        ("torch.load('other.pt')", LIKELY),
        ("if best > 0:\n    torch.load('last.pt')", LIKELY),
        ("torch.load('last.pt', weights_only=False)", []),
        ("try:\n    torch.load('last.pt')\nexcept Exception:\n    pass", LIKELY),
    ],
)
def test_a_checkpoint_that_is_read_back(load: str, wanted: list[Certainty]) -> None:
    assert certainty("TBX108", SAVED.format(load=load)) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("places = np.random.permutation(9)\nprint(torch.rand(9)[torch.Tensor(places)])", CERTAIN),
        ("mask = np.array([True, False])\nprint(torch.rand(2)[torch.Tensor(mask)])", CERTAIN),
        (
            (
                "places = np.arange(9)\nfound = torch.Tensor(places)\nif flag:\n    found = found.long()\n"
                "print(torch.rand(9)[found])"
            ),
            LIKELY,
        ),
        ("counts = np.array([16777217, 3])\nprint(torch.Tensor(counts))", CERTAIN),
        ("counts = np.array([16777217, 3])\ncounts[0] = 1\nprint(torch.Tensor(counts))", []),
        ("counts = np.array([20000000, 3])\nprint(torch.Tensor(counts))", []),
        ("print(torch.Tensor([20000000, 3]))", []),
        ("print(torch.Tensor([20000001, 3]))", CERTAIN),
        (
            (
                "def rows(user_ids: np.ndarray, n):\n    table = np.column_stack([user_ids, np.arange(n)])\n"
                "    made = torch.Tensor(table.astype(np.int64))\n    return made.int()"
            ),
            LIKELY,
        ),
        (
            (
                "def rows(user_ids, n):\n    table = np.array([user_ids, n], dtype=np.int64)\n"
                "    made = torch.Tensor(table)\n    return made"
            ),
            [],
        ),
        (
            (
                "def rows(self, user_ids, n):\n    table = np.array([user_ids, n], dtype=np.int64)\n"
                "    made = torch.Tensor(table)\n    return made.int()"
            ),
            CERTAIN,
        ),
        (
            (
                "device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')\n"
                "def made(x):\n    return torch.Tensor(x, device=device)"
            ),
            CERTAIN,
        ),
        ("def made(x, device):\n    return torch.Tensor(x, device=device)", LIKELY),
    ],
)
def test_what_a_legacy_constructor_loses(text: str, wanted: list[Certainty]) -> None:
    assert certainty("TBX201", text + "\n") == wanted


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("user_ids", "torch.tensor(user_ids)"),
        ("[16777217, 3]", "torch.tensor([16777217, 3])"),
        ("np.array([16777217, 3])", "torch.tensor(np.array([16777217, 3]))"),
    ],
)
def test_no_fix_is_safe_where_numbers_are_lost(given: str, wanted: str) -> None:
    text = f"{HEADER}user_ids = np.array([16777217])\nprint(torch.Tensor({given}))\n"
    assert not fixed(text, Applicability.SAFE, codes=frozenset({"TBX201"})).applied
    result = fixed(text, codes=frozenset({"TBX201"}))
    assert wanted in result.source.text
    assert "torch.as_tensor(..., dtype=torch.float32)" in result.before[0].help
