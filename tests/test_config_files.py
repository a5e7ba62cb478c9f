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
from tests.conftest import Outcome, execute

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parent.parent
BUG = "import torch\nx = torch.zeros(3).cuda().numpy()\n"
CAST = "import torch\ny = torch.Tensor([1, 20000001])\n"
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
    assert found("--config", 'select=["TBX2"]', "--config", 'ignore=["TBX201"]') == []
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


def test_environment_says_whether_there_is_a_cache(
    tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, {"a.py": BUG})
    for value, is_there in (("true", False), ("0", True)):
        monkeypatch.setenv("TENSORLINT_NO_CACHE", value)
        command("a.py")
        assert (tmp_path / ".tensorlint_cache").exists() is is_there
    monkeypatch.setenv("TENSORLINT_NO_CACHE", "perhaps")
    assert command("a.py").code == 2


def test_arguments_in_a_file(tmp_path: Path, command: Command) -> None:
    put(tmp_path, {"a b.py": BUG, "args": "a b.py\r\n\n--output-format\nconcise\n-q", "@it.py": BUG})
    assert command("check", "@args").out.startswith("a b.py:")
    assert command("@args", "--ignore=TBX1") == Outcome(0, "", "")
    assert command("@it.py", "-q", "--output-format=concise").out.startswith("@it.py:")
    assert "no such file or directory: @gone" in command("@gone").err
    (tmp_path / "args").chmod(0)
    if not os.access(tmp_path / "args", os.R_OK):
        assert "args cannot be read: Permission denied" in command("@args").err


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


# Which files are checked


def names(root: Path) -> list[str]:
    return [os.path.relpath(item.path, root) for item in discover([str(root)], Resolver().for_directory)]


def test_include(tmp_path: Path) -> None:
    put(tmp_path, dict.fromkeys(["a.py", "b.pyw", "bin/tool", "bin/tool.sh", "lib/bin/x", "data.txt"], "x = 1\n"))
    assert names(tmp_path) == ["a.py", "b.pyw"]
    put(tmp_path, {"tensorlint.toml": 'extend-include = ["/bin/*", "!*.sh"]\n'})
    assert names(tmp_path) == ["a.py", "b.pyw", "bin/tool"]
    put(tmp_path, {"tensorlint.toml": 'include = ["*.pyw", "x"]\n'})
    assert names(tmp_path) == ["b.pyw", "lib/bin/x"]
    put(tmp_path, {"tensorlint.toml": "include = []\n"})
    assert names(tmp_path) == []


def test_respect_gitignore(tmp_path: Path, command: Command) -> None:
    put(tmp_path, {"a.py": "", "gen.py": "", "pkg/gen.py": "", "pkg/own.py": "", ".gitignore": "gen.py\n"})
    assert names(tmp_path) == ["a.py", "pkg/own.py"]
    put(tmp_path, {"pkg/tensorlint.toml": "respect-gitignore = false\n"})
    assert names(tmp_path) == ["a.py", "pkg/gen.py", "pkg/own.py"]
    assert command("--show-files", "--no-respect-gitignore").out == "a.py\ngen.py\npkg/gen.py\npkg/own.py\n"
    assert command("--show-files", "--respect-gitignore").out == "a.py\npkg/own.py\n"


# What shows it


