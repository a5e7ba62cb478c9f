"""Gitignore-style patterns below a directory: for exclusions, per-file ignores, and .gitignore files themselves."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

_SUFFIX = re.compile(r"\*\.\w+")


@dataclass(frozen=True, slots=True)
class Globs:
    """Patterns with gitignore's meaning, relative to ``root``; both it and the paths asked about are absolute.

    An empty root stands for wherever the patterns are applied.
    """

    root: str
    patterns: tuple[str, ...]
    #: The file that holds these patterns and nothing else, such as a .gitignore.
    file: str = ""

    def verdict(self, path: str, *, is_dir: bool = False) -> bool | None:
        """True where the last pattern that speaks of the path takes it, False where it takes it back, else None."""
        if not self.patterns or not (relative := _below(self.root, path)):
            return None
        return _compile(self.patterns).check_file(relative + "/" if is_dir else relative).include

    def matches(self, path: str, *, is_dir: bool = False) -> bool:
        return bool(self.verdict(path, is_dir=is_dir))

    def last_that_takes(self, path: str, *, is_dir: bool = False) -> str:
        """The pattern that counts where these take the path; empty where none does."""
        taking = (one for one in reversed(self.patterns) if Globs(self.root, (one,)).matches(path, is_dir=is_dir))
        return next(taking, "")

    def rebased(self, directory: str, here: str = "") -> Globs:
        """These patterns as they apply ``here``, on the way down from ``directory``.

        They are relative to it when neither lies below their root, as is that of a file which others extend.
        """
        lies_below = any(self.root == each or _below(self.root, each) for each in (directory, here) if each)
        return self if self.root and lies_below else Globs(directory, self.patterns)

    def without(self, path: str) -> Globs:
        """These patterns less those that take ``path``, for a directory that was asked for by name."""
        if not self.matches(path, is_dir=True):
            return self
        kept = tuple(one for one in self.patterns if not Globs(self.root, (one,)).matches(path, is_dir=True))
        return replace(self, patterns=kept)

    def suffixes(self) -> tuple[tuple[str, ...], Globs]:
        """What names end in that `*.py` and the like among these patterns take, and the other patterns.

        Of patterns that take back, all are others, as their order counts.
        """
        if any(pattern.startswith("!") for pattern in self.patterns):
            return (), self
        simple = tuple(pattern for pattern in self.patterns if _SUFFIX.fullmatch(pattern))
        others = tuple(pattern for pattern in self.patterns if pattern not in simple)
        return tuple(pattern[1:] for pattern in simple), Globs(self.root, others)


def is_pattern(text: str) -> bool:
    from pathspec import GitIgnoreSpec

    try:
        GitIgnoreSpec.from_lines((text,))
    except (ValueError, re.error):
        return False
    return True


@lru_cache(maxsize=1024)
def _compile(patterns: tuple[str, ...]) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec  # here, as there need not be any patterns

    try:
        return GitIgnoreSpec.from_lines(patterns)
    except (ValueError, re.error):  # git, too, passes over a line it cannot read
        return GitIgnoreSpec.from_lines(pattern for pattern in patterns if is_pattern(pattern))


def _below(root: str, path: str) -> str:
    """``path`` relative to ``root`` with slashes; empty when it is not below."""
    prefix = root if root.endswith(os.sep) else root + os.sep
    return path[len(prefix) :].replace(os.sep, "/") if path.startswith(prefix) else ""
