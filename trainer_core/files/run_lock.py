"""The lock of a run: an operating-system lock, so that it ends with the process that held it.

Whoever asks whether it is held takes it for a moment; a trainer that starts just then tries again.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import platform
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import (
    Annotated,
    NotRequired,  # what pydantic asks for
    Self,
)

from pydantic import Field
from typing_extensions import TypedDict

from trainer_core.errors import OutputError
from trainer_core.files.form import Finite, read_record
from trainer_core.files.links import open_own
from trainer_core.files.reading import open_regular
from trainer_core.files.writing import output_error
from trainer_core.texts import T

_TRIES = 10
_PAUSE_S = 0.05  # far longer than `lock_holder` takes
# What the systems say of a lock that somebody holds; anything else: there are no locks here.
_HELD = {errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK}
_MAX_BYTES = 2**16

if sys.platform == "win32":
    import msvcrt

    # The byte far behind the text, so that others can still read who holds the lock.
    _LOCKED_BYTE = 2**20

    def _try_lock(descriptor: int) -> None:
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        os.lseek(descriptor, 0, os.SEEK_SET)

    def _try_share(descriptor: int) -> None:
        _try_lock(descriptor)
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    def _try_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _try_share(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)


class _Holder(TypedDict):
    """What the file of a lock says."""

    pid: Annotated[int, Field(gt=0, lt=2**31)]
    started: Finite
    host: NotRequired[str]


@dataclass(frozen=True, slots=True)
class LockHolder:
    """Who holds a run's lock, as far as its file says so.

    Attributes:
        pid: Its process id on the machine called ``host``.
        started: When it took the lock, in Unix seconds.
        host: The machine it runs on.
    """

    pid: int | None = None
    started: float = 0.0
    host: str = ""

    @property
    def is_here(self) -> bool:
        """True if its process id is one of this machine's."""
        return self.pid is not None and self.host == platform.node()


def lock_holder(path: Path) -> LockHolder | None:
    """Return who holds the lock whose file is ``path``, None if nobody does.

    Where the file system has no locks, that is whom the file names, if its process is there.
    """
    try:
        file = open_regular(path)
    except OSError:
        return None
    with file:
        try:
            _try_share(file.fileno())
        except OSError as error:
            holder = _holder_in(path)
            return holder if error.errno in _HELD or _is_at_work(holder) else None
    return None


def _is_at_work(holder: LockHolder) -> bool:
    if holder.pid is None or not holder.is_here or sys.platform == "win32":
        return False
    try:
        os.kill(holder.pid, 0)
    except OSError as error:
        return error.errno == errno.EPERM  # it is somebody else's
    return True


def _holder_in(path: Path) -> LockHolder:
    with contextlib.suppress(OSError, ValueError):
        holder = read_record(path, _Holder, _MAX_BYTES)
        return LockHolder(holder["pid"], holder["started"], holder.get("host", ""))
    return LockHolder()  # it is just about to write who it is


class RunLock:
    """Held while a trainer works in a run folder; the file names its process id and start time.

    On a file system without locks it keeps nobody out, and ``has_locks`` is False.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None
        self.has_locks = True

    @property
    def is_held(self) -> bool:
        """True from taking it to letting it go."""
        return self._descriptor is not None

    def __enter__(self) -> Self:
        """Take the lock.

        Raises:
            OutputError: Another trainer holds it, or its file cannot be written.
        """
        try:
            descriptor = open_own(self._path, os.O_RDWR | os.O_CREAT)
            try:
                self.has_locks = _has_locked(descriptor)
            except OSError as error:
                os.close(descriptor)
                raise _in_use(self._path.parent) from error
            os.ftruncate(descriptor, 0)
            os.write(descriptor, _own_words())
        except OSError as error:
            raise output_error(error, self._path) from error
        self._descriptor = descriptor
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._descriptor is not None:
            if not self.has_locks:  # only what the file says tells others that it is over
                with contextlib.suppress(OSError):
                    os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None


def _has_locked(descriptor: int) -> bool:
    """Take the lock, with some patience for those who only ask whether it is held.

    Returns:
        False if the file system has no locks.

    Raises:
        OSError: Another process holds it.
    """
    for attempt in range(_TRIES):
        try:
            _try_lock(descriptor)
        except OSError as error:
            if error.errno not in _HELD:
                return False
            if attempt == _TRIES - 1:
                raise
            time.sleep(_PAUSE_S)
        else:
            return True
    return True


def _own_words() -> bytes:
    holder = {"pid": os.getpid(), "started": time.time(), "host": platform.node()}
    return json.dumps(holder).encode()


def _in_use(folder: Path) -> OutputError:
    return OutputError(
        T("Errors", "{folder} is in use by another trainer."),
        T("Errors", "Wait for it, stop it, or choose another output name."),
        folder=folder,
    )