def test_show_settings(tmp_path: Path, command: Command) -> None:
    put(
        tmp_path,
        {
            "base.toml": 'select = ["TBX1"]\nextend-exclude = ["gen"]\ncertainty = "likely"\n',
            "tensorlint.toml": 'extend = "base.toml"\nextend-exclude = ["out"]\n'
            'per-file-ignores = { "a.py" = ["TBX10"] }\n',
            "a.py": BUG,
        },
    )
    arguments = ("--show-settings", "a.py", "--ignore", "TBX113", "--config", 'certainty="certain"')
    outcome = command(*arguments)
    assert outcome.code == 0
    lines = [" ".join(line.split()) for line in outcome.out.splitlines()]
    assert lines[:2] == ["a.py", "Read: tensorlint.toml, which extends base.toml"]
    for line in (
        'select = ["TBX1"] base.toml',
        'extend-exclude = ["gen"] base.toml',
        'extend-exclude = ["out"] tensorlint.toml',
        'ignore = ["TBX113"] command line',
        'certainty = "certain" --config \'certainty="certain"\'',
        "force-exclude = false",
        "target-torch = (any)",
    ):
        assert line in lines
    (said,) = json.loads(command(*arguments, "--output-format", "json").out)
    assert said["path"] == str(tmp_path / "a.py")
    assert said["settings"]["certainty"] == {"value": "certain", "from": ["--config 'certainty=\"certain\"'"]}
    assert said["settings"]["extend-exclude"]["value"] == ["gen", "out"]
    assert said["codes"] == [code for code in said["codes"] if code.startswith("TBX11") and code != "TBX113"] != []
    assert command("--show-settings", "gone.py").code == 2
    assert "Read: no configuration file" in command("--show-settings", "--isolated").out


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("b.py", None),
        (".", None),
        ("build/a.py", "build by `build` in `exclude` of the defaults"),
        ("out/a.py", "out by `out` in `extend-exclude` of base.toml"),
        ("pkg/gen.py", "pkg/gen.py by `gen.py` in .gitignore"),
        ("pkg/data.txt", "no pattern of `include` takes pkg/data.txt"),
        ("link/own.py", "link is a link to a directory"),
        ("own/kept.py", None),
        ("own/here/a.py", "own/here by `/here` in `exclude` of own/tensorlint.toml"),
    ],
)
def test_what_is_left_out_is_said_to_be(tmp_path: Path, command: Command, path: str, why: str | None) -> None:
    files = ["b.py", "build/a.py", "out/a.py", "pkg/gen.py", "pkg/data.txt", "pkg/own.py", "own/kept.py"]
    put(tmp_path, dict.fromkeys([*files, "own/here/a.py"], ""))
    put(
        tmp_path,
        {
            ".gitignore": "gen.py\n",
            "base.toml": 'extend-exclude = ["out"]\n',
            "tensorlint.toml": 'extend = "base.toml"\n',
            "own/tensorlint.toml": 'exclude = ["/here"]\n',
        },
    )
    (tmp_path / "link").symlink_to("pkg")
    said = [line for line in command("--show-settings", path).out.splitlines() if line.startswith("Left out")]
    assert said == ([] if why is None else [f"Left out: {why}, unless it is named"])
    assert (f"{path}\n" in command("--show-files").out) is (why is None and path != ".")
    assert command("--show-files", path).out != ""


def test_what_is_left_out_also_where_it_is_named(tmp_path: Path, command: Command) -> None:
    put(tmp_path, {"build/a.py": "", "tensorlint.toml": "force-exclude = true\n"})
    for name, cwd in (("build/a.py", ""), ("a.py", "build")):
        page = command("config", name, cwd=cwd).out
        assert "by `build` in `exclude` of the defaults, also where it is named\n" in page
        (said,) = json.loads(command("config", name, "--output-format", "json", cwd=cwd).out)
        assert (said["left_out"]["key"], said["left_out"]["even_named"]) == ("exclude", True)
        assert command("--show-files", name, cwd=cwd).out == ""


def test_config_shows_what_applies_to_a_path(tmp_path: Path, command: Command) -> None:
    put(tmp_path, {"a.py": "", "tensorlint.toml": 'certainty = "likely"\n', "fix": ""})
    assert command("config", "a.py").out == command("--show-settings", "a.py").out != ""
    assert command("config", "fix").out.startswith("fix\n\nApply")  # a key, whatever else is called so
    outcome = command("config", "gone.py")
    assert (outcome.code, outcome.out) == (2, "")
    assert "unknown key `gone.py`; nor is there a file of this name" in outcome.err


