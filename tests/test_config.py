from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tensorlint.codes import TOOL_CODES, code_defaults
from tensorlint.config import ConfigError, Configuration, Layer, Resolver, Selection, Settings, resolve, selection
from tensorlint.config.files import File, read_file
from tensorlint.findings import Certainty
from tensorlint.globs import Globs
from tensorlint.rules import all_rules
from tensorlint.tabulated import tabulated

RULES = frozenset(all_rules())
EVERY = RULES | frozenset(TOOL_CODES)
DEFAULT = EVERY - {code for code, on in code_defaults().items() if not on}


def starting(*prefixes: str) -> frozenset[str]:
    return frozenset(code for code in EVERY if code.startswith(prefixes))


def chosen(*layers: Selection) -> frozenset[str]:
    return resolve(Settings(selections=layers), "x.py")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pkg" / "deep").mkdir(parents=True)
    return tmp_path


def write(directory: Path, table: str) -> None:
    (directory / "pyproject.toml").write_text(table)


# Selection


def test_all_but_matters_of_style_is_on_by_default() -> None:
    assert chosen() == DEFAULT
    assert {"TBX112", "TBX209", "TBX216", "TBX402", "TBX404", "TBX405", "TBX407", "TBX408"} == EVERY - DEFAULT


@pytest.mark.parametrize(
    ("layer", "codes"),
    [
        (Selection(select=("TBX1",)), starting("TBX1")),
        (Selection(select=("TBX101", "TBX2")), starting("TBX101", "TBX2")),
        (Selection(select=()), frozenset()),
        (Selection(ignore=("TBX2",)), DEFAULT - starting("TBX2")),
        (Selection(ignore=("ALL",)), frozenset()),
        (Selection(select=("ALL",)), EVERY),
        (Selection(("TBX",), ("TBX201",), ("TBX2",)), (DEFAULT - starting("TBX2")) | {"TBX201"}),
        (Selection(select=("TBX201",), ignore=("TBX2",)), {"TBX201"}),
        (Selection(select=("TBX2",), ignore=("TBX201",)), starting("TBX2") - {"TBX201"}),
        (Selection(select=("TBX201",), ignore=("TBX201",)), frozenset()),
    ],
)
def test_more_specific_wins(layer: Selection, codes: frozenset[str]) -> None:
    assert chosen(layer) == codes


def test_a_later_select_replaces_and_the_rest_adjusts() -> None:
    file = Selection(select=("TBX1",), ignore=("TBX102",))
    assert chosen(file, Selection(select=("TBX2",))) == starting("TBX2")
    assert chosen(file, Selection(extend_select=("TBX2",))) == (starting("TBX1") - {"TBX102"}) | starting("TBX2")
    assert chosen(file, Selection(ignore=("TBX101",))) == starting("TBX1") - {"TBX101", "TBX102"}


def test_a_rule_can_be_off_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    from tensorlint import codes

    known = tabulated()
    monkeypatch.setattr(codes, "tabulated", lambda: {**known, "TBX101": replace(known["TBX101"], default=False)})
    codes.code_defaults.cache_clear()
    selection._selected.cache_clear()
    try:
        assert "TBX101" not in chosen()
        assert "TBX101" not in chosen(Selection(select=("TBX",)))
        for selector in ("TBX101", "TBX1", "ALL"):
            assert "TBX101" in chosen(Selection(select=(selector,)))
    finally:
        monkeypatch.undo()
        codes.code_defaults.cache_clear()
        selection._selected.cache_clear()


# The table


def parsed(table: dict[str, object]) -> Settings:
    return Configuration((File("/p/pyproject.toml", table).layer("/p"),)).settings


