"""The GitHub action and the job for GitLab: their steps, run as the servers run them, but for what needs a network."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import PLAIN, SCRIPTS
from tests.test_formats import SARIF

ROOT = Path(__file__).parent.parent
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
_EXPRESSION = re.compile(r"\$\{\{ *([\w.-]+) *\}\}")
#: In the place of `python -m pip`: an environment with the tensorlint that is tested, and a note of what was asked for.
_PYTHON = """#!/bin/sh
if [ "$2" = venv ]; then
  mkdir -p "$3/bin" && cp "$0" "$3/bin/python"
  printf '#!/bin/sh\\nexec "{python}" -m tensorlint "$@"\\n' > "$3/bin/tensorlint" && chmod +x "$3/bin/tensorlint"
else
  echo "$@" >> "$RUNNER_TEMP/pip.txt"
fi
"""


@dataclass(frozen=True)
class Ran:
    code: int
    log: str
    outputs: dict[str, str]
    installed: str


class Runner:
    """As much of a GitHub runner as the steps need: expressions, environment, outputs."""

    def __init__(self, folder: Path, **inputs: str) -> None:
        self.repository = folder / "repository"
        self.temp = folder / "temp"
        self.temp.mkdir()
        self.repository.mkdir()
        known = {f"inputs.{name}": about["default"] for name, about in ACTION["inputs"].items()}
        given = {f"inputs.{name.replace('_', '-')}": value for name, value in inputs.items()}
        assert given.keys() <= known.keys()
        python = folder / "python"
        python.write_text(_PYTHON.replace("{python}", sys.executable), encoding="utf-8")
        python.chmod(0o755)
        self.values = {**known, **given, "steps.python.outputs.python-path": str(python)}

    def run(self) -> Ran:
        log, code, outputs = "", 0, {}
        for step in STEPS:
            if "run" not in step:
                continue
            assert step["shell"] == "bash"
            assert "${{" not in step["run"], "an input in the text of a script is an open door"
            file = self.temp / "output.txt"
            file.write_text("", encoding="utf-8")
            done = subprocess.run(
                ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
                cwd=self.repository,
                env={**os.environ, **PLAIN, **self._environment(step, file)},
                capture_output=True,
                text=True,
                check=False,
            )
            log, code = log + done.stdout + done.stderr, done.returncode
            for line in file.read_text(encoding="utf-8").splitlines():
                name, _, value = line.partition("=")
                outputs[name] = self.values[f"steps.{step['id']}.outputs.{name}"] = value
            if code:
                break
        return Ran(code, log, outputs, (self.temp / "pip.txt").read_text(encoding="utf-8"))

    def _environment(self, step: dict[str, Any], output: Path) -> dict[str, str]:
        given = {
            name: _EXPRESSION.sub(lambda match: self.values.get(match[1], ""), value)
            for name, value in step.get("env", {}).items()
        }
        about = {"RUNNER_TEMP": str(self.temp), "GITHUB_ACTION_PATH": str(ROOT), "GITHUB_OUTPUT": str(output)}
        return {**given, **about, "GITHUB_WORKSPACE": str(self.repository), "PYTHONPATH": str(ROOT), "CI": "true"}


def test_findings_are_written_as_sarif_and_fail_the_job(tmp_path: Path) -> None:
    runner = Runner(tmp_path)
    shutil.copy(ROOT / "examples" / "train.py", runner.repository)
    ran = runner.run()
    assert (ran.code, ran.outputs["exit-code"]) == (1, "1")
    log = json.loads(Path(ran.outputs["sarif"]).read_text(encoding="utf-8"))
    assert not list(SARIF.iter_errors(log))
    assert [result["ruleId"] for result in log["runs"][0]["results"]] == ["TBX101", "TBX302"]
    assert "train.py:24:28: TBX101" in ran.log
    assert ran.installed.split() == f"-m pip install --disable-pip-version-check --quiet {ROOT}".split()


def test_nothing_is_found(tmp_path: Path) -> None:
    runner = Runner(tmp_path, version="0.1.0")
    (runner.repository / "a.py").write_text("import torch\n", encoding="utf-8")
    ran = runner.run()
    assert (ran.code, ran.outputs["exit-code"]) == (0, "0")
    assert json.loads(Path(ran.outputs["sarif"]).read_text(encoding="utf-8"))["runs"][0]["results"] == []
    assert ran.installed.split()[-1] == "tensorlint==0.1.0"


def test_paths_and_options_are_words_as_in_a_shell(tmp_path: Path) -> None:
    runner = Runner(
        tmp_path, paths="'a folder' $(touch made)", args='--select "TBX101,TBX302" --exit-zero', upload="false"
    )
    for name in ("a folder", "$(touch", "made)"):
        (runner.repository / name).mkdir()
    shutil.copy(ROOT / "examples" / "train.py", runner.repository / "a folder")
    ran = runner.run()
    assert (ran.code, ran.outputs["exit-code"]) == (0, "0")
    assert not (runner.repository / "made").exists()
    results = json.loads(Path(ran.outputs["sarif"]).read_text(encoding="utf-8"))["runs"][0]["results"]
    assert [result["ruleId"] for result in results] == ["TBX101", "TBX302"]


def test_without_an_upload_findings_are_annotations(tmp_path: Path) -> None:
    runner = Runner(tmp_path, upload="false")
    shutil.copy(ROOT / "examples" / "train.py", runner.repository)
    assert re.search(r"^::warning .*\bfile=train\.py,line=24,", runner.run().log, re.MULTILINE)


def test_an_error_of_usage_is_one_of_the_job(tmp_path: Path) -> None:
    runner = Runner(tmp_path, args="--no-such-option")
    ran = runner.run()
    assert (ran.code, ran.outputs["exit-code"]) == (2, "2")
    assert "sarif" not in ran.outputs
    assert "no-such-option" in ran.log


def test_the_upload_happens_before_the_job_fails() -> None:
    names = [step.get("name", step.get("uses")) for step in STEPS]
    assert names == [
        "actions/setup-python@v5",
        "Install tensorlint",
        "Run tensorlint",
        "Upload to code scanning",
        "Result",
    ]
    upload = STEPS[3]
    assert upload["uses"] == "github/codeql-action/upload-sarif@v3"
    assert upload["with"]["sarif_file"] == "${{ steps.check.outputs.sarif }}"
    assert ACTION["runs"]["using"] == "composite"
    for text in re.findall(r"\$\{\{ (.*?) \}\}", (ROOT / "action.yml").read_text(encoding="utf-8")):
        for name in re.findall(r"inputs\.([\w-]+)", text):
            assert name in ACTION["inputs"]


@pytest.mark.parametrize("found", [True, False])
def test_the_job_for_gitlab(tmp_path: Path, found: bool) -> None:
    job = yaml.safe_load((ROOT / "integrations" / "gitlab.yml").read_text(encoding="utf-8"))["tensorlint"]
    install, check = job["script"]
    assert install == "pip install --quiet $TENSORLINT_PACKAGE"
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.py").write_text("import torch\n", encoding="utf-8")
    if found:
        shutil.copy(ROOT / "examples" / "train.py", tmp_path / "src")
    variables = {**job["variables"], "TENSORLINT_PATHS": "src", "PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(["sh", "-ec", check], cwd=tmp_path, env={**os.environ, **PLAIN, **variables}, check=False)
    assert done.returncode == found
    report = json.loads((tmp_path / job["artifacts"]["reports"]["codequality"]).read_text(encoding="utf-8"))
    assert [issue["check_name"] for issue in report] == (["TBX101", "TBX302"] if found else [])
    assert all(issue["location"]["path"].startswith("src/") for issue in report)
