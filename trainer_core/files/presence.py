"""Whether files and folders are there, without an exception where nobody may look.

`pathlib` raises for a disk in the network that is away, or a folder without permission, until
Python 3.14; a path that cannot be looked at is nowhere for those who ask here.
"""

from __future__ import annotations

import os
from pathlib import Path


def is_file(path: Path) -> bool:
    """Tell whether ``path`` is a file that can be seen."""
    return os.path.isfile(path)  # noqa: PTH113


def is_folder(path: Path) -> bool:
    """Tell whether ``path`` is a folder that can be seen."""
    return os.path.isdir(path)  # noqa: PTH112


def is_there(path: Path) -> bool:
    """Tell whether ``path`` is anything that can be seen."""
    return os.path.exists(path)  # noqa: PTH110
