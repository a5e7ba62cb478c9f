"""Exit 1 unless a ledger shows, for every rule, three bad and three good programs confirmed, and nothing refuted.

Rules some of whose programs need a real card, or a library that is not installed, are let pass with fewer.

python tools/proved.py LEDGER
"""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from pathlib import Path

from tensorlint.rules import all_rules

ENOUGH = 3
_ELSEWHERE = re.compile(r"no cuda device|needs [\w-]+(?:[<>=.\d]+)?, which is not installed")


def complaints(rows: list[dict[str, object]]) -> list[str]:
    """What the rows of a ledger leave unproved, in words."""
    found = [f"{row['fixture']} on {row['device']}: refuted" for row in rows if row["verdict"] == "refuted"]
    proved: dict[tuple[object, bool], set[object]] = defaultdict(set)
    for row in rows:
        if row["verdict"] == "confirmed":
            proved[row["rule"], bool(row["claims"])].add(row["fixture"])
    # What only a real card settles is proved where there is one, and what hangs on a library where that is installed.
    elsewhere = {row["rule"] for row in rows if row["verdict"] == "not-run" and _ELSEWHERE.search(str(row))}
    for code in all_rules():
        for bad, word in ((True, "bad"), (False, "good")):
            if (count := len(proved[code, bad])) < ENOUGH and code not in elsewhere:
                found.append(f"{code}: {count} {word} programs confirmed, needs {ENOUGH}")
    return found


def main() -> int:
    ledger = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    found = complaints(ledger["rows"])
    for complaint in found:
        print(complaint)
    if not found:
        print(f"proved: every rule has at least {ENOUGH} bad and {ENOUGH} good programs confirmed, nothing is refuted")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