def test_config_lists_every_key_and_describes_each(command: Command) -> None:
    listed = command("config").out
    assert [line.split()[0] for line in listed.splitlines()] == [key.name for key in KEYS]
    objects = json.loads(command("config", "--output-format", "json").out)
    for key, said in zip(KEYS, objects, strict=True):
        page = command("config", key.name).out
        assert page.startswith(f"{key.name}\n\n{key.summary}")
        assert f"{key.name} = {key.example}\n" in page
        assert json.loads(command("config", key.name, "--output-format", "json").out) == said
    unknown = command("config", "selct")
    assert (unknown.code, unknown.out) == (2, "")
    assert "unknown key `selct` (did you mean `select`?)" in unknown.err


def test_every_key_that_has_an_option_has_it() -> None:
    options = {name for option in check.params for name in option.opts}
    assert {f"--{key.name}" for key in KEYS if key.has_option} <= options
    assert not {f"--{key.name}" for key in KEYS if not key.has_option} & options


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
def test_examples_and_defaults_are_values(key: Key) -> None:
    table = tomllib.loads(f"{key.name} = {key.example}")
    assert Layer.read(table, "", "", str).values
    assert VALIDATOR.is_valid(table)
    if key.default is not None:
        written = f"{key.name} = {as_toml(key.default)}"
        assert Layer.read(tomllib.loads(written), "", "", str).values == {key.name: key.default}
        assert VALIDATOR.is_valid({key.name: plain(key.default)})


@pytest.mark.parametrize("key", [key for key in KEYS if key.merge is not Merge.OWN], ids=lambda key: key.name)
def test_every_key_reaches_the_settings(key: Key) -> None:
    layer = Layer.read(tomllib.loads(f"{key.name} = {key.example}"), "", "", str)
    assert Configuration((layer,)).settings != Configuration().settings


# The schema

VALIDATOR = Draft7Validator(schema())


def test_the_schema_is_one() -> None:
    Draft7Validator.check_schema(schema())


@pytest.mark.parametrize(
    "table",
    [
        {"selct": []},
        {"select": "TBX1"},
        {"select": ["TBX1O1"]},
        {"select": [1]},
        {"per-file-ignores": ["a"]},
        {"per-file-ignores": {"a": ["TBX99"]}},
        {"certainty": "sure"},
        {"target-torch": ">=2"},
        {"target-torch": 2.4},
        {"required-version": "~=1"},
        {"fix": "yes"},
        {"extend": ""},
        {"output-format": "xml"},
        {"exclude": "build"},
    ],
)
def test_what_the_schema_refuses_is_refused(table: dict[str, object]) -> None:
    assert not VALIDATOR.is_valid(table)
    with pytest.raises(ConfigError):
        Layer.read(table, "", "", str)


WORDS = ("TBX1", "numpy-off-cpu", "TBX99", "chain", "likely", "json", ">=0.1,<2", "~=1", "2.4", "2.", "x")
VALUES: tuple[object, ...] = (
    *(True, 0, 2.4, ""),
    *WORDS,
    *([], [1], [True], [[]]),
    *([word] for word in ("TBX101", "TBX", "ALL", "TBX99", "live-snapshot", "build", "TB")),
    *({}, {"a.py": "TBX1"}, {"a.py": []}, {"a.py": ["TBX1", "ALL"], "b/*": []}, {"a.py": ["x"]}),
)


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
def test_the_schema_and_the_reader_agree(key: Key) -> None:
    for value in VALUES:
        try:
            Layer.read({key.name: value}, "", "", str)
            taken = True
        except ConfigError:
            taken = False
        assert VALIDATOR.is_valid({key.name: value}) is taken, value


def test_the_schema_and_the_page_are_what_would_be_written(command: Command) -> None:
    program = [sys.executable, str(ROOT / "tools" / "document_configuration.py"), "--check"]
    assert execute(program, ROOT).out == ""
    assert json.loads(command("config", "--output-format", "schema").out) == json.loads(
        (ROOT / "tensorlint.schema.json").read_text()
    )


def test_an_inline_layer_names_itself() -> None:
    assert inline("fix = true", "/p") == Layer({"fix": True}, "--config 'fix = true'", "/p")


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
