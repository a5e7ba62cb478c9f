"""What the tests of the language server share: a project, an editor that has it open, and programs to be typed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lsprotocol import types

from tensorlint.config import Layer, Resolver
from tensorlint.findings import Certainty, Finding
from tensorlint.runner import forget, run_text
from tensorlint.source import file_bytes
from tests.editor import Editor

BUG = "import torch\n\nx = torch.zeros(3).cuda().numpy()\n"
UNSAFE = """\
import torch

model = torch.nn.Linear(3, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
best = model.state_dict()
for _ in range(3):
    model(torch.ones(3)).sum().backward()
    optimizer.step()
model.load_state_dict(best)
"""
HELPER = 'import torch\n\n\ndef prepared(x: torch.Tensor):\n    return x.to("cuda")\n'
CALLER = "import torch\nfrom helper import prepared\n\nprint(prepared(torch.zeros(3)).numpy())\n"


def project_in(root: Path) -> Path:
    (root / "pyproject.toml").write_text('[tool.tensorlint]\nextend-exclude = ["vendored"]\n')
    (root / "helper.py").write_text(HELPER)
    return root


@contextmanager
def editing(project: Path) -> Iterator[Editor]:
    """An editor that has the project open; in the end the server has gone, and has told of no error."""
    with Editor(project, options={"debounce": 0}) as editor:
        yield editor
    assert editor.exit_code == 0
    assert [message for message in editor.logged if message.type is types.MessageType.Error] == []


def codes(found: list[types.Diagnostic]) -> list[object]:
    return [each.code for each in found]


def whole(editor: Editor, uri: str) -> types.Range:
    text = editor.texts[uri]
    return types.Range(types.Position(0, 0), editor.position(text, len(text)))


def fresh(path: Path, text: str, certainty: Certainty | None = None) -> tuple[Finding, ...]:
    forget()
    return run_text(
        str(path), file_bytes(text), Resolver(Layer.of_options(certainty=certainty and certainty.label))
    ).findings
