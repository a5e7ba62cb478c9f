"""What the tests of configuration share: files are put somewhere, and what holds there is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from tensorlint.config import ConfigError, Layer, Resolver, Settings

BUG = "import torch\nx = torch.zeros(3).cuda().numpy()\n"
CAST = "import torch\ny = torch.Tensor([1, 20000001])\n"


def put(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def settings(directory: Path, *layers: Layer) -> Settings:
    return Resolver(*layers).for_directory(str(directory))


def patterns(directory: Path) -> list[tuple[str, tuple[str, ...]]]:
    """The exclusions that hold in a directory, by the directory that they are relative to."""
    return [(globs.root, globs.patterns) for globs in settings(directory).exclude]


def error(directory: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        settings(directory)
    return str(caught.value)
