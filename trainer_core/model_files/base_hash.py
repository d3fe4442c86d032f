"""The hash of the base model that a run trains on, worked out while it goes on."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Iterable
from pathlib import Path

from trainer_core.model_files.weights_file import sha256

_log = logging.getLogger(__name__)


class BaseHash:
    """One SHA-256 for all weight files of a model, whatever they are called and wherever they lie.

    That of a single file is the file's own. They are read at once, in a thread: what is on the
    disk by the first save may be another model. Begun before the large imports, it also brings
    them from the disk meanwhile. Asking waits for it.

    Args:
        files: In an order that is the same for every model of the kind; none: it has no hash.
    """

    def __init__(self, files: Iterable[Path]) -> None:
        self._files = list(dict.fromkeys(files))
        self._hash = ""
        # It must not keep the process from ending.
        self._thread = threading.Thread(target=self._read, daemon=True, name="base hash")
        self._thread.start()

    def __call__(self) -> str:
        """Return 64 hex digits, "" where a file could not be read."""
        self._thread.join()
        return self._hash

    def _read(self) -> None:
        try:
            hashes = [sha256(path) for path in self._files]
        except OSError as error:  # the run has what it needs of it
            _log.warning("the base model could not be read for its hash: %s", error)
            return
        whole = hashlib.sha256("\n".join(hashes).encode()).hexdigest()
        self._hash = hashes[0] if len(hashes) == 1 else whole if hashes else ""


def hash_of_file(path: Path | None) -> BaseHash | None:
    """Begin with the hash of a model in a single file; None for others, whose files are not known.

    They are when the model is opened.
    """
    return BaseHash([path]) if path is not None and path.is_file() else None
