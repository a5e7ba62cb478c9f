"""Formats that other programs read, each read by somebody else: a schema, a library of the format, or its grammar."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import junitparser
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft4Validator, FormatChecker

from tensorlint.findings import Applicability, Certainty, Edit, Finding, Fix, Span, TraceStep, tool_finding
from tensorlint.report import FOR_PEOPLE, FORMATS, Report, RuleText, Style, render
from tests.conftest import Program

SARIF = Draft4Validator(
    json.loads((Path(__file__).parent / "schemas" / "sarif-2.1.0.json").read_text(encoding="utf-8")),
    format_checker=FormatChecker(),
)
STYLE = Style(cwd="/p", rules={"TBX101": RuleText("numpy-off-cpu", "One line.\n\n## What it does\nMore.")})
TEXT = "import torch\nx = torch.zeros(3).cuda()\n\ny = x.numpy()\n"
FINDING = Finding(
    code="TBX101",
    message="`x` is off the CPU: `.numpy()` raises TypeError",
    path="/p/src/a b%;.py",
    span=Span(4, 5, 4, 14),
    certainty=Certainty.CERTAIN,
    help="insert `.cpu()`",
    also=("TBX102",),
    trace=(TraceStep(Span(2, 5, 2, 26), "moved here"), TraceStep(Span(1, 1, 1, 2), "of another", "/p/other.py")),
    fix=Fix(Applicability.UNSAFE, "insert `.cpu()`", (Edit(Span(4, 6, 4, 6), ".cpu()"),), "the result is copied"),
)
LIKELY = Finding("TBX303", 'a <b> & "c" ]] %; \x1b\udcff', "/elsewhere/c.py", Span(1, 1, 2, 1), Certainty.LIKELY)
BROKEN = tool_finding("TBX901", "/p/src/b.py", "syntax error", 3)
REPORT = Report((FINDING, LIKELY, BROKEN), 3, 2, {FINDING.path: TEXT.encode(), LIKELY.path: b"a\nb\n"})


def sarif(report: Report) -> dict[str, Any]:
    log: dict[str, Any] = json.loads(render(report, "sarif", STYLE))
    errors = [f"{error.json_path}: {error.message}" for error in SARIF.iter_errors(log)]
    assert errors == []
    (run,) = log["runs"]
    return dict(run)


def test_sarif() -> None:
    run = sarif(REPORT)
    first, second, third = run["results"]
    assert [result["level"] for result in run["results"]] == ["error", "warning", "error"]
    assert run["invocations"] == [{"executionSuccessful": False}]
    rules = run["tool"]["driver"]["rules"]
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"])
    assert rules[0]["shortDescription"] == {"text": "One line."}
    # Code scanning wants it of every rule (GH2012 of Microsoft's validator), and names in Pascal case (SARIF2012).
    assert rules[0]["fullDescription"] == {"text": "More."}
    assert rules[0]["name"] == "NumpyOffCpu"
    assert first["message"]["text"] == "`x` is off the CPU: `.numpy()` raises TypeError. Insert `.cpu()`."
    place = first["locations"][0]["physicalLocation"]
    assert unquote(place["artifactLocation"]["uri"]) == "src/a b%;.py"
    region = {"startLine": 4, "startColumn": 5, "endLine": 4, "endColumn": 14}
    assert place["region"] == {**region, "snippet": {"text": "x.numpy()"}}
    assert second["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "file:///elsewhere/c.py"
    assert "codeFlows" not in second
    assert "fixes" not in third


def test_the_trace_is_the_code_flow_of_sarif() -> None:
    (flow,) = sarif(REPORT)["results"][0]["codeFlows"]
    steps = [each["location"] for each in flow["threadFlows"][0]["locations"]]
    assert [step["message"]["text"] for step in steps] == ["moved here", "of another", FINDING.message]
    assert steps[1]["physicalLocation"]["artifactLocation"]["uri"] == "other.py"


def test_fixes_in_sarif_say_how_far_they_can_be_trusted() -> None:
    (fix,) = sarif(REPORT)["results"][0]["fixes"]
    assert fix["description"]["text"] == "insert `.cpu()` (unsafe: the result is copied)"
    (change,) = fix["artifactChanges"]
    (replacement,) = change["replacements"]
    assert replacement["deletedRegion"]["startColumn"] == replacement["deletedRegion"]["endColumn"] == 6


def test_sarif_without_findings() -> None:
    assert sarif(Report(checked=4))["results"] == []


def named(report: Report, output_format: str) -> list[str]:
    if output_format == "gitlab":
        return [issue["fingerprint"] for issue in json.loads(render(report, "gitlab", STYLE))]
    return [result["partialFingerprints"]["tensorlint/v1"] for result in sarif(report)["results"]]


@pytest.mark.parametrize("output_format", ["sarif", "gitlab"])
def test_a_finding_keeps_its_name_when_its_line_moves(output_format: str) -> None:
    moved = Finding("TBX101", "m", FINDING.path, Span(6, 9, 6, 18), Certainty.LIKELY)
    text = TEXT.replace("y =", "# two lines more\nif x:\n    y =").encode()
    before = named(Report((FINDING,), 1, 1, {FINDING.path: TEXT.encode()}), output_format)
    assert named(Report((moved,), 1, 1, {FINDING.path: text}), output_format) == before


def test_equal_lines_have_names_of_their_own() -> None:
    twice = Finding("TBX101", "m", FINDING.path, Span(5, 5, 5, 14), Certainty.LIKELY)
    data = {FINDING.path: (TEXT + "y = x.numpy()\n").encode()}
    assert len(set(named(Report((FINDING, twice), 1, 1, data), "gitlab"))) == 2


def test_gitlab() -> None:
    issues = json.loads(render(REPORT, "gitlab", STYLE))
    assert [issue["severity"] for issue in issues] == ["major", "minor", "blocker"]
    for issue in issues:
        # What GitLab reads, and what the specification of Code Climate, which it is from, has besides.
        assert issue.keys() == {
            "type", "check_name", "categories", "description", "severity", "fingerprint", "location",
        }  # fmt: skip
        assert (issue["type"], issue["categories"]) == ("issue", ["Bug Risk"])
        assert re.fullmatch(r"[0-9a-f]{32}", issue["fingerprint"])
        assert issue["location"]["positions"]["begin"]["line"] >= 1
    assert issues[0]["location"]["path"] == "src/a b%;.py"
    assert issues[0]["description"].startswith("TBX101 (also TBX102): ")


def test_junit(tmp_path: Path) -> None:
    (tmp_path / "report.xml").write_text(render(REPORT, "junit", STYLE), encoding="utf-8")
    suites = list(junitparser.JUnitXml.fromfile(str(tmp_path / "report.xml")))
    assert [(suite.name, suite.tests, suite.failures, suite.errors) for suite in suites] == [
        ("src/a b%;.py", 1, 1, 0),
        ("/elsewhere/c.py", 1, 1, 0),
        ("src/b.py", 1, 0, 1),
    ]
    cases = [case for suite in suites for case in suite]
    assert [case.name for case in cases] == ["tensorlint.TBX101", "tensorlint.TBX303", "tensorlint.TBX901"]
    assert [type(case.result[0]) for case in cases] == [junitparser.Failure, junitparser.Failure, junitparser.Error]
    assert cases[1].result[0].message == 'a <b> & "c" ]] %; \\x1b\\udcff'


def test_junit_without_findings_is_one_test_that_passed(tmp_path: Path) -> None:
    (tmp_path / "report.xml").write_text(render(Report(checked=4), "junit", STYLE), encoding="utf-8")
    xml = junitparser.JUnitXml.fromfile(str(tmp_path / "report.xml"))
    assert (xml.tests, xml.failures, xml.errors) == (1, 0, 0)


def test_json_lines_are_the_objects_of_json() -> None:
    lines = render(REPORT, "json-lines", STYLE).splitlines()
    assert [json.loads(line) for line in lines] == json.loads(render(REPORT, "json", STYLE))


def test_pylint() -> None:
    # What Jenkins' and other readers of flake8's format of this name match.
    grammar = re.compile(r"(?P<path>.+?):(?P<line>\d+): \[(?P<code>[A-Z]+\d+)[^\]]*\] (?P<message>.*)")
    found = [grammar.fullmatch(line) for line in render(REPORT, "pylint", STYLE).splitlines()]
    assert [(match["path"], match["line"], match["code"]) for match in found if match] == [
        ("src/a b%;.py", "4", "TBX101"),
        ("/elsewhere/c.py", "1", "TBX303"),
        ("src/b.py", "3", "TBX901"),
    ]


def test_pylint_is_what_flake8_calls_so(tensorlint: Program, flake8: Program, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import torch\nx = torch.zeros(3).cuda()\nprint(x.numpy())\n")
    ours = tensorlint("a.py", "--output-format", "pylint").out
    assert ours == flake8("a.py", "--format=pylint", "--select=TBX", "--isolated").out != ""


def test_azure() -> None:
    grammar = re.compile(r"##vso\[task\.logissue (?P<properties>[^\]]*)\](?P<message>.*)")
    found = [grammar.fullmatch(line) for line in render(REPORT, "azure", STYLE).splitlines()]
    read = [dict(pair.split("=", 1) for pair in match["properties"].split(";") if pair) for match in found if match]
    assert [each["type"] for each in read] == ["warning", "warning", "error"]
    assert read[0]["sourcepath"] == "src/a b%AZP25%3B.py"
    assert found[1] is not None
    assert found[1]["message"] == 'a <b> & "c" ]] %AZP25; \\x1b\\udcff'


def test_grouped() -> None:
    assert render(REPORT, "grouped", STYLE) == (
        "src/a b%;.py:\n  4:5: TBX101 (also TBX102) `x` is off the CPU: `.numpy()` raises TypeError [certain]\n\n"
        '/elsewhere/c.py:\n  1:1: TBX303 a <b> & "c" ]] %; \\x1b\\udcff [likely]\n\n'
        "src/b.py:\n  3:1: TBX901 syntax error [certain]\n"
    )


@given(st.text(min_size=1), st.text(min_size=1).filter(lambda name: "\0" not in name))
def test_any_message_and_path_can_be_said(message: str, name: str) -> None:
    finding = Finding("TBX101", message, f"/p/{name}", Span(1, 1, 1, 2), Certainty.LIKELY)
    report = Report((finding,), 1, 1, {finding.path: b"x\n"})
    for output_format in FORMATS:
        render(report, output_format, STYLE).encode()
    uri = sarif(report)["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert not urlsplit(uri).fragment
    junitparser.JUnitXml.fromstring(render(report, "junit", STYLE))


def test_the_output_goes_to_a_file(tensorlint: Program, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import torch\nx = torch.zeros(3).cuda()\nprint(x.numpy())\n")
    outcome = tensorlint("a.py", "--output-format", "sarif", "--output-file", "a.sarif")
    assert (outcome.code, outcome.out) == (1, "")
    log = json.loads((tmp_path / "a.sarif").read_text(encoding="utf-8"))
    assert list(SARIF.iter_errors(log)) == []
    (rule,) = log["runs"][0]["tool"]["driver"]["rules"]
    assert rule["name"] == "NumpyOffCpu"
    assert rule["fullDescription"]["text"].startswith("Follows where each tensor lives")
    assert "## What it does" in rule["help"]["markdown"]


@pytest.mark.parametrize("output_format", sorted(FORMATS.keys() - FOR_PEOPLE - {"json", "json-lines"}))
def test_paths_above_the_working_directory(tensorlint: Program, tmp_path: Path, output_format: str) -> None:
    for name in ("repo/src/a.py", "repo/b.py", "outside.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("import torch\nx = torch.zeros(3).cuda()\nprint(x.numpy())\n")

    def said(*paths: str) -> str:
        return tensorlint("-n", "--output-format", output_format, *paths, cwd=tmp_path / "repo" / "src").out

    assert f"{tmp_path}/repo/b.py" in said("../b.py")  # nothing says where a project begins
    (tmp_path / "repo" / "tensorlint.toml").touch()
    (tmp_path / "repo" / "src" / "tensorlint.toml").touch()
    assert f"{tmp_path}/repo/b.py" in said("../b.py")
    (tmp_path / "repo" / "src" / "tensorlint.toml").unlink()
    assert str(tmp_path) not in said("../b.py")
    (tmp_path / "repo" / "tensorlint.toml").unlink()
    (tmp_path / "repo" / ".git").mkdir()
    both = said("../b.py", "a.py")
    assert str(tmp_path) not in both
    assert "src/a.py" in both
    assert "src/a.py" not in said("a.py")
    assert f"{tmp_path}/outside.py" in said("../../outside.py", "a.py")


def test_a_file_that_cannot_be_written_is_an_error(tensorlint: Program, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    outcome = tensorlint("a.py", "-o", "none/a.txt")
    assert outcome.code == 2
    assert "none/a.txt cannot be written: No such file or directory" in outcome.err
