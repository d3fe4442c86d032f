"""The folder for what the app itself keeps: told in words when nothing can be written there."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from desktop_app.background import Job, LatestJob
from desktop_app.translation import shown
from trainer_core.errors import OutputError
from trainer_core.files.writing import output_error
from trainer_core.texts import T

_ROOM_BYTES = 64 * 1024  # more than the records of an ordinary day


class OwnFolder(QObject):
    """Tries the folder once, in a thread; nobody is told when all is well."""

    announced = Signal(str, str, str)  # kind, message and details for a banner

    def __init__(self, path: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._path = path
        self._trying = LatestJob(self)
        self._trying.finished.connect(self._on_tried)

    def check(self) -> None:
        """See whether it can be written; `announced` says so if it cannot."""
        # The thread must not hold this object.
        self._trying.start(partial(_obstacle, self._path))

    def close(self) -> None:
        """Wait until the thread has let go."""
        self._trying.close()

    def _on_tried(self, error: OutputError | None) -> None:
        if error is None:
            return
        words = T("App", "LoRA Loom cannot keep its own records: {reason}")
        details = T(
            "App",
            "Training works all the same. Recent files, the window's layout, unsaved changes and "
            "the list of earlier runs are lost when the window closes.",
        )
        self.announced.emit("warning", shown(words, reason=shown(error.message)), shown(details))


def _obstacle(path: Path, _job: Job) -> OutputError | None:
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path) as file:
            file.write(bytes(_ROOM_BYTES))
    except OSError as error:
        return output_error(error, path)
    return None
