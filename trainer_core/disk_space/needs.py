"""The room that a run needs where it writes: what each kind of file takes, times their number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, cast

from trainer_core.catalogue.adapters import ADAPTERS, Shape
from trainer_core.catalogue.optimizers import OPTIMIZERS
from trainer_core.catalogue.precisions import SAVE_PRECISIONS
from trainer_core.dataset.survey import Survey
from trainer_core.disk_space.counts import Length, file_counts, rounds_of_samples
from trainer_core.disk_space.sizes import (
    latent_bytes,
    picture_bytes,
    record_bytes,
    state_bytes,
    weights_bytes,
)
from trainer_core.files.own_folders import cache_folder
from trainer_core.model_files.base_outline import BaseOutline
from trainer_core.prompts.file import SamplePrompt
from trainer_core.settings.schema import TRAIN, Facts, TrainSettings

BASE_OUTLINE = "base_outline"
"""The fact that holds what the base model is like, a `BaseOutline`."""
STARTING_SHAPES = "starting_shapes"
"""The fact that holds the shapes of the starting weights' tensors by part."""

OUTPUT, CACHE = "output.output_dir", "cache.cache_latents_to_disk"


class Need(NamedTuple):
    """Bytes that a run needs in a folder, which a setting (``section.name``) led to."""

    setting: str
    folder: Path
    num_bytes: int


def needs(
    settings: TrainSettings, facts: Facts, survey: Survey | None, prompts: Sequence[SamplePrompt]
) -> list[Need]:
    """Return what a run that begins anew needs at most at one time, folder by folder.

    In the output folder: ``weights x W + states x S + picture x prompts x rounds + records``; W and
    S are `file_counts`, the sizes those of `trainer_core.disk_space.sizes`. In the cache: every
    picture's latents, mirrored ones too; some may be there already, which nobody knows before the
    base model is read.

    Args:
        settings: Checked; paths are absolute.
        facts: With `BASE_OUTLINE`, and `STARTING_SHAPES` if there are starting weights.
        survey: The pictures, with a plan.
        prompts: What is drawn in each round.

    Returns:
        Nothing where not even the sizes are known: without a plan, without an outline, or with a
        choice whose entry in the catalogue does not tell.
    """
    outline = facts.get(BASE_OUTLINE)
    if survey is None or survey.plan is None or not isinstance(outline, BaseOutline):
        return []
    found = []
    results = _results(settings, facts, outline, survey)
    if settings.output.output_dir is not None and results is not None:
        plan = survey.plan
        length = Length(plan.total_steps, plan.steps_per_epoch, plan.epochs)
        pictures = rounds_of_samples(settings.sampling, length) * _round(settings, prompts)
        total = results + pictures + record_bytes(plan.total_steps)
        found.append(Need(OUTPUT, settings.output.output_dir, total))
    if settings.cache.cache_latents and settings.cache.cache_latents_to_disk:
        found.append(Need(CACHE, cache_folder(), _cache(outline, survey)))
    return found


def _results(
    settings: TrainSettings, facts: Facts, outline: BaseOutline, survey: Survey
) -> int | None:
    """Return the bytes of weights and states; None where they cannot be told."""
    shapes = trained_shapes(settings, facts, outline)
    remembered = OPTIMIZERS[settings.optimizer.optimizer_type].state_bytes
    assert survey.plan is not None, "asked by the caller"
    if shapes is None or remembered is None:
        return None
    plan, output = survey.plan, settings.output
    captions = {} if survey.audit is None else survey.audit.captions
    caption_bytes = sum(len(words.encode(errors="replace")) for words in captions.values())
    counts = file_counts(output, Length(plan.total_steps, plan.steps_per_epoch, plan.epochs))
    item_bytes = SAVE_PRECISIONS[output.save_precision].item_bytes
    return counts.weights * weights_bytes(shapes, item_bytes, caption_bytes) + (
        counts.states * state_bytes(shapes, remembered)
    )


def trained_shapes(
    settings: TrainSettings, facts: Facts, outline: BaseOutline
) -> tuple[Shape, ...] | None:
    """Return the shapes of all tensors in the result; None where they cannot be told.

    With the rank of starting weights these have the shapes; modules that are not trained here are
    counted too.
    """
    shapes_of = ADAPTERS[settings.adapter.LoRA_type].shapes
    has_adapters = TRAIN.idle(TRAIN.params()["adapter.LoRA_type"], settings.get, facts) is None
    if not has_adapters or shapes_of is None:
        return None
    trained = settings.trained_parts(settings.known_family(facts))
    parts = [part.name for part in trained if settings.rate_of(part) > 0]
    adapter = settings.adapter
    if adapter.network_weights is not None and adapter.dim_from_weights:
        theirs = facts.get(STARTING_SHAPES)
        if not isinstance(theirs, Mapping):
            return None
        by_part = cast("Mapping[str, tuple[Shape, ...]]", theirs)
        return tuple(shape for part in parts for shape in by_part.get(part, ()))
    layers = (layer for part in parts for layer in outline.layers.get(part, ()))
    return tuple(shape for layer in layers for shape in shapes_of(layer, adapter.network_dim))


def _round(settings: TrainSettings, prompts: Sequence[SamplePrompt]) -> int:
    """Return the bytes of one picture of each prompt."""
    sides, limit = settings.buckets.resolution, settings.sampling.sample_max_side
    return sum(
        picture_bytes(
            min(prompt.width_px or sides[0], max(limit, sides[0])),
            min(prompt.height_px or sides[1], max(limit, sides[1])),
        )
        for prompt in prompts
    )


def _cache(outline: BaseOutline, survey: Survey) -> int:
    assert survey.plan is not None, "asked by the caller"
    by_subset = survey.request.settings
    return sum(
        latent_bytes(
            *placement.bucket,
            channels=outline.latent_channels,
            pixels_per_latent=outline.pixels_per_latent,
        )
        * (2 if by_subset[key.subset].pictures.flip_aug else 1)
        for key, placement in survey.plan.placements.items()
    )
