"""Which loops have many rounds, by what they go over."""

from __future__ import annotations

import libcst as cst
import pytest

from tensorlint.flow.graphs import accumulates_long, runs_long


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
        "for i in range(1000):",
        "for i in range(0, 2000):",
    ],
)
def test_a_loop_over_data_or_steps_is_a_long_one(header: str) -> None:
    assert runs_long(loop(header))


@pytest.mark.parametrize(
    "header",
    [
        "for agent in agents:",
        "for i in range(self.n_agents):",
        "for i in range(3):",
        "for i in range(200):",
        "for name in ('a', 'b'):",
        "for e in range(E):",
        "for candidate in models:",
        "for key in metadata:",
    ],
)
def test_a_loop_over_a_few_things_is_none(header: str) -> None:
    assert not runs_long(loop(header))


def test_a_short_loop_in_a_long_one_adds_up_in_both_unless_what_is_added_to_is_new() -> None:
    short = loop("for agent in agents:")
    assert accumulates_long([loop("for batch in loader:"), short], "total")
    assert not accumulates_long([loop("for batch in loader:", "    total = 0\n"), short], "total")
    assert accumulates_long([loop("for batch in loader:", "    other = 0\n"), short], "total.loss")
    assert not accumulates_long([short], "total")
    assert accumulates_long([loop("for batch in loader:", "    total = total + loss\n")], "total")
