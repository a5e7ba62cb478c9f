"""Not knowing is no evidence: what is said at the default certainty shows the reader where the trouble comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tensorlint.findings import Certainty
from tensorlint.runner import judge_source
from tensorlint.source import Source
from tests.test_fixtures import PROGRAMS, name

#: The rules that rest on a ``Fact``: where a tensor lives, whether it needs a gradient, whether memory may be written.
RESTING_ON_FACTS = frozenset({"TBX101", "TBX102", "TBX105", "TBX113", "TBX203", "TBX204"})


@pytest.mark.parametrize("path", PROGRAMS, ids=name)
def test_every_finding_that_is_shown_has_its_evidence_in_the_trace(path: Path) -> None:
    text = Source.read(str(path)).text
    source = Source(f"{path.parent.name}/{path.name}", text)
    for finding in judge_source(source, RESTING_ON_FACTS, Certainty.LIKELY):
        assert finding.trace, f"row {finding.span.row}: {finding.message}"
        assert all(step.message for step in finding.trace)
