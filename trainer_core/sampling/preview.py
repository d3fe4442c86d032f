"""Draw sample pictures with the model as it is now, without disturbing its training.

Shapes: B batch, C channels, H height, W width, T tokens, D features.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import StableDiffusionPipeline
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from torch import Tensor, nn

from trainer_core.errors import NumericError
from trainer_core.files.writing import publish_file
from trainer_core.prompts.file import SamplePrompt, side_to_draw
from trainer_core.sampling.samplers import build_sampler, silent_library
from trainer_core.seeds import derived_seed
from trainer_core.texts import T, Text, text


@dataclass(frozen=True, slots=True)
class PreviewModel:
    """What a picture is drawn with: the modules that are being trained.

    ``encode_prompts`` turns texts into features BTD just as training does, clip skip included.
    """

    unet: Any
    vae: Any
    text_encoder: nn.Module
    encode_prompts: Callable[[Sequence[str]], Tensor]
    scheduler_config: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PreviewDefaults:
    """What holds for prompts that say nothing else; ``notes`` are added to each picture's text."""

    sampler: str
    width_px: int
    height_px: int
    run_seed: int
    notes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Picture:
    """A sample picture that was written, with the settings that drew it."""

    prompt_index: int
    prompt: str
    negative_prompt: str
    width_px: int
    height_px: int
    seed: int
    steps: int
    scale: float
    sampler: str
    path: Path


@dataclass(frozen=True, slots=True)
class Failure:
    """A prompt that could not be drawn, and why."""

    prompt_index: int
    message: Text


