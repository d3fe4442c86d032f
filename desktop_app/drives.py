"""Looks at files and folders in threads, so that a drive that is away holds up nobody else."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import QEventLoop, QObject, QTimer, Signal

from desktop_app.background import Gate, run_apart

LIMIT_S = 3.0  # after which a place counts as not answering
_CHECK_MS = 100
_MOST_THREADS = 4  # of one drive; a look that hangs cannot be ended
_MOUNTS = Path("/proc/self/mounts")

_logger = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class _Look:
    key: Hashable
    work: Callable[[], object]
    began: float | None = None  # time.monotonic() in its thread
    is_silent: bool = False


class _Row:
    """The looks at one drive that nobody has begun yet, and who works on them."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.waiting: deque[_Look] = deque()
        self.threads = 0

    def next(self) -> _Look | None:
        """Return a look that is begun now; None ends the thread that asks."""
        with self.lock:
            if not self.waiting:
                self.threads -= 1
                return None
            look = self.waiting.popleft()
            look.began = time.monotonic()
            return look


class DriveLooks(QObject):
    """Looks at places, those of a drive one after another, and says which do not answer in time.

    A look that hangs leaves its thread behind, and others of its drive go on in new ones, up to
    a few: a dead drive can be reached by a link from a healthy one. It is heard when it answers
    at last. The work must not touch Qt objects.

    Args:
        limit_s: After so many seconds a place is silent.
    """

    answered = Signal(object, object)  # key, what its look returned
    silent = Signal(object)  # key of a look that takes too long; it may be answered later

    _ended_in_thread = Signal(object, object)

    def __init__(self, parent: QObject | None = None, *, limit_s: float = LIMIT_S) -> None:
        super().__init__(parent)
        self._limit_s = limit_s
        self._rows: dict[str, _Row] = {}
        self._looks: dict[Hashable, tuple[_Look, _Row]] = {}
        self._gate = Gate(self)
        self._ended_in_thread.connect(self._on_ended)
        self._mounts: Sequence[str] = ()
        self._clock = QTimer(self, interval=min(_CHECK_MS, round(limit_s * 1000)))
        self._clock.timeout.connect(self._find_silent)

    def look(self, key: Hashable, path: Path, work: Callable[[], object]) -> None:
        """Do ``work``, which looks at ``path``, unless the look of that key is still going on."""
        if key in self._looks:
            return
        if not self._looks:
            self._mounts = mount_points()
        row = self._rows.setdefault(drive_of(path, self._mounts), _Row())
        look = _Look(key, work)
        self._looks[key] = look, row
        with row.lock:
            row.waiting.append(look)
        self._serve(row)
        self._clock.start()

    def is_looking(self, key: Hashable) -> bool:
        """Tell whether a look is going on that is not silent yet."""
        found = self._looks.get(key)
        return found is not None and not found[0].is_silent

    def close(self) -> None:
        """Begin nothing more; looks that go on are left to themselves."""
        self._clock.stop()
        self._gate.close()
        for row in self._rows.values():
            with row.lock:
                row.waiting.clear()
        self._looks.clear()

    def _silent_in(self, row: _Row) -> int:
        """Return how many threads hang in a row."""
        looks = (look for look, place in self._looks.values() if place is row)
        return sum(look.is_silent and look.began is not None for look in looks)

    def _serve(self, row: _Row) -> None:
        """Add a thread where something waits and every thread hangs, as far as is known.

        A thread that answered at last may have ended before that was heard here: it still counts
        as one that hangs, so that there may be fewer threads than those.
        """
        if row.threads <= self._silent_in(row):
            self._add_thread(row)

    def _add_thread(self, row: _Row) -> None:
        with row.lock:
            if not row.waiting or row.threads >= _MOST_THREADS:
                return
            row.threads += 1
        # The thread must not hold this object: its last reference could end there.
        run_apart(partial(_work_off, row, partial(self._gate.emit, self._ended_in_thread)))

    def _on_ended(self, look: _Look, answer: object) -> None:
        found, row = self._looks.get(look.key, (None, None))
        if found is look and row is not None:
            del self._looks[look.key]
            self._serve(row)
            if not self._looks:
                self._clock.stop()
            self.answered.emit(look.key, answer)

    def _find_silent(self) -> None:
        late = time.monotonic() - self._limit_s
        for look, row in list(self._looks.values()):
            if look.is_silent:
                continue
            hangs = look.began is not None and look.began < late
            # All threads of the drive hang, and more would not help.
            has_no_turn = look.began is None and self._silent_in(row) >= _MOST_THREADS
            if hangs or has_no_turn:
                look.is_silent = True
                for _ in range(_MOST_THREADS):
                    self._add_thread(row)
                self.silent.emit(look.key)


def answer_in_time(path: Path, work: Callable[[], object]) -> object:
    """Return what ``work``, which looks at ``path`` in a thread, says; None if it takes too long.

    For a command that cannot go on without it: the window is drawn meanwhile, and takes no input.
    """
    looks, loop, answers = DriveLooks(), QEventLoop(), list[object]()
    looks.answered.connect(lambda _key, answer: answers.append(answer))
    looks.answered.connect(loop.quit)
    looks.silent.connect(loop.quit)
    looks.look(path, path, work)
    loop.exec(QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents)
    looks.close()
    return answers[0] if answers else None


def _work_off(row: _Row, tell: Callable[[_Look, object], None]) -> None:
    while (look := row.next()) is not None:
        answer: object = None
        try:
            answer = look.work()
        except Exception:  # a defect of one look must not end those behind it
            _logger.exception("a look at %s failed", look.key)
        tell(look, answer)


def drive_of(path: Path, mounts: Sequence[str]) -> str:
    """Return what tells drives apart, by the words of a path alone.

    On Windows that is the drive or network share; elsewhere the mount point and the next folder,
    because drives of a network are mounted where they are first looked at.
    """
    if path.drive:
        return path.drive.lower()
    words = str(path)
    mounts_above = (mount for mount in mounts if words == mount or words.startswith(f"{mount}/"))
    mount = max(mounts_above, key=len, default="")
    rest = words[len(mount) :].lstrip("/")
    return f"{mount}/{rest.partition('/')[0]}"


def mount_points() -> list[str]:
    """Return where drives are mounted, which asks none of them; empty where nobody says so."""
    try:
        lines = _MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    fields = (line.split() for line in lines)
    points = (field[1].replace("\\040", " ") for field in fields if len(field) > 1)
    return [point for point in points if point != "/"]
