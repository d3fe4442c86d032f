"""The lock of a run: an operating-system lock, so that it ends with the process that held it."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from trainer_core.errors import OutputError
from trainer_core.texts import T

if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> None:
        # The byte far behind the text, so that others can still read who holds the lock.
        os.lseek(descriptor, 2**20, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        os.lseek(descriptor, 0, os.SEEK_SET)
else:
    import fcntl

    def _try_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class RunLock:
    """Held while a trainer works in a run folder; the file names its process id and start time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _try_lock(descriptor)
        except OSError as error:
            os.close(descriptor)
            raise OutputError(
                T("Errors", "{folder} is in use by another trainer."),
                T("Errors", "Wait for it, stop it, or choose another output name."),
                folder=self._path.parent,
            ) from error
        os.ftruncate(descriptor, 0)
        os.write(descriptor, json.dumps({"pid": os.getpid(), "started": time.time()}).encode())
        self._descriptor = descriptor
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
