"""What a run is doing, in words."""

from __future__ import annotations

from desktop_app.process.run_control import RunControl
from desktop_app.translation import shown
from trainer_core.texts import T

PHASES = {
    "idle": T("App", "Nothing is running"),
    "starting": T("App", "Starting the trainer"),
    "loading": T("App", "Loading the model"),
    "caching": T("App", "Preparing pictures"),
    "training": T("App", "Training"),
    "sampling": T("App", "Drawing samples"),
    "validating": T("App", "Measuring the validation loss"),
    "saving": T("App", "Saving"),
    "paused": T("App", "Paused – F6 goes on"),
    "ended": T("App", "Ending"),
}
_STEPPING = ("training", "paused", "sampling", "validating")  # a stop waits for the step at hand


def phase_words(run: RunControl) -> str:
    """Return what the run does now, or how it is being stopped."""
    if run.full_disk is not None and run.phase == "paused" and not run.is_stopping:
        return shown(T("App", "Paused: the disk is full"))
    if not run.is_stopping:
        return shown(PHASES.get(run.phase, PHASES["training"]))
    if not run.stops_with_saving:
        return shown(T("App", "Stopping without saving"))
    if run.phase == "saving":
        return shown(T("App", "Stopping: saving"))
    if run.phase in _STEPPING:
        return shown(T("App", "Stopping: finishing the step, then saving"))
    return shown(T("App", "Stopping"))
