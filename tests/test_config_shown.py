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
from tests.conftest import execute

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
