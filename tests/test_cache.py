"""What is kept from one run to the next, and that nobody can tell by what is found."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import pytest

from tensorlint import engine
from tensorlint.cli.caching import NAME
from tensorlint.config import Layer, Resolver
from tensorlint.discovery import discover
from tensorlint.findings import Applicability, Certainty
from tensorlint.policy import FixPolicy, Policy
from tensorlint.program.archive import Archive
from tensorlint.program.dependencies import Dependencies, Dependency, depend, recording, remembered, use
from tensorlint.report import Report
from tensorlint.runner import Fixing, Stopwatch, run
from tensorlint.runner.cache import Cache, folder
from tensorlint.runner.cache.identity import identity
from tensorlint.runner.cache.pages import policy_text
from tests.conftest import Program
from tests.notebooks import notebook
from tests.projects import AWAY, HOME, write

#: What one file of this project knows of others: a helper that moves, a class that keeps, a caller, checkpoints.
PROJECT = {
    "pkg/__init__.py": "",
    "pkg/home.py": f"import torch\n\n\n{HOME}",
    "pkg/away.py": f"import torch\n\n\n{AWAY}",
    "pkg/again.py": "from pkg.home import home as there\n",
    "pkg/model.py": "import torch\n\n\nclass Model:\n    def __init__(self):\n        self.x = torch.zeros(2).cuda()\n",
    "plot.py": "import torch\n\n\ndef plot(x, title):\n    return x.detach().numpy()\n",
    "main.py": "import torch\nfrom pkg.again import there\n\nprint(there(torch.zeros(2, device='cuda')).numpy())\n",
    "show.py": "import torch\nfrom pkg.model import Model\nfrom plot import plot\n\nprint(plot(Model().x, 'a'))\n",
    "keep.py": "import numpy as np\nimport torch\n\n\ndef f(path):\n    torch.save({'a': np.zeros(2)}, path)\n",
    "read.py": "import torch\n\n\ndef f(path):\n    return torch.load(path)\n",
    "alone.py": "import torch\n\nx = torch.zeros(2).cuda().numpy()\n",
    "note.ipynb": notebook(
        "!ls", "import torch\nfrom pkg.home import home", "x = home(torch.zeros(2).cuda())\nx.numpy()"
    ),
    # It runs on NumPy before 1.24 only.
    "old.py": "import numpy as np\nimport torch\n\nprint(torch.zeros(2).cuda().numpy().astype(np.int))\n",
    "other.py": "x = 1\n",
}
EVERYTHING = Layer.of_options(extend_select=["ALL"], certainty="possible")


def lint(
    root: Path,
    *,
    cached: bool = True,
    jobs: int = 1,
    layer: Layer = EVERYTHING,
    fixing: Fixing | None = None,
    ignore_noqa: bool = False,
) -> tuple[Report, set[str]]:
    """What is found, and which files were judged for it."""
    resolver, stopwatch = Resolver(layer, ignore_noqa=ignore_noqa), Stopwatch()
    files = discover([str(root)], resolver.for_directory)
    cache = Cache(str(root / NAME)) if cached else None
    report = run(files, resolver, jobs, fixing, cache, stopwatch)
    return report, {os.path.relpath(path, root).replace(os.sep, "/") for path in stopwatch.files}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write(tmp_path, PROJECT)
    lint(tmp_path)
    return tmp_path


def judged_after(project: Path, change: Callable[[], object]) -> set[str]:
    """The files that are judged again after a change, with the same findings as without a cache."""
    change()
    cached, judged = lint(project)
    assert cached == lint(project, cached=False)[0]
    assert lint(project) == (cached, set())
    return judged


# What is found is what would be found


def test_what_is_known_is_not_judged_again(project: Path) -> None:
    plain, judged = lint(project, cached=False)
    assert judged == PROJECT.keys()
    assert {finding.code for finding in plain.findings} >= {"TBX101", "TBX108"}
    assert lint(project) == (plain, set())
    assert lint(project, jobs=2) == (plain, set())


@pytest.mark.parametrize(
    ("name", "old", "new", "judged"),
    [
        ("other.py", "1", "2", {"other.py"}),
        ("alone.py", ".cuda()", "", {"alone.py"}),
        ("pkg/home.py", ".cpu()", ".cuda()", {"pkg/home.py", "main.py", "note.ipynb"}),
        ("note.ipynb", "!ls", "?ls", {"note.ipynb"}),
        ("pkg/again.py", "pkg.home import home", "pkg.away import away", {"pkg/again.py", "main.py"}),
        ("show.py", "Model().x", "0", {"show.py", "plot.py"}),
        # Neither calls anything of the other.
        ("read.py", "path)\n", "path, weights_only=False)\n", {"read.py", "keep.py"}),
    ],
)
def test_a_change_has_those_files_judged_that_it_matters_to(
    project: Path, name: str, old: str, new: str, judged: set[str]
) -> None:
    text = (project / name).read_text()
    assert old in text
    assert judged_after(project, lambda: (project / name).write_text(text.replace(old, new))) == judged
    assert judged_after(project, lambda: (project / name).write_text(text)) == judged


def test_a_file_that_shadows_a_module_and_one_that_is_gone(project: Path) -> None:
    shadow = project / "pkg" / "home"
    shadow.mkdir()
    assert judged_after(project, lambda: (shadow / "__init__.py").write_text(HOME.replace(".cpu()", ""))) == {
        "pkg/home/__init__.py",
        "main.py",
        "note.ipynb",
    }
    assert judged_after(project, (shadow / "__init__.py").unlink) == {"main.py", "note.ipynb"}
    assert judged_after(project, (project / "pkg" / "home.py").unlink) == {"main.py", "note.ipynb"}


def test_an_import_that_fails_and_one_that_is_mended(project: Path) -> None:
    write(project, {"broken.py": "import away\n", "needs.py": f"import broken\n{PROJECT['alone.py']}"})
    assert default_of(project, "needs.py") == {"TBX101"}
    assert judged_after(project, lambda: (project / "broken.py").write_text("print 'a'\n")) == {"broken.py", "needs.py"}
    assert not default_of(project, "needs.py")
    assert judged_after(project, lambda: (project / "broken.py").write_text("import away\n")) == {
        "broken.py",
        "needs.py",
    }
    # What is not there yet may fail, too.
    assert judged_after(project, lambda: (project / "away.py").write_text("import cPickle\n")) == {
        "away.py",
        "needs.py",
    }
    assert not default_of(project, "needs.py")
    assert judged_after(project, (project / "away.py").unlink) == {"needs.py"}
    assert default_of(project, "needs.py") == {"TBX101"}


def default_of(project: Path, name: str) -> set[str]:
    """The codes that are found in a file by default, from what is kept where that is the same."""
    report, _ = lint(project, layer=Layer.of_options())
    return {finding.code for finding in report.findings if finding.path == str(project / name)}


def test_a_new_caller_elsewhere(project: Path) -> None:
    text = "import torch\nfrom plot import plot\n\nplot(torch.zeros(2), 'a')\n"
    assert judged_after(project, lambda: (project / "new.py").write_text(text)) == {"new.py", "plot.py"}


def test_a_name_in_another_text(project: Path) -> None:
    dead = "import torch\n\n\ndef export():\n    return torch.zeros(3).numpy().numpy()\n\n\nprint(1)\n"
    assert judged_after(project, lambda: (project / "dead.py").write_text(dead)) == {"dead.py"}
    # Of which nobody has known before.
    table = project / "net.yaml"
    assert judged_after(project, lambda: table.write_text("call: dead.export\n")) == {"dead.py"}
    assert judged_after(project, table.unlink) == {"dead.py"}
    assert judged_after(project, lambda: (project / "other.py").write_text("x = 1  # export\n")) == {
        "dead.py",
        "other.py",
    }


def test_a_change_that_keeps_the_size_in_the_same_moment(project: Path) -> None:
    path = project / "alone.py"
    for _ in range(3):
        for new in ("x = torch.zeros(2).cuda().numpy()", "x = torch.zeros(2).cuda().xumpy()"):
            assert judged_after(project, lambda new=new: path.write_text(f"import torch\n\n{new}\n")) <= {"alone.py"}  # type: ignore[misc]


def test_settings_are_part_of_the_question(project: Path) -> None:
    some = Layer.of_options(select=["TBX1"])
    assert lint(project, layer=some)[1] == PROJECT.keys()
    assert lint(project, layer=some)[0] == lint(project, cached=False, layer=some)[0]
    assert lint(project, layer=some)[1] == lint(project)[1] == set()
    assert lint(project, ignore_noqa=True)[1] == PROJECT.keys()


def test_the_release_that_a_project_pins_is_part_of_the_question(project: Path) -> None:
    pins = project / "requirements.txt"
    for release in ("1.23.5", "1.26.0", "1.23.5"):
        pins.write_text(f"numpy=={release}\n")
        assert lint(project)[0] == lint(project, cached=False)[0]
    for release in ("1.23", "1.26"):
        targeted = Layer.of_options(target_numpy=release)
        assert lint(project, layer=targeted)[0] == lint(project, cached=False, layer=targeted)[0]


def test_all_that_a_policy_says_is_part_of_the_question() -> None:
    one, other = frozenset({"TBX101"}), frozenset({"TBX102"})
    policy = Policy(one, fixes=FixPolicy(one))
    others: dict[str, object] = {
        "codes": other,
        "certainty": Certainty.LIKELY,
        "merge": False,
        "ignore_noqa": True,
        "numpy": "1.23",
        "fixes": None,
    }
    of_fixes: dict[str, object] = {"codes": None, "safe": other, "unsafe": other, "style": "force"}
    assert others.keys() == {field.name for field in fields(Policy)}
    assert of_fixes.keys() == {field.name for field in fields(FixPolicy)}
    changed = [replace(policy, **{name: value}) for name, value in others.items()]  # type: ignore[arg-type]
    changed += [replace(policy, fixes=replace(FixPolicy(one), **{name: value})) for name, value in of_fixes.items()]  # type: ignore[arg-type]
    assert len({policy_text(each) for each in (policy, *changed)}) == len(changed) + 1
    many = [f"TBX{number}" for number in range(100, 130)]
    assert policy_text(Policy(frozenset(many))) == policy_text(Policy(frozenset(reversed(many))))


def test_a_template_is_an_error_where_somebody_asks_for_it(tmp_path: Path) -> None:
    path = tmp_path / "template.py"
    path.write_text("import torch\n{{ name }} = 1\nx.numpy({% y %})\n")
    for _ in range(2):
        assert lint(tmp_path)[0].skipped == {"template": 1}
        resolver = Resolver(EVERYTHING)
        files = discover([str(path)], resolver.for_directory)
        report = run(files, resolver, 1, None, Cache(str(tmp_path / NAME)))
        assert [finding.code for finding in report.findings] == ["TBX901"]


def test_a_notebook_of_another_language_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "note.ipynb").write_text(notebook("torch", language_info={"name": "julia"}))
    assert lint(tmp_path)[0] == lint(tmp_path, cached=False)[0]
    report, judged = lint(tmp_path)
    assert (report.skipped, judged) == ({"notebook of another language": 1}, set())


def test_fixes_are_made_whatever_is_known(project: Path) -> None:
    dry = Fixing(Applicability.UNSAFE, write=False)
    plain, _ = lint(project, cached=False, fixing=dry)
    assert plain.applied
    cached, judged = lint(project, fixing=dry)
    assert cached == plain
    assert "other.py" not in judged
    assert judged >= {os.path.relpath(path, project) for path in plain.changes}
    assert lint(project, fixing=dry)[0] == plain


@pytest.mark.parametrize("seed", range(3))
def test_random_edits(tmp_path: Path, seed: int) -> None:
    write(tmp_path, PROJECT)
    chance, spared = random.Random(seed), 0
    for _ in range(12):
        change(tmp_path, chance)
        cached, judged = lint(tmp_path)
        plain, every = lint(tmp_path, cached=False)
        assert cached == plain
        spared += len(every - judged)
    assert spared > 12


def change(root: Path, chance: random.Random) -> None:
    """One of the changes that people make, to one of the files."""
    path = chance.choice(sorted(each for each in root.rglob("*") if each.suffix in {".py", ".ipynb"}))
    text = path.read_text()
    words = ((".cpu()", ".cuda()"), (".cuda()", ".cpu()"), (".detach()", ""), ("home", "away"), ("plot", "show"))
    match chance.randrange(9):
        case 0:
            path.unlink()
        case 1:
            path.rename(path.with_name(chance.choice(sorted(PROJECT)).rpartition("/")[2]))
        case 2:
            path.write_text("\n" + text.replace("\n\n", "\n# noqa\n", 1))
        case 3:
            lines = text.splitlines()
            path.write_text("\n".join(f"{line}  # noqa" if "numpy()" in line else line for line in lines) + "\n")
        case 4:
            name = chance.choice(sorted(PROJECT))
            (root / name).parent.mkdir(exist_ok=True)
            (root / name).write_text(PROJECT[name])
        case 5:
            table = chance.choice(('ignore = ["TBX1"]', 'export-style = "force"', 'target-numpy = "1.23"', ""))
            (root / "pyproject.toml").write_text(f"[tool.tensorlint]\n{table}\n")
        case 6:
            (root / "requirements.txt").write_text(chance.choice(("numpy==1.23.5\n", "numpy==1.26.0\n", "")))
        case _:
            old, new = chance.choice(words)
            path.write_text(text.replace(old, new))


# What happens to the folder


def test_what_is_damaged_is_found_out_anew(project: Path) -> None:
    plain, _ = lint(project)
    for path in sorted((project / NAME).glob("*.json")):
        data = path.read_bytes()
        for damaged in (b"", data[: len(data) // 2], data.replace(b"numpy", b"nunpy"), b"\xff" * 50, b"[]", b"\n{}"):
            path.write_bytes(damaged)
            assert lint(project)[0] == plain
    folder.Folder(str(project / NAME)).save("stamps", [1])
    assert lint(project) == (plain, set())


@pytest.mark.parametrize(
    "value",
    [
        {"entries": {"p": {"k": [1]}}, "dependencies": [], "told": {}, "compact": 0},
        {"entries": {"p": {"k": ["", True, "", False, "7 x", [["TBX101"]]]}}, "dependencies": [["text", "p", ""]],
         "told": {}, "compact": 0},
        {"entries": [], "dependencies": 1},
    ],
)  # fmt: skip
def test_what_nobody_has_written_is_not_believed(project: Path, value: object) -> None:
    plain, _ = lint(project)
    where = folder.Folder(str(project / NAME))
    (outcomes,) = (project / NAME).glob("outcomes-*.json")
    where.save(outcomes.stem, value)
    assert lint(project)[0] == plain


def test_a_folder_that_cannot_be_written(project: Path) -> None:
    (project / "file").write_text("")
    plain, _ = lint(project, cached=False)
    resolver = Resolver(EVERYTHING)
    files = discover([str(project)], resolver.for_directory)
    assert run(files, resolver, 1, None, Cache(str(project / "file" / "cache"))) == plain
    assert (project / "file").read_text() == ""


def test_errors_of_the_tool_are_not_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"alone.py": PROJECT["alone.py"]})
    with monkeypatch.context() as patched:
        patched.setattr(engine, "check", lambda *arguments: 1 // 0)
        assert {finding.code for finding in lint(tmp_path)[0].findings} == {"TBX900"}
    assert {finding.code for finding in lint(tmp_path)[0].findings} >= {"TBX101"}


def test_a_changed_tool_is_another_one() -> None:
    class Changed(Archive):
        def digest(self, path: str) -> str:
            return "changed" if path.endswith("engine.py") else Archive.digest(self, path)

    assert identity(Archive()) == identity(Archive()) != identity(Changed())


def test_files_that_are_gone_and_what_nobody_uses_leave(project: Path) -> None:
    where = project / NAME
    (outcomes,) = where.glob("outcomes-*.json")
    assert "other.py" in outcomes.read_text()
    old, left = where / "outcomes-old.json", where / ".x.tmp"
    for path in (old, left):
        path.write_text("")
        os.utime(path, (0, 0))
    (project / "other.py").unlink()
    (project / "new.py").write_text("")
    lint(project)
    assert "other.py" not in outcomes.read_text()
    assert not old.exists()
    assert not left.exists()


def test_runs_at_the_same_time(project: Path) -> None:
    command = [sys.executable, "-m", "tensorlint", "-q", "--output-format", "json"]
    plain = subprocess.run([*command, "--no-cache", "."], cwd=project, capture_output=True, check=False).stdout
    for path in (project / NAME).glob("*.json"):
        path.unlink()
    under_way = [
        subprocess.Popen([*command, *names], cwd=project, stdout=subprocess.PIPE)
        for names in (["."], ["."], ["main.py", "show.py"])
    ]
    told = [process.communicate()[0] for process in under_way]
    assert told[0] == told[1] == plain
    after = subprocess.run([*command, "."], cwd=project, capture_output=True, check=False).stdout
    assert after == plain


# What the program says of it


def test_where_it_lies_and_how_it_goes(tensorlint: Program, tmp_path: Path) -> None:
    write(tmp_path, {"alone.py": PROJECT["alone.py"], "sub/other.py": "x = 1\n"})
    assert tensorlint("-q", "--no-cache").code == 1
    assert not (tmp_path / NAME).exists()
    plain = tensorlint()
    where = tmp_path / NAME
    assert (where / ".gitignore").read_text() == "*\n"
    assert (where / "CACHEDIR.TAG").read_text().startswith("Signature: 8a477f597d28d172789f06886806bc55\n")
    assert tensorlint() == plain
    # Beside the settings, wherever one stands.
    (tmp_path / "pyproject.toml").write_text("[tool.tensorlint]\n")
    assert tensorlint(cwd=tmp_path / "sub").code == 0
    assert not (tmp_path / "sub" / NAME).exists()
    assert tensorlint("clean").out == f"Removed {where}.\n"
    assert not where.exists()
    assert tensorlint("clean").out == f"There is no cache at {where}.\n"
    for arguments, env in ((("--cache-dir", "here"), {}), ((), {"TENSORLINT_CACHE_DIR": "here"})):
        assert tensorlint(*arguments, env=env).out == plain.out
        assert not where.exists()
        assert tensorlint("clean", *arguments, env=env).out == f"Removed {tmp_path / 'here'}.\n"
    # As the configuration says, beside the settings.
    (tmp_path / "pyproject.toml").write_text('[tool.tensorlint]\ncache-dir = "there"\n')
    assert tensorlint(cwd=tmp_path / "sub").code == 0
    assert tensorlint("clean", cwd=tmp_path / "sub").out == f"Removed {tmp_path / 'there'}.\n"
    assert tensorlint(cwd=tmp_path / "sub", env={"TENSORLINT_CACHE_DIR": "here"}).code == 0
    assert tensorlint("clean", "--config", 'cache-dir="sub/here"').out == f"Removed {tmp_path / 'sub' / 'here'}.\n"
    assert not (tmp_path / "there").exists()
    refused = tensorlint("clean", "--cache-dir", "sub")
    assert (refused.code, refused.err) == (2, f"Error: {tmp_path / 'sub'} is no cache of tensorlint\n")
    assert (tmp_path / "sub" / "other.py").exists()


# What depends on what


def test_what_is_remembered_counts_for_who_is_told_of_it() -> None:
    asked: list[str] = []

    @remembered
    def inner(name: str) -> str:
        asked.append(name)
        depend(Dependency("kind", name, "file"))
        return name

    @remembered
    def outer(name: str) -> str:
        return inner(name)

    found = []
    for ask in (outer, inner, outer):
        with recording(Dependencies()) as told:
            ask("a")
        found.append(told.all())
    assert asked == ["a"]
    assert found == [{Dependency("kind", "a", "file")}] * 3


def test_what_depends_on_each_other_depends_on_all() -> None:
    one, other = Dependencies(), Dependencies()
    with recording(one):
        depend(Dependency("kind", "one", ""))
        with recording(other):
            depend(Dependency("kind", "other", ""))
            use(one)
    assert one.all() == other.all() == {Dependency("kind", "one", ""), Dependency("kind", "other", "")}
