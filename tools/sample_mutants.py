"""Leaves of the mutants of a cosmic-ray session a sample that means something.

    pip install cosmic-ray
    cosmic-ray init tools/mutants.toml session.sqlite
    python tools/sample_mutants.py session.sqlite 240 --seed 9
    cosmic-ray exec tools/mutants.toml session.sqlite
    cr-rate session.sqlite; cr-report session.sqlite

Run it in a clone of its own: the files there are changed while it runs. What mutates an annotation (``A | B``), or
compares the same in another way (``==`` and ``is`` of an enum), is left out. So is a switch of ``@dataclass(...)``
(``slots``, ``frozen``, ``kw_only``), as no program that is linted can tell it: one test holds all of them
(``tests/flow/test_fingerprints.py``). Of the rest COUNT are drawn, the same ones for the same seed and code.
"""

from __future__ import annotations

import argparse
import ast
import random
import sqlite3
from functools import cache
from pathlib import Path

#: What each name of an operator that is kept begins with.
_KEPT = (
    "core/AddNot",
    "core/ReplaceAndWithOr",
    "core/ReplaceOrWithAnd",
    "core/ReplaceComparisonOperator_Eq_NotEq",
    "core/ReplaceComparisonOperator_NotEq_Eq",
    "core/ReplaceComparisonOperator_Is_IsNot",
    "core/ReplaceComparisonOperator_IsNot_Is",
    "core/ReplaceComparisonOperator_Gt_Lt",
    "core/ReplaceComparisonOperator_Lt_Gt",
    "core/ReplaceComparisonOperator_LtE_Gt",
    "core/ReplaceTrueWithFalse",
    "core/ReplaceFalseWithTrue",
    "core/ReplaceUnaryOperator_Delete_Not",
    "core/ReplaceBinaryOperator_Add_Sub",
    "core/ReplaceBinaryOperator_Sub_Add",
    "core/NumberReplacer",
    "core/ZeroIterationForLoop",
)


@cache
def _rows_of_switches(path: str) -> frozenset[int]:
    """The rows of a file on which a ``@dataclass(...)`` stands."""
    tree = ast.parse(Path(path).read_text(encoding="utf-8"))
    decorators = [each for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for each in node.decorator_list]
    return frozenset(
        row
        for each in decorators
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Name) and each.func.id == "dataclass"
        for row in range(each.lineno, (each.end_lineno or each.lineno) + 1)
    )


def sample(session: str, count: int, seed: int) -> None:
    """Leave this many mutants in the session, and say of how many."""
    with sqlite3.connect(session) as database:
        rows = database.execute(
            "select job_id, operator_name, module_path, start_pos_row from mutation_specs"
            " order by module_path, operator_name, occurrence, start_pos_row"
        ).fetchall()
        meaningful = [
            job for job, name, path, row in rows if name.startswith(_KEPT) and row not in _rows_of_switches(path)
        ]
        kept = set(random.Random(seed).sample(meaningful, count))
        for table in ("mutation_specs", "work_items"):
            database.executemany(
                f"delete from {table} where job_id = ?", [(job,) for job, *_ in rows if job not in kept]
            )
    print(f"{len(kept)} of {len(meaningful)} mutants are left in {session} (seed {seed})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("session", help="the file that `cosmic-ray init` wrote")
    parser.add_argument("count", type=int, help="how many mutants are to be left")
    parser.add_argument(
        "--seed", type=int, required=True, help="what the sample depends on: write it down beside the result"
    )
    arguments = parser.parse_args()
    sample(arguments.session, arguments.count, arguments.seed)


if __name__ == "__main__":
    main()
