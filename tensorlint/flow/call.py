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
    node: cst.BaseExpression
    value: Value
    keyword: str = ""
    star: str = ""


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
        """What is given by the name of a parameter."""
        return next((argument.value for argument in self.arguments if argument.keyword == name), None)
