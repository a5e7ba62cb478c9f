from __future__ import annotations

import os
from pathlib import Path

import pytest

from tensorlint.config import Layer, Resolver
from tensorlint.discovery import Discovered, DiscoveryError, discover


def make(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x = 1\n")


def found(root: Path, *paths: str, options: Layer | None = None) -> list[str]:
    items = discover([str(root / path) for path in paths or (".",)], Resolver(options or Layer()).for_directory)
    return [os.path.relpath(item.path, root) for item in items]


def test_python_files_in_order(tmp_path: Path) -> None:
    make(tmp_path, "b.py", "a/z.py", "a/y.pyw", "c.pyi", "d.txt", "e.ipynb", "Makefile", "a.py/inner.py")
    assert found(tmp_path) == ["a.py/inner.py", "a/y.pyw", "a/z.py", "b.py", "e.ipynb"]


def test_directories_that_are_not_ones_own_code(tmp_path: Path) -> None:
    kept = ["environment/f.py", "src/build_model.py", "src/x.py"]
    make(tmp_path, *kept, ".git/a.py", ".venv/b.py", "node_modules/c.py", "build/d.py", "src/__pycache__/e.py")
    assert found(tmp_path) == kept


def test_a_directory_is_always_taken_when_named(tmp_path: Path) -> None:
    make(tmp_path, "build/x.py", "build/__pycache__/y.py", "build/dist/z.py")
    assert found(tmp_path, "build") == ["build/x.py"]
    assert found(tmp_path, "build/dist") == ["build/dist/z.py"]


def test_a_file_is_always_taken_when_named(tmp_path: Path) -> None:
    make(tmp_path, "build/x.py", "script")
    (tmp_path / ".gitignore").write_text("script\n")
    items = discover([str(tmp_path / "build/x.py"), str(tmp_path / "script")], Resolver().for_directory)
    assert items == [Discovered(str(tmp_path / name), named=True) for name in ("build/x.py", "script")]


def test_gitignore(tmp_path: Path) -> None:
    make(tmp_path, "a.py", "gen/b.py", "gen/keep.py", "pkg/c_pb2.py", "pkg/d.py", "pkg/sub/local.py", "local.py")
    (tmp_path / ".gitignore").write_text("gen/*\n!gen/keep.py\n*_pb2.py\n")
    (tmp_path / "pkg" / ".gitignore").write_text("/sub/local.py\n!c_pb2.py\n")
    assert found(tmp_path) == ["a.py", "gen/keep.py", "local.py", "pkg/c_pb2.py", "pkg/d.py"]


def test_gitignore_above_counts_within_the_repository(tmp_path: Path) -> None:
    make(tmp_path, "repo/pkg/a.py", "repo/pkg/secret.py")
    (tmp_path / ".gitignore").write_text("a.py\n")  # outside of the repository
    (tmp_path / "repo" / ".gitignore").write_text("secret.py\n")
    (tmp_path / "repo" / ".git" / "info").mkdir(parents=True)
    assert found(tmp_path, "repo/pkg") == ["repo/pkg/a.py"]
    (tmp_path / "repo" / ".git" / "info" / "exclude").write_text("a.py\n")
    assert found(tmp_path, "repo/pkg") == []


def test_a_line_of_gitignore_that_is_no_pattern_is_passed_over(tmp_path: Path) -> None:
    make(tmp_path, "a.py", "b.py")
    (tmp_path / ".gitignore").write_text("!\n[z-a]\nb.py\n")
    assert found(tmp_path) == ["a.py"]


def test_exclude_of_the_settings(tmp_path: Path) -> None:
    make(tmp_path, "a.py", "vendor/b.py", "pkg/vendor/c.py", "pkg/d.py", "build/e.py")
    (tmp_path / "pyproject.toml").write_text('[tool.tensorlint]\nextend-exclude = ["/vendor"]\n')
    assert found(tmp_path) == ["a.py", "pkg/d.py", "pkg/vendor/c.py"]
    (tmp_path / "pyproject.toml").write_text('[tool.tensorlint]\nexclude = ["vendor"]\n')
    assert found(tmp_path) == ["a.py", "build/e.py", "pkg/d.py"]
    assert found(tmp_path, options=Layer.of_options(str(tmp_path), extend_exclude=["pkg/d.py"])) == [
        "a.py",
        "build/e.py",
    ]


def test_settings_below_speak_for_what_is_below_them(tmp_path: Path) -> None:
    make(tmp_path, "a/gen/x.py", "b/gen/x.py")
    (tmp_path / "a" / "pyproject.toml").write_text('[tool.tensorlint]\nextend-exclude = ["gen"]\n')
    assert found(tmp_path) == ["b/gen/x.py"]


@pytest.mark.parametrize("patterns", ['extend-exclude = ["/gen"]', 'include = ["/own.py"]'])
def test_patterns_of_settings_below_are_relative_to_where_they_stand(tmp_path: Path, patterns: str) -> None:
    make(tmp_path, "a/gen/x.py", "a/own.py", "a/b/gen/x.txt", "gen/x.py")
    (tmp_path / "a" / "pyproject.toml").write_text(f"[tool.tensorlint]\n{patterns}\n")
    assert found(tmp_path) == ["a/own.py", "gen/x.py"]
    assert found(tmp_path, "a") == ["a/own.py"]


def test_each_file_once(tmp_path: Path) -> None:
    make(tmp_path, "pkg/a.py")
    (tmp_path / "pkg" / "b.py").symlink_to("a.py")
    assert found(tmp_path, ".", "pkg", "pkg/a.py") == ["pkg/a.py"]
    assert found(tmp_path, "pkg/b.py", "pkg/a.py") == ["pkg/a.py"]


def test_links_to_directories_are_not_followed(tmp_path: Path) -> None:
    make(tmp_path, "pkg/a.py")
    (tmp_path / "pkg" / "loop").symlink_to(tmp_path)
    (tmp_path / "self.py").symlink_to("self.py")
    assert found(tmp_path) == ["pkg/a.py", "self.py"]
    assert found(tmp_path, "pkg/loop/pkg") == ["pkg/loop/pkg/a.py"]


def test_a_link_to_nowhere_is_a_file_to_complain_about_but_an_editors_lock_is_not(tmp_path: Path) -> None:
    (tmp_path / "gone.py").symlink_to("nowhere.py")
    (tmp_path / ".#lock.py").symlink_to("user@host.1234")
    assert found(tmp_path) == ["gone.py"]


def test_what_is_no_regular_file_is_passed_over(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    assert found(tmp_path) == []


def test_a_directory_that_cannot_be_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "a.py", "secret/b.py")
    scandir = os.scandir

    def refuse(path: str) -> object:
        if path.endswith("secret"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert discover([str(tmp_path)], Resolver().for_directory) == [
        Discovered(str(tmp_path / "a.py")),
        Discovered(str(tmp_path / "secret"), error="Permission denied"),
    ]


def test_a_path_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(DiscoveryError, match="no such file or directory: nope"):
        discover(["nope"], Resolver().for_directory)
