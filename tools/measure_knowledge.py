"""Execute the knowledge tables on the torch and NumPy of this interpreter, and say where they lie.

    python tools/measure_knowledge.py            refuted facts, counts, and what could not be called
    python tools/measure_knowledge.py --quiet    refuted facts and counts only
    python tools/measure_knowledge.py --parameters    write the names of parameters anew

Exit status 1 when a row does not say what its function does, or nothing could be run. The measuring is that of
``tensorlint verify --knowledge``.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tensorlint.verify.knowledge import verify_knowledge


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quiet", action="store_true", help="do not name the rows that could not be called")
    parser.add_argument("--parameters", action="store_true", help="write the names of parameters anew, and stop")
    options = parser.parse_args()
    if options.parameters:
        from tensorlint.verify.measuring.parameters import lines  # imports torch and NumPy

        file = Path(__file__).resolve().parent.parent / "tensorlint" / "knowledge" / "parameters.txt"
        file.write_text("".join(f"{line}\n" for line in lines()), encoding="ascii")
        return 0
    report = verify_knowledge()
    if report.problem:
        print(report.problem)
        return 1
    print(f"torch {report.torch}, NumPy {report.numpy}")
    for table, counts in report.rows().items():
        print(f"{table}: {sum(counts.values())} rows,", ", ".join(f"{n} {verdict}" for verdict, n in counts.items()))
    for fact in () if options.quiet else report.not_run:
        print(f"    not run: {fact.table}:{fact.name}: {fact.observed}")
    for fact in report.refuted:
        print(fact)
    print(f"{len(report.confirmed)} facts confirmed, {len(report.refuted)} refuted")
    return 1 if report.refuted else 0


if __name__ == "__main__":
    sys.exit(main())
