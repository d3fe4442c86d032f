"""Writing into files of our own by their very name: never through a link to something else."""

from __future__ import annotations

import errno
import os
import stat
import sys
from io import FileIO
from pathlib import Path

from trainer_core.texts import T

_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
# A pipe in the place of a file is opened without waiting, and then refused.
_NO_WAITING = getattr(os, "O_NONBLOCK", 0)


def is_link(path: Path) -> bool:
    """Tell whether ``path`` itself is a symbolic link, or a junction of Windows."""
    try:
        facts = path.lstat()
    except (OSError, ValueError):
        return False
    if sys.platform == "win32":
        if facts.st_reparse_tag == stat.IO_REPARSE_TAG_MOUNT_POINT:
            return True
    return stat.S_ISLNK(facts.st_mode)


def is_taken(path: Path) -> bool:
    """Tell whether anything bears this name, be it a link that leads nowhere."""
    return os.path.lexists(path)


def link_error(path: Path) -> OSError:
    """Return the error of a name that is a link where nothing is written through one."""
    return OSError(errno.ELOOP, T("Errors", "it is a link"), str(path))


def open_own(path: Path, flags: int) -> int:
    """Open a regular file for writing, and return its descriptor.

    Args:
        path: Its name; the folders above may be links.
        flags: Of `os.open`.

    Raises:
        OSError: It cannot be opened; with ELOOP if it is a link, with EMLINK if it bears another
            name too (a hard link).
    """
    if is_link(path):
        raise link_error(path)
    descriptor = os.open(path, flags | _NO_FOLLOW | _NO_WAITING, 0o644)
    facts = os.fstat(descriptor)
    if stat.S_ISREG(facts.st_mode) and facts.st_nlink <= 1:
        return descriptor
    os.close(descriptor)
    if stat.S_ISREG(facts.st_mode):
        raise OSError(errno.EMLINK, T("Errors", "it bears another name too"), str(path))
    raise OSError(errno.EINVAL, T("Errors", "it is a pipe or a device, not a file"), str(path))


def open_appending(path: Path) -> FileIO:
    """Open a file for reading and appending, unbuffered; it is made if it is not there.

    Raises:
        OSError: As for `open_own`.
    """
    return FileIO(path, "a+", opener=lambda name, flags: open_own(Path(name), flags))
