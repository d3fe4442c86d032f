"""How run files of earlier formats become files of today's: a function for each format."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

_FROM_DATASET: Mapping[str, tuple[str, ...]] = {
    "buckets": (
        "resolution",
        "enable_bucket",
        "bucket_no_upscale",
        "min_bucket_reso",
        "max_bucket_reso",
        "bucket_reso_steps",
        "resize_interpolation",
    ),
    "captions": ("caption_extension", "shuffle_caption", "keep_tokens"),
    "augmentation": ("flip_aug",),
    "cache": (
        "cache_latents",
        "cache_latents_to_disk",
        "vae_batch_size",
        "max_data_loader_n_workers",
    ),
}


def dataset_in_parts(tree: MutableMapping[str, Any]) -> None:
    """Lead from format 1 to 2: settings of ``dataset`` moved to sections of their own.

    Args:
        tree: The tables of a file, changed in place.
    """
    dataset = tree.get("dataset")
    if not isinstance(dataset, MutableMapping):
        return
    for section, names in _FROM_DATASET.items():
        found = [name for name in names if name in dataset]
        if found and section not in tree:
            tree[section] = {}
        table = tree.get(section)
        if isinstance(table, MutableMapping):
            for name in found:
                table.setdefault(name, dataset.pop(name))
