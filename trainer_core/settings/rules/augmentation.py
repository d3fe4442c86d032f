"""Rules of what varies pictures, and of masks."""

from __future__ import annotations

from collections.abc import Iterator

from trainer_core.settings.document import to_raw
from trainer_core.settings.problems import Problem, Severity, Suggestion
from trainer_core.settings.schema import TRAIN, Facts, Rules, TrainSettings
from trainer_core.texts import T, text

_VARYING = ("color_aug", "random_crop", "face_crop_aug_range")


def variation_of_cached_latents(settings: TrainSettings, facts: Facts) -> Iterator[Problem]:
    """Refuse to vary pictures that are encoded once for all (guide-facts 53)."""
    if not settings.cache.cache_latents:
        return
    for name in _VARYING:
        param = TRAIN.params()[f"augmentation.{name}"]
        if not settings.get(param.path) or TRAIN.idle(param, settings.get, facts) is not None:
            continue
        template = T("Problems", "{name} has no effect on latents that are cached.")
        hint = Suggestion(
            text(T("Problems", "Do not cache latents.")), {"cache.cache_latents": False}
        )
        other = Suggestion(
            text(T("Problems", "Switch it off.")), {param.path: to_raw(param, param.default)}
        )
        message = text(template, name=name)
        yield Problem(param.path, Severity.ERROR, message, hint, other_ways=(other,))


def masks_of_masked_loss(settings: TrainSettings, facts: Facts) -> Iterator[Problem]:
    """Require that a masked loss has masks, of the run or of a subset."""
    pictures = settings.augmentation
    path = "augmentation.masked_loss"
    own = [table.own for table in settings.dataset.subsets]
    sources: list[object] = [pictures.conditioning_data_dir, pictures.alpha_mask]
    sources += [each.get(name) for each in own for name in ("conditioning_data_dir", "alpha_mask")]
    if pictures.masked_loss and not any(sources):
        message = text(T("Problems", "There are no masks: choose a mask folder."))
        hint = Suggestion(
            text(T("Problems", "Take the transparency of the pictures.")),
            {"augmentation.alpha_mask": True},
        )
        other = Suggestion(text(T("Problems", "Learn whole pictures.")), {path: False})
        yield Problem(path, Severity.ERROR, message, hint, other_ways=(other,))


def order_of_face_sizes(settings: TrainSettings, facts: Facts) -> Iterator[Problem]:
    """Require that the smaller of two numbers comes first."""
    faces = settings.augmentation.face_crop_aug_range
    if faces is not None and faces[0] > faces[1]:
        path = "augmentation.face_crop_aug_range"
        message = text(T("Problems", "The smaller number comes first."))
        hint = Suggestion(
            text(T("Problems", "Exchange the two numbers.")), {path: [faces[1], faces[0]]}
        )
        yield Problem(path, Severity.ERROR, message, hint)


RULES: Rules = (variation_of_cached_latents, masks_of_masked_loss, order_of_face_sizes)
