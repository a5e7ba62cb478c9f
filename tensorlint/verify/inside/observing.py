"""A program that tells, before each of its statements, where it is, and who listens."""

from __future__ import annotations

import ast
import contextlib
import io
import json
import tokenize
import types
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .describing import describer, preview
from .memory import Memory

Request = dict[str, Any]
_CORE_NAMES = frozenset(
    {"__name__", "__doc__", "__package__", "__loader__", "__spec__", "__file__", "__builtins__", "__warningregistry__"}
)


class Observer:
    """Follows one program from statement to statement and writes down what the request asks for."""

    def __init__(self, request: Request, torch: Any, numpy: Any) -> None:
        self.request = request
        self.torch = torch
        self.memory = Memory(torch, numpy)
        self.describe = describer(torch, numpy)
        self.namespace: dict[str, Any] = {}
        self.seen: dict[str, Any] = {"statement": 0, "row": 0, "marks": {}, "complete": False}
        self.caught: list[warnings.WarningMessage] = []

    def at(self, statement: int, row: int) -> None:
        """Called before each statement of the module. The report is on disk before anything can end the process."""
        self.seen["statement"], self.seen["row"] = statement, row
        wanted = self.request["snapshot"]
        if wanted == "each" or wanted == statement:
            self.seen["before"] = self.state()
        self.save()

    def mark(self, name: str) -> None:
        expressions = self.request["marks"].get(name, [])
        self.seen["marks"][name] = {expression: self.described(expression) for expression in expressions}

    def state(self) -> dict[str, Any]:
        names = {
            name: value
            for name, value in self.namespace.items()
            if name not in _CORE_NAMES and not isinstance(value, types.ModuleType)
        }
        values = {name: self.describe(value, 0) for name, value in names.items()}
        with contextlib.suppress(Exception):
            return {"values": values, "sharing": self.memory.groups(self.memory.leaves(names))}
        return {"values": values, "sharing": []}

    def described(self, expression: str) -> dict[str, Any]:
        def answer() -> dict[str, Any]:
            description = self.describe(self.evaluate(expression), 0)
            return {"value": json.dumps(description, sort_keys=True), "shown": preview(description)}

        return self.answered(answer)

    def evaluate(self, expression: str) -> Any:
        return eval(expression, self.namespace)  # noqa: S307  # the program beside it is executed as well

    def answered(self, answer: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return {"known": True, **answer()}
        except Exception as error:  # noqa: BLE001  # an expression of a header may do anything
            return {"known": False, "value": f"{type(error).__name__}: {error}", "shown": str(error)}

    def probe(self, kind: str, left: str, right: str) -> dict[str, Any]:
        answers: Mapping[str, Callable[[], dict[str, Any]]] = {
            "repr": lambda: {"value": repr(self.evaluate(left))},
            "dtype": lambda: {"value": str(self.evaluate(left).dtype)},
            "sharing": lambda: {"value": str(self.memory.shared(self.evaluate(left), self.evaluate(right)))},
            "gradients": lambda: {"value": "", "numbers": self.gradients()},
        }
        return self.answered(answers[kind])

    def gradients(self) -> dict[str, list[float]]:
        leaves = self.memory.leaves(self.namespace)
        with_grad = {
            name: leaf.grad
            for name, leaf in leaves.items()
            if isinstance(leaf, self.torch.Tensor) and leaf.is_leaf and leaf.grad is not None
        }
        return {name: grad.detach().cpu().double().reshape(-1)[:1000].tolist() for name, grad in with_grad.items()}

    def finish(self) -> None:
        self.seen["answers"] = {
            "|".join(probe): self.probe(*probe) for probe in (tuple(each) for each in self.request["probes"])
        }
        if self.request["snapshot"] is not None:
            self.seen["state"] = self.state()

    def save(self) -> None:
        self.seen["warnings"] = [[caught.category.__name__, str(caught.message)] for caught in self.caught]
        text = json.dumps(self.seen)
        with open(self.request["report"], "w", encoding="utf-8") as file:
            file.write(text)


def instrumented(text: str) -> ast.Module:
    """The program, telling ``builtins`` before each statement of the module where it is. Rows stay as they are."""
    tree = ast.parse(text)
    marks = sorted(_marks(text))
    body: list[ast.stmt] = []
    statement = 0
    for node in tree.body:
        if _must_come_first(node):
            body.append(node)
            continue
        row = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))])
        while marks and marks[0][0] < row:
            body.append(_call("__tensorlint_mark__", row, marks.pop(0)[1]))
        if not isinstance(node, (ast.Import, ast.ImportFrom)):
            statement += 1
        body += [_call("__tensorlint_at__", row, statement, row), node]
    last = tree.body[-1].end_lineno or 1 if tree.body else 1
    body += [_call("__tensorlint_mark__", last, name) for _, name in marks]
    return ast.Module(body, [])


def _marks(text: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT and token.string.startswith("# mark: "):
            yield token.start[0], token.string[len("# mark: ") :].strip()


def _must_come_first(node: ast.stmt) -> bool:
    docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return docstring or (isinstance(node, ast.ImportFrom) and node.module == "__future__")


def _call(name: str, row: int, *arguments: object) -> ast.stmt:
    constants: list[ast.expr] = [ast.Constant(argument) for argument in arguments]  # type: ignore[arg-type]
    node = ast.Expr(ast.Call(ast.Name(name, ast.Load()), constants, []))
    for each in ast.walk(node):
        each.lineno = each.end_lineno = row  # type: ignore[attr-defined]
        each.col_offset = each.end_col_offset = 0  # type: ignore[attr-defined]
    return node
