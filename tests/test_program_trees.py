"""Trees of files that are not as one expects: packages in circles, pipes and links, projects that nothing marks."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tensorlint.findings import Certainty
from tensorlint.program import layout
from tensorlint.program.mentions import mentions_in
from tests.projects import AWAY, HOME, PLOT, brief, findings, forget, possible, write


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> None:
    forget()


def test_a_package_that_imports_itself_and_two_roots_of_one_name(tmp_path: Path) -> None:
    inner = "import torch\nimport pkg\nfrom pkg import away, pkg as again\n\n\n" + AWAY
    write(
        tmp_path,
        {
            "pkg/__init__.py": inner + "\n\npkg = pkg.pkg\n",
            "other/pkg/__init__.py": "import torch\n\n\n" + HOME.replace("home", "away"),
            "main.py": "import torch\nfrom pkg import away\n\nprint(away(torch.zeros(2)).numpy())\n",
            "other/main.py": "import torch\nfrom pkg import away\n\nprint(away(torch.zeros(2)).numpy())\n",
        },
    )
    assert [(code, name) for code, name, _ in brief(findings(tmp_path))] == [("TBX101", "main.py")]
    assert brief(findings(tmp_path, "other")) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_that_is_called_like_a_program_is_not_read(tmp_path: Path) -> None:
    write(tmp_path, {"plot.py": PLOT, "main.py": "from plot import plot\n\nplot(1, 2)\n"})
    os.mkfifo(tmp_path / "pipe.py")
    assert mentions_in(str(tmp_path)).files("called", "plot") == (str(tmp_path / "main.py"),)


def test_a_link_to_itself_that_is_called_like_a_program_is_none(tmp_path: Path) -> None:
    write(tmp_path, {"plot.py": PLOT, "main.py": "from plot import plot\n\nplot(1, 2)\n"})
    (tmp_path / "loop.py").symlink_to("loop.py")
    assert mentions_in(str(tmp_path)).files("called", "plot") == (str(tmp_path / "main.py"),)
    assert [finding.code for finding in findings(tmp_path, "plot.py")] == []


def test_a_project_that_nothing_marks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "_MARKERS", ())
    root = os.path.abspath(os.sep)
    for name in ("u.py", "pkg/__init__.py", "pkg/sub/__init__.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    packaged = str(tmp_path / "pkg" / "sub" / "__init__.py")
    # From a directory of a package, all around the package is part of the project.
    for start in (tmp_path / "pkg" / "sub", tmp_path):
        monkeypatch.chdir(start)
        forget()
        assert layout.project(packaged) == layout.project(str(tmp_path / "u.py")) == str(tmp_path)
    monkeypatch.chdir(tmp_path.parent)
    forget()
    assert layout.project(packaged) == str(tmp_path.parent)
    # The root of a file system holds everything.
    monkeypatch.chdir(root)
    forget()
    assert layout.project(packaged) == layout.project(str(tmp_path / "u.py")) == str(tmp_path)
    assert mentions_in(layout.project(os.path.join(root, "u.py"))).files("called", "print") == ()


def test_a_caller_in_a_package_is_known_from_inside_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "_MARKERS", ())
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "__init__.py").touch()
    (tmp_path / "plot.py").write_text(PLOT)
    (tmp_path / "pkg" / "main.py").write_text(
        "import torch\nfrom plot import plot\n\nplot(torch.rand(3, device='cuda'), 'a')\n"
    )
    found = []
    for start in (tmp_path, tmp_path / "pkg"):
        monkeypatch.chdir(start)
        found.append(possible(tmp_path, "plot.py"))
    assert found == [[("TBX101", Certainty.LIKELY)]] * 2


def test_generated_files_and_those_that_go_while_others_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = 'import torch\nfrom model import plot\n\nplot(torch.rand(3, device="cuda"), "a")\n'
    write(tmp_path, {"model.py": PLOT, "gone.py": call, "generated.py": call + "x = 1\n" * 5_000_000})
    (tmp_path / "directory.py").mkdir()
    (tmp_path / "dangling.py").symlink_to(tmp_path / "nowhere.py")
    import tensorlint.flow.world as world

    read = world.read_bytes

    def gone(path: str) -> bytes:
        if path.endswith("gone.py"):
            Path(path).unlink(missing_ok=True)
        return read(path)

    monkeypatch.setattr(world, "read_bytes", gone)
    assert possible(tmp_path, "model.py") == [("TBX101", Certainty.POSSIBLE)]
