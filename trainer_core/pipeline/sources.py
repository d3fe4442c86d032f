"""The pictures of a run as the loader takes them, and the fingerprint that tells their batches."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from trainer_core.dataset.audit import Audit
from trainer_core.dataset.augmentation.colours import ColourChange
from trainer_core.dataset.augmentation.crops import face_cut, face_in_name, random_cut
from trainer_core.dataset.buckets import Placement
from trainer_core.dataset.index import DatasetIndex, Picture, subset_names
from trainer_core.dataset.masks.folder import Mask
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
        mask: Which parts of it are learnt; None: all, or what its transparency says.
        is_profiled: Whether a colour profile changes its pixels.
        has_alpha: Whether it may have transparent pixels.
    """

    key: SampleKey
    name: str
    repeats: int
    size: Size
    placement: Placement
    caption: str
    settings: SampleSettings
    latents: tuple[str, ...] = ()
    mask: Mask | None = None
    is_profiled: bool = False
    has_alpha: bool = False

    @property
    def decoding(self) -> str:
        """What makes its pixels others than those of a plain picture: a part of latents' keys."""
        keeps_colours = self.has_alpha and self.settings.pictures.alpha_mask
        facts = {"profile": self.is_profiled, "transparent": keeps_colours}
        return " ".join(name for name, holds in facts.items() if holds)

    @property
    def path(self) -> Path:
        """The file."""
        return self.key.path

    def pixels(
        self,
        *,
        flip: bool,
        placement: Placement | None = None,
        colour: ColourChange | None = None,
    ) -> Tensor:
        """Return what is encoded of it, mirrored or not: CHW, float32 in [-1, 1], on the CPU.

        Args:
            flip: Whether it is mirrored.
            placement: Where it is cut, if not where it was planned.
            colour: How its colours are changed, if they are.

        Raises:
            DatasetError: It cannot be decoded, or was replaced; the error names it.
        """
        return load_pixels(
            self.path,
            placement or self.placement,
            interpolation=self.settings.pictures.resize_interpolation,
            flip=flip,
            size=self.size,
            colour=colour,
            keeps_transparent=self.settings.pictures.alpha_mask,
        )

    def cut(self, rng: random.Random) -> Placement:
        """Return where one showing is cut; ``rng`` is asked only where that is drawn."""
        is_random, faces = self.settings.pictures.random_crop, self.settings.face_range
        face = None if faces is None else face_in_name(self.path)
        if faces is not None and face is not None:
            return face_cut(self.placement, self.size, face, faces, is_random=is_random, rng=rng)
        return random_cut(self.placement, rng) if is_random else self.placement


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
            mask=audit.masks.get(picture.key),
            is_profiled=audit.headers[picture.path].is_profiled,
            has_alpha=audit.headers[picture.path].has_alpha,
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
