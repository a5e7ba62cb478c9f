from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Builder, Repair, wrap
from tensorlint.flow.domain.inside import leaves
from tensorlint.flow.domain.memory import Container, How
from tensorlint.flow.domain.tensors import Provenance, Tensor
from tensorlint.flow.domain.values import Dictionary, Value
from tensorlint.flow.events import StaleRead, Store
from tensorlint.flow.object_events import ModelKept, StateIntoItself
from tensorlint.flow.scene import Scene, Spelling
from tensorlint.knowledge import names
from tensorlint.policy import ExportStyle
from tensorlint.rules.base import Draft, Note, Rule
from tensorlint.rules.wording import spell

if TYPE_CHECKING:
    import libcst as cst

    from tensorlint.flow.domain.site import Site


class StateDictAlias(Rule):
    """`best = model.state_dict()` is not a copy: it holds the last weights, not the best.

    ## What it does
    Reports a `state_dict()` that is kept across training and used afterwards, or kept on `self` under a name
    such as `best_state`, or to be loaded again; `best_model = model` in a loop that trains it; and a network that is
    loaded with its own state, as the target network and the one that is trained are one object.

    ## Why is this bad
    `state_dict()` returns references to the live parameters (and so do `dict(...)`, `.copy()` and `copy.copy`).
    Every optimizer step changes them; loading the "best" weights at the end loads the last ones.

    ## Example
    ```python
    import torch

    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    best = model.state_dict()
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    model.load_state_dict(best)
    ```

    ## Use instead
    ```python
    import copy

    import torch

    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    best = copy.deepcopy(model.state_dict())
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    model.load_state_dict(best)
    ```

    ## Fix safety
    Unsafe: the copy takes the memory of the model once more, and no longer follows the training.

    ## References
    - pytorch/tutorials#188; measured on torch 1.13.1, 2.2.2 and 2.13.0
    """

    code = "TBX302"
    name = "state-dict-alias"
    clues = (screen.SNAPSHOT, screen.MODEL_KEPT)
    fix = Applicability.UNSAFE
    shown = Certainty.CERTAIN

    def on_stale_read(self, event: StaleRead) -> Iterator[Draft]:
        if event.mutation.how is not How.UPDATE:
            return
        for leaf in leaves(event.value):
            alias = event.scene.node(_alias(leaf))
            if alias is not None:
                used = Note(event.scene.at(event.node), f"`{event.name}` is used here")
                yield Draft(
                    alias,
                    f"`{event.name}` holds the live parameters, not a copy: training changes it",
                    Certainty.CERTAIN if _is_certain(event, leaf) else Certainty.LIKELY,
                    _help(alias, event.scene),
                    (Note(event.mutation.site, event.mutation.words), used),
                    repair=_repair(alias, event.scene),
                )

    def on_store(self, event: Store) -> Iterator[Draft]:
        value = event.value
        if (
            event.container is not Container.ATTRIBUTE
            or not isinstance(value, Dictionary)
            or not value.state_dict
            or not (event.restored or names.KEPT.search(event.target))
        ):
            return
        alias = event.scene.node(value.alias)
        if alias is not None:
            training = event.training
            somewhere = Certainty.POSSIBLE if training is None else Certainty.LIKELY
            yield Draft(
                alias,
                f"`{event.target}` keeps the live parameters, not a copy: it follows the training",
                # Where nothing here trains, somebody else may: or nobody.
                # What is loaded into itself does nothing, whoever trains.
                Certainty.CERTAIN if event.set_back or (event.followed and event.restored) else somewhere,
                _help(alias, event.scene),
                () if training is None else (Note(training.site, training.words),),
                repair=_repair(alias, event.scene),
            )

    def on_state_into_itself(self, event: StateIntoItself) -> Iterator[Draft]:
        target, source = spell(event.target), spell(event.source)
        yield Draft(
            event.node,
            f"`{target}` and `{source}` are one object: it is loaded with its own state, and follows every step",
            Certainty.CERTAIN,
            f"make `{target}` another object first, by `copy.deepcopy({source})`",
        )

    def on_model_kept(self, event: ModelKept) -> Iterator[Draft]:
        model = spell(event.model)
        yield Draft(
            event.node,
            f"`{event.kept}` is `{model}` itself, not a copy: the loop trains it on",
            Certainty.CERTAIN,
            f"copy it: `copy.deepcopy({model})`",
        )


def _help(alias: cst.CSTNode, scene: Scene) -> str:
    spelling = scene.spelling("copy.deepcopy", alias)
    return f"copy it: `{'copy.deepcopy' if spelling is None else spelling.text}({spell(alias, limit=80)})`"


def _repair(alias: cst.CSTNode, scene: Scene) -> Builder | None:
    spelling = scene.spelling("copy.deepcopy", alias)
    return None if spelling is None else partial(_copied, alias, spelling)


def _copied(alias: cst.CSTNode, spelling: Spelling, style: ExportStyle) -> Repair:
    import libcst

    assert isinstance(alias, libcst.BaseExpression)
    return Repair(
        f"wrap it in `{spelling.text}(...)`",
        (wrap(alias, spelling.text),),
        Applicability.UNSAFE,
        "it no longer follows the training",
        spelling.imports,
    )


def _is_certain(event: StaleRead, leaf: Value) -> bool:
    """Whether it is known, and not by the names of things, that training changes ``leaf``, and that nobody means it."""
    known = event.mutation.surely_updates(_object(leaf))
    return known and not _may_be_a_copy(leaf) and not _is_saved_again(event)


def _is_saved_again(event: StaleRead) -> bool:
    """Whether it is a checkpoint that was saved when it was made: what is saved later may be meant to be the latest."""
    match event.value:
        case Dictionary(state_dict=False, saved=True):
            return event.handed_on and not names.KEPT.search(event.name)
        case _:
            return False


def _may_be_a_copy(value: Value) -> bool:
    """Whether another path leaves an entry that lies in memory of its own: a first value that is copied later."""
    return isinstance(value, Tensor) and not all(storage.owner.is_trained for storage in value.storages)


def _object(value: Value) -> int:
    """The model that the entries belong to, by its ``oid``; 0 where it is not known."""
    return value.of if isinstance(value, Dictionary) else 0


def _alias(value: Value) -> Site | None:
    """The ``state_dict()`` call that ``value``, or the dictionary it was taken from, came out of."""
    match value:
        case Dictionary(state_dict=True):
            return value.alias
        case Tensor(source=Provenance.STATE_DICT) if any(storage.owner.is_trained for storage in value.storages):
            return value.alias
        case _:
            return None
