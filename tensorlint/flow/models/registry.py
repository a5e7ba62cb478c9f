"""Which function says what a call means, by the dotted name of what is called.

A model is registered for a name (``torch.load``), for everything below one (``torch.distributions.*``), for a name at
any depth of a library (``torch.**.no_grad``) or of any library (``**.tqdm``). The more is spelled, the sooner it is
asked; one that returns None leaves the call to the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from tensorlint.flow.call import Call
    from tensorlint.flow.domain.values import Value
    from tensorlint.flow.machine import Machine

#: What a call of the function with this dotted name returns, and does.
Model: TypeAlias = "Callable[[Machine, str, Call], Value | None]"

_EXACT: dict[str, Model] = {}
#: By library (empty for any) and last name.
_ANYWHERE: dict[tuple[str, str], Model] = {}
_BELOW: dict[str, Model] = {}


def function(*patterns: str) -> Callable[[Model], Model]:
    """Register a model for the functions that ``patterns`` name."""

    def register(model: Model) -> Model:
        for pattern in patterns:
            library, anywhere, name = pattern.rpartition("**.")
            if anywhere:
                table: dict[object, Model] = _ANYWHERE  # type: ignore[assignment]
                key: object = (library.removesuffix("."), name)
            elif pattern.endswith(".*"):
                table, key = _BELOW, pattern.removesuffix(".*")  # type: ignore[assignment]
            else:
                table, key = _EXACT, pattern  # type: ignore[assignment]
            assert key not in table, f"two models for {pattern}"
            table[key] = model
        return model

    return register


def models(path: str) -> Iterator[Model]:
    """The models for ``path``, the most particular first."""
    if path in _EXACT:
        yield _EXACT[path]
    library, last = path.partition(".")[0], path.rpartition(".")[2]
    for key in ((library, last), ("", last)):
        if key in _ANYWHERE:
            yield _ANYWHERE[key]
    while path:
        path = path.rpartition(".")[0]
        if path in _BELOW:
            yield _BELOW[path]
