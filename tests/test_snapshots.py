"""How sure it is that a snapshot on ``self`` follows the training: by what a loop around it does, and who reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tensorlint.findings import Certainty
from tests.projects import findings, write

NETS = """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 1)
"""
TRAINER = """
import torch
from nets import Net


class Trainer:
    def __init__(self):
        self.model, self.other = Net(), Net()
        self.optimizer = torch.optim.Adam(self.model.parameters())
        self.best = None

    def fit(self, data, epochs):
        for epoch in range(epochs):
            loss = self.epoch(data)
            if loss < 1:
                self.best = {kept}
                {after}

    def epoch(self, data):
        for x, y in data:
            loss = ((self.model.fc(x) - y) ** 2).mean()
            loss.backward()
            self.optimizer.step()
        return loss.item()

    def finish(self):
        {restored}
"""


@pytest.mark.parametrize(
    ("kept", "after", "restored", "expected"),
    [
        ("self.model.state_dict()", "print(loss)", "self.model.load_state_dict(self.best)", Certainty.CERTAIN),
        ("self.model.state_dict()", "break", "self.model.load_state_dict(self.best)", Certainty.LIKELY),
        ("self.model.state_dict()", "print(loss)", "print(self.best)", Certainty.LIKELY),
        ("self.other.state_dict()", "print(loss)", "self.model.load_state_dict(self.best)", Certainty.LIKELY),
    ],
    ids=["followed and restored", "the loop is left", "never restored", "another model"],
)
def test_a_snapshot_on_self(tmp_path: Path, kept: str, after: str, restored: str, expected: Certainty) -> None:
    program = TRAINER.format(kept=kept, after=after, restored=restored)
    write(tmp_path, {"nets.py": NETS, "train.py": program})
    found = findings(tmp_path, "train.py", certainty=Certainty.POSSIBLE)
    assert [(each.code, each.certainty) for each in found if each.code == "TBX302"] == [("TBX302", expected)]


CALLBACK = """
import torch


class EarlyStopping:
    def set_trainer(self, trainer):
        self.model = trainer.model
        {bound}

    def on_epoch_end(self, epoch, loss):
        if loss < 1:
            self.kept = self.model.state_dict()
        elif epoch > 5:
            {restored}

    def again(self, model):
        {again}
"""


@pytest.mark.parametrize(
    ("restored", "again", "expected"),
    [
        ("self.model.load_state_dict(self.kept)", "pass", [Certainty.CERTAIN]),
        ("self.other.load_state_dict(self.kept)", "pass", [Certainty.LIKELY]),
        ("self.model.load_state_dict(self.kept)", "self.model = model", [Certainty.LIKELY]),
    ],
    ids=["into itself", "into another", "a new model takes its place"],
)
def test_a_snapshot_that_is_loaded_back(tmp_path: Path, restored: str, again: str, expected: list[Certainty]) -> None:
    program = CALLBACK.format(bound="self.other = trainer.other", restored=restored, again=again)
    write(tmp_path, {"train.py": program})
    found = findings(tmp_path, "train.py", certainty=Certainty.POSSIBLE)
    assert [each.certainty for each in found if each.code == "TBX302"] == expected
