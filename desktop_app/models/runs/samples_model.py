"""The sample pictures of a run as a table: prompts down, steps across."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from PySide6.QtCore import QAbstractTableModel, QObject, Qt

from desktop_app.models.row_table import NO_INDEX, Index
from desktop_app.translation import shown
from trainer_core.protocol.messages import Event, Resumed, SampleReady
from trainer_core.texts import T

SampleRole = Qt.ItemDataRole.UserRole + 1  # the cell's SampleReady, None where there is no picture


class Prompt(NamedTuple):
    """One line of the prompt file; an edited line is another prompt."""

    number: int  # from 0
    words: str


class SamplesModel(QAbstractTableModel):
    """Takes in `SampleReady` events, in whatever order they come."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._prompts: list[Prompt] = []
        self._steps: list[int] = []
        self._samples: dict[tuple[Prompt, int], SampleReady] = {}

    @property
    def prompts(self) -> Sequence[Prompt]:
        """The rows, in the order of the prompt file."""
        return tuple(self._prompts)

    def sample(self, prompt: Prompt, step: int) -> SampleReady | None:
        """Return the picture of a prompt after a step, None if there is none."""
        return self._samples.get((prompt, step))

    def samples_of(self, prompt: Prompt) -> list[SampleReady]:
        """Return the pictures of a prompt, oldest step first."""
        found = (self._samples.get((prompt, step)) for step in self._steps)
        return [sample for sample in found if sample is not None]

    def clear(self) -> None:
        """Forget the run."""
        self.beginResetModel()
        self._prompts.clear()
        self._steps.clear()
        self._samples.clear()
        self.endResetModel()

    def feed(self, event: Event) -> None:
        """Take in one event of the run; those that are not about samples are ignored."""
        if isinstance(event, SampleReady):
            self._add(event)
        elif isinstance(event, Resumed):
            self._drop_beyond(event.from_step)

    # ---------------------------------------------------------------- what Qt asks

    def rowCount(self, parent: Index = NO_INDEX) -> int:  # noqa: N802 - Qt's name
        """Return how many prompts there are."""
        return 0 if parent.isValid() else len(self._prompts)

    def columnCount(self, parent: Index = NO_INDEX) -> int:  # noqa: N802 - Qt's name
        """Return at how many steps samples were drawn."""
        return 0 if parent.isValid() else len(self._steps)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return the picture of a cell, or words about it."""
        prompt, step = self._prompts[index.row()], self._steps[index.column()]
        sample = self.sample(prompt, step)
        if role == SampleRole:
            return sample
        if role == Qt.ItemDataRole.ToolTipRole and sample is not None:
            return sample.path
        if role == Qt.ItemDataRole.AccessibleTextRole:
            words = T("App", "{step}: {prompt}")
            return shown(words, step=step_words(step), prompt=prompt.words)
        return None

    def headerData(  # noqa: N802 - Qt's name
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> object:
        """Return the step above a column, or the prompt beside a row."""
        if orientation == Qt.Orientation.Horizontal:
            is_shown = role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole)
            return step_words(self._steps[section]) if is_shown else None
        words = self._prompts[section].words
        if role == Qt.ItemDataRole.DisplayRole:
            return words
        # Qt wraps long tooltips only if they are rich text.
        return f"<qt>{escape(words)}</qt>" if role == Qt.ItemDataRole.ToolTipRole else None

    # ---------------------------------------------------------------- what the run says

    def _add(self, sample: SampleReady) -> None:
        prompt = Prompt(sample.prompt_index, sample.prompt)
        row = bisect_left(self._prompts, prompt)
        if self._prompts[row : row + 1] != [prompt]:
            self.beginInsertRows(NO_INDEX, row, row)
            self._prompts.insert(row, prompt)
            self.endInsertRows()
        column = bisect_left(self._steps, sample.step)
        if self._steps[column : column + 1] != [sample.step]:
            self.beginInsertColumns(NO_INDEX, column, column)
            self._steps.insert(column, sample.step)
            self.endInsertColumns()
        self._samples[prompt, sample.step] = sample
        cell = self.index(row, column)
        self.dataChanged.emit(cell, cell)

    def _drop_beyond(self, step: int) -> None:
        """Forget what was drawn after ``step``, and prompts of which nothing is left."""
        if not self._steps or self._steps[-1] <= step:
            return
        self.beginResetModel()
        self._samples = {key: sample for key, sample in self._samples.items() if key[1] <= step}
        self._steps = [each for each in self._steps if each <= step]
        self._prompts = sorted({prompt for prompt, _ in self._samples})
        self.endResetModel()


def step_words(step: int) -> str:
    """Return what the pictures of a step are called."""
    if step == 0:
        return shown(T("App", "Before training"))
    return shown(T("App", "Step {step}"), step=step)
