"""Rules of pictures, captions and buckets."""

from __future__ import annotations

from collections.abc import Iterator

from trainer_core.catalogue.families import TRAINABLE
from trainer_core.settings.folder_repeats import parse_entry
from trainer_core.settings.problems import Problem, Severity, Suggestion, better_value
from trainer_core.settings.schema import Facts, Rules, TrainSettings
from trainer_core.texts import T, text

MANY_REPEATS = 10_000
"""Above it a number of repeats is told of."""


def caption_extension(settings: TrainSettings, facts: Facts) -> Iterator[Problem]:
    """Refuse a caption extension that would lead to another folder."""
    extension = settings.dataset.caption_extension
    if "/" in extension or "\\" in extension:
        template = T("Problems", "The caption extension {value} is a path.")
        yield better_value("dataset.caption_extension", "auto", text(template, value=extension))


def folder_repeats(settings: TrainSettings, facts: Facts) -> Iterator[Problem]:
    """Refuse entries that do not say how often which folder is shown."""
    path, entries = "dataset.folder_repeats", settings.dataset.folder_repeats
    for entry in entries:
        if parse_entry(entry) is None:
            template = T("Problems", "{entry} does not say how often which folder is shown.")
            hint = text(T("Problems", "Write it as 10_cat=5, or remove it."))
            rest = [other for other in entries if other != entry]
            suggestion = Suggestion(hint, {path: rest})
            yield Problem(path, Severity.ERROR, text(template, entry=entry), suggestion)


def bucket_limits(settings: TrainSettings, facts: Facts) -> Iterator[Problem]:
    """Refuse bucket limits that shut out the resolution (behaviours 1) or come to nothing."""
    pictures = settings.dataset
    step = pictures.bucket_reso_steps
    shorter, longer = sorted(pictures.resolution)
    if not pictures.enable_bucket or pictures.bucket_no_upscale or step > shorter:
        return
    if pictures.min_bucket_reso < step:
        template = T("Problems", "Smallest bucket side is below the bucket step, {side} px.")
        yield better_value("dataset.min_bucket_reso", step, text(template, side=step))
    elif pictures.min_bucket_reso // step * step > shorter:
        template = T("Problems", "Smallest bucket side is above the resolution's {side} px.")
        yield better_value("dataset.min_bucket_reso", shorter, text(template, side=shorter))
    if -(-pictures.max_bucket_reso // step) * step < longer:
        template = T("Problems", "Largest bucket side is below the resolution's {side} px.")
        yield better_value("dataset.max_bucket_reso", longer, text(template, side=longer))


def bucket_step(settings: TrainSettings, facts: Facts) -> Iterator[Problem]:
    """Require sides that the U-Net can halve, by the family's step (behaviours 6)."""
    pictures = settings.dataset
    step, shorter = pictures.bucket_reso_steps, min(pictures.resolution)
    side_step = _side_step(settings.model.family)
    if not pictures.enable_bucket:
        yield from _sides_without_buckets(pictures.resolution)
    elif step % side_step:
        template = T("Problems", "The bucket step must be a multiple of {step} for this family.")
        message = text(template, step=side_step)
        yield better_value("dataset.bucket_reso_steps", side_step, message)
    elif step > shorter:
        template = T("Problems", "The bucket step is above the resolution's {side} px.")
        message = text(template, side=shorter)
        yield better_value("dataset.bucket_reso_steps", side_step, message)


def _side_step(family: str) -> int:
    """Return the family's step; the smallest of all where the family is still to be detected."""
    entry = TRAINABLE.get(family)
    return entry.side_step if entry else min(each.side_step for each in TRAINABLE.values())


def _sides_without_buckets(resolution: tuple[int, int]) -> Iterator[Problem]:
    if any(side % 8 for side in resolution):
        sides = [side // 8 * 8 for side in resolution]
        message = text(T("Problems", "Without buckets both sides must be multiples of 8 px."))
        hint = Suggestion(
            text(T("Problems", "Use {width} x {height}."), width=sides[0], height=sides[1]),
            {"dataset.resolution": sides},
        )
        yield Problem("dataset.resolution", Severity.ERROR, message, hint)


def upscaling_without_buckets(settings: TrainSettings, facts: Facts) -> Iterator[Problem]:
    """Say that small pictures are enlarged without buckets, though the default is not to."""
    pictures = settings.dataset
    if pictures.bucket_no_upscale and not pictures.enable_bucket:
        template = T("Problems", "{name} has no effect without buckets.")
        message = text(template, name="bucket_no_upscale")
        hint = text(T("Problems", "Enable buckets, or let small pictures be enlarged."))
        suggestion = Suggestion(hint, {"dataset.enable_bucket": True})
        yield Problem("dataset.bucket_no_upscale", Severity.NOTICE, message, suggestion)


def many_repeats(settings: TrainSettings, facts: Facts) -> Iterator[Problem]:
    """Warn of a number of repeats that is more likely a slip than meant."""
    repeats = settings.dataset.dataset_repeats
    if repeats > MANY_REPEATS:
        message = text(
            T("Problems", "{repeats} [repeats:repeat makes|repeats make] a very long epoch."),
            repeats=repeats,
        )
        hint = Suggestion(text(T("Problems", "Use fewer repeats and more epochs.")))
        yield Problem("dataset.dataset_repeats", Severity.WARNING, message, hint)


RULES: Rules = (
    caption_extension,
    folder_repeats,
    bucket_limits,
    bucket_step,
    upscaling_without_buckets,
    many_repeats,
)
