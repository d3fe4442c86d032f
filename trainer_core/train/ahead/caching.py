"""What is done once before the first step: captions and pictures are encoded, encoders released."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from trainer_core.dataset.pictures import Size
from trainer_core.dataset.processing.outcomes import texts_of
from trainer_core.dataset.subsets import SampleKey, SettingsBySubset
from trainer_core.errors import DiskFull, SettingsError, about
from trainer_core.events.emitter import Emitter
from trainer_core.families.base import Family, LatentPosterior
from trainer_core.files.own_folders import cache_folder, latent_folder, text_folder
from trainer_core.files.writing import remove_old_leftovers
from trainer_core.methods.base import Method
from trainer_core.pipeline.file_hashes import FileHashes
from trainer_core.pipeline.filling import EncodingJob, fill, plan_latents
from trainer_core.pipeline.latents import LatentStore, Shape
from trainer_core.pipeline.sources import Source
from trainer_core.pipeline.texts import TextFiles, TextStore
from trainer_core.protocol.messages import Phase
from trainer_core.runtime.device import Machine, free_cache
from trainer_core.runtime.team import Team, leaving_together
from trainer_core.settings.cache import CacheSettings
from trainer_core.settings.schema import TrainSettings
from trainer_core.texts import T
from trainer_core.train.building import load_part, vae_dtype
from trainer_core.train.full_disk.sizes import bytes_of_latents
from trainer_core.train.full_disk.waiting import WithRoom, at_once
from trainer_core.train.inputs import RunInputs

_MODEL = "model.pretrained_model_name_or_path"


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
        cache = inputs.settings.cache
        texts = TextStore(
            self.family.encode_text, is_trained=is_trained, device=self.machine.device
        )
        for part in parts:
            load_part(self.family, part, self.machine, method)
        self.stop_if_asked()
        captions = None if is_trained else captions_ahead(inputs)
        if captions is None:
            _refuse_changing_texts(cache)
            return texts, False
        with autocast():
            if not cache.cache_text_encoder_outputs and not texts.has_room(captions):
                return texts, False
            self._encode_ahead(texts, captions, cache)
        for part in parts:
            self.family.release(part)
        free_cache(self.machine.device)
        return texts, True

    def _encode_ahead(
        self, texts: TextStore, captions: Sequence[str], cache: CacheSettings
    ) -> None:
        """Encode captions, or find them on the disk, in the autocast that is on."""
        progress = self._progress("loading")
        if not cache.keeps_texts:
            texts.encode_ahead(captions, progress=progress)
            return
        kind = self.machine.device.type
        computed_in = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else ""
        folder = text_folder()
        files = TextFiles(folder, encoder=f"{self.family.text_hash()} {computed_in}")

        def encode_missing() -> None:
            texts.encode_ahead(captions, progress=progress, files=files)

        # The first process fills the disk, the others read from it.
        with leaving_together(self.team):
            if self.team.is_first:
                remove_old_leftovers(folder)
                self._with_room(encode_missing, "loading", lambda: texts.num_bytes(len(captions)))
        if not self.team.is_first:
            encode_missing()

    def latents(
        self, settings: TrainSettings, *sets: Sequence[Source]
    ) -> tuple[LatentStore | None, list[Sequence[Source]]]:
        """Fill the latent cache, if there is to be one, and release the image encoder.

        Without a cache the encoder stays. Pictures of several sets are not encoded together: the
        others change nothing.

        Returns:
            Where the latents are, and the pictures of each set with the keys of theirs.

        Raises:
            DatasetError: A picture cannot be decoded; the error names it.
            NumericError: The VAE made no finite numbers of a picture.
            OutputError: The disk cache cannot be written.
        """
        part, dtype = self.family.image_part, vae_dtype(settings, self.machine)
        with about(setting=_MODEL):
            self.family.load(part, dtype=dtype, device=self.machine.device)
        if not settings.cache.cache_latents:
            return None, list(sets)
        self.emitter.emit(Phase(phase="caching"))
        hashes = FileHashes(cache_folder())
        try:
            encoder = f"{self.family.vae_hash()} {str(dtype).removeprefix('torch.')}"
            plans = [
                plan_latents(
                    sources,
                    hashes,
                    encoder=encoder,
                    batch_size=settings.cache.vae_batch_size or settings.dataset.train_batch_size,
                    threads=settings.cache.loader_threads,
                    progress=lambda done, total: self.stop_if_asked(),
                )
                for sources in sets
            ]
        finally:
            hashes.close()
        groups = [group for plan in plans for group in plan.groups]
        store = self._filled(groups, settings.cache)
        self.family.release(part)
        free_cache(self.machine.device)
        return store, [plan.sources for plan in plans]

    def encode(self, pixels_BCHW: Tensor) -> LatentPosterior:
        """Encode float32 pictures in [-1, 1], from wherever they are, on the device.

        The result stays there, float32.
        """
        return self.family.encode_images(pixels_BCHW.to(self.machine.device))

    def _filled(self, groups: Sequence[Sequence[EncodingJob]], cache: CacheSettings) -> LatentStore:
        is_on_disk = cache.cache_latents_to_disk
        store = LatentStore(latent_folder() if is_on_disk else None)
        if is_on_disk and self.team.is_first:
            remove_old_leftovers(latent_folder())

        def encode_missing() -> None:
            store.write_kept()  # what a full disk did not take before
            fill(
                store,
                groups,
                self.encode,
                shape_of=self._latent_shape,
                threads=cache.loader_threads,
                progress=self._progress("caching"),
            )

        if is_on_disk:  # the first process fills the disk, the others read from it
            with leaving_together(self.team):
                if self.team.is_first:
                    size = partial(bytes_of_latents, groups, self.family)
                    self._with_room(encode_missing, "caching", size)
            if self.team.is_first:
                return store
        encode_missing()
        return store

    def _with_room(
        self, encode_missing: Callable[[], None], phase: str, num_bytes: Callable[[], int]
    ) -> None:
        """Fill the disk, waiting where it is full; a run that is to end then has nothing to lose.

        Raises:
            OutputError: The disk refuses it.
            StopRequested: Somebody was asked and decided to stop.
        """
        try:
            self.with_room(encode_missing, phase=phase, num_bytes=num_bytes)
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
    """Return every text that the run will ask for; None if they are not known."""
    known: dict[str, None] = {}
    for captions, settings in _all_captions(inputs):
        for key, caption in captions.items():
            texts = texts_of(caption, settings[key.subset].captions)
            if texts is None:
                return None
            known.update(dict.fromkeys(texts))
    for prompt in inputs.prompts:
        known.update(dict.fromkeys((prompt.prompt, prompt.negative_prompt)))
    return list(known)


def _all_captions(
    inputs: RunInputs,
) -> Iterator[tuple[Mapping[SampleKey, str], SettingsBySubset]]:
    yield inputs.captions, inputs.subsets
    if inputs.held_out is not None:
        yield inputs.held_out.audit.captions, inputs.held_out.settings


def _refuse_changing_texts(cache: CacheSettings) -> None:
    """Refuse to train with captions that change where they were to be cached.

    A subset may have settings of its own that no rule of the run's looks at.

    Raises:
        SettingsError: Text outputs were to be cached.
    """
    if cache.cache_text_encoder_outputs:
        raise SettingsError(
            T("Errors", "Captions of a subset change; text outputs cannot be cached."),
            T("Errors", "Switch {param} off, or let the captions stay the same."),
            setting="cache.cache_text_encoder_outputs",
            param="cache_text_encoder_outputs",
        )
