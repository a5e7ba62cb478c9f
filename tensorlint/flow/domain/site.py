"""Places in a program, without its syntax tree."""

from __future__ import annotations

from tensorlint.flow.domain.frozen import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Site:
    """A node of one definition, by its number in the order of the text.

    ``definition`` is the dotted name of a function or class as ``__qualname__`` has it, empty for the statements of the
    module; a name that is defined again has ``#2`` behind it. The number does not depend on what stands outside of
    that definition, so a definition that is parsed on its own has the same sites.
    """

    definition: str
    number: int
    #: The path of the file, as it was given.
    file: str = ""


#: Of what the program does not spell.
NOWHERE = Site("", -1)


def first_of(left: Site | None, right: Site | None) -> Site | None:
    """Of two places that do, the one that comes first in the program."""
    if left is None or right is None:
        return left or right
    return min(left, right)
