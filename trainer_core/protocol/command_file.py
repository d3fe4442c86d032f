"""A command as a file in a run's control folder, for those who do not hold the trainer's stdin."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import re
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from trainer_core.errors import ProtocolError
from trainer_core.files.links import is_link, link_error
from trainer_core.files.reading import read_limited
from trainer_core.protocol.codec import MAX_LINE_BYTES, decode_command, encode
from trainer_core.protocol.messages import Command
from trainer_core.texts import T

COMMAND_SUFFIX = ".json"  # a command file is complete once it has this ending
_PART_SUFFIX = ".part"
_OWN_NAME = re.compile(r"\d{20}-\d+-\d{6}\.(json|part)")  # of `next_command_name`
_numbers = itertools.count()


def write_command(folder: Path, command: Command, name: str) -> None:
    """Leave a command in a run's control folder: written aside, then renamed.

    Commands are taken in the order of their names.

    Raises:
        OSError: It cannot be written, or the folder is a link.
    """
    if is_link(folder):
        raise link_error(folder)
    aside = folder / f"{name}{_PART_SUFFIX}"
    aside.write_bytes(encode(command))
    aside.replace(folder / f"{name}{COMMAND_SUFFIX}")


def next_command_name() -> str:
    """Return a name that comes after all that were given before, by other programs too."""
    return f"{time.time_ns():020d}-{os.getpid()}-{next(_numbers):06d}"


class CommandFolder:
    """Takes the commands that are left in a folder from now on.

    A command is removed as it is taken. Otherwise only files that bear a name of
    `next_command_name` are removed; whatever else lies there stays. Links are not followed.

    Args:
        path: The folder.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        # By name and time of change: a file that is written anew is looked at again.
        self._passed_over: set[tuple[str, int]] = set()
        for left_over in self._path.glob("*"):
            if _OWN_NAME.fullmatch(left_over.name):
                with contextlib.suppress(OSError):
                    left_over.unlink()
            self._pass_over(left_over)

    def take(self) -> Iterator[Command | ProtocolError]:
        """Yield the commands in order of their names, or why a file is none; each once."""
        for path in sorted(self._path.glob(f"*{COMMAND_SUFFIX}")):
            with contextlib.suppress(OSError):  # what cannot be read now is tried again next time
                if (path.name, path.lstat().st_mtime_ns) not in self._passed_over:
                    yield self._taken(path)

    def _taken(self, path: Path) -> Command | ProtocolError:
        try:
            command = decode_command(_read(path))
        except ProtocolError as error:
            if _OWN_NAME.fullmatch(path.name) and stat.S_ISREG(path.lstat().st_mode):
                path.unlink()
            self._pass_over(path)
            return error
        path.unlink()
        return command

    def _pass_over(self, path: Path) -> None:
        with contextlib.suppress(OSError):  # it is gone
            self._passed_over.add((path.name, path.lstat().st_mtime_ns))


def _read(path: Path) -> bytes:
    """Return what a command file holds.

    Raises:
        ProtocolError: It cannot be a command.
        OSError: It cannot be read now.
    """
    no_file = T("Errors", "{path} is no file that a command can stand in.")
    if not stat.S_ISREG(path.lstat().st_mode):
        raise ProtocolError(no_file, path=path)
    try:
        return read_limited(path, MAX_LINE_BYTES)
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise ProtocolError(no_file, path=path) from error
        raise
