"""Draw sample pictures with the model as it is now, without disturbing its training.

Shapes: B batch, C channels, H height, W width.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import torch
from PIL import Image
from torch import Tensor, nn

from trainer_core.errors import DiskFull, NumericError, StopRequested
from trainer_core.families.condition import Condition, SampleFacts
from trainer_core.prompts.file import SamplePrompt
from trainer_core.runtime.draws import undisturbed
from trainer_core.sampling.pictures import (
    Failure,
    Picture,
    PreviewDefaults,
    planned,
    write_picture,
)
from trainer_core.sampling.samplers import build_sampler, silent_library
from trainer_core.texts import T, text


class PreviewFamily(Protocol):
    """What drawing asks of a base model; see `trainer_core.families.base.Family`."""

    @property
    def pixels_per_latent(self) -> int:
        """Picture rows and columns that one latent cell stands for."""
        ...

    @property
    def latent_channels(self) -> int:
        """Channels of a latent."""
        ...

    @property
    def sampler_config(self) -> Mapping[str, Any]:
        """Settings from which a pipeline's scheduler is built."""
        ...

    def pipeline(self, scheduler: Any) -> Any:
        """Return the diffusers pipeline from conditions to latents."""
        ...

    def with_sizes(self, condition: Condition, facts: Sequence[SampleFacts]) -> Condition:
        """Return the condition with what the denoiser is told of each picture's size and crop."""
        ...

    def pipeline_inputs(self, positive: Condition, negative: Condition) -> Mapping[str, object]:
        """Return the pipeline's arguments for what should and what should not be there.

        Tensors are those of the conditions: their type and device.
        """
        ...

    def decode_latents(self, latents_BCHW: Tensor) -> Tensor:
        """Return the pictures BCHW of latents, float32, about in [-1, 1], on their device."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewModel:
    """What a picture is drawn with.

    Attributes:
        family: The base model, with whatever is trained on it.
        modules: Its networks, which are in evaluation mode while a picture is drawn.
        conditions: Gives what prompts tell the denoiser, just as training does, clip skip
            included, on the denoiser's device.
        lend_decoder: Has the image decoder on the device for as long as its context lasts.
    """

    family: PreviewFamily
    modules: Sequence[nn.Module]
    conditions: Callable[[Sequence[str]], Condition]
    lend_decoder: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext


#: Does what writes a picture.
Writing = Callable[[Callable[[], None], Picture], None]


def _at_once(write: Callable[[], None], picture: Picture) -> None:
    del picture
    write()


class Preview:
    """Draws prompts, again and again, with the same seeds: what differs is the training.

    Args:
        model: What draws; its networks are on ``device``, but for the decoder, which is lent.
        defaults: What holds where a prompt is silent.
        device: Where it is drawn.
        autocast: The context that captions and sampling are computed in; latents are float32, and
            the decoder computes in its own type, outside of it.
    """

    def __init__(
        self,
        model: PreviewModel,
        defaults: PreviewDefaults,
        *,
        device: torch.device,
        autocast: Callable[[], AbstractContextManager[Any]] = contextlib.nullcontext,
    ) -> None:
        self._model = model
        self._defaults = defaults
        self._device = device
        self._autocast = autocast

    def draw(
        self,
        prompts: Sequence[SamplePrompt],
        *,
        folder: Path,
        step: int,
        replace: bool = False,
        is_stopping: Callable[[], bool] = lambda: False,
        writing: Writing = _at_once,
    ) -> Iterator[Picture | Failure]:
        """Draw and write one picture after another; between two, training is undisturbed.

        Args:
            prompts: What to draw.
            folder: Where the files go, named by step, index of the prompt, and seed.
            step: The optimizer step, for the names.
            replace: Whether files of these names may be replaced (a resumed run's own).
            is_stopping: Asked between sampling steps; True ends the drawing there.
            writing: Does what writes a picture, and may do it again where a disk was full.
        """
        # The decoder comes with the first picture and stays until the last one.
        with ExitStack() as resources:
            for index, prompt in enumerate(prompts):
                if is_stopping():
                    return
                picture = planned(index, prompt, self._defaults, folder=folder, step=step)
                write = partial(self._write, picture, replace=replace, writing=writing)
                result = self._attempt(picture, is_stopping, resources, write)
                if result is None:
                    return
                yield result

    def paths(self, prompts: Sequence[SamplePrompt], *, folder: Path, step: int) -> list[Path]:
        """Return the files that `draw` writes."""
        return [
            planned(index, prompt, self._defaults, folder=folder, step=step).path
            for index, prompt in enumerate(prompts)
        ]

    def _attempt(
        self,
        picture: Picture,
        is_stopping: Callable[[], bool],
        resources: ExitStack,
        write: Callable[[Image.Image], None],
    ) -> Picture | Failure | None:
        """Draw and write a picture; return it, why it failed, or None if it was interrupted."""
        try:
            image = self._draw(picture, is_stopping, resources)
            if image is None:
                return None
            write(image)
        except StopRequested:
            raise
        except Exception as error:  # whatever it is: a sample picture must not end the run
            if isinstance(error, DiskFull) and error.is_decided:
                raise
            index = picture.prompt_index
            message = T("Events", "Sample picture {number} could not be drawn: {reason}")
            return Failure(index, text(message, number=index + 1, reason=error))
        return picture

    def _write(
        self, picture: Picture, image: Image.Image, *, replace: bool, writing: Writing
    ) -> None:
        notes = self._defaults.notes
        writing(lambda: write_picture(image, picture, notes, replace=replace), picture)

    def _draw(
        self, picture: Picture, is_stopping: Callable[[], bool], resources: ExitStack
    ) -> Image.Image | None:
        """Return the picture, or None if it was interrupted."""
        with undisturbed(self._model.modules, self._device), torch.no_grad():
            with self._autocast(), silent_library():
                latents_BCHW, was_stopped = self._sample(picture, is_stopping)
            if was_stopped:
                return None
            resources.enter_context(self._model.lend_decoder())
            return _as_image(self._model.family.decode_latents(latents_BCHW)[0])

    def _sample(self, picture: Picture, is_stopping: Callable[[], bool]) -> tuple[Tensor, bool]:
        family = self._model.family
        generator = torch.Generator().manual_seed(picture.seed)
        pipeline = family.pipeline(build_sampler(picture.sampler, family.sampler_config))
        pipeline.set_progress_bar_config(disable=True)

        def after_step(pipe: Any, index: int, timestep: object, tensors: dict[str, Any]) -> Any:
            pipe._interrupt = is_stopping()  # diffusers' documented way to end the loop
            return tensors

        latents_BCHW: Tensor = pipeline(
            **family.pipeline_inputs(*self._sized_conditions(picture).each()),
            width=picture.width_px,
            height=picture.height_px,
            num_inference_steps=picture.steps,
            guidance_scale=picture.scale,
            generator=generator,
            latents=self._noise(picture, generator),
            output_type="latent",
            callback_on_step_end=after_step,
        ).images
        return latents_BCHW, pipeline.interrupt

    def _sized_conditions(self, picture: Picture) -> Condition:
        """Return what prompt and negative prompt tell, for a picture that is whole, not cropped."""
        condition = self._model.conditions([picture.prompt, picture.negative_prompt])
        size = (picture.width_px, picture.height_px)
        return self._model.family.with_sizes(condition, [SampleFacts(size, size, False)] * 2)

    def _noise(self, picture: Picture, generator: torch.Generator) -> Tensor:
        """Draw in 32 bit on the CPU, so that a seed means the same on every machine."""
        family = self._model.family
        sides = (picture.height_px, picture.width_px)
        shape = [side // family.pixels_per_latent for side in sides]
        return torch.randn((1, family.latent_channels, *shape), generator=generator)


def _as_image(pixels_CHW: Tensor) -> Image.Image:
    """Return values in [-1, 1] as a picture.

    Raises:
        NumericError: A value is no number.
    """
    if not pixels_CHW.isfinite().all():
        raise NumericError(T("Errors", "the picture holds values that are no numbers"))
    levels_CHW = ((pixels_CHW / 2 + 0.5).clamp(0, 1) * 255).round().to(torch.uint8)
    return Image.fromarray(levels_CHW.permute(1, 2, 0).cpu().numpy())
