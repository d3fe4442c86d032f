"""What the trainer asks of a method: what is trained, and the file it becomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol, Self

import torch
from torch import Tensor, nn

from trainer_core.checkpoints.metadata import NetworkFacts
from trainer_core.families.base import Family
from trainer_core.settings.schema import TrainSettings
from trainer_core.texts import Text

Warn = Callable[[Text], None]


class TrainGroup(NamedTuple):
    """Weights that share a learning rate: float32, on the device of the run.

    ``name`` is the part's, or finer, such as one block's; charts and states tell groups by it.
    """

    name: str
    parameters: Sequence[nn.Parameter]
    rate: float


class Method(Protocol):
    """The one owner of what is trained. Built from the settings; then `prepare`, then `attach`."""

    @classmethod
    def of(cls, settings: TrainSettings) -> Self:
        """Read from the settings what is to be trained; nothing is opened yet."""
        ...

    def prepare(self, family: Family, *, seed: int | None, warn: Warn) -> None:
        """Make the trainable weights; the base model's may still be on the meta device.

        Args:
            family: The opened base model.
            seed: Decides the first values; None: they are only to be counted, and are made on
                torch's current default device.
            warn: Told what is not as the user may think.

        Raises:
            ModelFileError: Starting weights cannot be used.
        """
        ...

    def attach(self, device: torch.device) -> None:
        """Bring the trainable weights to ``device`` and let the base model use them.

        They stay float32 there, whatever the type of the base model.
        """
        ...

    def keeps_float32(self, part: str) -> bool:
        """Tell whether a part of the base model must be loaded in float32, whatever the run's type.

        As where its own weights are trained. Forward passes are then computed under autocast.
        """
        ...

    def trains(self, part: str) -> bool:
        """Tell whether anything in a part of the base model is trained.

        The outputs of a part that is not trained may be cached, and the part released.
        """
        ...

    def rates(self) -> Mapping[str, float]:
        """Return the learning rate of each part that the settings let train."""
        ...

    def groups(self) -> Sequence[TrainGroup]:
        """Return what the optimizer moves, in the order of its state."""
        ...

    def counts(self) -> Mapping[str, int]:
        """Return how many numbers are trained in each part; needs `prepare` alone."""
        ...

    def state(self) -> dict[str, Tensor]:
        """Return what a resumable state holds of the trained weights, by name.

        Float32, not copied but the weights themselves, wherever they are: to be written before the
        next step.
        """
        ...

    def load_state(self, tensors: Mapping[str, Tensor], name: str) -> None:
        """Copy the weights of a state of the run ``name``, from any device, to where ours are.

        Raises:
            ModelFileError: They do not fit.
        """
        ...

    def after_step(self) -> Mapping[str, Tensor]:
        """Do what is due after an optimizer step, and return measurements to be told by name.

        Such as capping weight norms. Each is one number on the device of the run, where it stays
        until the next step reads it together with its loss; in a team it is the same everywhere.
        """
        ...

    def write(
        self, target: Path, *, precision: str, metadata: Mapping[str, str], replace: bool
    ) -> None:
        """Write the result, as other programs load it, and read it back.

        Args:
            target: The final name; appears only when the file is complete.
            precision: The number format of its weights.
            metadata: Everything that the file says of itself, but for its hashes.
            replace: Whether a file of that name may be replaced.

        Raises:
            NumericError: A weight is not finite or does not fit into ``precision``.
            OutputError: The file cannot be written, or does not read back as it was.
        """
        ...

    def facts(self) -> NetworkFacts:
        """Return what only the method knows of the ``ss_network_`` entries, as it was built."""
        ...

    def used(self) -> Mapping[str, object]:
        """Return what its settings came to otherwise than their values say, by their paths."""
        ...
