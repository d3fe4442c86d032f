"""TensorBoard files of a run, under the tags that users of other trainers know."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trainer_core.catalogue.families import PARTS
from trainer_core.files.writing import output_error
from trainer_core.protocol.messages import EventBase, StepDone, Validated

_SMOOTHING = 0.99  # weight of the past in the running mean


class TensorBoardLog:
    """Listens to events and writes losses, rates and gradient norms.

    Raises:
        OutputError: The folder cannot be written to.
    """

    def __init__(self, folder: Path, *, from_step: int) -> None:
        # Imported only when logs are wanted: it takes a second.
        from torch.utils.tensorboard import SummaryWriter

        purge = from_step + 1 if from_step else None
        try:
            self._writer: Any = SummaryWriter(str(folder), purge_step=purge)
        except OSError as error:
            raise output_error(error, folder) from error
        self._average: float | None = None

    def __call__(self, event: EventBase) -> None:
        """Write what the event tells of a step."""
        if isinstance(event, Validated) and event.loss is not None:
            self._writer.add_scalar("loss/validation", event.loss, event.step)
        if not isinstance(event, StepDone):
            return
        rates = event.learning_rates.items()
        values = {PARTS[name].tag if name in PARTS else f"lr/{name}": rate for name, rate in rates}
        if event.loss is not None:
            last = event.loss if self._average is None else self._average
            self._average = _SMOOTHING * last + (1 - _SMOOTHING) * event.loss
            values |= {"loss/current": event.loss, "loss/average": self._average}
        if event.grad_norm is not None:
            values["grad_norm"] = event.grad_norm
        measures = event.measures.items()
        values |= {f"measure/{name}": value for name, value in measures if value is not None}
        for tag, value in values.items():
            self._writer.add_scalar(tag, value, event.step)

    def close(self) -> None:
        """Write what is pending and close the files."""
        self._writer.close()
