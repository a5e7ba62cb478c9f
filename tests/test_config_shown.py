"""What shows settings and describes keys: `config`, --show-settings, the schema; and which files are checked."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from tensorlint.cli.check import check
from tensorlint.config import KEYS, ConfigError, Configuration, Key, Layer, Resolver
from tensorlint.config.files import inline
from tensorlint.config.keys import Merge, as_toml, plain
from tensorlint.config.schema import schema
from tensorlint.discovery import discover
from tests.commands import Command, commander
from tests.configuring import BUG, put
from tests.conftest import Outcome, execute

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


ROOT = Path(__file__).parent.parent


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    return commander(tmp_path, capsys, monkeypatch)


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
