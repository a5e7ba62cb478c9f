"""Which lines changed since a revision, as git has it, and the findings that have to do with them.

Changed is what differs between the working tree, with all that is not committed, and the last commit that the revision
and HEAD have in common: what a branch did, whatever happened on the revision meanwhile. A file that git does not track
is new from its first line to its last. A file that was renamed keeps the lines that it had.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from tensorlint.findings import Finding, Span
from tensorlint.report import Report

_HUNK = re.compile(rb"@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_BINARY = re.compile(rb"Binary files .* and (\"?b/.*) differ")
_ESCAPE = re.compile(rb"\\([0-7]{3}|.)")
_ESCAPES = {b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
_LONE_RETURN = re.compile(rb"\r(?!\n)")
_WHOLE = (range(1, 2**31),)


class ChangesError(Exception):
    """Why it is not known what changed."""


@dataclass(frozen=True, slots=True)
class Changes:
    """The rows of each file that changed. Paths are absolute, without symbolic links above the file."""

    root: str
    rows: Mapping[str, tuple[range, ...]]
    tracked: Collection[str]

    def in_file(self, path: str) -> tuple[range, ...]:
        """The rows of a file that changed; all of them in one that git does not track."""
        place = _place(path, self.root)
        return self.rows.get(place, ()) if place in self.tracked else _WHOLE

    def check(self, paths: Iterable[str]) -> None:
        """Raise ``ChangesError`` for a path that is not in the repository."""
        for path in paths:
            if not _lies_below(_place(path, self.root), self.root):
                raise ChangesError(f"{path} lies outside of the repository {self.root}")


@dataclass(frozen=True, slots=True)
class Narrowed:
    """A report without what has nothing to do with the changes, how much that was, and what git knows nothing of."""

    report: Report
    unchanged: int
    #: Repositories inside of this one (submodules), whose findings are left out, too.
    others: tuple[str, ...]


def narrow(report: Report, changes: Changes) -> Narrowed:
    """Keep findings with a changed line: their own, or one of their trace. What could not be judged stays."""
    kept: list[Finding] = []
    others: set[str] = set()
    unchanged = 0
    for finding in report.findings:
        other = _repository_between(finding.path, changes.root)
        if finding.is_internal or (not other and _is_touched(finding, report, changes)):
            kept.append(finding)
        elif other:
            others.add(other)
        else:
            unchanged += 1
    return Narrowed(replace(report, findings=tuple(kept)), unchanged, tuple(sorted(others)))


def _is_touched(finding: Finding, report: Report, changes: Changes) -> bool:
    places = [(finding.path, finding.span), *((step.path or finding.path, step.span) for step in finding.trace)]
    return any(
        _meets(report.in_file(path, span), changes.in_file(path), path, report.data.get(path, b""))
        for path, span in places
    )


def _meets(span: Span, changed: tuple[range, ...], path: str, data: bytes) -> bool:
    """Whether one of these rows of the file changed. ``data`` is what is known of it."""
    if changed and not path.endswith(".ipynb") and _LONE_RETURN.search(data):
        return True  # git counts only rows that end with a line feed, as a notebook is counted, too
    return any(rows.start <= span.end_row and span.row < rows.stop for rows in changed)


def changes_since(revision: str, directory: str) -> Changes:
    """What changed in the repository around ``directory``. Raises ``ChangesError``."""
    root = os.fsdecode(
        _git(directory, "rev-parse", "--show-toplevel", why=f"{directory} is in no git repository").rstrip(b"\n")
    )
    unknown = f"git knows no commit `{revision}` here"
    if revision.startswith("-"):
        raise ChangesError(unknown)
    commit = _git(root, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}", why=unknown).decode().strip()
    apart = f"`{revision}` and HEAD have no commit in common; a shallow clone may have to be deepened"
    base = _git(root, "merge-base", commit, "HEAD", why=apart).decode().split("\n")[0]
    diff = _git(
        root, "-c", "core.quotePath=false", "diff", "--unified=0", "--inter-hunk-context=0", "--find-renames",
        "--ignore-cr-at-eol", "--ignore-submodules", "--no-color", "--no-ext-diff", "--no-textconv",
        "--src-prefix=a/", "--dst-prefix=b/", base, "--", why=""
    )  # fmt: skip
    rows = {_join(root, name): changed for name, changed in _changed(diff).items()}
    tracked = _git(root, "ls-files", "-z", why="").split(b"\0")
    return Changes(root, rows, frozenset(_join(root, name) for name in tracked if name))


def _git(directory: str, *arguments: str, why: str) -> bytes:
    """What git says. ``why`` tells what it means that it fails; otherwise its own words do."""
    environment = {**os.environ, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=directory,
            env=environment,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except OSError as error:
        raise ChangesError(f"git cannot be run: {error.strerror or error}") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().removeprefix("fatal: ").split("\n")[0]
        raise ChangesError(why or f"git: {said}")
    return done.stdout


def _changed(diff: bytes) -> dict[bytes, tuple[range, ...]]:
    """The rows that a patch without context adds or changes, by the name of the file."""
    rows: dict[bytes, list[range]] = {}
    name = b""
    left = 0
    for line in diff.split(b"\n"):
        if left and not line.startswith(b"\\"):
            left -= 1
        elif found := _HUNK.match(line):
            before, start, after = int(found[1] or 1), int(found[2]), int(found[3] or 1)
            left = before + after
            rows[name].append(range(start, start + after))
        elif line.startswith(b"+++ "):
            name = _name(line[4:])
            rows[name] = []
        elif binary := _BINARY.fullmatch(line):
            rows[_name(binary[1])] = list(_WHOLE)
    return {name: tuple(each for each in changed if each) for name, changed in rows.items()}


def _name(text: bytes) -> bytes:
    """The name of a file as a patch has it: with ``b/`` in front, in quotes with escapes where it must be."""
    text = text.removesuffix(b"\t")
    if text.startswith(b'"'):
        text = _ESCAPE.sub(_character, text[1:-1])
    return text.removeprefix(b"b/")


def _character(escape: re.Match[bytes]) -> bytes:
    code = escape[1]
    return bytes([int(code, 8)]) if code.isdigit() else _ESCAPES.get(code, code)


def _join(root: str, name: bytes) -> str:
    return os.path.join(root, *os.fsdecode(name).split("/"))


@lru_cache(maxsize=4096)
def _place(path: str, root: str) -> str:
    """Where a file lies: what a link leads to, unless that is somewhere else."""
    real = os.path.realpath(path)
    if _lies_below(real, root):
        return real
    return os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))


def _lies_below(path: str, root: str) -> bool:
    return path.startswith(root.rstrip(os.sep) + os.sep)


@lru_cache(maxsize=4096)
def _repository_between(path: str, root: str) -> str:
    """The repository inside of ``root`` that a file belongs to; empty where it belongs to this one."""
    here = os.path.dirname(_place(path, root))
    while _lies_below(here, root):
        if os.path.lexists(os.path.join(here, ".git")):
            return here
        here = os.path.dirname(here)
    return ""
