"""What the verifier tells: its table, ledgers and the evidence that is read from them, and its command line."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import pytest

from tensorlint.evidence import EvidenceError, ledgers, seen
from tensorlint.report import Style
from tensorlint.verify import ledger, report
from tensorlint.verify.harness import Devices, Row, Verdict
from tensorlint.verify.pool import MissingTorchError, Pool
from tensorlint.verify.program import find_programs, release
from tests.conftest import Program as Tensorlint
from tests.verifying import NOWHERE, RAISES, ROOT, needs_torch, write

# --------------------------------------------------------------------------------------------------------------- report


def rows() -> list[Row]:
    programs = find_programs([ROOT / "TBX102_numpy_requires_grad"])[:2]
    return [
        Row(programs[0], "cpu", Verdict.CONFIRMED, "raised RuntimeError: ..."),
        Row(programs[1], "sim", Verdict.NOT_RUN, "no simulated accelerator"),
        Row(programs[1], "cpu", Verdict.REFUTED, "ran to its end\x1b[31m"),
    ]


def test_the_table_is_plain_text() -> None:
    text = report.table(rows(), NOWHERE, 1.0, Style())
    assert "3 runs: 1 confirmed, 1 refuted, 1 not run." in text
    assert "not run 1 on simulated: no simulated accelerator" in text
    assert "\x1b" not in text


@pytest.mark.parametrize("columns", [200, 60])
def test_explain_shows_program_and_observation(columns: int) -> None:
    text = report.explain(rows()[2], columns, Style())
    assert "ran to its end\\x1b[31m" in text
    assert (" | " in text.splitlines()[2]) == (columns == 200)


def test_a_ledger_says_where_and_what() -> None:
    data = json.loads(ledger.render_ledger(rows(), NOWHERE, Devices(True, ("sim",), names={"sim": "simulated"})))
    assert data["schema"] == 1
    assert data["counts"] == {"confirmed": 1, "refuted": 1, "not-run": 1}
    assert {row["verdict"] for row in data["rows"]} == {"confirmed", "refuted", "not-run"}
    assert data["devices"] == {"cpu": "CPU", "sim": "simulated"}


# --------------------------------------------------------------------------------------------------------- command line


def interpreter(folder: Path, body: str) -> str:
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands in for an interpreter")
def test_without_torch_it_says_what_to_install(tensorlint: Tensorlint, tmp_path: Path) -> None:
    path = interpreter(tmp_path, 'echo \'{"error": "ModuleNotFoundError: No module named torch"}\'')
    with pytest.raises(MissingTorchError), Pool(path) as pool:
        pool.environment()
    outcome = tensorlint("verify", "TBX101", "--python", path)
    assert (outcome.code, outcome.out) == (2, "")
    assert "pip install 'tensorlint[verify]'" in outcome.err


@needs_torch
def test_an_interpreter_is_found_from_here(tensorlint: Tensorlint, tmp_path: Path) -> None:
    outcome = tensorlint("verify", "TBX208", "--device", "cpu", "--python", os.path.relpath(sys.executable, tmp_path))
    assert outcome.code == 0, outcome.err


def test_usage_errors(tensorlint: Tensorlint, tmp_path: Path) -> None:
    for arguments, message in (
        (["TBX999"], "no fixtures for `TBX999`"),
        (["no/such/path"], "`no/such/path` is neither the code of a rule nor a path that exists"),
        (["TBX101", "--python", "no/such/python"], "no/such/python cannot be run"),
        ([str(tmp_path)], "no fixture programs"),
    ):
        outcome = tensorlint("verify", *arguments)
        assert (outcome.code, outcome.out) == (2, ""), outcome.err
        assert message in outcome.err


@needs_torch
def test_fixtures_of_ones_own(tensorlint: Tensorlint, tmp_path: Path) -> None:
    write(tmp_path, RAISES)
    (tmp_path / "helper.py").write_text("1 / 0\n")
    outcome = tensorlint("verify", ".", "--record", "ledger.json", "--explain", cwd=tmp_path)
    assert outcome.code == 0, outcome.err
    assert "this executes the programs in ." in outcome.err
    assert "1 run: 1 confirmed, 0 refuted, 0 not run." in outcome.out
    assert "\x1b" not in outcome.out + outcome.err
    assert json.loads((tmp_path / "ledger.json").read_text())["rows"][0]["verdict"] == "confirmed"
    write(tmp_path, RAISES.replace("TypeError", "ValueError"))
    outcome = tensorlint("verify", ".", "--output-format", "json", cwd=tmp_path)
    assert outcome.code == 1
    assert [row["verdict"] for row in json.loads(outcome.out)["rows"]] == ["refuted"]


@needs_torch
def test_a_rule_is_verified(tensorlint: Tensorlint) -> None:
    outcome = tensorlint("verify", "TBX102")
    assert outcome.code == 0, outcome.out
    assert re.search(r"^TBX102 +cpu +\d+ +\d+ +0 +0 +(\d+) of \1", outcome.out, re.MULTILINE)


def test_linting_imports_nothing_of_the_verifier(tensorlint: Tensorlint, tmp_path: Path) -> None:
    code = "import sys, tensorlint.cli; tensorlint.cli.main(['check', '.']); print('tensorlint.verify' in sys.modules)"
    import subprocess

    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"


# ------------------------------------------------------------------------------------------------------------- evidence


def test_shipped_ledgers_can_be_read_and_refute_nothing() -> None:
    assert {release(book["torch"])[:2] for book in ledgers()} >= {(1, 13), (2, 2), (2, 13)}
    for book in ledgers():
        assert [row["fixture"] for row in book["rows"] if row["verdict"] == "refuted"] == []


def test_evidence_counts_by_rule_and_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where = Devices(True, ("sim",), names={"sim": "simulated accelerator"})
    (tmp_path / "one.json").write_text(ledger.render_ledger(rows(), NOWHERE, where), encoding="utf-8")
    monkeypatch.setattr("tensorlint.evidence.evidence_root", lambda: tmp_path)
    ledgers.cache_clear()
    try:
        cpu, sim = seen("TBX102")
        assert (cpu.device, cpu.not_run, len(cpu.refuted)) == ("cpu", 0, 1)
        assert (sim.device, sim.not_run, sim.refuted) == ("simulated accelerator", 1, ())
        (tmp_path / "two.json").write_text('{"schema": 2}', encoding="utf-8")
        ledgers.cache_clear()
        with pytest.raises(EvidenceError, match="not a ledger of schema 1"):
            seen("TBX102")
    finally:
        ledgers.cache_clear()


def test_the_page_of_a_rule_says_where_it_was_confirmed(tensorlint: Tensorlint) -> None:
    text = tensorlint("rule", "TBX102").out
    assert re.search(r"\d+ flagged and \d+ not flagged on torch 2\.13\.0\S*, NumPy 2\.4\.6, .*, cpu", text)
    assert json.loads(tensorlint("rule", "TBX102", "--output-format", "json").out)["evidence"]


def test_a_ledger_that_proves_too_little_is_told() -> None:
    sys.path.insert(0, str(ROOT.parent / "tools"))
    try:
        from proved import complaints  # type: ignore[import-not-found,unused-ignore]
    finally:
        sys.path.pop(0)
    row = {"rule": "TBX101", "fixture": "f", "device": "cpu", "verdict": "confirmed", "claims": [1]}
    assert "TBX101: 1 bad programs confirmed, needs 3" in complaints([row])
    assert complaints([{**row, "verdict": "refuted"}])[0] == "f on cpu: refuted"
    away = {**row, "verdict": "not-run", "observation": "no cuda device"}
    assert not [
        complaint
        for complaint in complaints([{**away, "fixture": f"x/bad_{number}.py"} for number in range(3)])
        if complaint.startswith("TBX101") and "bad" in complaint
    ]
