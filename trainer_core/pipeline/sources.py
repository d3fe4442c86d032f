"""The pictures of a run as the loader takes them, and the fingerprint that tells their batches."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from trainer_core.dataset.audit import Audit
from trainer_core.dataset.buckets import Placement
from trainer_core.dataset.index import DatasetIndex, Picture, subset_names
from trainer_core.dataset.pictures import Size
from trainer_core.dataset.plan import Plan
from trainer_core.dataset.subsets import SampleKey, SampleSettings, SettingsBySubset
from trainer_core.pipeline.decode import load_pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A picture of a subset: where it is, how it is cut, what is said of it.

    Attributes:
        key: Its subset and its path.
        name: Its path from the picture folder.
        repeats: How often an epoch shows it.
        size: Of the file, upright, in pixels.
        settings: What acts for its subset.
        latents: The keys of its latents, plain and mirrored; empty where they are not cached.
    """

    key: SampleKey
    name: str
    repeats: int
    size: Size
    placement: Placement
    caption: str
    settings: SampleSettings
    latents: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """The file."""
        return self.key.path

    def pixels(self, *, flip: bool) -> Tensor:
        """Return what is encoded of it, mirrored or not: CHW, float32 in [-1, 1], on the CPU.

        Raises:
            DatasetError: It cannot be decoded; the error names it.
        """
        return load_pixels(
            self.path,
            self.placement,
            interpolation=self.settings.pictures.resize_interpolation,
            flip=flip,
        )


def sources_of(
    index: DatasetIndex, audit: Audit, plan: Plan, settings: SettingsBySubset
) -> list[Source]:
    """Return every picture that an epoch shows, with its cut and caption, in the index's order."""
    sizes = audit.sizes
    return [
        Source(
            key=picture.key,
            name=name,
            repeats=picture.repeats,
            size=sizes[picture.path],
            placement=plan.placements[picture.key],
            caption=audit.captions[picture.key],
            settings=settings[picture.subset],
        )
        for name, picture in _named(index)
        if picture.repeats
    ]


def _named(index: DatasetIndex) -> Iterator[tuple[str, Picture]]:
    """Yield each picture with what it is called: its place in its folder, as folders may move."""
    labels = subset_names([SampleKey(root.subset, root.path) for root in index.roots])
    for root, label in zip(index.roots, labels, strict=True):
        for picture in root.pictures:
            name = picture.path.relative_to(root.path).as_posix()
            yield (name if len(labels) == 1 else f"{label}/{name}"), picture


def fingerprint(sources: Sequence[Source], *, batch_size: int, accumulation: int) -> str:
    """Return a hash of everything that decides the batches of an epoch, the seed excepted."""
    facts = [_batch_facts(source) for source in sources]
    content = json.dumps([batch_size, accumulation, facts]).encode()
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _batch_facts(source: Source) -> list[object]:
    facts: list[object] = [source.name, source.repeats, source.placement.bucket, source.caption]
    own = source.settings.train_batch_size
    # The first subset goes without its number, so that states from before subsets still fit.
    if source.key.subset == 0 and own is None:
        return facts
    return [*facts, source.key.subset, *([] if own is None else [own])]
