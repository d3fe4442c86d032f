"""Writing what is cached in a thread of its own, so that the device need not wait for the disk."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Queue
from types import TracebackType
from typing import Self

AHEAD = 64  # files that may wait to be written; each holds its tensors in memory


class CacheWriter:
    """Does what it is given in one thread, in order; a context that ends when all is done.

    The first failure is raised where the next job is given, or else at the end of the context;
    what was given after it is not done.
    """

    def __init__(self, ahead: int = AHEAD) -> None:
        self._jobs: Queue[Callable[[], object] | None] = Queue(ahead)
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._work, name="cache-writer")

    def __enter__(self) -> Self:
        """Start the thread."""
        self._thread.start()
        return self

    def put(self, job: Callable[[], object]) -> None:
        """Have ``job`` done soon; waits while too many are to be done before it.

        Raises:
            Exception: An earlier job failed.
        """
        self._raise_failure()
        self._jobs.put(job)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Wait until everything is done; raise what failed unless something else did."""
        self._jobs.put(None)
        self._thread.join()
        if error is None:
            self._raise_failure()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            if self._failure is not None:
                continue  # nobody shall wait for room in the queue
            try:
                job()
            except Exception as failure:  # noqa: BLE001 - it is raised in the other thread
                self._failure = failure
