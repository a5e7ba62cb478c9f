"""Details of events: what the questions about one definition are answered with. No LibCST."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tensorlint.flow.domain.site import Site

if TYPE_CHECKING:
    import libcst as cst


class Tracer(enum.Enum):
    """What records a network: by running it, or by reading its code."""

    TRACE = "trace"
    ONNX = "onnx"
    SCRIPT = "script"


class Leaving(enum.Enum):
    """How a tensor is made something that is none."""

    ITEM = "item"
    NUMPY = "numpy"
    #: ``float(x)``
    NUMBER = "number"
    #: By a function of NumPy.
    FUNCTION = "function"


@dataclass(frozen=True, slots=True)
class Tracing:
    """A network is followed as what records it does."""

    by: Tracer
    #: The classes whose objects the program scripts: a tracer takes them as they are.
    scripted: frozenset[Site] = frozenset()

    @property
    def reads_code(self) -> bool:
        return self.by is Tracer.SCRIPT


@dataclass(frozen=True, slots=True)
class Escape:
    """A tensor of a network that is traced is made something that is none, where its numbers are an example's."""

    site: Site
    how: Leaving
    #: What the program writes there.
    spelling: str
    #: Whether every run comes by, with what is surely a tensor.
    sure: bool
    #: In the function at hand: the expression it is a part of, and those it is made of.
    node: cst.CSTNode = field(compare=False, repr=False)
    sources: tuple[cst.CSTNode, ...] = field(compare=False, repr=False)
    #: The parameters it hangs on, once that function was left.
    parameters: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Asks:
    """How a loop uses the elements of a tensor that it goes through, by the name they have."""

    name: str
    #: The expressions that are the plain name of the element where it is a number already; None where it is used as a
    #: tensor, too.
    spelled: tuple[cst.BaseExpression, ...] | None
    #: Whether each iteration asks, so that there is one number in each element.
    always: bool
    #: Whether the loop does nothing else than to collect the numbers.
    collects: bool
    #: Whether the name is read behind the loop.
    outlives: bool
    #: Whether something that is called in the loop may write what it goes through.
    written: bool


@dataclass(frozen=True, slots=True)
class Saved:
    """``operation`` keeps what ``expression`` is."""

    operation: cst.BaseExpression
    expression: cst.BaseExpression
    #: Whether it surely does, and surely all of this memory.
    sure: bool