def test_all_keys() -> None:
    settings = parsed(
        {
            "select": ["TBX1"],
            "extend-select": ["TBX201"],
            "ignore": ["TBX102"],
            "per-file-ignores": {"tests/*": ["TBX"]},
            "exclude": ["vendor"],
            "extend-exclude": ["*_pb2.py"],
            "certainty": "certain",
            "target-torch": "2.4",
            "target-numpy": "2",
            "export-style": "force",
        }
    )
    assert settings == Settings(
        selections=(Selection(("TBX1",), ("TBX201",), ("TBX102",)),),
        per_file_ignores=((Globs("/p", ("tests/*",)), ("TBX",)),),
        include=(Globs("/p", ("*.py", "*.pyw", "*.ipynb")),),
        exclude=(Globs("/p", ("vendor", "*_pb2.py")),),
        certainty=Certainty.CERTAIN,
        target_torch="2.4",
        target_numpy="2",
        export_style="force",
    )


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"selct": []}, "unknown key `selct` (did you mean `select`?)"),
        ({"zzz": 1}, "unknown key `zzz`"),
        ({"select": "TBX1"}, "select: must be a list of strings, not a string"),
        ({"select": [1]}, "select: must be a string, not a number"),
        ({"select": ["TBX1O1"]}, "select: unknown code `TBX1O1` (did you mean `TBX101`?)"),
        ({"ignore": ["TBX777"]}, "ignore: unknown code `TBX777`"),
        ({"ignore": ["TB"]}, "ignore: unknown code `TB`"),
        ({"ignore": ["numpy-of-cpu"]}, "ignore: unknown code `numpy-of-cpu` (did you mean `numpy-off-cpu`?)"),
        ({"per-file-ignores": ["a"]}, "per-file-ignores: must be a table of pattern = [codes], not a list"),
        ({"per-file-ignores": {"a": ["TBX99"]}}, 'per-file-ignores "a": unknown code `TBX99`'),
        ({"certainty": "sure"}, 'certainty: must be one of "certain", "likely", "possible", not `sure`'),
        ({"certainty": "likley"}, "not `likley` (did you mean `likely`?)"),
        ({"certainty": 3}, "certainty: must be a string, not a number"),
        ({"export-style": True}, "export-style: must be a string, not a boolean"),
        ({"target-torch": ">=2"}, 'target-torch: must be a version such as "2.4", not `>=2`'),
        ({"exclude": ["!"]}, "exclude: not a pattern: `!`"),
    ],
)
def test_a_mistake_names_file_key_and_what_was_meant(table: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parsed(table)
    text = str(caught.value)
    assert text.startswith("/p/pyproject.toml: [tool.tensorlint]")
    assert message in text


def test_names_and_lower_case_stand_for_codes() -> None:
    table = {
        "select": ["numpy-off-cpu", "tbx2", "all"],
        "ignore": ["Live-Snapshot", "unused-suppression"],
        "per-file-ignores": {"a.py": ["tbx", "shuffle-tensor"]},
        "unfixable": ["tbx101"],
        "extend-safe-fixes": ["state-dict-alias"],
    }
    settings = parsed(table)
    assert settings.selections == (Selection(("TBX101", "TBX2", "ALL"), (), ("TBX301", "TBX903")),)
    assert [codes for _, codes in settings.per_file_ignores] == [("TBX", "TBX104")]
    assert (settings.unfixable, settings.extend_safe_fixes) == (("TBX101",), ("TBX302",))
    words = ["numpy-off-cpu", "tbx2"]
    options = Layer.of_options(select=words, per_file_ignores={"a": words}, fixable=words)
    assert options.values == {
        "select": ("TBX101", "TBX2"),
        "per-file-ignores": {"a": ("TBX101", "TBX2")},
        "fixable": ("TBX101", "TBX2"),
    }


def test_not_toml(project: Path) -> None:
    write(project, "[tool.tensorlint\n")
    with pytest.raises(ConfigError, match="not valid TOML"):
        read_file(str(project / "pyproject.toml"))


def test_a_broken_file_that_is_not_ours_does_not_matter(project: Path) -> None:
    write(project, "[tool.black\n")
    assert read_file(str(project / "pyproject.toml")) is None


def test_table_of_the_wrong_kind(project: Path) -> None:
    write(project, "[tool]\ntensorlint = 1\n")
    with pytest.raises(ConfigError, match="must be a table"):
        read_file(str(project / "pyproject.toml"))


# Which file's settings


def test_nearest_table_upwards(project: Path) -> None:
    write(project, '[tool.tensorlint]\ncertainty = "certain"\n')
    write(project / "pkg", "[tool.other]\n")
    write(project / "pkg" / "deep", '[tool.tensorlint]\ncertainty = "possible"\n')
    resolver = Resolver()
    assert resolver.for_file(str(project / "pkg" / "deep" / "x.py")).certainty is Certainty.POSSIBLE
    assert resolver.for_file(str(project / "pkg" / "x.py")).certainty is Certainty.CERTAIN
    assert resolver.configuration(str(project)).files == (str(project / "pyproject.toml"),)


def test_isolated_and_config(project: Path) -> None:
    write(project, '[tool.tensorlint]\ncertainty = "certain"\n')
    other = project / "other.toml"
    other.write_text('[tool.tensorlint]\ncertainty = "possible"\n')
    path = str(project / "x.py")
    assert Resolver(isolated=True).for_file(path).certainty is None
    assert Resolver(config=str(other)).for_file(path).certainty is Certainty.POSSIBLE


@pytest.mark.parametrize("content", [None, "[tool.other]\n"])
def test_config_file_must_have_the_table(project: Path, content: str | None) -> None:
    other = project / "other.toml"
    if content is not None:
        other.write_text(content)
    with pytest.raises(ConfigError, match=r"other\.toml"):
        Resolver(config=str(other))


def test_command_line_overrides_the_file(project: Path) -> None:
    write(
        project,
        '[tool.tensorlint]\ncertainty = "certain"\nselect = ["TBX1"]\nexclude = ["a"]\n'
        'per-file-ignores = { "x.py" = ["TBX101"] }\n',
    )
    options = Layer.of_options(
        str(project),
        select=["TBX2"],
        per_file_ignores={"x.py": ["TBX201"]},
        exclude=["b"],
        extend_exclude=["c"],
        certainty="possible",
    )
    path = str(project / "x.py")
    settings = Resolver(options).for_file(path)
    assert settings.certainty is Certainty.POSSIBLE
    assert resolve(settings, path) == starting("TBX2") - {"TBX201"}
    assert [globs.patterns for globs in settings.exclude] == [("b", "c")]


def test_unknown_code_on_the_command_line() -> None:
    with pytest.raises(ConfigError, match=r"--ignore: unknown code `TBX1O1` \(did you mean `TBX101`\?\)"):
        Layer.of_options(ignore=["TBX1O1"])


@pytest.mark.parametrize(
    ("pattern", "ignored"),
    [
        ("tests/*", ["tests/a.py", "tests/sub/b.py"]),
        ("tests/", ["tests/a.py", "tests/sub/b.py"]),
        ("**/sub/*", ["tests/sub/b.py"]),
        ("a.py", ["a.py", "tests/a.py"]),
        ("/a.py", ["a.py"]),
    ],
)
def test_per_file_ignores(pattern: str, ignored: list[str]) -> None:
    root = os.path.abspath("project")
    settings = Settings(per_file_ignores=((Globs(root, (pattern,)), ("TBX1",)),))
    paths = ["a.py", "tests/a.py", "tests/sub/b.py"]
    without = [path for path in paths if not resolve(settings, os.path.join(root, path)) & starting("TBX1")]
    assert without == ignored


def test_a_rule_is_off_where_its_claim_does_not_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    from tensorlint.versions import Versions

    bounds = Versions(torch_from="2.1", numpy_below="2")
    known = tabulated()
    monkeypatch.setattr(selection, "tabulated", lambda: {**known, "TBX210": replace(known["TBX210"], versions=bounds)})
    selection._out_of_date.cache_clear()
    try:
        for torch, numpy, on in (
            (None, None, True),
            ("2.1", None, True),
            ("2.10", "1.26.4", True),
            ("2.0.1", None, False),
            ("2.4", "2.0", False),
        ):
            codes = resolve(Settings(target_torch=torch, target_numpy=numpy), "x.py")
            assert ("TBX210" in codes, "TBX101" in codes) == (on, True), (torch, numpy)
    finally:
        selection._out_of_date.cache_clear()
