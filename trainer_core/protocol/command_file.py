"""A command as a file in a run's control folder, for those who do not hold the trainer's stdin."""

from __future__ import annotations

import itertools
import os
import time
from pathlib import Path

from trainer_core.protocol.codec import encode
from trainer_core.protocol.messages import Command

COMMAND_SUFFIX = ".json"  # a command file is complete once it has this ending
_numbers = itertools.count()


def write_command(folder: Path, command: Command, name: str) -> None:
    """Leave a command in a run's control folder: written aside, then renamed.

    Commands are taken in the order of their names.

    Raises:
        OSError: It cannot be written.
    """
    aside = folder / f"{name}.part"
    aside.write_bytes(encode(command))
    aside.replace(folder / f"{name}{COMMAND_SUFFIX}")


def next_command_name() -> str:
    """Return a name that comes after all that were given before, by other programs too."""
    return f"{time.time_ns():020d}-{os.getpid()}-{next(_numbers):06d}"
