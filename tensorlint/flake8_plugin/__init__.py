"""tensorlint inside flake8: ``flake8 --select TBX``.

flake8 selects, ignores, and honours ``# noqa`` itself; ``# tensorlint: ignore`` works here, too. How sure a finding
must be comes from flake8's option, else, like the codes that may speak at all, from ``[tool.tensorlint]`` of the
nearest configuration file.
"""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, ClassVar

from tensorlint import __version__
from tensorlint.findings import Certainty, Finding, tool_finding
from tensorlint.screen import is_of_interest, may_matter
from tensorlint.tabulated import clues_of

Row = tuple[int, int, str, type]


class Plugin:
    """What flake8 instantiates for each file."""

    name = "tensorlint"
    version = __version__
    certainty: ClassVar[Certainty | None] = None
    #: Codes that flake8 was told to select one by one: this turns on what is off by default.
    selected: ClassVar[tuple[str, ...]] = ()

    def __init__(self, tree: ast.AST, filename: str, lines: Sequence[str]) -> None:
        self._filename = filename
        self._lines = lines

    @classmethod
    def add_options(cls, manager: Any) -> None:
        """Register our option; ``manager`` is flake8's, which is no dependency of ours."""
        manager.add_option(
            "--tensorlint-certainty",
            metavar="LEVEL",
            choices=[certainty.label for certainty in reversed(Certainty)],
            parse_from_config=True,
            help="Show tensorlint findings at least this sure: certain, likely or possible (default: each rule's own).",
        )

    @classmethod
    def parse_options(cls, options: argparse.Namespace) -> None:
        chosen = options.tensorlint_certainty
        cls.certainty = Certainty.parse(chosen) if chosen else None
        named = [*(options.select or ()), *(options.extend_select or ())]
        cls.selected = tuple(sorted({code for code in named if re.fullmatch(r"TBX[1-6]\d\d", code)}))

    def run(self) -> Iterator[Row]:
        """Rows as flake8 wants them: columns from 0. An error here must not end the run, so it becomes a row."""
        text = "".join(self._lines)
        data = text.encode("utf-8", "surrogatepass")
        if not is_of_interest(data):
            return
        try:
            # A syntax error is flake8's E999.
            rows = [_row(finding) for finding in self._findings(text, data) if finding.code != "TBX901"]
        except Exception as error:  # noqa: BLE001  # would hide what other plugins and files have to say
            from tensorlint.runner.judging import internal_error

            rows = [(1, 0, f"TBX900 {internal_error(error)}", type(self))]
        yield from rows

    def _findings(self, text: str, data: bytes) -> list[Finding]:
        from tensorlint.config import ConfigError, resolve
        from tensorlint.runner.judging import judge_source
        from tensorlint.source import Source

        try:
            settings = _resolver(self.certainty, self.selected).for_file(self._filename)
        except ConfigError as error:
            return [tool_finding("TBX900", self._filename, str(error))]
        codes = resolve(settings, self._filename)
        if not may_matter(data, clues_of(codes)):
            return []
        source = Source(self._filename, text, noqa=False)
        return judge_source(source, codes, settings.certainty, settings.target_numpy)


@lru_cache(maxsize=4)
def _resolver(certainty: Certainty | None, selected: tuple[str, ...]) -> Any:
    from tensorlint.codes import code_defaults
    from tensorlint.config import Layer, Resolver

    off_by_default = [code for code in selected if code_defaults().get(code) is False]
    return Resolver(Layer.of_options(certainty=certainty and certainty.label, extend_select=off_by_default))


def _row(finding: Finding) -> Row:
    also = f" (also {', '.join(finding.also)})" if finding.also else ""
    return finding.span.row, finding.span.column - 1, f"{finding.code} {finding.message}{also}", Plugin
