"""Which files settings come from, and how layers are merged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tensorlint import __version__
from tensorlint.config import ConfigError, Resolver
from tensorlint.config.values import SPECIFIER
from tensorlint.config.versions import satisfies
from tests.commands import Command, commander
from tests.configuring import BUG, CAST, error, patterns, put, settings


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    return commander(tmp_path, capsys, monkeypatch)


# Files


def test_precedence_in_one_directory(tmp_path: Path) -> None:
    found = []
    for name, text in (
        ("pyproject.toml", '[tool.tensorlint]\ntarget-torch = "1"\n'),
        ("tensorlint.toml", 'target-torch = "2"\n'),
        (".tensorlint.toml", 'target-torch = "3"\n'),
    ):
        put(tmp_path, {name: text})
        found.append(settings(tmp_path).target_torch)
    assert found == ["1", "2", "3"]


def test_the_nearest_directory_counts_and_files_are_not_merged(tmp_path: Path) -> None:
    put(tmp_path, {"tensorlint.toml": 'target-torch = "1"\ntarget-numpy = "1"\n', "a/pyproject.toml": "[tool.other]\n"})
    put(tmp_path, {"a/b/tensorlint.toml": 'target-torch = "2"\n', "a/b/c/tensorlint.toml": ""})
    found = [settings(tmp_path / place) for place in (".", "a", "a/b", "a/b/c")]
    assert [each.target_torch for each in found] == ["1", "1", "2", None]
    assert [each.target_numpy for each in found] == ["1", "1", None, None]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("tensorlint.toml", "selct = []", "tensorlint.toml: unknown key `selct` (did you mean `select`?)"),
        ("tensorlint.toml", 'select = ["TBX1O1"]', "tensorlint.toml: select: unknown code `TBX1O1`"),
        ("tensorlint.toml", "[tool.tensorlint]", "tensorlint.toml: unknown key `tool`"),
        ("tensorlint.toml", "select = [", "tensorlint.toml: not valid TOML"),
        ("tensorlint.toml", "fix = 1", "tensorlint.toml: fix: must be true or false, not a number"),
        ("tensorlint.toml", 'output-format = "jsn"', "not `jsn` (did you mean `json`?)"),
        ("tensorlint.toml", 'required-version = "one"', 'must be a version such as "0.1.0" or ">=0.1,<2", not `one`'),
        ("tensorlint.toml", 'extend = ""', "extend: must be a path"),
        ("tensorlint.toml", 'extend = "gone.toml"', "gone.toml: cannot be read: No such file or directory"),
        ("pyproject.toml", "[tool.tensorlint]\nextend = 3", "[tool.tensorlint] extend: must be a string, not a number"),
    ],
)
def test_mistakes(tmp_path: Path, name: str, text: str, message: str) -> None:
    put(tmp_path, {name: text})
    assert message in error(tmp_path)
    assert error(tmp_path).startswith(str(tmp_path / name))


# extend


def test_extend_merges_as_ruff_does(tmp_path: Path) -> None:
    put(
        tmp_path,
        {
            "pyproject.toml": '[tool.tensorlint]\nselect = ["TBX1"]\nignore = ["TBX101"]\nexclude = ["a"]\n'
            'extend-exclude = ["b"]\ncertainty = "certain"\ntarget-torch = "2"\nunfixable = ["TBX1"]\n'
            'per-file-ignores = { "x.py" = ["TBX1"] }\nextend-per-file-ignores = { "y.py" = ["TBX1"] }\n',
            "pkg/tensorlint.toml": 'extend = "../pyproject.toml"\nextend-select = ["TBX201"]\nextend-exclude = ["c"]\n'
            'certainty = "likely"\nunfixable = ["TBX2"]\nper-file-ignores = { "z.py" = ["TBX2"] }\n',
            "pkg/deep/tensorlint.toml": 'extend = "../tensorlint.toml"\nselect = ["TBX3"]\nexclude = ["d"]\n',
        },
    )
    root, pkg, deep = (str(tmp_path / place) for place in (".", "pkg", "pkg/deep"))
    found = settings(Path(pkg))
    assert (found.certainty and found.certainty.label, found.target_torch) == ("likely", "2")
    assert found.unfixable == ("TBX1", "TBX2")
    assert [(globs.root, globs.patterns) for globs, _ in found.per_file_ignores] == [
        (pkg, ("z.py",)),
        (root, ("y.py",)),
    ]
    assert patterns(Path(pkg)) == [(root, ("a", "b")), (pkg, ("c",))]
    assert patterns(Path(deep)) == [(deep, ("d",)), (root, ("b",)), (pkg, ("c",))]
    assert [each.select for each in settings(Path(deep)).selections] == [("TBX1",), None, ("TBX3",)]
    assert Resolver().configuration(deep).files == (
        str(tmp_path / "pkg/deep/tensorlint.toml"),
        str(tmp_path / "pkg/tensorlint.toml"),
        str(tmp_path / "pyproject.toml"),
    )


def test_what_is_said_of_a_file_itself_is_not_extended(tmp_path: Path) -> None:
    put(tmp_path, {"base.toml": 'required-version = ">=0"\n', "tensorlint.toml": 'extend = "base.toml"\nfix = true\n'})
    assert settings(tmp_path).fix
    put(tmp_path, {"base.toml": 'required-version = ">=99"\n'})
    assert "base.toml: required-version: it is for tensorlint >=99" in error(tmp_path)


def test_extend_takes_variables_and_the_home_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, {"home/base.toml": 'target-torch = "2"\n'})
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("WHERE", "home")
    for path in ("~/base.toml", "$WHERE/base.toml", str(tmp_path / "home" / "base.toml")):
        put(tmp_path, {"tensorlint.toml": f'extend = "{path}"\n'})
        assert settings(tmp_path).target_torch == "2"


def test_a_circle_is_an_error(tmp_path: Path) -> None:
    put(
        tmp_path,
        {
            "a/tensorlint.toml": 'extend = "../b/tensorlint.toml"\n',
            "self/tensorlint.toml": 'extend = "tensorlint.toml"\n',
        },
    )
    put(tmp_path, {"b/tensorlint.toml": 'extend = "../a/tensorlint.toml"\n'})
    a, b = tmp_path / "a" / "tensorlint.toml", tmp_path / "b" / "tensorlint.toml"
    assert f"extend: goes in a circle: {a} extends {b} extends {a}" in error(tmp_path / "a")
    assert "goes in a circle" in error(tmp_path / "self")


def test_what_is_extended_must_have_settings(tmp_path: Path) -> None:
    put(tmp_path, {"pyproject.toml": "[tool.other]\n", "pkg/tensorlint.toml": 'extend = "../pyproject.toml"\n'})
    assert "there is no [tool.tensorlint] table in this file" in error(tmp_path / "pkg")


# required-version


@pytest.mark.parametrize(
    ("version", "specifier", "holds"),
    [
        ("0.1.0", "0.1.0", True),
        ("0.1.0", "0.1", True),
        ("0.1.0", "==0.1.1", False),
        ("0.1.0", "!=0.1.0", False),
        ("0.1.0", ">=0.1, <2", True),
        ("2.0.0", ">=0.1, <2", False),
        ("0.10.0", ">0.9", True),
        ("0.1.0", "<=0.1", True),
        ("0.1.0", ">0.1", False),
        ("1.4.2", "~=1.4", True),
        ("2.0", "~=1.4", False),
        ("1.4.9", "~=1.4.2", True),
        ("1.5.0", "~=1.4.2", False),
        ("1.4.1", "~=1.4.2", False),
        ("2.0.1", "~=2.0.0", True),
        ("1.0rc1", ">=1", True),
    ],
)
def test_ranges_of_versions(version: str, specifier: str, holds: bool) -> None:
    assert SPECIFIER.read(specifier, "") == specifier
    assert satisfies(version, specifier) is holds


@pytest.mark.parametrize("specifier", ["", ">=", "1.x", "~=1", "=1", ">=1,", "1 2"])
def test_what_is_no_range_of_versions(specifier: str) -> None:
    with pytest.raises(ConfigError):
        SPECIFIER.read(specifier, "")


def test_another_release_is_refused_before_its_keys_are_looked_at(tmp_path: Path, command: Command) -> None:
    put(tmp_path, {"a.py": BUG, "tensorlint.toml": 'required-version = ">=99"\nkey-of-the-future = 1\n'})
    outcome = command("a.py")
    assert (outcome.code, outcome.out) == (2, "")
    assert f"tensorlint.toml: required-version: it is for tensorlint >=99, and this is {__version__}" in outcome.err
    assert command("a.py", "--isolated").code == 1


# The command line


def test_inline_values_win_over_files_and_options_over_them(tmp_path: Path, command: Command) -> None:
    put(tmp_path, {"a.py": BUG + CAST, "tensorlint.toml": 'select = ["TBX1"]\n', "other.toml": 'select = ["TBX2"]\n'})

    def found(*arguments: str) -> list[str]:
        outcome = command("a.py", "--output-format", "json", *arguments)
        return [each["code"] for each in json.loads(outcome.out)]

    assert found() == ["TBX101"]
    assert found("--config", 'select = ["TBX2"]') == ["TBX201"]
    assert found("--config", "other.toml") == ["TBX201"]
    assert found("--config", "other.toml", "--config", 'extend-select=["TBX101"]') == ["TBX101", "TBX201"]
    assert found("--config", 'select=["TBX2"]', "--config", 'ignore=["TBX201", "TBX216"]') == []
    assert found("--config", 'select=["TBX2"]', "--select", "TBX1") == ["TBX101"]
    assert found("--isolated", "--config", 'ignore=["TBX1"]') == ["TBX201"]
    assert found("--config", 'per-file-ignores."a.py" = ["TBX1"]') == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["certainty = likely"], "--config: neither a file nor KEY = VALUE in TOML: `certainty = likely`"),
        (['certainy = "likely"'], "--config: unknown key `certainy` (did you mean `certainty`?)"),
        (['certainty = "likly"'], "--config certainty: must be one of"),
        (['extend = "x.toml"'], "--config: `extend` stands in files only"),
        (['required-version = ">=99"'], "--config required-version: it is for tensorlint >=99"),
        (["a.toml", "b.toml"], "--config takes one file"),
    ],
)
def test_mistakes_of_inline_values(command: Command, arguments: list[str], message: str) -> None:
    outcome = command(*(part for each in arguments for part in ("--config", each)))
    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err


def test_the_run_takes_its_settings_from_where_it_begins(tmp_path: Path, command: Command) -> None:
    put(tmp_path, {"a.py": BUG, "pkg/b.py": BUG, "pkg/tensorlint.toml": 'output-format = "concise"\nfix = true\n'})
    assert command("a.py", "pkg", "-q").out.count("help:") == 2
    assert (tmp_path / "pkg" / "b.py").read_text() == BUG
    outcome = command("b.py", "../a.py", "--show-fixes", cwd="pkg")
    assert outcome.code == 0
    assert "Fixed 2 findings:" in outcome.out
    assert ".cpu()" in (tmp_path / "a.py").read_text()


def test_options_win_over_what_the_configuration_says_of_the_run(tmp_path: Path, command: Command) -> None:
    put(tmp_path, {"a.py": BUG, "tensorlint.toml": 'output-format = "concise"\nfix = true\nshow-fixes = true\n'})
    assert command("a.py", "--no-fix", "--output-format", "grouped", "-q").out.startswith("a.py:\n")
    assert command("a.py", "--no-fix", "-q").out.startswith("a.py:2:5: TBX101 [*] ")
    assert (tmp_path / "a.py").read_text() == BUG


@pytest.mark.parametrize(
    "arguments",
    [["--diff"], ["--write-baseline", "known.json"], ["--baseline", "known.json"], ["--add-noqa"]],
)
def test_fixing_by_configuration_gives_way(tmp_path: Path, command: Command, arguments: list[str]) -> None:
    put(
        tmp_path,
        {"a.py": BUG, "known.json": '{"version": 1, "findings": []}\n', "tensorlint.toml": "fix-only = true\n"},
    )
    assert command("a.py", *arguments).code in {0, 1}
    assert ".cpu()" not in (tmp_path / "a.py").read_text()


def test_environment_stands_for_options(tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, {"a.py": BUG, "tensorlint.toml": 'output-format = "grouped"\n'})
    monkeypatch.setenv("TENSORLINT_OUTPUT_FORMAT", "json")
    assert json.loads(command("a.py").out)[0]["code"] == "TBX101"
    assert command("a.py", "--output-format", "grouped").out.startswith("a.py:\n")
    monkeypatch.setenv("TENSORLINT_OUTPUT_FILE", "found.json")
    assert command("a.py").out == ""
    assert json.loads((tmp_path / "found.json").read_text())[0]["code"] == "TBX101"
    assert json.loads(command("a.py", "-o", "-").out)[0]["code"] == "TBX101"
    assert not (tmp_path / "-").exists()


def test_silence_and_colour(tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, {"a.py": BUG})
    assert command("a.py", "--silent") == (silent := command("a.py", "-s"))
    assert (silent.code, silent.out, silent.err) == (1, "", "")
    assert command("a.py", "-s", "-e").code == 0
    assert "\x1b[" in command("a.py", "--color", "always").out
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("FORCE_HYPERLINK", "1")
    assert "\x1b]8;;https://" in command("a.py").out
    assert "\x1b" not in command("a.py", "--color", "never").out
    monkeypatch.setenv("FORCE_HYPERLINK", "0")
    assert "\x1b]8;;" not in command("a.py").out
