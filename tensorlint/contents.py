"""The program in a file, which is the file itself, or the code cells of a notebook.

What notebooks are is imported when there is one.
"""

from __future__ import annotations

from tensorlint.source import Source, SourceError

#: How the name of a notebook ends.
SUFFIX = ".ipynb"


def source_of(path: str, data: bytes) -> Source:
    """The program in a file, a notebook by its suffix. Raises ``SourceError`` where there is none."""
    source = Source.from_bytes(path, data)
    if not path.endswith(SUFFIX):
        return source
    from tensorlint.notebook import Notebook

    return Notebook.of(source)


def program_bytes(path: str, data: bytes) -> bytes:
    """What can be searched for words of the program: the file itself, but of a notebook its cells as they are meant.

    JSON may write any character as an escape. A notebook that cannot be read is searched as it is.
    """
    if not path.endswith(SUFFIX):
        return data
    try:
        return source_of(path, data).text.encode()
    except SourceError:
        return data
