"""What a launcher (``accelerate launch``, ``torchrun``) says of a run's processes."""

from __future__ import annotations

import os


def process_count() -> int:
    """Return how many processes were started for this run; 1 without a launcher."""
    return max(1, _number("WORLD_SIZE", 1))


def process_rank() -> int:
    """Return the number of this process among them, from 0."""
    return _number("RANK", 0)


def is_first_process() -> bool:
    """True for the one process that writes files and speaks to people."""
    return process_rank() == 0


def _number(variable: str, default: int) -> int:
    try:
        return int(os.environ.get(variable, default))
    except ValueError:  # some other program's variable of that name
        return default
