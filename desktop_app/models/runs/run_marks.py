"""What happened at single steps of a run: epochs began, files were saved, samples came."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

from desktop_app.translation import shown
from trainer_core.protocol.messages import CheckpointSaved, Event, SampleReady, StepDone
from trainer_core.texts import T


class MarkKind(Enum):
    """What a mark stands for; the words are for legends."""

    EPOCH = T("App", "epoch")
    SAVE = T("App", "saved")
    SAMPLE = T("App", "sample")


class RunMarks:
    """The steps of one run at which something happened besides training."""

    def __init__(self) -> None:
        self._epochs: dict[int, int] = {}  # by the first step that was seen of each
        self._saved: dict[int, list[str]] = {}
        self._samples: dict[int, int] = {}

    def steps(self, kind: MarkKind) -> list[int]:
        """Return the steps that are marked; epochs at their first step, except the first."""
        match kind:
            case MarkKind.EPOCH:
                return list(self._epochs)[1:]
            case MarkKind.SAVE:
                return list(self._saved)
            case MarkKind.SAMPLE:
                return list(self._samples)

    def words(self, first: float, last: float) -> list[str]:
        """Return what happened from step ``first`` to ``last``, a translated line each."""
        return [
            line
            for kind in MarkKind
            for step in self.steps(kind)
            if first <= step <= last
            for line in self._lines(kind, step)
        ]

    def feed(self, event: Event) -> None:
        """Take in one event; those that mark nothing are ignored."""
        match event:
            case StepDone():
                if event.epoch != next(reversed(self._epochs.values()), None):
                    self._epochs[event.step] = event.epoch
            case CheckpointSaved():
                self._saved.setdefault(event.step, []).append(Path(event.path).name)
            case SampleReady():
                self._samples[event.step] = self._samples.get(event.step, 0) + 1

    def drop_beyond(self, step: int) -> None:
        """Forget what happened after ``step``."""
        for marks in (self._epochs, self._saved, self._samples):
            for marked in [marked for marked in marks if marked > step]:
                del marks[marked]

    def clear(self) -> None:
        """Forget the run."""
        self.drop_beyond(-1)

    def _lines(self, kind: MarkKind, step: int) -> list[str]:
        match kind:
            case MarkKind.EPOCH:
                template = T("App", "Step {step}: epoch {epoch} begins")
                return [shown(template, step=step, epoch=self._epochs[step])]
            case MarkKind.SAVE:
                template = T("App", "Step {step}: {name} saved")
                return [shown(template, step=step, name=name) for name in self._saved[step]]
            case MarkKind.SAMPLE:
                template = T("App", "Step {step}: sample pictures: {count}")
                return [shown(template, step=step, count=self._samples[step])]
