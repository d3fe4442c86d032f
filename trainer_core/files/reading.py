"""Reading files of other people: only regular ones, and no more of them than they may hold.

To open a pipe waits for somebody who writes into it, and a device never ends; both can lie, or
be linked, wherever a file is expected.
"""

from __future__ import annotations

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path

from trainer_core.texts import T, text

# Opens a pipe without waiting, should one take the file's place between two looks.
_FLAGS = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
_KIB, _MIB = 2**10, 2**20


def open_regular(path: Path) -> BufferedReader:
    """Open a file for reading, links followed.

    Raises:
        OSError: It is missing, may not be read, or is a folder, a pipe, a socket or a device.
    """
    # Before it is opened: that alone does something to some devices.
    _require_regular(path, path.stat().st_mode)
    descriptor = os.open(path, _FLAGS)
    try:
        _require_regular(path, os.fstat(descriptor).st_mode)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_limited(path: Path, limit_bytes: int) -> bytes:
    """Return everything that a file holds.

    Args:
        path: The file.
        limit_bytes: The most that it may hold; no more is read, whatever the disk says of it.

    Raises:
        OSError: As for `open_regular`, or it holds more.
    """
    with open_regular(path) as file:
        data = file.read(limit_bytes + 1)
    if len(data) > limit_bytes:
        reason = text(T("Errors", "it is larger than {limit}"), limit=_size(limit_bytes))
        raise OSError(errno.EFBIG, str(reason), str(path))
    return data


def _require_regular(path: Path, mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        reason = T("Errors", "it is a pipe or a device, not a file")
        raise OSError(errno.EINVAL, reason, str(path))


def _size(num_bytes: int) -> str:
    if num_bytes < _MIB:
        return f"{num_bytes / _KIB:g} KiB"
    return f"{num_bytes / _MIB:g} MiB"
