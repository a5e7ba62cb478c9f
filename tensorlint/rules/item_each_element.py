from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from tensorlint import screen
from tensorlint.findings import Applicability, Certainty
from tensorlint.fix.repair import Repair, append, replace, source_of
from tensorlint.flow.domain.facts import Truth
from tensorlint.flow.events import ElementAsked
from tensorlint.policy import ExportStyle
from tensorlint.rules.base import Draft, Rule
from tensorlint.rules.wording import history, spell

if TYPE_CHECKING:
    import libcst as cst


class ItemEachElement(Rule):
    """`.item()` of one element of a tensor after the other: `.tolist()` does it at once.

    ## What it does
    Reports `[x.item() for x in t]`, `[float(x) for x in t]` and loops that ask `t[i].item()`, where `t` is known to be
    one tensor. A list of tensors, as of losses, is left alone; so are loops that do other work, unless the tensor is
    known to be on an accelerator.
    Off by default: it is for code that is slower than it should be.

    ## Why is this bad
    Each element becomes a tensor of its own, and each `.item()` is a transfer that waits for the accelerator. On the
    CPU alone a hundred thousand elements take 165 ms this way and 1.3 ms by `.tolist()`.

    ## Example
    ```python
    import torch

    scores = torch.rand(1000)
    values = [x.item() for x in scores]
    ```

    ## Use instead
    ```python
    import torch

    scores = torch.rand(1000)
    values = scores.tolist()
    ```

    ## Fix safety
    Safe: the numbers are the same. Where the tensor is not seen to have one dimension the fix writes
    `.flatten().tolist()`, as `.item()` takes one of shape (n, 1), too. Unsafe where an element is not asked in each
    iteration, so that it may have more than one number, where the loop may write the tensor, where
    a generator is kept and read later, and in a loop of the
    module itself, whose name others may read.

    ## References
    - huggingface/transformers#40646; measured on torch 2.13.0
    """

    code = "TBX402"
    name = "item-each-element"
    default: ClassVar[bool] = False
    clues = (screen.ONE_BY_ONE,)
    fix = Applicability.SAFE
    shown = Certainty.CERTAIN

    def on_element_asked(self, event: ElementAsked) -> Iterator[Draft]:
        made = event.scene.node(event.value.origin.site) if event.value.origin is not None else None
        numbers = event.count is None and event.asks.spelled is not None
        if _is_small(made) or not (numbers or event.count is not None or event.value.device.truth > Truth.UNKNOWN):
            return
        whole = spell(event.whole)
        in_expression = not hasattr(event.loop, "body")
        yield Draft(
            event.loop if in_expression else event.node if event.count is not None else event.whole,
            f"`{spell(event.node)}` asks one element of `{whole}` after the other for its number, which on an "
            "accelerator waits for each",
            _certainty(event, numbers=numbers or in_expression),
            f"`{whole}.tolist()` has all the numbers at once",
            history(event.value.device),
            repair=partial(_at_once, event),
        )


def _certainty(event: ElementAsked, *, numbers: bool) -> Certainty:
    if event.scene.is_test:
        return Certainty.POSSIBLE
    if event.value.device.truth is Truth.YES:
        return Certainty.CERTAIN
    if numbers and event.asks.collects and not event.value.picked:
        return Certainty.CERTAIN
    return Certainty.LIKELY if event.value.device.truth is Truth.MAYBE else Certainty.POSSIBLE


def _is_small(made: cst.CSTNode | None) -> bool:
    """Whether a tensor was made of the few numbers that the program spells, or of a schedule, as models are set up."""
    import libcst

    match made:
        case libcst.Call(func=libcst.Attribute(attr=libcst.Name(value=name))):
            return name in {"linspace", "logspace"} or (
                name in {"tensor", "as_tensor"} and isinstance(made.args[0].value, (libcst.List, libcst.Tuple))
            )
        case _:
            return False


def _at_once(event: ElementAsked, style: ExportStyle) -> Repair | None:
    """The numbers of the whole tensor in place of its elements."""
    spelled, loop = event.asks.spelled, event.loop
    vector = _is_vector(event.whole)
    numbers = append(event.whole, ".tolist()" if vector else ".flatten().tolist()")
    if _is_copied(event):
        text = numbers.before + source_of(event.whole) + numbers.after
        return Repair(f"write `{text}`", (replace(loop, text),))
    if spelled is None or event.count is not None or event.asks.outlives:
        return None
    name = event.asks.name
    changes = (numbers, *(replace(node, name) for node in spelled if source_of(node) != name))
    reason = ""
    if not vector and not event.asks.always:
        reason = "an element that is not asked may hold several numbers"
    elif event.asks.written:
        reason = "the loop may write the tensor that it goes through"
    elif _is_kept(loop):
        reason = "the numbers are those of now, not of when the generator is read"
    elif type(loop).__name__ == "For" and not event.scene.function:
        reason = f"what the module calls `{name}` is a number then"
    message = f"go through `{spell(event.whole)}{numbers.after}`"
    return Repair(message, changes, Applicability.UNSAFE if reason else Applicability.SAFE, reason)


def _is_kept(loop: cst.CSTNode) -> bool:
    """Whether a loop is a generator that is not handed to a function at once."""
    import libcst

    return isinstance(loop, libcst.GeneratorExp) and bool(loop.lpar)


def _is_copied(event: ElementAsked) -> bool:
    """Whether the loop is a list of the numbers, and nothing else."""
    import libcst

    match event.loop:
        case libcst.ListComp(
            elt=libcst.Call() as element, for_in=libcst.CompFor(target=libcst.Name(), ifs=[], inner_for_in=None)
        ) if element is event.node:
            pass
        case _:
            return False
    whole = source_of(event.whole)
    all_of_it = {f"len({whole})", f"{whole}.size(0)", f"{whole}.shape[0]", f"{whole}.numel()"}
    if event.count is not None and source_of(event.count) not in all_of_it:
        return False
    match event.node:
        case libcst.Call(func=libcst.Attribute()):
            return True
        case libcst.Call(func=libcst.Name(value="float")):
            return event.value.dtype.is_floating
        case libcst.Call(func=libcst.Name(value="int")):
            return event.value.dtype.is_integer
        case _:
            return False


def _is_vector(node: cst.BaseExpression) -> bool:
    """Whether an expression is seen to be a tensor of one dimension."""
    import libcst

    match node:
        case libcst.Call(func=libcst.Attribute(attr=libcst.Name(value="flatten" | "ravel")), args=[]):
            return True
        case libcst.Call(
            func=libcst.Attribute(attr=libcst.Name(value="view" | "reshape")),
            args=[libcst.Arg(value=libcst.UnaryOperation(expression=libcst.Integer(value="1")))],
        ):
            return True
        case libcst.Call(func=libcst.Attribute(attr=libcst.Name(value="randperm" | "arange"))):
            return True
        case libcst.Call(func=libcst.Attribute(value=inner, attr=libcst.Name(value="cpu" | "detach")), args=[]):
            return _is_vector(inner)
        case _:
            return False
