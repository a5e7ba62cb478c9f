"""``tensorlint rule``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tensorlint.cli.options import complete_codes
from tensorlint.cli.output import emit, style_for
from tensorlint.codes import did_you_mean
from tensorlint.report import Style
from tensorlint.report.text import paint

if TYPE_CHECKING:
    from tensorlint.catalogue import Entry


@click.command()
@click.argument("code", required=False, shell_complete=complete_codes)
@click.option("--all", "all_rules", is_flag=True, help="Explain every rule.")
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text", help="How to show it.")
def rule(code: str | None, all_rules: bool, output_format: str) -> int:
    """Explain a rule, by code or name, or all of them."""
    from tensorlint.catalogue import catalogue

    entries = catalogue()
    if all_rules == (code is not None):
        raise click.UsageError("give either the code of a rule or --all")
    if code is None:
        chosen = list(entries.values())
    else:
        by_word = {**entries, **{entry.name: entry for entry in entries.values()}}
        word = code.upper() if code.upper() in by_word else code.lower()
        if word not in by_word:
            near = did_you_mean(code.upper(), entries) or did_you_mean(code.lower(), by_word)
            raise click.UsageError(f"unknown rule `{code}`{near}")
        chosen = [by_word[word]]
    if output_format == "json":
        objects = [_object(entry) for entry in chosen]
        emit(json.dumps(objects if all_rules else objects[0], indent=2) + "\n")
    else:
        style = style_for(sys.stdout)
        emit("\n".join("\n".join(_page(entry, style)) + "\n" for entry in chosen))
    return 0


def _page(entry: Entry, style: Style) -> Iterator[str]:
    colour = paint(style)
    yield colour(f"{entry.code}: {entry.name}", "bold")
    fix = f"fix: {entry.fix}" if entry.fix else "no automatic fix"
    yield ", ".join(each for each in (f"since {entry.since}", fix, entry.visibility) if each)
    yield ""
    yield entry.documentation
    for title, paths in (("Flagged", entry.bad), ("Not flagged", entry.good)):
        if paths:
            yield ""
            yield colour(f"{title}, from {_name(paths[0])}:", "bold")
            yield ""
            yield from ("    " + line if line else "" for line in paths[0].read_text(encoding="utf-8").splitlines())
    if confirmed := _confirmed(entry.code):
        yield ""
        yield colour("Confirmed by `tensorlint verify`:", "bold")
        yield ""
        yield from confirmed
    yield ""
    yield entry.url


def _confirmed(code: str) -> list[str]:
    """One line for each machine and device on which programs of the rule were run."""
    from tensorlint.evidence import seen

    lines = []
    for each in seen(code):
        if each.bad or each.good or each.refuted:
            refuted = f", REFUTED: {', '.join(each.refuted)}" if each.refuted else ""
            lines.append(f"    {each.bad} flagged and {each.good} not flagged on {each.where}{refuted}")
    return lines


def _object(entry: Entry) -> dict[str, Any]:
    from tensorlint.evidence import seen

    return {
        "code": entry.code,
        "name": entry.name,
        "since": entry.since,
        "fix": entry.fix,
        "default": entry.default,
        "shown": entry.shown,
        "url": entry.url,
        "documentation": entry.documentation,
        "evidence": [asdict(each) for each in seen(entry.code)],
        "examples": {kind: _example(paths) for kind, paths in (("bad", entry.bad), ("good", entry.good))},
    }


def _example(paths: tuple[Path, ...]) -> dict[str, str] | None:
    return {"file": _name(paths[0]), "source": paths[0].read_text(encoding="utf-8")} if paths else None


def _name(path: Path) -> str:
    return f"fixtures/{path.parent.name}/{path.name}"
