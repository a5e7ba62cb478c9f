"""Write tensorlint.schema.json, and the list of keys in docs/configuration.md, from the declaration of the keys.

python tools/document_configuration.py            write them
python tools/document_configuration.py --check    fail when they are not what would be written
"""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

from tensorlint.config import KEYS, Key
from tensorlint.config.keys import Merge, as_toml
from tensorlint.config.schema import schema

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "configuration.md"
SCHEMA = ROOT / "tensorlint.schema.json"
BEGIN = "<!-- Written by tools/document_configuration.py; change tensorlint/config/keys.py instead. -->\n"
END = "<!-- End of what is written by tools/document_configuration.py. -->\n"
_LONG = 40


def _keys() -> Iterator[str]:
    yield "| key | value | default | command line |"
    yield "|---|---|---|---|"
    for key in KEYS:
        yield f"| `{key.name}` | {key.kind.name} | {_default(key)} | {_option(key)} |"
    yield ""
    for key in KEYS:
        mark = {Merge.ADD: "Adds up over the layers.", Merge.SELECT: "See [codes](#codes)."}.get(key.merge, "")
        run = "Taken from where the run begins." if key.of_run else ""
        yield from _item(f"* **`{key.name}`**:", key.summary, key.details, mark, run)
        yield f"  Example: `{key.name} = {key.example}`"
        if _is_long(key):
            yield from _item("  Default:", ", ".join(f"`{each}`" for each in key.default) + ".")


def _item(*parts: str) -> list[str]:
    text = " ".join(part for part in parts if part)
    return textwrap.wrap(text, 118, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def _default(key: Key) -> str:
    if key.default is None:
        return key.unset
    return "see below" if _is_long(key) else f"`{as_toml(key.default)}`"


def _is_long(key: Key) -> bool:
    return key.default is not None and len(as_toml(key.default)) > _LONG


def _option(key: Key) -> str:
    if not key.has_option:
        return ""
    if isinstance(key.default, bool):
        return f"`--{key.name}`, `--no-{key.name}`"
    return f"`--{key.name}`"


def wanted() -> dict[Path, str]:
    """What each file should contain."""
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    _, after = rest.split(END)
    keys = "\n".join(_keys())
    return {
        SCHEMA: json.dumps(schema(), indent=2) + "\n",
        PAGE: f"{before}{BEGIN}\n{keys}\n\n{END}{after}",
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when something is stale")
    check = parser.parse_args().check
    stale = [path for path, text in wanted().items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        if check:
            print(f"{path.relative_to(ROOT).as_posix()} is stale: run `make docs`")
        else:
            path.write_text(wanted()[path], encoding="utf-8")
    return 1 if stale and check else 0


if __name__ == "__main__":
    sys.exit(main())
