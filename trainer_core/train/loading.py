"""Bringing the pictures in: encoded once where they are cached, delivered batch by batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from trainer_core.events.emitter import Emitter
from trainer_core.families.base import Family
from trainer_core.files.own_folders import cache_folder
from trainer_core.pipeline import cache
from trainer_core.pipeline.latents import FileHashes, LatentStore
from trainer_core.pipeline.loader import BatchLoader, Source
from trainer_core.protocol.messages import Phase
from trainer_core.runtime.device import free_cache
from trainer_core.settings.dataset import DatasetSettings
from trainer_core.texts import T, text


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureLoading:
    """What turns pictures into latents: the model's image encoder, and whom to tell."""

    family: Family
    device: torch.device
    emitter: Emitter
    stop_if_asked: Callable[[], None]

    def loader(
        self, sources: list[Source], pictures: DatasetSettings, *, accumulation: int, seed: int
    ) -> BatchLoader:
        """Fill the cache if there is to be one, and return what delivers the batches.

        Raises:
            DatasetError: A picture cannot be decoded; the error names it.
            OutputError: The disk cache cannot be written.
        """
        self._warn_of_long_captions(sources)
        image_part = self.family.image_part
        self.family.load(image_part, dtype=torch.float32, device=self.device)
        store = None
        if pictures.cache_latents:
            store, sources = self._cached(sources, pictures)
            self.family.release(image_part)
            free_cache(self.device)
        return BatchLoader(
            sources=sources,
            batch_size=pictures.train_batch_size,
            accumulation=accumulation,
            seed=seed,
            flip=pictures.flip_aug,
            shuffle_caption=pictures.shuffle_caption,
            keep_tokens=pictures.keep_tokens,
            threads=pictures.max_data_loader_n_workers,
            store=store,
            encode=self._encode,
        )

    def _cached(
        self, sources: list[Source], pictures: DatasetSettings
    ) -> tuple[LatentStore, list[Source]]:
        self.emitter.emit(Phase(phase="caching"))
        hashes = FileHashes(cache_folder())
        try:
            encoder = f"{self.family.vae_hash()} float32"
            sources = cache.with_keys(sources, hashes, flip=pictures.flip_aug, encoder=encoder)
        finally:
            hashes.close()
        store = LatentStore(cache_folder() / "latents" if pictures.cache_latents_to_disk else None)
        cache.fill(
            store,
            sources,
            self._encode,
            batch_size=pictures.vae_batch_size or pictures.train_batch_size,
            threads=pictures.max_data_loader_n_workers,
            progress=self._progress,
        )
        return store, sources

    def _encode(self, pixels_BCHW: Tensor) -> tuple[Tensor, Tensor]:
        posterior = self.family.encode_images(pixels_BCHW.to(self.device))
        return posterior.mean_BCHW.float().cpu(), posterior.std_BCHW.float().cpu()

    def _progress(self, done: int, total: int) -> None:
        self.emitter.progress("caching", done, total)
        self.stop_if_asked()

    def _warn_of_long_captions(self, sources: list[Source]) -> None:
        tokens = self.family.count_tokens([source.caption for source in sources])
        limit = self.family.max_tokens
        long = [s.name for s, count in zip(sources, tokens, strict=True) if count > limit]
        if long:
            message = T(
                "Events",
                "{count} captions are longer than {limit} tokens and are cut, such as that of "
                "{name}.",
            )
            self.emitter.warn(text(message, count=len(long), limit=limit, name=long[0]))
