"""What the tests of fixes share: a program in, a fixed one out, and what has to hold of any pair of them."""

from __future__ import annotations

import ast
import re
import tokenize
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator

from tensorlint.codes import TOOL_CODES
from tensorlint.engine import Fixed, fix
from tensorlint.findings import Applicability, Certainty, Edit, Finding, Span
from tensorlint.fix.repair import Repair
from tensorlint.policy import ExportStyle, FixPolicy, Policy
from tensorlint.rules import all_rules
from tensorlint.source import Source

ALL = frozenset({*all_rules(), *TOOL_CODES})
#: What is kept live, trained and put back; the same, mended.
TRAIN = "def train(model, opt):\n    best = model.state_dict()\n    opt.step()\n    model.load_state_dict(best)\n"
TRAINED = TRAIN.replace("model.state_dict()", "copy.deepcopy(model.state_dict())")
#: What cannot take such integers; the same, mended.
CAST, WAS_CAST = "x = Tensor([1, 2])\n", "x = torch.tensor([1, 2], dtype=torch.float32)\n"
#: What needs a gradient, and the same on a GPU.
GRAD = "import numpy as np\nimport torch\nx = torch.ones(3, requires_grad=True)\nc = x.cuda()\nout = np.zeros((2, 3))\n"
_NEWLINE = re.compile(r"\r\n|\r|\n")
_DIRECTIVE = re.compile(r"noqa|tensorlint:", re.IGNORECASE)


def edit(row: int, column: int, end_row: int, end_column: int, content: str) -> Edit:
    return Edit(Span(row, column, end_row, end_column), content)


def fixed(
    text: str,
    highest: Applicability = Applicability.UNSAFE,
    *,
    codes: frozenset[str] = ALL,
    certainty: Certainty = Certainty.LIKELY,
    style: ExportStyle = "chain",
    path: str = "program.py",
) -> Fixed:
    return fix(Source(path, text), Policy(codes, certainty, fixes=FixPolicy(style=style)), highest)


def after(text: str, highest: Applicability = Applicability.UNSAFE, **options: object) -> str:
    """The fixed program, which must be sound and have no fix left."""
    result = fixed(text, highest, **options)  # type: ignore[arg-type]
    assert errors(result.findings) == []
    return result.source.text


def errors(findings: Iterable[Finding]) -> list[str]:
    return [finding.message for finding in findings if finding.is_internal]


def codes_in(findings: Iterable[Finding]) -> Counter[str]:
    return Counter(code for finding in findings for code in (finding.code, *finding.also))


def give(repair: Repair | None) -> object:
    """How a rule hands out a repair."""
    return lambda style: repair


def assert_sound(text: str, certainty: Certainty = Certainty.LIKELY, **options: object) -> Fixed:
    """Fix a program as far as possible and check all that must hold, by other means than the tool itself uses."""
    result = fixed(text, certainty=certainty, **options)  # type: ignore[arg-type]
    new = result.source.text
    assert errors(result.findings) == []
    if parses(text):
        assert parses(new), new
        assert_only_statements_with_findings_differ(text, new, result.before)
        assert comments(new) == comments(text), new
    assert_newlines_kept(text, new)
    again = fixed(new, certainty=certainty, **options)  # type: ignore[arg-type]
    assert (again.source.text, again.applied) == (new, ())
    created = codes_in(result.findings) - codes_in(result.before)
    assert not created, f"{dict(created)} came up by fixing\n{new}"
    assert bool(result.applied) == (new != text)
    return result


def parses(text: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compile(text, "program.py", "exec", dont_inherit=True)
        except SyntaxError:
            return False
    return True


def comments(text: str) -> list[str]:
    """The comments of a program, but for those that suppress findings."""
    lines = iter([line + "\n" for line in _NEWLINE.split(text)])
    return [
        token.string.rstrip()
        for token in tokenize.generate_tokens(lambda: next(lines, ""))
        if token.type == tokenize.COMMENT and not _DIRECTIVE.search(token.string)
    ]


def statements(text: str) -> list[ast.stmt]:
    """Simple statements, and the heads of compound ones, in the order of the text, less added imports."""
    found = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.stmt)]
    return sorted(found, key=lambda node: (node.lineno, node.col_offset))


def _head(node: ast.stmt) -> str:
    """The node without the statements in it."""
    parts = []
    for name, value in ast.iter_fields(node):
        if name not in {"body", "orelse", "finalbody", "handlers", "cases"}:
            each = value if isinstance(value, list) else [value]
            parts += [ast.dump(item) if isinstance(item, ast.AST) else repr(item) for item in each]
        elif name == "cases":
            parts += [ast.dump(case.pattern) + (ast.dump(case.guard) if case.guard else "") for case in value]
    return f"{type(node).__name__}({', '.join(parts)})"


def assert_only_statements_with_findings_differ(text: str, new: str, findings: Iterable[Finding]) -> None:
    old_ones, new_ones = statements(text), statements(new)
    added = [_head(node) for node in new_ones if isinstance(node, ast.Import)]
    for node in old_ones:
        if isinstance(node, ast.Import):
            added.remove(_head(node))  # no import goes away
    assert len(added) == len(set(added)) == len(new_ones) - len(old_ones), new
    left = iter(new_ones)
    rows = set(_touched(findings))
    for old in old_ones:
        other = next(left)
        while (head := _head(other)) in added and head != _head(old):
            added.remove(head)
            other = next(left)
        if _head(old) != head:
            assert rows & set(range(_first_row(old), (old.end_lineno or 0) + 1)), f"{_head(old)}\n->\n{head}\n{new}"


def _first_row(node: ast.stmt) -> int:
    return min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))])


def _touched(findings: Iterable[Finding]) -> Iterator[int]:
    """Rows that a finding points at or wants to edit."""
    for finding in findings:
        yield from range(finding.span.row, finding.span.end_row + 1)
        for edit in finding.fix.edits if finding.fix is not None else ():
            yield from range(edit.span.row, edit.span.end_row + 1)


def assert_newlines_kept(text: str, new: str) -> None:
    """Every newline of the old program is there, and new ones are of a kind that the old one has."""
    old_ends, new_ends = Counter(_NEWLINE.findall(text)), Counter(_NEWLINE.findall(new))
    assert not old_ends - new_ends or len(_DIRECTIVE.findall(text)) >= sum((old_ends - new_ends).values())
    assert set(new_ends) <= set(old_ends) or not old_ends
    assert new.endswith(("\n", "\r")) == text.endswith(("\n", "\r"))
