"""Which loops have many rounds, by their number or by what they go over."""

from __future__ import annotations

from pathlib import Path

import libcst as cst
import pytest

from tensorlint.findings import Certainty
from tensorlint.flow.graphs import accumulates_long, runs_long
from tests.projects import findings, write

_TRAINING = """import torch

NUM_EPOCHS = {number}
model = torch.nn.Linear(2, 2)
costs = []
for epoch in range({count}):
    cost = model(torch.ones(4, 2)).mean()
    cost.backward()
    costs.append(cost)
print(len(costs))
"""


def loop(header: str, body: str = "    pass\n") -> cst.CSTNode:
    statement = cst.parse_module(f"{header}\n{body}").body[0]
    assert isinstance(statement, (cst.For, cst.While))
    return statement


@pytest.mark.parametrize(
    "header",
    [
        "while True:",
        "for x, y in train_loader:",
        "for i, batch in enumerate(tqdm(self.dataloader)):",
        "for step in range(args.num_steps):",
        "for epoch in trange(1, n_epochs + 1):",
        "for batch in dataset.batches():",
    ],
)
def test_a_loop_over_data_or_steps_is_a_long_one(header: str) -> None:
    assert runs_long(loop(header))


@pytest.mark.parametrize(
    "header",
    [
        "for agent in agents:",
        "for i in range(self.n_agents):",
        "for name in ('a', 'b'):",
        "for e in range(E):",
        "for candidate in models:",
        "for key in metadata:",
    ],
)
def test_a_loop_over_a_few_things_is_none(header: str) -> None:
    assert not runs_long(loop(header))


@pytest.mark.parametrize(("rounds", "long"), [(3, False), (200, False), (999, False), (1000, True), (2000, True)])
def test_where_the_number_of_rounds_is_known_it_says_so(rounds: int, long: bool) -> None:
    assert runs_long(loop("for epoch in range(N_EPOCHS):"), rounds) is long


def test_a_short_loop_in_a_long_one_adds_up_in_both_unless_what_is_added_to_is_new() -> None:
    def long(body: str = "    pass\n") -> tuple[cst.CSTNode, int | None]:
        return loop("for batch in loader:", body), None

    short = loop("for agent in agents:"), None
    assert accumulates_long([long(), short], "total")
    assert not accumulates_long([long("    total = 0\n"), short], "total")
    assert accumulates_long([long("    other = 0\n"), short], "total.loss")
    assert not accumulates_long([short], "total")
    assert accumulates_long([long("    total = total + loss\n")], "total")
    assert accumulates_long([(loop("for e in range(E):"), 10_000), short], "total")


@pytest.mark.parametrize(
    ("count", "number", "certainty"),
    [
        ("NUM_EPOCHS", "25", Certainty.LIKELY),
        ("1, NUM_EPOCHS", "25", Certainty.LIKELY),
        ("NUM_EPOCHS", "5_000", Certainty.CERTAIN),
        ("2000", "25", Certainty.CERTAIN),
        ("NUM_EPOCHS", "int(input())", Certainty.CERTAIN),
        ("min(NUM_EPOCHS, 10)", "25", Certainty.CERTAIN),
    ],
)
def test_what_a_few_rounds_keep_is_not_shown_by_default(
    tmp_path: Path, count: str, number: str, certainty: Certainty
) -> None:
    write(tmp_path, {"train.py": _TRAINING.format(count=count, number=number)})
    (finding,) = findings(tmp_path, certainty=Certainty.LIKELY)
    assert (finding.code, finding.span.row, finding.certainty) == ("TBX503", 9, certainty)
