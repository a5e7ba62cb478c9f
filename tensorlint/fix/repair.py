"""What a rule wants changed, in terms of nodes of the program it judged.

A ``Repair`` is built lazily, after all rules have spoken and only for the findings that are shown. Rows and columns
are not known here; ``edits`` looks them up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorlint.findings import Applicability
from tensorlint.policy import ExportStyle

if TYPE_CHECKING:
    import libcst as cst

#: Nodes a suffix such as ``.copy()`` binds to as a whole. By name: rules are also read where LibCST is not wanted.
_PRIMARY = frozenset(
    [
        "Name",
        "Attribute",
        "Call",
        "Subscript",
        "List",
        "Dict",
        "Set",
        "ListComp",
        "SetComp",
        "DictComp",
        "SimpleString",
        "FormattedString",
    ]
)


@dataclass(frozen=True, slots=True)
class Change:
    """Put text around a node, or in its place. ``inside`` goes before the closing bracket of a call, ``argument`` after
    its last one.

    ``whole`` is the node that is another one afterwards, when that is more than ``node``.
    """

    node: cst.CSTNode
    before: str = ""
    after: str = ""
    inside: str = ""
    argument: str = ""
    replacement: str | None = None
    whole: cst.CSTNode | None = None

    @property
    def target(self) -> cst.CSTNode:
        return self.node if self.whole is None else self.whole


@dataclass(frozen=True, slots=True)
class Repair:
    """A fix before its nodes are turned into rows and columns.

    ``reason`` says what an unsafe repair may change. ``imports`` are modules that must be imported for the new text.
    """

    message: str
    changes: tuple[Change, ...]
    applicability: Applicability = Applicability.SAFE
    reason: str = ""
    imports: tuple[str, ...] = ()


#: A rule hands out how to build the repair, not the repair: the style is the reader's, and a failure here must not cost
#: the finding. None when there is nothing that can be written down.
Builder = Callable[[ExportStyle], "Repair | None"]


def append(node: cst.BaseExpression, suffix: str) -> Change:
    """``node`` followed by ``suffix``, as in ``x.copy()``; in parentheses where it needs them."""
    if node.lpar or type(node).__name__ in _PRIMARY:
        return Change(node, after=suffix)
    return Change(node, before="(", after=f"){suffix}")


def wrap(node: cst.BaseExpression, function: str) -> Change:
    """``function(node)``."""
    return Change(node, before=f"{function}(", after=")")


def replace(node: cst.CSTNode, text: str) -> Change:
    return Change(node, replacement=text)


def add_argument(call: cst.Call, argument: str) -> Change:
    """One more argument at the end of a call."""
    if not call.args:
        return Change(call, inside=argument)
    return Change(call.args[-1].value, argument=argument, whole=call)


def loses_comment(repair: Repair) -> bool:
    """Whether what the repair replaces holds a comment that its replacement does not."""
    return any(
        comment not in change.replacement
        for change in repair.changes
        if change.replacement is not None
        for comment in _comments_in(change.node)
    )


def _comments_in(node: cst.CSTNode) -> Iterator[str]:
    """The comments in a node, less those in the parentheses around it, which stay."""
    import libcst

    if isinstance(node, libcst.Comment):
        yield node.value
    around = {id(each) for each in (*getattr(node, "lpar", ()), *getattr(node, "rpar", ()))}
    for child in node.children:
        if id(child) not in around:
            yield from _comments_in(child)


def method_call(node: cst.CSTNode) -> tuple[cst.BaseExpression, str, int] | None:
    """Receiver, name and number of arguments of ``receiver.name(...)``."""
    import libcst

    match node:
        case libcst.Call(func=libcst.Attribute(value=receiver, attr=libcst.Name(value=name)), args=arguments):
            return receiver, name, len(arguments)
        case _:
            return None


def source_of(node: cst.CSTNode) -> str:
    """The text of a node, as it stands in the program."""
    import libcst

    return libcst.Module(body=()).code_for_node(node)
