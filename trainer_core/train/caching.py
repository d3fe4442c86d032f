"""What is done once before the first step: captions and pictures are encoded, encoders released."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from trainer_core.dataset.captions import process_caption
from trainer_core.dataset.pictures import Size
from trainer_core.errors import DiskFull
from trainer_core.events.emitter import Emitter
from trainer_core.families.base import Family, LatentPosterior
from trainer_core.files.own_folders import cache_folder
from trainer_core.files.writing import remove_old_leftovers
from trainer_core.methods.base import Method
from trainer_core.pipeline.file_hashes import FileHashes
from trainer_core.pipeline.filling import LatentPlan, fill, plan_latents
from trainer_core.pipeline.latents import LatentStore, Shape
from trainer_core.pipeline.sources import Source
from trainer_core.pipeline.texts import MAX_REMEMBERED, TextStore
from trainer_core.protocol.messages import Phase
from trainer_core.runtime.device import Machine, free_cache
from trainer_core.runtime.team import Team, leaving_together
from trainer_core.settings.cache import CacheSettings
from trainer_core.settings.schema import TrainSettings
from trainer_core.train.building import load_part
from trainer_core.train.full_disk.sizes import bytes_of_latents
from trainer_core.train.full_disk.waiting import WithRoom, at_once
from trainer_core.train.inputs import RunInputs


@dataclass(frozen=True, slots=True, kw_only=True)
class Caching:
    """Encodes with parts of the base model that are loaded for it, and tells of it."""

    family: Family
    machine: Machine
    team: Team
    emitter: Emitter
    stop_if_asked: Callable[[], None]
    with_room: WithRoom = at_once

    def texts(
        self,
        inputs: RunInputs,
        *,
        method: Method,
        autocast: Callable[[], AbstractContextManager[Any]],
    ) -> tuple[TextStore, bool]:
        """Return what gives the captions' conditions, and whether all of them are known.

        Where they are, the text encoders are released again.

        Args:
            inputs: The captions and prompts of the run.
            method: Tells whether anything in the text encoders trains, and their number format.
            autocast: The context that they are computed in.
        """
        parts = self.family.entry.text_encoders
        is_trained = any(map(method.trains, parts))
        texts = TextStore(
            self.family.encode_text, is_trained=is_trained, device=self.machine.device
        )
        for part in parts:
            load_part(self.family, part, self.machine, method)
        self.stop_if_asked()
        captions = None if is_trained else captions_ahead(inputs)
        if captions is None:
            return texts, False
        with autocast():
            texts.encode_ahead(captions, progress=self._progress("loading"))
        for part in parts:
            self.family.release(part)
        free_cache(self.machine.device)
        return texts, True

    def latents(
        self, sources: Sequence[Source], settings: TrainSettings
    ) -> tuple[LatentStore | None, Sequence[Source]]:
        """Fill the latent cache, if there is to be one, and release the image encoder.

        Without a cache the encoder stays.

        Returns:
            Where the latents are, and the pictures with the keys of theirs.

        Raises:
            DatasetError: A picture cannot be decoded; the error names it.
            OutputError: The disk cache cannot be written.
        """
        part = self.family.image_part
        self.family.load(part, dtype=torch.float32, device=self.machine.device)
        if not settings.cache.cache_latents:
            return None, sources
        self.emitter.emit(Phase(phase="caching"))
        hashes = FileHashes(cache_folder())
        try:
            encoder = f"{self.family.vae_hash()} float32"
            plan = plan_latents(
                sources,
                hashes,
                encoder=encoder,
                batch_size=settings.cache.vae_batch_size or settings.dataset.train_batch_size,
            )
        finally:
            hashes.close()
        store = self._filled(plan, settings.cache)
        self.family.release(part)
        free_cache(self.machine.device)
        return store, plan.sources

    def encode(self, pixels_BCHW: Tensor) -> LatentPosterior:
        """Encode float32 pictures in [-1, 1], from wherever they are, on the device.

        The result stays there, float32.
        """
        return self.family.encode_images(pixels_BCHW.to(self.machine.device))

    def _filled(self, plan: LatentPlan, cache: CacheSettings) -> LatentStore:
        is_on_disk = cache.cache_latents_to_disk
        store = LatentStore(cache_folder() / "latents" if is_on_disk else None)
        if is_on_disk and self.team.is_first:
            remove_old_leftovers(cache_folder() / "latents")

        def encode_missing() -> None:
            store.write_kept()  # what a full disk did not take before
            fill(
                store,
                plan.groups,
                self.encode,
                shape_of=self._latent_shape,
                threads=cache.max_data_loader_n_workers,
                progress=self._progress("caching"),
            )

        if is_on_disk:  # the first process fills the disk, the others read from it
            with leaving_together(self.team):
                if self.team.is_first:
                    self._with_room(encode_missing, plan)
            if self.team.is_first:
                return store
        encode_missing()
        return store

    def _with_room(self, encode_missing: Callable[[], None], plan: LatentPlan) -> None:
        """Fill the disk, waiting where it is full; a run that is to end then has nothing to lose.

        Raises:
            OutputError: The disk refuses it.
            StopRequested: Somebody was asked and decided to stop.
        """
        try:
            self.with_room(
                encode_missing,
                phase="caching",
                num_bytes=lambda: bytes_of_latents(plan, self.family),
            )
        except DiskFull:
            self.stop_if_asked()
            raise

    def _latent_shape(self, bucket: Size) -> Shape:
        width, height = (side // self.family.pixels_per_latent for side in bucket)
        return self.family.latent_channels, height, width

    def _progress(self, phase: str) -> Callable[[int, int], None]:
        def tell(done: int, total: int) -> None:
            self.emitter.progress(phase, done, total)
            self.stop_if_asked()

        return tell


def captions_ahead(inputs: RunInputs) -> list[str] | None:
    """Return every text that the run will ask for; None if they are not known or too many."""
    if any(settings.captions.shuffle_caption for settings in inputs.subsets.values()):
        return None
    captions: Mapping[str, None] = {
        process_caption(caption, shuffle=False, keep_tokens=0, rng=random.Random(0)): None
        for caption in inputs.captions.values()
    }
    prompts = {each: None for p in inputs.prompts for each in (p.prompt, p.negative_prompt)}
    known = list({**captions, **prompts})
    return known if len(known) <= MAX_REMEMBERED else None
