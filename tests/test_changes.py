"""Findings on lines that changed, as git has it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tensorlint.changes import _changed
from tests.commands import Command, commander

BUG = "import torch\nx = torch.zeros(3).cuda()\n\n\nprint(x.numpy())\n"
FINE = "import torch\nx = torch.zeros(3)\n\n\nprint(x.numpy())\n"

Git = Callable[..., None]


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    return commander(tmp_path, capsys, monkeypatch)


@pytest.fixture
def git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Git:
    """A repository in which somebody with a configuration of their own works."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / ".gitconfig").write_text(
        "[user]\nname = a\nemail = a@example.org\n[diff]\nnoprefix = true\nexternal = false\ncontext = 5\n"
        "interHunkContext = 9\nrenames = false\n[color]\nui = always\n[core]\nquotePath = true\nautocrlf = false\n"
    )
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for name in [
        name for name in os.environ if name in {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "XDG_CONFIG_HOME"}
    ]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))

    def run(*arguments: str, cwd: str = "repo") -> None:
        (tmp_path / cwd).mkdir(exist_ok=True)
        subprocess.run(["git", *arguments], cwd=tmp_path / cwd, check=True, capture_output=True)

    run("init", "-q", "-b", "main")
    return run


def put(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / "repo" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())


def commit(git: Git, *, branch: str = "") -> None:
    if branch:
        git("checkout", "-q", "-b", branch)
    git("add", "-A")
    git("commit", "-q", "-m", "x", "--allow-empty")


def found(command: Command, revision: str, *arguments: str, cwd: str = "repo") -> list[str]:
    outcome = command("--diff-base", revision, "--output-format", "json", *(arguments or (".",)), cwd=cwd)
    assert outcome.code in {0, 1}, outcome.err
    places = [(os.path.basename(each["filename"]), each["location"]["row"]) for each in json.loads(outcome.out)]
    return [f"{name}:{row}" for name, row in places]


def test_only_lines_that_changed(tmp_path: Path, git: Git, command: Command) -> None:
    put(tmp_path, {"a.py": BUG, "b.py": BUG})
    commit(git)
    assert (
        command("--diff-base", "HEAD", ".", cwd="repo").err == "2 findings on lines that did not change since HEAD.\n"
    )
    put(tmp_path, {"a.py": BUG + "\n\nprint(x.numpy(), 1)\n"})
    assert found(command, "HEAD") == ["a.py:8"]
    put(tmp_path, {"a.py": "# more\n" + BUG})
    assert found(command, "HEAD") == []
    put(tmp_path, {"a.py": BUG.replace("print(x.numpy())", "print(x.numpy(), 1)")})
    assert found(command, "HEAD") == ["a.py:5"]


def test_a_line_of_the_trace_counts(tmp_path: Path, git: Git, command: Command) -> None:
    put(tmp_path, {"a.py": FINE})
    commit(git)
    put(tmp_path, {"a.py": BUG})
    assert found(command, "HEAD") == ["a.py:5"]


def test_a_line_of_the_trace_in_another_file_counts(tmp_path: Path, git: Git, command: Command) -> None:
    make = "import torch\n\n\ndef make():\n    return torch.zeros(3)\n"
    use = "from make import make\n\nx = make()\nprint(x.numpy())\n"
    put(tmp_path, {"make.py": make, "use.py": use, "pyproject.toml": ""})
    commit(git)
    put(tmp_path, {"make.py": make.replace("zeros(3)", "zeros(3).cuda()")})
    assert found(command, "HEAD", "use.py") == ["use.py:4"]


def test_what_is_committed_staged_and_neither_counts(tmp_path: Path, git: Git, command: Command) -> None:
    put(tmp_path, {"a.py": BUG, "b.py": BUG, "c.py": BUG})
    commit(git)
    commit(git, branch="work")
    put(tmp_path, {"a.py": BUG + "x.numpy()\n"})
    commit(git)
    put(tmp_path, {"b.py": BUG + "x.numpy()\n"})
    git("add", "b.py")
    put(tmp_path, {"c.py": BUG + "x.numpy()\n", "new/d.py": BUG})
    assert found(command, "main") == ["a.py:6", "b.py:6", "c.py:6", "d.py:5"]
    assert found(command, "HEAD") == ["b.py:6", "c.py:6", "d.py:5"]


