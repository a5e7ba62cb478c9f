from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Repair, method_call
from tensorlint.flow.domain.facts import Truth
from tensorlint.flow.domain.memory import Writing
from tensorlint.flow.domain.tensors import Array, Tensor
from tensorlint.flow.events import Write
from tensorlint.knowledge import IN_PLACE_METHODS
from tensorlint.policy import ExportStyle
from tensorlint.rules import mending
from tensorlint.rules.base import Draft, Note, Rule
from tensorlint.rules.wording import spell

if TYPE_CHECKING:
    import libcst as cst

#: What writes an expanded tensor without a word: one element after the other, or the same into all.
_UNSEEN = frozenset(["fill_", "zero_", "masked_fill_", "index_fill_", "index_put_", "tril_", "triu_", "fill_diagonal_"])
#: Those of them that may write one value here and another there.
_UNEQUAL = frozenset({"masked_fill_", "index_put_"})
_SPREADS = frozenset({"expand", "expand_as", "broadcast_to"})


class WriteToExpanded(Rule):
    """The rows of an expanded tensor are one row: who writes one of them writes all.

    ## What it does
    Reports writes to one entry of what `expand`, `expand_as` or `broadcast_to` made, and writes in place to the whole
    of it. Follows it through names and indices.

    ## Why is this bad
    `expand` copies nothing, all its rows lie in one memory. `rows[0] = 1` and a mask (`rows[mask] = 0`, `masked_fill_`)
    change every row, and the tensor that was expanded. What writes several of them at once, `rows += 1`,
    `rows[:, 0] = 1`, raises `RuntimeError: unsupported operation: more than one element of the written-to tensor refers
    to a single memory location`. What `np.broadcast_to` returns is read-only: `ValueError`.

    ## Example
    ```python
    import torch

    start = torch.zeros(1, 4)
    beams = start.expand(3, 4)
    beams[0, 1] = 1.0
    print(beams)  # in all three
    ```

    ## Use instead
    ```python
    import torch

    start = torch.zeros(1, 4)
    beams = start.expand(3, 4).clone()
    beams[0, 1] = 1.0
    print(beams)
    ```

    ## Limits
    `zero_()` and `fill_(...)` of the whole are not reported: all rows are to be equal then.

    ## Fix safety
    Unsafe: the rows take memory of their own, and the tensor that was expanded is no longer written.

    ## References
    - torch documentation, `Tensor.expand`; NumPy documentation, `numpy.broadcast_to`; pytorch/pytorch#17260; measured
      on torch 2.13.0 and NumPy 2.4.6
    """

    code = "TBX309"
    name = "write-to-expanded"
    clues = (screen.SPREAD,)
    shown = Certainty.CERTAIN
    fix = Applicability.UNSAFE

    def on_write(self, event: Write) -> Iterator[Draft]:
        made = next((view for view in event.views if _spreads(view)), None)
        if made is None or event.scene.caught:
            return
        value = event.value
        if isinstance(value, Array):
            if value.read_only.truth is Truth.YES:
                words = f"this raises ValueError: `{spell(made)}` is read-only, as its rows are one memory"
                yield _draft(event, made, words, Certainty.CERTAIN if value.sure else Certainty.LIKELY, "copy")
            return
        if not isinstance(value, Tensor):
            return
        origin = None if value.origin is None else event.scene.node(value.origin.site)
        spread, proven = _spread(made, origin)
        indices = _indices(event, made)
        if not spread or indices is None:
            return
        name = event.name or spell(event.views[0])
        if all(position < len(indices) and indices[position] for position in spread):
            words = f"this writes all rows: `{name}` is expanded, and they are one memory"
            yield _draft(event, made, words, Certainty.CERTAIN if proven and value.sure else Certainty.LIKELY, "clone")
            return
        method = method_call(event.node) if event.how is Writing.METHOD else None
        if method is not None and (method[1] in _UNSEEN or method[1] not in IN_PLACE_METHODS):
            if method[1] in _UNEQUAL:
                words = f"`{method[1]}` writes all rows: `{name}` is expanded, and they are one memory"
                yield _draft(event, made, words, Certainty.LIKELY, "clone")
            return
        words = f"torch raises RuntimeError: `{name}` is expanded, several of its elements are one"
        yield _draft(event, made, words, Certainty.CERTAIN if proven and value.sure else Certainty.LIKELY, "clone")


