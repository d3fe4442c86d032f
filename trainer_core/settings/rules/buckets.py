"""Rules of the sizes that pictures are trained at."""

from __future__ import annotations

from collections.abc import Iterator

from trainer_core.catalogue.families import TRAINABLE
from trainer_core.settings.problems import Problem, Severity, Suggestion, better_value
from trainer_core.settings.schema import TRAIN, Facts, Rules, TrainSettings
from trainer_core.texts import T, text


def bucket_limits(settings: TrainSettings, facts: Facts) -> Iterator[Problem]:
    """Refuse bucket limits that shut out the resolution (behaviours 1) or come to nothing."""
    buckets = settings.buckets
    step = buckets.bucket_reso_steps
    shorter, longer = sorted(buckets.resolution)
    if not buckets.enable_bucket or buckets.bucket_no_upscale or step > shorter:
        return
    if buckets.min_bucket_reso < step:
        template = T("Problems", "Smallest bucket side is below the bucket step, {side} px.")
        yield better_value("buckets.min_bucket_reso", step, text(template, side=step))
    elif buckets.min_bucket_reso // step * step > shorter:
        template = T("Problems", "Smallest bucket side is above the resolution's {side} px.")
        yield better_value("buckets.min_bucket_reso", shorter, text(template, side=shorter))
    if -(-buckets.max_bucket_reso // step) * step < longer:
        template = T("Problems", "Largest bucket side is below the resolution's {side} px.")
        yield better_value("buckets.max_bucket_reso", longer, text(template, side=longer))


def bucket_step(settings: TrainSettings, facts: Facts) -> Iterator[Problem]:
    """Require sides that the U-Net can halve, by the family's step (behaviours 6)."""
    buckets = settings.buckets
    step, shorter = buckets.bucket_reso_steps, min(buckets.resolution)
    side_step = _side_step(settings.known_family(facts))
    if not buckets.enable_bucket:
        yield from _sides_without_buckets(buckets.resolution)
    elif step % side_step:
        template = T("Problems", "The bucket step must be a multiple of {step} for this family.")
        message = text(template, step=side_step)
        yield better_value("buckets.bucket_reso_steps", side_step, message)
    elif step > shorter:
        template = T("Problems", "The bucket step is above the resolution's {side} px.")
        message = text(template, side=shorter)
        yield better_value("buckets.bucket_reso_steps", side_step, message)


def resolution_of_the_family(settings: TrainSettings, facts: Facts) -> Iterator[Problem]:
    """Say that the resolution was left as it is for a family that learned with another one."""
    path, family = "buckets.resolution", settings.known_family(facts)
    if family is None or settings.get(path) != TRAIN.params()[path].default:
        return
    entry = TRAINABLE[family]
    if entry.resolution != settings.get(path):
        width, height = entry.resolution
        template = T("Problems", "{family} learned with pictures of {width} x {height} px.")
        message = text(template, family=entry.label, width=width, height=height)
        words = text(T("Problems", "Use {width} x {height}."), width=width, height=height)
        yield Problem(path, Severity.NOTICE, message, Suggestion(words, {path: [width, height]}))


def _side_step(family: str | None) -> int:
    """Return the family's step; the smallest of all where the family is still to be detected."""
    if family is None:
        return min(entry.side_step for entry in TRAINABLE.values())
    return TRAINABLE[family].side_step


def _sides_without_buckets(resolution: tuple[int, int]) -> Iterator[Problem]:
    if any(side % 8 for side in resolution):
        sides = [side // 8 * 8 for side in resolution]
        message = text(T("Problems", "Without buckets both sides must be multiples of 8 px."))
        hint = Suggestion(
            text(T("Problems", "Use {width} x {height}."), width=sides[0], height=sides[1]),
            {"buckets.resolution": sides},
        )
        yield Problem("buckets.resolution", Severity.ERROR, message, hint)


def upscaling_without_buckets(settings: TrainSettings, facts: Facts) -> Iterator[Problem]:
    """Say that small pictures are enlarged without buckets, though the default is not to."""
    buckets = settings.buckets
    if buckets.bucket_no_upscale and not buckets.enable_bucket:
        template = T("Problems", "{name} has no effect without buckets.")
        message = text(template, name="bucket_no_upscale")
        hint = text(T("Problems", "Enable buckets, or let small pictures be enlarged."))
        suggestion = Suggestion(hint, {"buckets.enable_bucket": True})
        yield Problem("buckets.bucket_no_upscale", Severity.NOTICE, message, suggestion)


RULES: Rules = (
    bucket_limits,
    bucket_step,
    resolution_of_the_family,
    upscaling_without_buckets,
)
