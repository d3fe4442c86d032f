"""Drawing the sample pictures of a run, told as events; a failed picture never ends the run."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer_core.checkpoints.state import Position
from trainer_core.disk_space.sizes import picture_bytes
from trainer_core.events.emitter import Emitter
from trainer_core.families.base import Family, lent
from trainer_core.files.run_folder import RunFolder
from trainer_core.optim.modes import Evaluation
from trainer_core.pipeline.texts import TextStore
from trainer_core.prompts.file import SamplePrompt
from trainer_core.protocol.messages import Phase, SampleReady
from trainer_core.runtime.device import Machine
from trainer_core.sampling.pictures import Picture, PreviewDefaults
from trainer_core.sampling.preview import Preview, PreviewModel
from trainer_core.train.building import vae_dtype
from trainer_core.train.full_disk.waiting import WithRoom, at_once
from trainer_core.train.inputs import RunInputs
from trainer_core.train.run_start import RunStart

Autocast = Callable[[], AbstractContextManager[Any]]


@dataclass(frozen=True, slots=True)
class SampleDrawer:
    """Draws all prompts with the weights as they are; ``with_room`` waits where a disk is full."""

    preview: Preview
    prompts: Sequence[SamplePrompt]
    folder: Path
    emitter: Emitter
    is_stopping: Callable[[], bool]
    evaluation: Evaluation
    with_room: WithRoom = at_once

    def __call__(self, position: Position) -> None:
        """Draw the pictures of ``position``, if there are prompts; the phase stays sampling.

        Raises:
            OutputError: The run's folder is gone, or its disk is full and nobody is to wait for
                room.
            StopRequested: Likewise, and nothing is to be saved.
        """
        if not self.prompts:
            return
        RunFolder.at(self.folder.parent).require()
        self.emitter.emit(Phase(phase="sampling"))
        with self.evaluation():
            self._draw(position)

    def has_drawn(self, position: Position, names: Collection[str]) -> bool:
        """Tell whether all pictures of ``position`` are there and among the ``names`` of events."""
        paths = self.preview.paths(self.prompts, folder=self.folder, step=position.step)
        return all(path.name in names and path.is_file() for path in paths)

    def _draw(self, position: Position) -> None:
        drawn = self.preview.draw(
            self.prompts,
            folder=self.folder,
            step=position.step,
            replace=True,  # the folder is the run's own
            is_stopping=self.is_stopping,
            writing=self._write,
        )
        for result in drawn:
            if isinstance(result, Picture):
                self.emitter.emit(_ready(result, position))
            else:
                self.emitter.warn(result.message)

    def _write(self, write_picture: Callable[[], None], picture: Picture) -> None:
        self.with_room(
            write_picture,
            phase="sampling",
            num_bytes=lambda: picture_bytes(picture.width_px, picture.height_px),
        )


def _ready(picture: Picture, position: Position) -> SampleReady:
    return SampleReady(
        step=position.step,
        epoch=position.epoch,
        prompt_index=picture.prompt_index,
        prompt=picture.prompt[:1000],
        path=str(picture.path),
        seed=picture.seed,
    )


def sample_drawer(
    inputs: RunInputs,
    start: RunStart,
    family: Family,
    texts: TextStore,
    *,
    machine: Machine,
    autocast: Autocast,
    emitter: Emitter,
    is_stopping: Callable[[], bool],
    evaluation: Evaluation,
) -> SampleDrawer:
    """Return what draws the run's prompts with the parts that are being trained.

    Args:
        inputs: The prompts, and what the settings say of them.
        start: The folder for the pictures, and the seed.
        family: Its image decoder is loaded for each round of pictures and released after it.
        texts: The prompts' conditions.
        machine: Where it is drawn, and in which number format.
        autocast: The context that it is computed in.
        emitter: Told of every picture.
        is_stopping: Asked between sampling steps.
        evaluation: The context in which the trained weights are those to be drawn with.
    """
    settings, entry, image_part = inputs.settings, family.entry, family.image_part
    device, dtype = machine.device, vae_dtype(settings, machine)
    width_px, height_px = settings.buckets.resolution
    parts = (entry.denoiser, image_part, *entry.text_encoders)
    model = PreviewModel(
        family=family,
        modules=[family.module(part) for part in parts],
        conditions=texts,
        lend_decoder=lambda: lent(family, image_part, dtype=dtype, device=device),
    )
    defaults = PreviewDefaults(
        sampler=settings.sampling.sample_sampler,
        width_px=width_px,
        height_px=height_px,
        run_seed=start.seed,
        max_side_px=settings.sampling.sample_max_side,
        notes={
            settings.method.note: settings.output.output_name,
            "Clip skip": str(settings.model.clip_skip),
        },
    )
    return SampleDrawer(
        preview=Preview(model, defaults, device=device, autocast=autocast),
        prompts=inputs.prompts,
        folder=start.folder.samples,
        emitter=emitter,
        is_stopping=is_stopping,
        evaluation=evaluation,
    )
