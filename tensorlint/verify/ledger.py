"""Rows as JSON: what ``--output-format json`` prints, and with where and when, what ``--record`` writes.

docs/verify.md describes the schema. A ledger is evidence: it is read by ``tensorlint.evidence``, which shares no code
with this wing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

from tensorlint import __version__
from tensorlint.verify.harness import Devices, FixCheck, Row, Verdict
from tensorlint.verify.pool import Environment

SCHEMA = 1


def row_object(row: Row) -> dict[str, Any]:
    return {
        "rule": row.program.group,
        "fixture": row.program.name,
        "device": row.device,
        "verdict": row.verdict.value,
        "observation": row.observation,
        "claims": [
            {"claim": claim.text, "holds": judgement.holds, "seen": judgement.seen} for claim, judgement in row.claims
        ],
        "fixes": [_fix_object(check) for check in row.fixes],
    }


def _fix_object(check: FixCheck) -> dict[str, Any]:
    return {
        "applicability": check.applicability.value,
        "codes": list(check.codes),
        "verdict": (Verdict.REFUTED if check.problems else Verdict.CONFIRMED).value,
        "observation": "; ".join(check.problems) or check.seen,
    }


def render_json(rows: Sequence[Row], environment: Environment) -> str:
    """What was seen, for programs to read."""
    return json.dumps({**_where(environment), "rows": [row_object(row) for row in rows]}, indent=2) + "\n"


def render_ledger(rows: Sequence[Row], environment: Environment, where: Devices) -> str:
    """A ledger, one row a line, so that two ledgers can be compared line by line."""
    head = {
        "schema": SCHEMA,
        "tensorlint": __version__,
        "recorded": datetime.now(timezone.utc).date().isoformat(),
        **_where(environment),
        "devices": {"cpu": "CPU", **where.names},
        "counts": {verdict.value: Counter(row.verdict for row in rows)[verdict] for verdict in Verdict},
    }
    lines = [f"  {json.dumps(key)}: {json.dumps(value)}," for key, value in head.items()]
    body = ",\n".join(f"    {json.dumps(row_object(row))}" for row in rows)
    return "\n".join(["{", *lines, '  "rows": [', body, "  ]", "}"]) + "\n"


def _where(environment: Environment) -> dict[str, str]:
    return {
        "python": environment.python,
        "torch": environment.torch,
        "numpy": environment.numpy,
        "platform": environment.platform,
    }
