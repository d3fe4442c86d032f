"""What an event of a run is worth saying in the log, in words."""

from __future__ import annotations

from pathlib import Path

from trainer_core.protocol.messages import (
    CheckpointRemoved,
    CheckpointSaved,
    Event,
    Hello,
    Plan,
    Resumed,
    SampleReady,
    Warned,
)
from trainer_core.texts import T, Text, text

_BYTES_PER_MIB = 2**20


def words_of(event: Event) -> Text | None:
    """Return a line for the log, None for an event that is shown elsewhere or too often."""
    match event:
        case Hello() if event.run_folder:
            return text(T("Events", "The run's folder is {folder}."), folder=event.run_folder)
        case Plan():
            return text(
                T("Events", "{pictures} pictures, {samples} per epoch, {steps} steps in all."),
                pictures=event.pictures,
                samples=event.showings_per_epoch,
                steps=event.total_steps,
            )
        case Resumed():
            return text(T("Events", "Going on after step {step}."), step=event.from_step)
        case CheckpointSaved():
            return _saved(event)
        case CheckpointRemoved():
            return text(T("Events", "Removed {name}."), name=Path(event.path).name)
        case SampleReady():
            template = T("Events", "Sample after step {step}: {prompt}")
            if event.step == 0:
                template = T("Events", "Sample before training: {prompt}")
            return text(template, step=event.step, prompt=event.prompt)
        case Warned():
            return event.message.text()
    return None


def _saved(event: CheckpointSaved) -> Text:
    return text(
        T("Events", "Saved {name} ({size} MiB) after step {step}."),
        name=Path(event.path).name,
        size=f"{event.size_bytes / _BYTES_PER_MIB:.1f}",
        step=event.step,
    )
