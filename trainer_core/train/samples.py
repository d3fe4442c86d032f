"""Drawing the sample pictures of a run, told as events; a failed picture never ends the run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from trainer_core.checkpoints.state import Position
from trainer_core.events.emitter import Emitter
from trainer_core.prompts.file import SamplePrompt
from trainer_core.protocol.messages import Phase, SampleReady
from trainer_core.sampling.pictures import Picture
from trainer_core.sampling.preview import Preview


@dataclass(frozen=True, slots=True)
class SampleDrawer:
    """Draws all prompts with the weights as they are."""

    preview: Preview
    prompts: Sequence[SamplePrompt]
    folder: Path
    emitter: Emitter
    is_stopping: Callable[[], bool]

    def __call__(self, position: Position) -> None:
        """Draw the pictures of ``position``, if there are prompts; the phase stays sampling."""
        if not self.prompts:
            return
        self.emitter.emit(Phase(phase="sampling"))
        drawn = self.preview.draw(
            self.prompts,
            folder=self.folder,
            step=position.step,
            replace=True,  # the folder is the run's own
            is_stopping=self.is_stopping,
        )
        for result in drawn:
            if isinstance(result, Picture):
                self.emitter.emit(_ready(result, position))
            else:
                self.emitter.warn(result.message)


def _ready(picture: Picture, position: Position) -> SampleReady:
    return SampleReady(
        step=position.step,
        epoch=position.epoch,
        prompt_index=picture.prompt_index,
        prompt=picture.prompt[:1000],
        path=str(picture.path),
        seed=picture.seed,
    )
