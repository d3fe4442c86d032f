"""What a run measured, as series that charts draw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from PySide6.QtCore import QObject, Signal

from desktop_app.models.runs.run_marks import RunMarks
from desktop_app.models.runs.series import Series, smoothed
from trainer_core.protocol.messages import (
    CheckpointSaved,
    Event,
    Resumed,
    SampleReady,
    StepDone,
    Validated,
)

SMOOTHING_STEPS = 20


class MetricsModel(QObject):
    """Loss, learning rates and what else was measured over the steps of one run.

    Attributes:
        loss: Of every step, as the trainer reported it.
        smoothed_loss: Its exponential moving average.
        validation_loss: Of the pictures that are not trained, where it was measured.
        gradient_norm: Before clipping, of the steps whose gradients were finite.
        images_per_second: Of every step.
        memory_mib: That the device has in use, of every step.
        marks: The steps at which epochs began, files were saved and samples came.
        latest: The newest step; None before the first.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.loss = Series()
        self.smoothed_loss = Series()
        self.validation_loss = Series()
        self.gradient_norm = Series()
        self.images_per_second = Series()
        self.memory_mib = Series()
        self.marks = RunMarks()
        self.latest: StepDone | None = None
        self._rates: dict[str, Series] = {}
        self._measures: dict[str, Series] = {}
        self._smoothing_steps = SMOOTHING_STEPS
        self._average = 0.0  # of the loss, not yet corrected for its start at zero

    @property
    def learning_rates(self) -> Mapping[str, Series]:
        """The learning rate by parameter group, in the order in which groups appeared."""
        return MappingProxyType(self._rates)

    @property
    def measures(self) -> Mapping[str, Series]:
        """What the training method measured, by its names."""
        return MappingProxyType(self._measures)

    @property
    def smoothing_steps(self) -> int:
        """About how many steps the moving average looks back; 1 leaves the loss as it is."""
        return self._smoothing_steps

    def set_smoothing_steps(self, steps: int) -> None:
        """Smooth over about ``steps`` steps from now on, earlier ones included."""
        self._smoothing_steps = steps
        self._smooth_anew()
        self.changed.emit()

    def clear(self) -> None:
        """Forget the run."""
        for series in self._all_series():
            series.clear()
        self._rates.clear()
        self._measures.clear()
        self.marks.clear()
        self.latest = None
        self._average = 0.0
        self.changed.emit()

    def feed(self, event: Event) -> None:
        """Take in one event of the run; those that charts do not show are ignored."""
        match event:
            case StepDone():
                self._add(event)
            case Validated():
                self._add_validation(event)
            case Resumed():
                self._drop_beyond(event.from_step)
            case CheckpointSaved() | SampleReady():
                self.marks.feed(event)
            case _:
                return
        self.changed.emit()

    @property
    def _weight(self) -> float:
        return 1.0 - 1.0 / self._smoothing_steps

    def _add(self, event: StepDone) -> None:
        if self.latest is not None and event.step <= self.latest.step:
            self.marks.drop_beyond(event.step - 1)
        self.latest = event
        self.marks.feed(event)
        for group, rate in event.learning_rates.items():
            self._rates.setdefault(group, Series()).append(event.step, rate)
        for name, value in event.measures.items():
            if value is not None:
                self._measures.setdefault(name, Series()).append(event.step, value)
        self.images_per_second.append(event.step, event.images_per_second)
        self.memory_mib.append(event.step, event.memory_mib)
        if event.grad_norm is not None:
            self.gradient_norm.append(event.step, event.grad_norm)
        if event.loss is None:
            return
        self.loss.append(event.step, event.loss)
        if len(self.loss) != len(self.smoothed_loss) + 1:  # a step came again
            self._smooth_anew()
            return
        self._average = self._weight * self._average + (1 - self._weight) * event.loss
        known = 1 - self._weight ** len(self.loss)
        self.smoothed_loss.append(event.step, self._average / known)

    def _add_validation(self, event: Validated) -> None:
        if event.loss is not None:
            self.validation_loss.append(event.step, event.loss)

    def _drop_beyond(self, step: int) -> None:
        for series in self._all_series():
            series.drop_from(step + 1)
        self.marks.drop_beyond(step)
        self._smooth_anew()

    def _all_series(self) -> Iterable[Series]:
        measured = (self.gradient_norm, self.images_per_second, self.memory_mib)
        named = (*self._rates.values(), *self._measures.values())
        return (self.loss, self.smoothed_loss, self.validation_loss, *measured, *named)

    def _smooth_anew(self) -> None:
        average = smoothed(self.loss.y, self._weight)
        self.smoothed_loss.replace(self.loss.x, average)
        count = len(average)
        self._average = float(average[-1]) * (1 - self._weight**count) if count else 0.0