def _draft(event: Write, made: cst.CSTNode, words: str, certainty: Certainty, method: str) -> Draft:
    return Draft(
        event.node,
        words,
        certainty,
        f"write a copy: `.{method}()`",
        (Note(event.scene.at(made), "expanded without a copy here"),),
        repair=partial(_repair, made, method),
    )


def _repair(made: cst.CSTNode, method: str, style: ExportStyle) -> Repair:
    return mending.copied(made, method, "each row takes memory of its own")


def _spread(made: cst.CSTNode, origin: cst.CSTNode | None) -> tuple[tuple[int, ...], bool]:
    """The dimensions that are spread over several entries, and whether that is for sure."""
    import libcst

    from tensorlint.flow.overlaps import sizes_of

    match made:
        case libcst.Call(func=libcst.Attribute(value=owner, attr=libcst.Name(value="expand")), args=arguments):
            pass
        case _:
            return (0,), False
    given = [argument.value for argument in arguments]
    if len(given) == 1 and isinstance(given[0], (libcst.Tuple, libcst.List)):
        given = [element.value for element in given[0].elements]
    if any(argument.star or argument.keyword for argument in arguments):
        return (), False
    texts = [libcst.Module(body=()).code_for_node(each) for each in given]
    asked = [position for position, text in enumerate(texts) if text not in {"-1", "1"}]
    sizes = sizes_of(owner) or (sizes_of(origin) if isinstance(owner, libcst.Name) else ())
    # As many as are written out; those in front are new.
    before = (0,) * (len(texts) - len(sizes)) + sizes
    if sizes and all(size in {0, 1} or text in {"-1", str(size)} for size, text in zip(before, texts, strict=False)):
        spread = tuple(position for position in asked if before[position] in {0, 1})
        return spread, bool(spread) and all(texts[position].isdigit() for position in spread)
    new = _new_dimension(owner)
    if new is not None and new < len(texts):
        return ((new,), texts[new].isdigit()) if new in asked else ((), False)
    return (tuple(asked[:1]), False) if asked else ((), False)


def _new_dimension(owner: cst.CSTNode) -> int | None:
    """Where ``x.unsqueeze(1)``, ``x[None]`` or ``x[:, None]`` puts a dimension of one entry."""
    import libcst

    from tensorlint.flow.tree import dotted_name

    match owner:
        case libcst.Call(
            func=libcst.Attribute(attr=libcst.Name(value="unsqueeze")),
            args=[libcst.Arg(value=libcst.Integer(value=position))],
        ):
            return int(position)
        case libcst.Subscript(slice=elements):
            new = [
                position
                for position, element in enumerate(elements)
                if isinstance(element.slice, libcst.Index) and dotted_name(element.slice.value) == "None"
            ]
            return new[0] if len(new) == 1 else None
        case _:
            return None


def _spreads(view: cst.CSTNode) -> bool:
    call = method_call(view)
    return call is not None and call[1] in _SPREADS


def _indices(event: Write, made: cst.CSTNode) -> list[bool] | None:
    """For each dimension, whether one entry of it is taken, or some that a mask picks; None where it is not clear."""
    import libcst

    from tensorlint.flow.tree import dotted_name

    behind = event.views[: event.views.index(made)]
    subscripts = [view for view in reversed(behind) if isinstance(view, libcst.Subscript)]
    if event.how in {Writing.ITEM, Writing.FILL} and isinstance(event.node, libcst.Subscript):
        subscripts.append(event.node)
    taken: list[bool] = []
    for subscript in subscripts:
        slices = [element.slice for element in subscript.slice]
        if taken and not all(taken):
            return None
        for each in slices:
            if isinstance(each, libcst.Index) and (
                isinstance(each.value, libcst.Ellipsis) or dotted_name(each.value) == "None"
            ):
                return None
            taken.append(isinstance(each, libcst.Index))
    return taken
