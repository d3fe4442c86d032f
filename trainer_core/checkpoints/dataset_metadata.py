"""``ss_datasets``: what each data set and each of its folders was, where a run has several."""

from __future__ import annotations

from collections.abc import Mapping

from trainer_core.catalogue.interpolations import INTERPOLATIONS
from trainer_core.dataset.captions import tag_frequency
from trainer_core.dataset.index import Concept, DatasetIndex
from trainer_core.dataset.plan import Plan
from trainer_core.dataset.subsets import (
    SampleKey,
    SampleSettings,
    SettingsBySubset,
    data_sets,
)

DATASETS = "datasets"
"""The entry, without its ``ss_``; it stands instead of those of `OF_ONE_DATA_SET`.

What of the run's is never left out is decided by behaviours 16.
"""

OF_ONE_DATA_SET = frozenset(
    {
        *("batch_size_per_device", "enable_bucket"),
        *("min_bucket_reso", "max_bucket_reso", "bucket_no_upscale"),
        *("color_aug", "flip_aug", "random_crop", "shuffle_caption", "keep_tokens"),
        "reg_dataset_dirs",
    }
)


def datasets_entry(
    plan: Plan,
    index: DatasetIndex,
    captions: Mapping[SampleKey, str],
    settings: SettingsBySubset,
    *,
    batch_size: int,
    processes: int,
) -> list[dict[str, object]]:
    """Return the value of ``ss_datasets``. Source: metadata.json, "dataset config file".

    Args:
        plan: What the run does.
        index: The pictures.
        captions: Of every picture.
        settings: Those that act for each subset.
        batch_size: Of a process, where a subset has no other.
        processes: That share a batch.
    """
    groups = data_sets(settings)
    found: list[dict[str, object]] = []
    for group in dict.fromkeys(groups.values()):
        subsets = frozenset(subset for subset, number in groups.items() if number == group)
        part = DatasetIndex(tuple(root for root in index.roots if root.subset in subsets))
        if not part.concepts:
            continue
        of_first = settings[part.concepts[0].subset]
        own_size = of_first.train_batch_size
        counts = [count for count in plan.concepts if count.subset in subsets]
        found.append(
            {
                "is_dreambooth": True,
                "batch_size_per_device": batch_size if own_size is None else own_size // processes,
                "num_train_images": sum(c.samples for c in counts if not c.is_reg),
                "num_reg_images": sum(c.asked for c in counts if c.is_reg),
                **_sizes(of_first),
                "tag_frequency": tag_frequency(part, captions),
                "bucket_info": _bucket_info(plan, subsets, group, of_first),
                "resize_interpolation": _interpolation(of_first),
                "subsets": [
                    _folder(concept, settings[concept.subset]) for concept in part.concepts
                ],
            }
        )
    return found


def _sizes(settings: SampleSettings) -> dict[str, object]:
    rules = settings.rules
    low, high = rules.limits if rules.enable_bucket else (None, None)
    return {
        "resolution": list(rules.resolution),
        "enable_bucket": rules.enable_bucket,
        "min_bucket_reso": low,
        "max_bucket_reso": high,
    }


def _bucket_info(
    plan: Plan, subsets: frozenset[int], group: int, settings: SampleSettings
) -> dict[str, object] | None:
    if not settings.rules.enable_bucket:
        return None
    pools = [pool for pool in plan.pools if pool.data_set == group]
    errors = [abs(p.ar_error) for key, p in plan.placements.items() if key.subset in subsets]
    return {
        "buckets": {
            str(number): {"resolution": list(pool.resolution), "count": pool.samples}
            for number, pool in enumerate(pools)
        },
        "mean_img_ar_error": sum(errors) / len(errors) if errors else 0.0,
    }


def _interpolation(settings: SampleSettings) -> str | None:
    """Return None where each picture decides, which the reference trainer calls unset."""
    name = settings.pictures.resize_interpolation
    return None if INTERPOLATIONS[name].shrinking else name


def _folder(concept: Concept, settings: SampleSettings) -> dict[str, object]:
    captions, pictures = settings.captions, settings.pictures
    return {
        "img_count": len(concept.pictures),
        "num_repeats": concept.repeats,
        "color_aug": pictures.color_aug,
        "flip_aug": pictures.flip_aug,
        "random_crop": pictures.random_crop,
        "shuffle_caption": captions.shuffle_caption,
        "keep_tokens": captions.keep_tokens,
        "keep_tokens_separator": captions.keep_tokens_separator or "",
        "secondary_separator": captions.secondary_separator,
        "enable_wildcard": captions.enable_wildcard,
        "caption_prefix": captions.caption_prefix,
        "caption_suffix": captions.caption_suffix,
        "resize_interpolation": _interpolation(settings),
        "image_dir": concept.folder.name,
        "class_tokens": concept.class_tokens or None,
        "is_reg": settings.is_reg,
    }
