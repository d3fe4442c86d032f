"""Sample pictures as they are written: their names, and what stands in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from trainer_core.files.writing import publish_file
from trainer_core.prompts.file import MAX_SIDE_PX, SamplePrompt, side_to_draw
from trainer_core.seeds import derived_seed
from trainer_core.texts import Text


@dataclass(frozen=True, slots=True)
class PreviewDefaults:
    """What holds for prompts that say nothing else.

    ``notes`` are added to each picture's text; no side that a prompt asks for goes beyond
    ``max_side_px``.
    """

    sampler: str
    width_px: int
    height_px: int
    run_seed: int
    max_side_px: int = MAX_SIDE_PX
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


def planned(
    index: int, prompt: SamplePrompt, defaults: PreviewDefaults, *, folder: Path, step: int
) -> Picture:
    """Return what a prompt asks for, and the file that it will become.

    Args:
        index: Of the prompt, from 0.
        prompt: What to draw.
        defaults: What holds where the prompt is silent.
        folder: Where the file goes.
        step: The optimizer step, for the name.
    """
    seed = prompt.seed
    if seed is None:
        seed = derived_seed(defaults.run_seed, "sample", index) % 2**32
    return Picture(
        prompt_index=index,
        prompt=prompt.prompt,
        negative_prompt=prompt.negative_prompt,
        width_px=_side(prompt.width_px, defaults.width_px, defaults.max_side_px),
        height_px=_side(prompt.height_px, defaults.height_px, defaults.max_side_px),
        seed=seed,
        steps=prompt.steps,
        scale=prompt.scale,
        sampler=prompt.sampler or defaults.sampler,
        path=folder / f"{step:08d}_{index:02d}_{seed}.png",
    )


def _side(asked_px: int | None, default_px: int, max_side_px: int) -> int:
    """Return a side to draw: the size of training, by default, has limits of its own."""
    if asked_px is None:
        return side_to_draw(default_px, max(default_px, max_side_px))
    return side_to_draw(asked_px, max_side_px)


def write_picture(
    image: Image.Image, picture: Picture, notes: Mapping[str, str], *, replace: bool
) -> None:
    """Write a PNG with its settings inside.

    Raises:
        OutputError: It cannot be written, or is there and may not be replaced.
    """
    info = PngInfo()
    info.add_text("parameters", describe(picture, notes))
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
