"""Whether what is learned of real files is a value: equal when pickled and unpickled, and joined in any order.

    python tools/check_learned.py FOLDER [COUNT]

Reads the first COUNT (2,000) Python files under FOLDER that speak of tensors. Exits 1 when anything differs.
"""

from __future__ import annotations

import pickle
import random
import sys
from functools import reduce
from pathlib import Path

import libcst as cst

from tensorlint.deep import with_deep_stack
from tensorlint.flow.file_facts import file_facts
from tensorlint.flow.interpreter import Interpreter
from tensorlint.flow.learned import Learned
from tensorlint.flow.summary import Summary
from tensorlint.screen import is_of_interest
from tensorlint.source import Source

ORDERS = 10


def learned(source: Source) -> tuple[Learned, list[Summary]]:
    module = cst.parse_module(source.text)
    machine = Interpreter(file_facts(source), lambda event: None)
    lessons = machine.learn(module)
    return lessons, list(machine.memo.values())


def survives(value: object) -> bool:
    return bool(pickle.loads(pickle.dumps(value)) == value)


def main(folder: Path, count: int = 2_000) -> int:
    kept: list[Learned] = []
    summaries = differing = 0
    for path in sorted(folder.rglob("*.py")):
        if len(kept) >= count:
            break
        data = path.read_bytes()
        if not is_of_interest(data):
            continue
        try:
            lessons, followed = learned(Source.from_bytes(str(path), data))
        except (cst.ParserSyntaxError, UnicodeDecodeError):
            continue
        kept.append(lessons)
        summaries += len(followed)
        differing += not survives(lessons)
        differing += sum(not survives(summary) for summary in followed)
    print(f"{len(kept)} files, {summaries} summaries: {differing} differ after pickling")
    orders = random.Random(1)
    whole = reduce(Learned.joined, kept, Learned())
    others = 0
    for _ in range(ORDERS):
        orders.shuffle(kept)
        others += reduce(Learned.joined, kept, Learned()) != whole
    print(f"joined in {ORDERS} random orders: {others} differ")
    return int(bool(differing or others))


if __name__ == "__main__":
    sys.exit(with_deep_stack(lambda: main(Path(sys.argv[1]), *map(int, sys.argv[2:3]))))
