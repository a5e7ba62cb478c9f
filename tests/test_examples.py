"""What README.md and the demonstration promise: the mistakes in examples/ are shown to who asks for nothing more."""

from __future__ import annotations

from pathlib import Path

import pytest

from tensorlint.codes import default_codes
from tensorlint.rules import all_rules
from tensorlint.runner.judging import judge_source
from tensorlint.source import Source

EXAMPLES = Path(__file__).parent.parent / "examples"
SHOWN = {
    "dataset.py": [(18, "TBX201"), (21, "TBX304")],
    "train.py": [(24, "TBX101"), (27, "TBX302")],
}


@pytest.mark.parametrize("name", SHOWN)
def test_what_is_wrong_in_an_example_is_shown_by_default(name: str) -> None:
    source = Source(f"src/{name}", Source.read(str(EXAMPLES / name)).text)
    found = {
        (finding.span.row, code)
        for code in default_codes()
        for finding in judge_source(source, frozenset({code}), all_rules()[code].shown)
    }
    assert set(SHOWN[name]) <= found
