"""What whoever started this process says of it: a launcher such as ``torchrun``, or the app."""

from __future__ import annotations

import os

EVENTS_VARIABLE = "LORA_LOOM_EVENTS"
"""With ``1`` in it stdout carries events and stdin commands, as the app wants them.

A variable and not an argument: an older trainer of the same version takes it without complaint.
"""


def process_count() -> int:
    """Return how many processes were started for this run; 1 without a launcher."""
    return max(1, _number("WORLD_SIZE", 1))


def process_rank() -> int:
    """Return the number of this process among them, from 0."""
    return _number("RANK", 0)


def is_first_process() -> bool:
    """True for the one process that writes files and speaks to people."""
    return process_rank() == 0


def events_are_asked_for() -> bool:
    """True if a program listens, to which events are told instead of words."""
    return os.environ.get(EVENTS_VARIABLE, "") not in ("", "0")


def _number(variable: str, default: int) -> int:
    try:
        return int(os.environ.get(variable, default))
    except ValueError:  # some other program's variable of that name
        return default
