"""Every key of the configuration, declared once.

From here come the reader of configuration files, the options of the command line that say the same, their help,
`tensorlint config`, the JSON schema, and the table in docs/configuration.md.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tensorlint.config.values import (
    CODES,
    DIRECTORY,
    FLAG,
    IGNORES,
    PATH,
    PATTERNS,
    SPECIFIER,
    VERSION,
    Kind,
    one_of,
)
from tensorlint.findings import Certainty
from tensorlint.report import FORMATS

DEFAULT_EXCLUDE = (
    ".bzr", ".direnv", ".eggs", ".git", ".hg", ".hypothesis", ".ipynb_checkpoints", ".mypy_cache", ".nox",
    ".pyenv", ".pytest_cache", ".pytype", ".ruff_cache", ".svn", ".tensorlint_cache", ".tox", ".venv", ".vscode",
    "__pycache__", "__pypackages__", "_build", "buck-out", "build", "dist", "node_modules", "site-packages", "venv",
    "*.egg-info",
)  # fmt: skip
DEFAULT_INCLUDE = ("*.py", "*.pyw", "*.ipynb")


class Merge(enum.Enum):
    """What becomes of the values of several layers: a file, one that it extends, the command line."""

    REPLACE = "the last one that has the key wins"
    ADD = "all of them count"
    SELECT = "each changes what the ones before it selected"
    OWN = "it is about its own file"


@dataclass(frozen=True, slots=True)
class Key:
    """One key. ``default`` is the value in its plain form, or None where leaving it out is a choice of its own."""

    name: str
    kind: Kind
    default: Any
    #: One sentence, which is also the help of the option.
    summary: str
    #: What else there is to know.
    details: str = ""
    #: A value as TOML.
    example: str = ""
    #: What leaving it out means, where there is no value for it.
    unset: str = ""
    merge: Merge = Merge.REPLACE
    #: Whether the command line has an option of this name.
    has_option: bool = True
    #: Whether it is about the run, and so taken from where the run begins, not from beside each file.
    of_run: bool = False


KEYS: tuple[Key, ...] = (
    Key(
        "extend",
        PATH,
        None,
        "Take the settings of this file, and change them by what stands here.",
        "The path is relative to the file it stands in; `~` and `$NAME` are expanded. It leads to a pyproject.toml with"
        " `[tool.tensorlint]`, or to a file whose keys stand at the top. Patterns stay relative to the file they are"
        " written in. Files that extend each other in a circle are an error.",
        '"../pyproject.toml"',
        "nothing",
        Merge.OWN,
        has_option=False,
    ),
    Key(
        "required-version",
        SPECIFIER,
        None,
        "Refuse to run where this is not the release of tensorlint.",
        "A version stands for that very one; `==`, `!=`, `>=`, `<=`, `>`, `<`, `~=` make a range, several with commas."
        " It is looked at before the other keys, so that one that is new says which release knows it.",
        '">=0.1"',
        "any",
        Merge.OWN,
        has_option=False,
    ),
    Key(
        "select",
        CODES,
        ("TBX",),
        "Judge by these codes, prefixes or names only.",
        "`TBX` is every rule that is on by default, `ALL` every rule. It throws away what earlier layers chose.",
        '["TBX1", "numpy-off-cpu"]',
        merge=Merge.SELECT,
    ),
    Key(
        "extend-select",
        CODES,
        (),
        "Judge by these, too.",
        "",
        '["TBX404"]',
        merge=Merge.SELECT,
    ),
    Key(
        "ignore",
        CODES,
        (),
        "Do not judge by these.",
        "Within one layer, the more specific selector wins, and `ignore` wins a tie.",
        '["TBX113"]',
        merge=Merge.SELECT,
    ),
    Key(
        "per-file-ignores",
        IGNORES,
        {},
        "Do not judge files that match by these codes.",
        "",
        '{ "tests/**" = ["TBX1"] }',
    ),
    Key(
        "extend-per-file-ignores",
        IGNORES,
        {},
        "Do not judge files that match by these codes either.",
        "",
        '{ "*_demo.py" = ["TBX4"] }',
        merge=Merge.ADD,
    ),
    Key(
        "certainty",
        one_of(*(certainty.label for certainty in reversed(Certainty))),
        None,
        "Show findings at least this sure.",
        "Without it, each rule shows what it was measured to be right about, as `tensorlint rule` says.",
        '"likely"',
        "each rule's own",
    ),
    Key(
        "target-torch",
        VERSION,
        None,
        "The release of torch that the code is for.",
        "Rules whose claim does not hold on that release are off. Without it, the newest that the project's own "
        "`pyproject.toml`, `requirements.txt` or `environment.yml` allows, where that says so.",
        '"2.4"',
        "any",
        has_option=False,
    ),
    Key(
        "target-numpy",
        VERSION,
        None,
        "The release of NumPy that the code is for.",
        "Rules whose claim does not hold on that release are off. Without it, the newest that the project's own "
        "`pyproject.toml`, `requirements.txt` or `environment.yml` allows, where that says so.",
        '"2.1"',
        "any",
        has_option=False,
    ),
    Key(
        "include",
        PATTERNS,
        DEFAULT_INCLUDE,
        "Below a directory, take files that match these.",
        "A file that is named is taken whatever it is called.",
        '["*.py", "*.pyw", "bin/*"]',
        has_option=False,
    ),
    Key(
        "extend-include",
        PATTERNS,
        (),
        "Below a directory, take files that match these, too.",
        "",
        '["scripts/*"]',
        merge=Merge.ADD,
        has_option=False,
    ),
    Key(
        "exclude",
        PATTERNS,
        DEFAULT_EXCLUDE,
        "Leave out these, in place of the default exclusions.",
        "",
        '["build", ".venv"]',
    ),
    Key(
        "extend-exclude",
        PATTERNS,
        (),
        "Leave out these, too.",
        "",
        '["third_party"]',
        merge=Merge.ADD,
    ),
    Key(
        "force-exclude",
        FLAG,
        False,
        "Leave out what is excluded also where it is named, on the command line or by --stdin-filename.",
        "It does not hold for .gitignore files.",
        "true",
    ),
    Key(
        "respect-gitignore",
        FLAG,
        True,
        "Leave out what .gitignore files leave out.",
        "Each directory goes by its own settings.",
        "false",
    ),
    Key(
        "output-format",
        one_of(*FORMATS),
        "full",
        "How to show findings.",
        "",
        '"concise"',
        of_run=True,
    ),
    Key(
        "cache-dir",
        DIRECTORY,
        None,
        "The directory in which what was found is kept.",
        "The path is relative to the file it stands in, or to the working directory where that file was named by"
        " --config; `~` and `$NAME` are expanded.",
        '"build/tensorlint"',
        ".tensorlint_cache beside the settings",
        of_run=True,
    ),
    Key(
        "fix",
        FLAG,
        False,
        "Apply safe fixes and show what is left.",
        "In a configuration it gives way to --diff, --add-noqa, --diff-base and baselines.",
        "true",
        of_run=True,
    ),
    Key(
        "fix-only",
        FLAG,
        False,
        "Apply fixes and show no findings.",
        "In a configuration it gives way to --diff, --add-noqa, --diff-base and baselines.",
        "true",
        of_run=True,
    ),
    Key(
        "unsafe-fixes",
        FLAG,
        False,
        "With --fix, --fix-only, --diff: fixes that may change results, too.",
        "",
        "true",
        of_run=True,
    ),
    Key(
        "show-fixes",
        FLAG,
        False,
        "List what was fixed.",
        "",
        "true",
        of_run=True,
    ),
    Key(
        "fixable",
        CODES,
        ("ALL",),
        "Fix these only.",
        "",
        '["TBX1"]',
    ),
    Key(
        "extend-fixable",
        CODES,
        (),
        "Fix these, too.",
        "",
        '["TBX201"]',
        merge=Merge.ADD,
    ),
    Key(
        "unfixable",
        CODES,
        (),
        "Do not fix these.",
        "",
        '["TBX2"]',
        merge=Merge.ADD,
    ),
    Key(
        "extend-safe-fixes",
        CODES,
        (),
        "Apply the unsafe fixes of these like safe ones.",
        "",
        '["TBX302"]',
        merge=Merge.ADD,
        has_option=False,
    ),
    Key(
        "extend-unsafe-fixes",
        CODES,
        (),
        "Apply the safe fixes of these only where unsafe ones are asked for.",
        "",
        '["TBX201"]',
        merge=Merge.ADD,
        has_option=False,
    ),
    Key(
        "export-style",
        one_of("chain", "force"),
        "chain",
        "How fixes write an export: `.detach().cpu().numpy()`, or `.numpy(force=True)`.",
        "The second needs torch 1.13 or later.",
        '"force"',
        has_option=False,
    ),
)
BY_NAME: Mapping[str, Key] = {key.name: key for key in KEYS}


def plain(value: Any) -> Any:
    """A value as JSON and TOML have it: lists in place of tuples."""
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    return list(value) if isinstance(value, tuple) else value


def as_toml(value: Any) -> str:
    """A value in TOML, on one line."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return _quoted(value)
        case dict():
            pairs = ", ".join(f"{_quoted(name)} = {as_toml(each)}" for name, each in value.items())
            return f"{{ {pairs} }}" if pairs else "{}"
        case _:
            return f"[{', '.join(as_toml(each) for each in value)}]"


def _quoted(text: str) -> str:
    escapes = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
    return (
        '"' + "".join(escapes.get(char, char if char.isprintable() else f"\\u{ord(char):04x}") for char in text) + '"'
    )
