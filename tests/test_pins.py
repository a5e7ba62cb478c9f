"""Which release of torch and NumPy a project says it is for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tensorlint.config import Layer, Resolver
from tests.commands import Command, commander
from tests.configuring import put, settings


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    return commander(tmp_path, capsys, monkeypatch)


# What a project pins

COPIES = "import numpy as np\nimport torch\nx = np.array([1, 2], copy=False)\n"


@pytest.mark.parametrize(
    ("name", "text", "numpy"),
    [
        ("requirements.txt", "torch\nnumpy==1.15.4\n", "1.15.4"),
        ("requirements.txt", "numpy == 1.19.2  # of old\n", "1.19.2"),
        ("requirements.txt", "numpy>=1.20,<2\n", "1.26"),
        ("requirements.txt", "numpy~=1.26.0; python_version > '3.8'\n", "1.26.0"),
        ("requirements.txt", "numpy==1.19.5\nnumpy==2.2\n", "2.2"),
        ("requirements.txt", "numpy>=1.20\n", None),
        ("requirements.txt", "numpy==1.19; python_version < '3.8'\nnumpy>=1.20; python_version > '3.7'\n", None),
        ("requirements.txt", "# numpy==1.2\nnumpydoc==1.1\nnumpy\nnumpy!=1.9\n", None),
        ("requirements.txt", b"\xff\xfen\x00u\x00", None),
        ("environment.yml", "dependencies:\n  - numpy=1.19\n", "1.19.0"),
        ("environment.yml", "dependencies:\n  - conda-forge::numpy=1.19.2=py37h\n", "1.19.2"),
        ("environment.yaml", "dependencies:\n  - pip:\n    - numpy<1.24\n", "1.23"),
        (
            "pyproject.toml",
            '[project]\ndependencies = ["numpy<2"]\noptional-dependencies.dev = ["numpy==2.0"]\n',
            "1.26",
        ),
        ("pyproject.toml", '[tool.poetry.dependencies]\nnumpy = "^1.24"\npython = {version = "3"}\n', "1.26"),
        ("pyproject.toml", '[tool.poetry.dependencies]\nnumpy = "1.24.1"\n', "1.24.1"),
        ("pyproject.toml", "numpy is broken [", None),
        ("pyproject.toml", '[project]\ndependencies = "numpy"\n', None),
    ],
)
def test_a_project_says_which_release_it_is_for(
    tmp_path: Path, name: str, text: str | bytes, numpy: str | None
) -> None:
    data = text if isinstance(text, bytes) else text.encode()
    (tmp_path / name).write_bytes(data)
    assert settings(tmp_path).target_numpy == numpy


def test_the_nearest_pin_counts_and_below_what_is_set(tmp_path: Path) -> None:
    pinned = {"requirements.txt": "numpy<2\ntorch==1.4\n", "new/requirements.txt": "numpy==2.1\n", "old/a.py": COPIES}
    put(
        tmp_path, {**pinned, "new/a.py": COPIES, "set/tensorlint.toml": 'target-numpy = "2.3"\n', "set/in/a.py": COPIES}
    )
    of = {name: settings(tmp_path / name) for name in ("", "old", "new", "set/in")}
    assert [each.target_numpy for each in of.values()] == ["1.26", "1.26", "2.1", "2.3"]
    assert [each.target_torch for each in of.values()] == ["1.4", "1.4", "1.4", None]
    assert settings(tmp_path, Layer.of_options(target_numpy="2.0")).target_numpy == "2.0"
    assert Resolver(isolated=True).for_directory(str(tmp_path)).target_numpy is None


def test_a_rule_that_does_not_hold_on_a_pinned_release_is_off(tmp_path: Path, command: Command) -> None:
    put(tmp_path, {"a.py": COPIES})
    assert "TBX115" in command("check", "a.py").out
    put(tmp_path, {"requirements.txt": "numpy==1.26.*\n"})
    assert "TBX115" not in command("check", "a.py").out
    assert "requirements.txt" in command("check", "--show-settings", "a.py").out


def test_a_program_for_older_releases_is_certain_of_nothing_on_newer_ones(tmp_path: Path, command: Command) -> None:
    put(tmp_path, {"a.py": "import numpy as np\nimport torch\ntorch.ones(3).cuda().numpy().astype(np.int)\n"})
    assert "TBX101" not in command("check", "a.py").out
    shown = command("check", "--certainty", "likely", "a.py").out
    assert "NumPy 1.24 and later have no `np.int`" in shown
    assert "[likely]" in shown
    put(tmp_path, {"requirements.txt": "numpy<1.24\n"})
    assert "[certain]" in command("check", "a.py").out
