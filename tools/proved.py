"""Exit 1 unless a ledger shows, for every rule, three bad and three good programs confirmed, and nothing refuted.

Programs that need a real card, or a library that is not installed, count as if they were confirmed elsewhere.

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
    elsewhere: dict[tuple[object, bool], set[object]] = defaultdict(set)
    for row in rows:
        if row["verdict"] == "confirmed":
            proved[row["rule"], bool(row["claims"])].add(row["fixture"])
        elif row["verdict"] == "not-run" and _ELSEWHERE.search(str(row["observation"])):
            # What only a real card settles is proved where there is one, and what hangs on a library where that is.
            bad = Path(str(row["fixture"])).name.startswith("bad_")
            elsewhere[row["rule"], bad].add(row["fixture"])
    for code in all_rules():
        for bad, word in ((True, "bad"), (False, "good")):
            count = len(proved[code, bad])
            if count + len(elsewhere[code, bad]) < ENOUGH:
                found.append(f"{code}: {count} {word} programs confirmed, needs {ENOUGH}")
    return found


def main() -> int:
    ledger = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    found = complaints(ledger["rows"])
    for complaint in found:
        print(complaint)
    if not found:
        print(f"proved: every rule has {ENOUGH} bad and {ENOUGH} good programs that are confirmed, or cannot run here")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
