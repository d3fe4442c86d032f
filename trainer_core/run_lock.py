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
from trainer_core.file_writing import output_error
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

    @property
    def is_held(self) -> bool:
        """True while it keeps other trainers out."""
        return self._descriptor is not None

    def __enter__(self) -> Self:
        """Take the lock.

        Raises:
            OutputError: Another trainer holds it, or its file cannot be written.
        """
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                _try_lock(descriptor)
            except OSError as error:
                os.close(descriptor)
                raise _in_use(self._path.parent) from error
            os.ftruncate(descriptor, 0)
            os.write(descriptor, json.dumps({"pid": os.getpid(), "started": time.time()}).encode())
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
            os.close(self._descriptor)
            self._descriptor = None


def _in_use(folder: Path) -> OutputError:
    return OutputError(
        T("Errors", "{folder} is in use by another trainer."),
        T("Errors", "Wait for it, stop it, or choose another output name."),
        folder=folder,
    )
