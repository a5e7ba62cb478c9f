"""Write tensorlint/rule_table.py: what is known of the rules without importing them.

python tools/tabulate_rules.py            write it
python tools/tabulate_rules.py --check    fail when it is not what would be written
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path

from tensorlint.tabulated import ask_rules, modules

TABLE = Path(__file__).resolve().parent.parent / "tensorlint" / "rule_table.py"


def table() -> str:
    """The text of the module."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield '"""What ``tabulated`` reads. Written by tools/tabulate_rules.py; change the rules instead, and run it."""'
    yield ""
    yield "# fmt: off"
    yield "# ruff: noqa: E501"
    yield ""
    yield "#: The modules of ``tensorlint.rules``."
    yield "MODULES: tuple[str, ...] = ("
    for module in modules():
        yield f'    "{module}",'
    yield ")"
    yield ""
    yield "#: By code: the name, whether it is on by default, its clues by their names in ``screen``, and its releases."
    yield "RULES: dict[str, tuple[str, bool, tuple[str, ...], tuple[str, str, str, str]]] = {"
    for code, rule in ask_rules().items():
        clues = "".join(f'"{name}", ' for name in rule.clues)
        versions = ", ".join(f'"{bound}"' for bound in astuple(rule.versions))
        yield f'    "{code}": ("{rule.name}", {rule.default}, ({clues.rstrip()}), ({versions})),'
    yield "}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    if arguments.check:
        if TABLE.read_text(encoding="utf-8") != table():
            print(f"{TABLE.name} is not what the rules say: run `make docs`", file=sys.stderr)
            return 1
        return 0
    TABLE.write_text(table(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
