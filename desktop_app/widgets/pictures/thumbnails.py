"""Small versions of picture files, made in threads: what is asked for last comes first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage, QPixmap

from desktop_app.background import Gate, Threads
from trainer_core.dataset.pictures import open_small
from trainer_core.errors import DatasetError

_THREADS = 2
_MEMORY_BYTES = 96 * 2**20


class ThumbnailLoader(QObject):
    """Decodes wanted pictures in threads and keeps the newest ones, within bounds.

    Each call of `want` replaces what was asked for before, so that scrolling past ten thousand
    pictures leaves nothing behind to be decoded.
    """

    loaded = Signal(object)  # the picture's Path

    _decoded = Signal(object, object)  # in a thread: path with side, QImage

    def __init__(self, parent: QObject | None = None, *, memory_bytes: int = _MEMORY_BYTES) -> None:
        super().__init__(parent)
        self._gate = Gate(self)
        self._threads = Threads(_THREADS)
        self._side = 0
        self._wanted: list[Path] = []
        self._in_work: set[tuple[Path, int]] = set()
        self._kept: OrderedDict[Path, QPixmap] = OrderedDict()
        self._free_bytes = self._memory_bytes = memory_bytes
        self._decoded.connect(self._on_decoded)

    @property
    def is_idle(self) -> bool:
        """True if nothing is wanted or in work."""
        return not self._wanted and not self._in_work

    def set_side(self, side: int) -> None:
        """Make thumbnails that fit into a square of ``side`` device pixels."""
        if side != self._side:
            self._side = side
            self.forget()

    def forget(self) -> None:
        """Drop every thumbnail: the files may have changed."""
        self._kept.clear()
        self._wanted.clear()
        self._free_bytes = self._memory_bytes

    def drop(self, path: Path) -> None:
        """Drop one thumbnail: its file has changed."""
        dropped = self._kept.pop(path, None)
        if dropped is not None:
            self._free_bytes += _bytes(dropped)

    def thumbnail(self, path: Path) -> QPixmap | None:
        """Return the thumbnail, a null one if the picture cannot be read, None if not there yet."""
        kept = self._kept.get(path)
        if kept is not None:
            self._kept.move_to_end(path)
        return kept

    def want(self, paths: Iterable[Path]) -> None:
        """Load these pictures, in this order, instead of those wanted before."""
        self._wanted = [path for path in paths if path not in self._kept]
        self._wanted.reverse()
        self._start_work()

    def close(self) -> None:
        """Load nothing more and wait for the threads."""
        self._wanted.clear()
        self._threads.close()

    def _start_work(self) -> None:
        while self._wanted and len(self._in_work) < 2 * _THREADS:
            key = (self._wanted.pop(), self._side)
            if key not in self._in_work:
                self._in_work.add(key)
                finish = partial(self._gate.emit, self._decoded, key)
                self._threads.run(partial(_decode, key, finish))

    def _on_decoded(self, key: tuple[Path, int], image: QImage) -> None:
        self._in_work.discard(key)
        path, side = key
        if side == self._side:
            self._keep(path, QPixmap.fromImage(image))
            self.loaded.emit(path)
        self._start_work()

    def _keep(self, path: Path, pixmap: QPixmap) -> None:
        replaced = self._kept.pop(path, None)
        self._kept[path] = pixmap
        self._free_bytes += (_bytes(replaced) if replaced else 0) - _bytes(pixmap)
        while self._free_bytes < 0 and len(self._kept) > 1:
            _, dropped = self._kept.popitem(last=False)
            self._free_bytes += _bytes(dropped)


def _decode(key: tuple[Path, int], finish: Callable[[QImage], None]) -> None:
    image = QImage()
    try:
        image = read_thumbnail(*key)
    finally:
        finish(image)  # of a defect too: the place in the queue must become free


def read_thumbnail(path: Path, side: int) -> QImage:
    """Return a picture, upright, scaled down to fit into a square; null if it cannot be read.

    By Pillow: Qt's readers make objects that wait for one of Qt's locks while they hold Python's,
    which must not happen in a thread.
    """
    try:
        picture = open_small(path, side)
    except DatasetError:
        return QImage()
    width, height = picture.size
    data = picture.tobytes()
    return QImage(data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()


def _bytes(pixmap: QPixmap) -> int:
    return max(pixmap.width() * pixmap.height() * 4, 1)