class Preview:
    """Draws prompts, again and again, with the same seeds: what differs is the training."""

    def __init__(
        self,
        model: PreviewModel,
        defaults: PreviewDefaults,
        *,
        device: torch.device,
        autocast: Callable[[], contextlib.AbstractContextManager[Any]] = contextlib.nullcontext,
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
    ) -> Iterator[Picture | Failure]:
        """Draw and write one picture after another; between two, training is undisturbed.

        Args:
            prompts: What to draw.
            folder: Where the files go, named by step, index of the prompt, and seed.
            step: The optimizer step, for the names.
            replace: Whether files of these names may be replaced (a resumed run's own).
            is_stopping: Asked between sampling steps; True ends the drawing there.
        """
        for index, prompt in enumerate(prompts):
            if is_stopping():
                return
            try:
                picture = self._planned(index, prompt, folder=folder, step=step)
                with _undisturbed(self._modules(), self._device), torch.no_grad():
                    image = self._draw(picture, is_stopping)
                if image is None:
                    return
                self._write(image, picture, replace=replace)
            except Exception as error:  # noqa: BLE001 - a sample picture must not end the run
                message = T("Events", "Sample picture {number} could not be drawn: {reason}")
                yield Failure(index, text(message, number=index + 1, reason=error))
            else:
                yield picture

    def _planned(self, index: int, prompt: SamplePrompt, *, folder: Path, step: int) -> Picture:
        defaults = self._defaults
        seed = prompt.seed
        if seed is None:
            seed = derived_seed(defaults.run_seed, "sample", index) % 2**32
        return Picture(
            prompt_index=index,
            prompt=prompt.prompt,
            negative_prompt=prompt.negative_prompt,
            width_px=side_to_draw(prompt.width_px or defaults.width_px),
            height_px=side_to_draw(prompt.height_px or defaults.height_px),
            seed=seed,
            steps=prompt.steps,
            scale=prompt.scale,
            sampler=prompt.sampler or defaults.sampler,
            path=folder / f"{step:08d}_{index:02d}_{seed}.png",
        )

    def _modules(self) -> tuple[nn.Module, ...]:
        return self._model.unet, self._model.vae, self._model.text_encoder

    def _draw(self, picture: Picture, is_stopping: Callable[[], bool]) -> Image.Image | None:
        """Return the picture, or None if it was interrupted."""
        with self._autocast(), silent_library():
            latents_BCHW, was_stopped = self._sample(picture, is_stopping)
        return None if was_stopped else self._decode(latents_BCHW)

    def _sample(self, picture: Picture, is_stopping: Callable[[], bool]) -> tuple[Tensor, bool]:
        features_BTD = self._model.encode_prompts([picture.prompt, picture.negative_prompt])
        generator = torch.Generator().manual_seed(picture.seed)
        pipeline = self._pipeline(picture.sampler)

        def after_step(pipe: Any, index: int, timestep: object, tensors: dict[str, Any]) -> Any:
            pipe._interrupt = is_stopping()  # diffusers' documented way to end the loop
            return tensors

        latents_BCHW: Tensor = pipeline(
            prompt_embeds=features_BTD[:1],
            negative_prompt_embeds=features_BTD[1:],
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

    def _pipeline(self, sampler: str) -> Any:
        # The pipeline would set these two itself, with a warning, where an old base lacks them.
        config = {**self._model.scheduler_config, "steps_offset": 1, "clip_sample": False}
        pipeline = StableDiffusionPipeline(
            vae=None,
            text_encoder=None,
            tokenizer=None,
            unet=self._model.unet,
            scheduler=build_sampler(sampler, config),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
        pipeline.set_progress_bar_config(disable=True)
        return pipeline

    def _noise(self, picture: Picture, generator: torch.Generator) -> Tensor:
        """Draw in 32 bit on the CPU, so that a seed means the same on every machine."""
        factor = 2 ** (len(self._model.vae.config.block_out_channels) - 1)
        shape = (picture.height_px // factor, picture.width_px // factor)
        noise_BCHW = torch.randn(
            (1, self._model.unet.config.in_channels, *shape), generator=generator
        )
        return noise_BCHW.to(self._model.unet.dtype)

    def _decode(self, latents_BCHW: Tensor) -> Image.Image:
        vae = self._model.vae
        home = vae.device
        try:
            vae.to(self._device)
            scaled_BCHW = latents_BCHW.to(vae.dtype) / vae.config.scaling_factor
            pixels_CHW = vae.decode(scaled_BCHW).sample[0].float()
        finally:
            vae.to(home)
        if not pixels_CHW.isfinite().all():
            raise NumericError(T("Errors", "the picture holds values that are no numbers"))
        levels_CHW = ((pixels_CHW / 2 + 0.5).clamp(0, 1) * 255).round().to(torch.uint8)
        return Image.fromarray(levels_CHW.permute(1, 2, 0).cpu().numpy())

    def _write(self, image: Image.Image, picture: Picture, *, replace: bool) -> None:
        info = PngInfo()
        info.add_text("parameters", describe(picture, self._defaults.notes))
        publish_file(
            picture.path,
            lambda file: image.save(file, format="PNG", pnginfo=info),
            replace=replace,
        )


def describe(picture: Picture, notes: Mapping[str, str]) -> str:
    """Return the settings of a picture as A1111 writes and reads them in a PNG."""
    settings = {
        "Steps": picture.steps,
        "Sampler": picture.sampler,
        "CFG scale": picture.scale,
        "Seed": picture.seed,
        "Size": f"{picture.width_px}x{picture.height_px}",
        **notes,
    }
    lines = [picture.prompt]
    if picture.negative_prompt:
        lines.append(f"Negative prompt: {picture.negative_prompt}")
    lines.append(", ".join(f"{name}: {value}" for name, value in settings.items()))
    return "\n".join(lines)


@contextlib.contextmanager
def _undisturbed(modules: Sequence[nn.Module], device: torch.device) -> Iterator[None]:
    """Put the modules in evaluation mode; give back modes and random generators as they were."""
    python_state, numpy_state = random.getstate(), np.random.get_state()
    is_training = {part: part.training for module in modules for part in module.modules()}
    try:
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            for module in modules:
                module.eval()
            yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)
        for part, flag in is_training.items():
            part.training = flag
