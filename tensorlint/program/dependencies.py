"""What something that was found out depends on: which questions about the files were asked, with their answers.

Whoever asks the file system says so (``depend``). Whoever keeps what was found out keeps the ``Dependencies`` beside
it, and has them count for each who is told of it (``use``). So what was asked on behalf of a file is known when it was
judged, whether it was asked then or remembered from before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Generic, NamedTuple, ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")
_MAX_REMEMBERED = 65_536


class Dependency(NamedTuple):
    """A question about the files of a program, and the answer it had."""

    kind: str
    about: str
    answer: str


class Dependencies:
    """What one thing depends on: answers, and other things that were found out, which may depend on it in turn."""

    __slots__ = ("answers", "parts")

    def __init__(self) -> None:
        self.answers: set[Dependency] = set()
        self.parts: set[Dependencies] = set()

    def all(self) -> set[Dependency]:
        """The answers that it depends on in the end."""
        found: set[Dependency] = set()
        seen: set[Dependencies] = {self}
        pending = [self]
        while pending:
            here = pending.pop()
            found |= here.answers
            new = here.parts - seen
            seen |= new
            pending += new
        return found


#: What is being found out, the outermost first. One program is judged at a time.
_UNDER_WAY: list[Dependencies] = []


def depend(on: Dependency) -> None:
    """Have what is being found out depend on this answer."""
    if _UNDER_WAY:
        _UNDER_WAY[-1].answers.add(on)


def use(part: Dependencies) -> None:
    """Have what is being found out depend on something that was found out before, or is being found out."""
    if _UNDER_WAY:
        _UNDER_WAY[-1].parts.add(part)


@contextmanager
def recording(into: Dependencies) -> Iterator[Dependencies]:
    """Have what is asked meanwhile count for ``into``, and ``into`` for what is being found out around it."""
    use(into)
    _UNDER_WAY.append(into)
    try:
        yield into
    finally:
        _UNDER_WAY.pop()


class Remembered(Generic[_P, _T]):
    """A function whose results are kept, with what they depend on."""

    def __init__(self, function: Callable[_P, _T]) -> None:
        wraps(function)(self)
        self._function = function
        self._known: dict[tuple[object, ...], tuple[_T, Dependencies]] = {}

    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        found = self._known.get(args)
        if found is None:
            if len(self._known) > _MAX_REMEMBERED:
                self._known.clear()
            with recording(Dependencies()) as made:
                found = self._function(*args, **kwargs), made
            self._known[args] = found
        else:
            use(found[1])
        return found[0]

    def cache_clear(self) -> None:
        """Forget all of them."""
        self._known.clear()


def remembered(function: Callable[_P, _T]) -> Remembered[_P, _T]:
    """Keep the results of a function of positional arguments that can be hashed."""
    return Remembered(function)
