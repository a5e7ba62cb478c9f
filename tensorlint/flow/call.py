"""A call as the models see it: its arguments with their values, and where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorlint.flow.domain.frozen import dataclass

if TYPE_CHECKING:
    import libcst as cst

    from tensorlint.flow.domain.values import Value
    from tensorlint.flow.state import Frame


@dataclass(frozen=True, slots=True)
class Argument:
    """``keyword`` and ``star`` are how the program gives it; what it is for is asked of ``name``."""

    node: cst.BaseExpression
    value: Value
    keyword: str = ""
    star: str = ""
    #: The parameter that it is for, and which of all that is, where the function is known (``arguments.bound``).
    parameter: str = ""
    place: int | None = None

    @property
    def name(self) -> str:
        """The parameter that it is for, by its keyword or by its place; empty where that is not known."""
        return self.keyword or self.parameter


@dataclass(frozen=True, slots=True)
class Call:
    node: cst.Call
    arguments: tuple[Argument, ...]
    frame: Frame

    @property
    def first(self) -> Value | None:
        """The first argument, where that is given by its place."""
        return self.arguments[0].value if self.arguments and not self.arguments[0].keyword else None

    def keyword(self, name: str) -> Value | None:
        """What is given for the parameter of this name."""
        return next((argument.value for argument in self.arguments if argument.name == name), None)

    def at(self, place: int) -> Argument | None:
        """What is given for a parameter of a function that is known, wherever it stands in the call."""
        return next((argument for argument in self.arguments if argument.place == place), None)