def test_what_happened_on_the_other_branch_does_not_count(tmp_path: Path, git: Git, command: Command) -> None:
    put(tmp_path, {"a.py": BUG + "# end\n", "b.py": FINE})
    commit(git)
    commit(git, branch="work")
    put(tmp_path, {"b.py": BUG})
    commit(git)
    git("checkout", "-q", "main")
    put(tmp_path, {"a.py": FINE.replace("\n\n", "\n") + "# another end\n"})
    commit(git)
    git("checkout", "-q", "work")
    assert found(command, "main") == ["b.py:5"]


def test_a_renamed_file_has_the_lines_that_were_edited(tmp_path: Path, git: Git, command: Command) -> None:
    put(tmp_path, {"a.py": BUG + "# a comment\n" * 20, "b.py": BUG + "# another\n" * 20})
    commit(git)
    git("mv", "a.py", "moved.py")
    git("mv", "b.py", "b moved.py")
    put(tmp_path, {"b moved.py": BUG + "# another\n" * 20 + "x.numpy()\n"})
    assert found(command, "HEAD") == ["b moved.py:26"]


@pytest.mark.parametrize("name", ['a "b".py', "ä ö.py", "tab\there.py", "back\\slash.py", "-a.py", "b/b.py"])
def test_names_that_git_spells_otherwise(tmp_path: Path, git: Git, command: Command, name: str) -> None:
    put(tmp_path, {name: BUG})
    commit(git)
    put(tmp_path, {name: BUG + "x.numpy()\n"})
    assert found(command, "HEAD") == [f"{os.path.basename(name)}:6"]


def test_line_ends(tmp_path: Path, git: Git, command: Command) -> None:
    put(tmp_path, {"crlf.py": BUG.replace("\n", "\r\n"), "turned.py": BUG, "cr.py": BUG.replace("\n", "\r")})
    commit(git)
    put(tmp_path, {"crlf.py": (BUG + "x.numpy()\n").replace("\n", "\r\n"), "turned.py": BUG.replace("\n", "\r\n")})
    assert found(command, "HEAD") == ["crlf.py:6"]
    put(tmp_path, {"cr.py": (BUG + "x.numpy()\n").replace("\n", "\r")})
    assert found(command, "HEAD", "cr.py") == ["cr.py:5", "cr.py:6"]


def cells(*texts: str, note: str = "", indent: int | None = 1) -> str:
    rest = {"cell_type": "code", "execution_count": None, "metadata": {"note": note}, "outputs": []}
    told = [{**rest, "source": text.splitlines(keepends=True)} for text in texts]
    return json.dumps({"cells": told, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}, indent=indent)


def test_lines_of_a_notebook(tmp_path: Path, git: Git, command: Command) -> None:
    old = ("import torch\nx = torch.zeros(3).cuda()\n", "x.sum().numpy()\nx.numpy()\n1", "x.mean().numpy()")
    put(tmp_path, {"a.ipynb": cells(*old)})
    commit(git)
    put(tmp_path, {"a.ipynb": cells(*old, note="another")})
    assert found(command, "HEAD") == []
    put(tmp_path, {"a.ipynb": cells("# a title", old[0], old[1].replace("x.numpy()", "y = x.numpy()"), old[2])})
    assert found(command, "HEAD") == ["a.ipynb:2"]
    put(tmp_path, {"a.ipynb": cells(old[0].replace("(3)", "(4)"), *old[1:])})
    assert found(command, "HEAD") == ["a.ipynb:1", "a.ipynb:2", "a.ipynb:1"]


def test_a_notebook_in_one_row_changes_as_a_whole(tmp_path: Path, git: Git, command: Command) -> None:
    put(tmp_path, {"a.ipynb": cells(BUG, "1", indent=None)})
    commit(git)
    assert found(command, "HEAD") == []
    put(tmp_path, {"a.ipynb": cells(BUG, "2", indent=None)})
    assert found(command, "HEAD") == ["a.ipynb:5"]


def test_attributes_that_make_a_file_binary(tmp_path: Path, git: Git, command: Command) -> None:
    put(tmp_path, {"a.py": BUG, ".gitattributes": "*.py -diff\n"})
    commit(git)
    assert found(command, "HEAD") == []
    put(tmp_path, {"a.py": BUG + "\n"})
    assert found(command, "HEAD") == ["a.py:5"]


