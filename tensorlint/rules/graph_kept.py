from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Repair, append
from tensorlint.flow.domain.facts import Truth
from tensorlint.flow.domain.memory import Adding
from tensorlint.flow.domain.tensors import Tensor
from tensorlint.flow.events import GraphKept
from tensorlint.policy import ExportStyle
from tensorlint.rules.base import Draft, Rule
from tensorlint.rules.wording import history, spell, spell_with

if TYPE_CHECKING:
    import libcst as cst


class GraphKeptInLoop(Rule):
    """A running loss that is a tensor with its history: every step stays in memory.

    ## What it does
    Reports `running_loss += loss` and `losses.append(loss)` in a loop that calls `backward()` for each `loss`. Where
    nothing says that the loop has many rounds, as one over a data loader has, that is `likely`.

    ## Why is this bad
    The loss holds the graph it was computed with. What is added up or kept holds those of all steps, so memory grows
    with each: by 170 kB a step for 20 linear layers and their activations, though `backward()` has freed what they
    saved. And a list of such losses cannot be plotted or averaged with NumPy, as its tensors require grad.

    ## Example
    ```python
    import torch

    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    running_loss = 0.0
    for _ in range(5):
        loss = model(torch.rand(4, 2)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        running_loss += loss
    ```

    ## Use instead
    ```python
    import torch

    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    running_loss = 0.0
    for _ in range(5):
        loss = model(torch.rand(4, 2)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        running_loss += loss.detach()
    ```

    ## Fix safety
    Unsafe: what is kept has no history any more, which is what the fix is for. The values are the same.

    ## References
    - PyTorch FAQ, "My model reports cuda runtime error(2): out of memory"; BatsResearch/labelmodels#4
    - Measured on torch 2.13.0
    """

    code = "TBX503"
    name = "graph-kept"
    clues = (screen.EACH_STEP,)
    fix = Applicability.UNSAFE
    shown = Certainty.CERTAIN

    def on_graph_kept(self, event: GraphKept) -> Iterator[Draft]:
        what = spell(event.expression)
        verb = "adds up" if event.how is Adding.SUM else "keeps"
        grad = event.value.grad
        yield Draft(
            event.node,
            f"`{event.target}` {verb} `{what}` with its graph: that of every iteration stays in memory",
            # The backward pass freed most of each graph: what a few iterations leave is little.
            Certainty.CERTAIN
            if isinstance(event.value, Tensor) and grad.truth is Truth.YES and event.long
            else Certainty.LIKELY,
            f"use `{spell_with(event.expression, '.detach()')}`, or `.item()` where a number will do",
            history(grad),
            repair=partial(_detached, event.expression),
        )


def _detached(expression: cst.BaseExpression, style: ExportStyle) -> Repair:
    return Repair(
        "append `.detach()`", (append(expression, ".detach()"),), Applicability.UNSAFE, "what is kept has no graph then"
    )
