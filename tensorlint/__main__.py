"""``python -m tensorlint``."""

from __future__ import annotations

import sys

from tensorlint.cli import main

if __name__ == "__main__":
    sys.exit(main())