def test_from_below_and_through_links(tmp_path: Path, git: Git, command: Command) -> None:
    put(tmp_path, {"pkg/a.py": BUG, "b.py": BUG})
    commit(git)
    put(tmp_path, {"pkg/a.py": BUG + "x.numpy()\n"})
    (tmp_path / "link").symlink_to("repo")
    assert found(command, "HEAD", cwd="repo/pkg") == ["a.py:6"]
    assert found(command, "HEAD", cwd="link") == ["a.py:6"]
    (tmp_path / "repo" / "away.py").symlink_to("../elsewhere.py")
    (tmp_path / "elsewhere.py").write_text(BUG)
    assert found(command, "HEAD") == ["away.py:5", "a.py:6"]


def test_what_git_ignores_is_new_when_it_is_named(tmp_path: Path, git: Git, command: Command) -> None:
    put(tmp_path, {"gen.py": BUG, ".gitignore": "gen.py\n"})
    commit(git)
    assert found(command, "HEAD") == []
    assert found(command, "HEAD", "gen.py") == ["gen.py:5"]


def test_files_that_could_not_be_judged_are_shown(tmp_path: Path, git: Git, command: Command) -> None:
    put(tmp_path, {"a.py": "def f(:\n"})
    commit(git)
    outcome = command("--diff-base", "HEAD", ".", cwd="repo")
    assert (outcome.code, "TBX901" in outcome.out) == (2, True)


def test_repositories_within(tmp_path: Path, git: Git, command: Command) -> None:
    put(tmp_path, {"a.py": BUG, "sub/b.py": BUG})
    git("init", "-q", cwd="repo/sub")
    git("add", "a.py")
    git("commit", "-q", "-m", "x")
    outcome = command("--diff-base", "HEAD", ".", cwd="repo")
    assert outcome.code == 0
    assert outcome.err == (
        "1 finding on lines that did not change since HEAD.\n"
        f"Left out: {tmp_path / 'repo' / 'sub'} is a repository of its own.\n"
    )


def test_a_baseline_besides(tmp_path: Path, git: Git, command: Command) -> None:
    put(tmp_path, {"a.py": BUG})
    commit(git)
    assert command("a.py", "--write-baseline", "known.json", cwd="repo").code == 0
    put(tmp_path, {"a.py": FINE})
    commit(git)
    put(tmp_path, {"a.py": BUG + "x.numpy()\n"})
    assert found(command, "HEAD", "a.py", "--baseline", "known.json") == ["a.py:6"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nope", "."], "--diff-base: git knows no commit `nope` here"),
        (["--help", "."], "--diff-base: git knows no commit `--help` here"),
        (["apart", "."], "--diff-base: `apart` and HEAD have no commit in common"),
        (["HEAD", "../outside.py"], "outside.py lies outside of the repository"),
        (["HEAD", "-"], "--diff-base needs files"),
        (["HEAD", ".", "--fix"], "--diff-base cannot be combined with --fix"),
        (["HEAD", ".", "--diff"], "--diff-base cannot be combined with"),
        (["HEAD", ".", "--write-baseline", "x"], "--diff-base cannot be combined with"),
    ],
)
def test_mistakes(tmp_path: Path, git: Git, command: Command, arguments: list[str], message: str) -> None:
    put(tmp_path, {"a.py": BUG})
    commit(git)
    git("checkout", "-q", "--orphan", "apart")
    put(tmp_path, {"b.py": FINE})
    commit(git)
    git("checkout", "-q", "main")
    (tmp_path / "outside.py").write_text(BUG)
    outcome = command("--diff-base", *arguments, cwd="repo")
    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err


def test_without_a_repository_or_git(
    tmp_path: Path, git: Git, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.py").write_text(BUG)
    outcome = command("--diff-base", "HEAD", "a.py")
    assert (outcome.code, outcome.err) == (2, f"Error: --diff-base: {tmp_path} is in no git repository\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "--diff-base: git cannot be run: No such file or directory" in command("--diff-base", "HEAD", "a.py").err


def test_lines_that_look_like_a_patch_are_none() -> None:
    patch = b"""\
diff --git a/a.py b/a.py
--- a/a.py
+++ b/a.py
@@ -1,2 +1,3 @@
--- a/no.py
-@@ -1 +1 @@
+++ b/no.py
+@@ -9 +9 @@
+x
\\ No newline at end of file
@@ -9 +10,0 @@
-gone
diff --git a/gone.py b/gone.py
--- a/gone.py
+++ /dev/null
@@ -1 +0,0 @@
-x
"""
    assert _changed(patch) == {b"a.py": (range(1, 4),), b"/dev/null": ()}
