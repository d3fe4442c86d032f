"""Charts as files: a picture of what is shown, and a table of every value."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PySide6.QtCore import QBuffer, QIODevice, QObject
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget

from desktop_app.background import Job, LatestJob
from desktop_app.models.runs.series import Floats, Series
from desktop_app.questions import Ask, ask, report
from desktop_app.translation import shown
from trainer_core.errors import TrainerError
from trainer_core.files.writing import publish_bytes, publish_file
from trainer_core.texts import T

_ROWS_AT_ONCE = 10_000

Points = tuple[Floats, Floats]


class ChartExport(QObject):
    """Asks for a file and writes charts into it; a table in a thread, for it can be long."""

    def __init__(self, window: QWidget, *, ask: Ask = ask) -> None:
        super().__init__(window)
        self._window = window
        self._ask = ask
        self._job = LatestJob(self)
        self._job.finished.connect(self._on_table_finished)

    @property
    def is_running(self) -> bool:
        """True while a table is being written."""
        return self._job.is_running

    def save_picture(self, widget: QWidget, proposed: Path) -> None:
        """Ask for a name and save ``widget`` as it looks now."""
        picture = _picture_of(widget)  # before the dialog covers it
        words = shown(T("App", "Save picture of the charts"))
        target = self._target(words, shown(T("App", "PNG pictures (*.png)")), proposed, ".png")
        if target is None:
            return
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        picture.save(buffer, "PNG")
        path, replace = target
        data = bytes(buffer.data().data())
        self._report(_error_of(partial(publish_bytes, path, data, replace=replace)))

    def save_values(self, columns: Mapping[str, Series], proposed: Path) -> None:
        """Ask for a name and save every value of these series, a column each."""
        words = shown(T("App", "Save values of the charts"))
        target = self._target(words, shown(T("App", "CSV tables (*.csv)")), proposed, ".csv")
        if target is None:
            return
        points = {name: (series.x.copy(), series.y.copy()) for name, series in columns.items()}
        path, replace = target
        write = partial(publish_file, path, partial(write_table, points), replace=replace)
        self._job.start(partial(_write_in_job, write))

    def _on_table_finished(self, error: TrainerError | None) -> None:
        self._job.close()  # its thread has nothing more to do
        self._report(error)

    def _report(self, error: TrainerError | None) -> None:
        if error is not None:
            report(self._window, error, ask=self._ask)

    def _target(
        self, title: str, name_filter: str, proposed: Path, suffix: str
    ) -> tuple[Path, bool] | None:
        """Return the chosen path, and whether the dialog asked about replacing it."""
        chosen, _ = QFileDialog.getSaveFileName(
            self._window, title, str(proposed.with_name(proposed.name + suffix)), name_filter
        )
        if not chosen:
            return None
        path = Path(chosen)
        if path.suffix.lower() == suffix:
            return path, True
        return path.with_name(path.name + suffix), False


def _picture_of(widget: QWidget) -> QPixmap:
    """Return how a widget looks without the mark of the focus, which it keeps."""
    holder = QApplication.focusWidget()
    if holder is None or not widget.isAncestorOf(holder):
        return widget.grab()
    holder.clearFocus()
    picture = widget.grab()
    holder.setFocus()
    return picture


def write_table(columns: Mapping[str, Points], file: BinaryIO) -> None:
    """Write x and y of every column as CSV, a line for each step that any of them has."""
    text = TextIOWrapper(file, encoding="utf-8", newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["step", *columns])
    writer.writerows(_rows(columns))
    text.detach()  # flushes, and leaves the file open


def _rows(columns: Mapping[str, Points]) -> Iterator[Iterable[object]]:
    steps = np.unique(np.concatenate([np.empty(0), *(x for x, _ in columns.values())]))
    for start in range(0, len(steps), _ROWS_AT_ONCE):
        part = steps[start : start + _ROWS_AT_ONCE]
        cells = [_cells(points, part) for points in columns.values()]
        yield from zip(part.astype(int).tolist(), *cells, strict=True)


def _cells(points: Points, steps: Floats) -> list[float | None]:
    """Return the value at each of these consecutive steps, None where there is none."""
    x, y = points
    first, end = np.searchsorted(x, steps[0]), np.searchsorted(x, steps[-1], side="right")
    cells = np.full(len(steps), None, dtype=object)
    cells[np.searchsorted(steps, x[first:end])] = y[first:end]
    return list(cells)


def _write_in_job(write: Callable[[], object], job: Job) -> TrainerError | None:
    return _error_of(write)


def _error_of(write: Callable[[], object]) -> TrainerError | None:
    try:
        write()
    except TrainerError as error:
        return error
    return None
