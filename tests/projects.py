"""What the tests of programs of several files share: they are written down, judged, and forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tensorlint.config import Layer, Resolver
from tensorlint.discovery import discover
from tensorlint.findings import Certainty, Finding
from tensorlint.runner import forget as forget
from tensorlint.runner import run

HOME = "def home(x):\n    return x.detach().cpu()\n"
AWAY = 'def away(x):\n    return x.to("cuda")\n'
PLOT = "import torch\n\n\ndef plot(x, title):\n    return x.detach().numpy()\n"


def write(root: Path, files: Mapping[str, str]) -> None:
    root.mkdir(exist_ok=True)
    (root / "pyproject.toml").touch()
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def findings(root: Path, name: str = "", jobs: int = 1, certainty: Certainty | None = None) -> list[Finding]:
    resolver = Resolver(Layer.of_options(certainty=certainty and certainty.label), isolated=True)
    return list(run(discover([str(root / name)], resolver.for_directory), resolver, jobs).findings)


def possible(root: Path, name: str) -> list[tuple[str, Certainty | None]]:
    return [(finding.code, finding.certainty) for finding in findings(root, name, certainty=Certainty.POSSIBLE)]


def likely(root: Path, name: str) -> list[tuple[str, str, int]]:
    return brief(findings(root, name, certainty=Certainty.LIKELY))


def brief(found: list[Finding]) -> list[tuple[str, str, int]]:
    return [(finding.code, Path(finding.path).name, finding.span.row) for finding in found]
