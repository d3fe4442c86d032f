"""The files that a run wrote, as a table, the newest first."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from pathlib import Path

from PySide6.QtCore import QObject, Qt

from desktop_app.models.row_table import NO_INDEX, Index, RowTable
from desktop_app.translation import shown
from desktop_app.words.settings import size_words
from trainer_core.protocol.messages import (
    CheckpointRemoved,
    CheckpointSaved,
    Event,
    Plan,
    Resumed,
    SampleReady,
)
from trainer_core.texts import T, visible


class Column(IntEnum):
    """The columns of the table."""

    NAME = 0
    SIZE = 1
    WHEN = 2


_HEADINGS: Mapping[int, str] = {
    Column.NAME: T("App", "File"),
    Column.SIZE: T("App", "Size"),
    Column.WHEN: T("App", "Written"),
}


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """One file, one state folder, or the sample pictures of one step.

    Attributes:
        kind: ``weights``, ``state`` or ``sample``.
        path: The file or folder; of samples the newest picture.
        count: How many pictures; 1 for files.
    """

    kind: str
    path: Path
    step: int
    size_bytes: int | None = None
    count: int = 1


class RunFiles(RowTable):
    """Takes in the events that tell of files written and removed."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(_HEADINGS, parent)
        self._rows: list[WrittenFile] = []
        self._steps_per_epoch = 0  # until the run says how long an epoch is

    @property
    def weights(self) -> list[WrittenFile]:
        """The weight files, newest first."""
        return [file for file in self._rows if file.kind == "weights"]

    def file(self, row: int) -> WrittenFile:
        """Return what a row stands for."""
        return self._rows[row]

    def clear(self) -> None:
        """Forget the run."""
        self.beginResetModel()
        self._rows.clear()
        self._steps_per_epoch = 0
        self.endResetModel()

    def feed(self, event: Event) -> None:
        """Take in one event; those that are not about files are ignored."""
        match event:
            case Plan():
                self._steps_per_epoch = event.steps_per_epoch
            case CheckpointSaved():
                saved = WrittenFile(event.kind, Path(event.path), event.step, event.size_bytes)
                self._remove(lambda file: file.path == saved.path)
                self._insert(saved)
            case CheckpointRemoved():
                removed = Path(event.path)
                self._remove(lambda file: file.path == removed)
            case SampleReady():
                self._add_sample(event)
            case Resumed():
                step = event.from_step
                self._remove(lambda file: file.kind == "sample" and file.step > step)

    # ---------------------------------------------------------------- what Qt asks

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return what a cell shows; the tooltip is the whole path."""
        file, column = self._rows[index.row()], Column(index.column())
        if role == Qt.ItemDataRole.ToolTipRole:
            return str(file.path)
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        match column:
            case Column.NAME:
                return _name(file)
            case Column.SIZE:
                return "" if file.size_bytes is None else size_words(file.size_bytes)
            case Column.WHEN:
                return _moment(file.step, self._steps_per_epoch)

    # ---------------------------------------------------------------- changes

    def _add_sample(self, event: SampleReady) -> None:
        sample = WrittenFile("sample", Path(event.path), event.step)
        for row, file in enumerate(self._rows):
            if file.kind == "sample" and file.step == event.step:
                if file.path != sample.path:
                    self._rows[row] = replace(sample, count=file.count + 1)
                    self.dataChanged.emit(self.index(row, 0), self.index(row, len(Column) - 1))
                return
        self._insert(sample)

    def _insert(self, file: WrittenFile) -> None:
        self.beginInsertRows(NO_INDEX, 0, 0)
        self._rows.insert(0, file)
        self.endInsertRows()

    def _remove(self, is_wanted: Callable[[WrittenFile], bool]) -> None:
        rows = [row for row, file in enumerate(self._rows) if is_wanted(file)]
        for row in reversed(rows):
            self.beginRemoveRows(NO_INDEX, row, row)
            del self._rows[row]
            self.endRemoveRows()


def _name(file: WrittenFile) -> str:
    if file.kind != "sample":
        return visible(file.path.name)
    if file.count == 1:
        return visible(file.path.name)
    return shown(T("App", "Sample pictures: {count}"), count=file.count)


def _moment(step: int, steps_per_epoch: int) -> str:
    if step == 0:
        return shown(T("App", "before training"))
    if not steps_per_epoch:
        return shown(T("App", "step {step}"), step=step)
    # The epoch that the step lies in, as the progress says it: events count whole epochs here.
    epoch = math.ceil(step / steps_per_epoch)
    return shown(T("App", "step {step}, epoch {epoch}"), step=step, epoch=epoch)
