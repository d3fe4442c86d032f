"""The one wiring: unpacks the settings, builds every part and hands them to the loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor

from trainer_core.adapters.set import AdapterSet, count
from trainer_core.checkpoints.retention import SaveSchedule
from trainer_core.checkpoints.state import Position
from trainer_core.events.emitter import Emitter
from trainer_core.families.base import Family, LatentPosterior
from trainer_core.families.condition import TEXT
from trainer_core.files.own_folders import cache_folder
from trainer_core.objectives.objective import NoisePrediction
from trainer_core.pipeline.batch import Batch
from trainer_core.pipeline.file_hashes import FileHashes
from trainer_core.pipeline.latents import LatentStore, fill, with_keys
from trainer_core.pipeline.loader import BatchLoader
from trainer_core.pipeline.sources import Source, fingerprint, sources_of
from trainer_core.pipeline.texts import TextFeatures
from trainer_core.protocol.messages import Phase, Resumed
from trainer_core.runtime.device import Machine, find_machine, free_cache, memory_mib, pinning
from trainer_core.runtime.draws import seed_globals
from trainer_core.sampling.preview import Preview, PreviewDefaults, PreviewModel
from trainer_core.texts import T, text
from trainer_core.train.building import (
    build_lr_schedule,
    build_objective,
    build_optimizer,
    fresh_adapters,
    load_family,
)
from trainer_core.train.control import Control
from trainer_core.train.effective import write_effective
from trainer_core.train.facts import run_facts
from trainer_core.train.inputs import RunInputs, plan_event
from trainer_core.train.loop import Loop, SampleSchedule
from trainer_core.train.resuming import Resumable
from trainer_core.train.run_start import RunStart
from trainer_core.train.samples import SampleDrawer
from trainer_core.train.saving import Saver
from trainer_core.train.step import Stepper


@dataclass(frozen=True, slots=True)
class Session:
    """Everything a run is built from."""

    inputs: RunInputs
    start: RunStart
    machine: Machine
    emitter: Emitter
    control: Control

    def open(self) -> Loop:
        """Load and build everything, restore a state if there is one, and return the loop.

        Raises:
            TrainerError: Something cannot be used; nothing was trained.
            StopRequested: The run was told to stop before its first step.
        """
        seed_globals(self.start.seed)
        accelerator = Accelerator(
            mixed_precision=self.machine.precision, cpu=self.machine.device.type == "cpu"
        )
        self.emitter.emit(Phase(phase="loading"))
        settings = self.inputs.settings
        family = load_family(settings, self.machine)
        self.control.stop_if_asked()
        adapters = fresh_adapters(family, settings, seed=self.start.seed, emitter=self.emitter)
        objective = build_objective(family).to(self.machine.device)
        loader = self._loader(family, objective)
        adapters.to(self.machine.device).attach()
        self._tell_plan(adapters)
        resumable = self._resumable(adapters, loader, accelerator.scaler)
        position = self._restored(resumable)
        write_effective(
            self.inputs,
            self.start,
            self.machine,
            family=family,
            adapters=adapters,
            optimizer=resumable.optimizer,
        )
        plan, sampling = self.inputs.plan, settings.sampling
        return Loop(
            emitter=self.emitter,
            control=self.control,
            loader=loader,
            stepper=self._stepper(family, objective, accelerator, resumable),
            saver=self._saver(family, resumable),
            save_schedule=self._save_schedule(),
            sample_schedule=SampleSchedule(
                every_n_steps=sampling.sample_every_n_steps,
                every_n_epochs=sampling.sample_every_n_epochs,
                at_first=sampling.sample_at_first,
            ),
            draw_samples=self._sample_drawer(family, accelerator.autocast),
            memory_mib=lambda: memory_mib(self.machine.device),
            total_steps=plan.total_steps,
            batches_per_epoch=plan.batches_per_epoch,
            position=position,
        )

    def _loader(self, family: Family, objective: NoisePrediction) -> BatchLoader:
        """Encode the pictures if latents are cached, and return what delivers the batches."""
        inputs, device = self.inputs, self.machine.device
        pictures = inputs.settings.dataset
        sources = sources_of(inputs.index, inputs.audit, inputs.plan, inputs.subsets)
        self._warn_of_long_captions(family, sources)
        family.vae.to(device)
        store = None
        if pictures.cache_latents:
            store, sources = self._cached(family, sources)
            family.vae.to("cpu")
            free_cache(device)
        return BatchLoader(
            sources=sources,
            batch_size=pictures.train_batch_size,
            accumulation=inputs.settings.optimizer.gradient_accumulation_steps,
            seed=self.start.seed,
            threads=pictures.max_data_loader_n_workers,
            store=store,
            encode=partial(_encoded, family, device),
            latent_channels=family.latent_channels,
            pixels_per_latent=family.pixels_per_latent,
            draw=objective.draw,
            device=device,
            pin=pinning(device),
        )

    def _cached(self, family: Family, sources: list[Source]) -> tuple[LatentStore, list[Source]]:
        self.emitter.emit(Phase(phase="caching"))
        pictures = self.inputs.settings.dataset
        hashes = FileHashes(cache_folder())
        try:
            sources = with_keys(sources, hashes, encoder=f"{family.vae_hash()} float32")
        finally:
            hashes.close()
        store = LatentStore(cache_folder() / "latents" if pictures.cache_latents_to_disk else None)
        fill(
            store,
            sources,
            partial(_encoded, family, self.machine.device),
            batch_size=pictures.vae_batch_size or pictures.train_batch_size,
            threads=pictures.max_data_loader_n_workers,
            progress=self._tell_caching,
        )
        return store, sources

    def _tell_caching(self, done: int, total: int) -> None:
        self.emitter.progress("caching", done, total)
        self.control.stop_if_asked()

    def _warn_of_long_captions(self, family: Family, sources: Sequence[Source]) -> None:
        tokens = family.count_tokens([source.caption for source in sources])
        limit = family.max_tokens
        long = [s.name for s, count in zip(sources, tokens, strict=True) if count > limit]
        if long:
            message = T(
                "Events",
                "{count} captions are longer than {limit} tokens and are cut, such as that of "
                "{name}.",
            )
            self.emitter.warn(text(message, count=len(long), limit=limit, name=long[0]))

    def _resumable(self, adapters: AdapterSet, loader: BatchLoader, scaler: Any) -> Resumable:
        settings = self.inputs.settings
        optimizer = build_optimizer(adapters, settings)
        return Resumable(
            start=self.start,
            settings=settings,
            adapters=adapters,
            optimizer=optimizer,
            schedule=build_lr_schedule(optimizer, settings.optimizer, self.inputs.plan),
            scaler=scaler,
            pictures=fingerprint(
                loader.sources, batch_size=loader.batch_size, accumulation=loader.accumulation
            ),
        )

    def _stepper(
        self, family: Family, objective: NoisePrediction, accelerator: Any, resumable: Resumable
    ) -> Stepper:
        features = TextFeatures(
            family.encode_text,
            is_trained="text_encoder" in resumable.adapters.parts(),
            device=self.machine.device,
        )

        def predict(batch: Batch, noisy_BCHW: Tensor, timesteps_B: Tensor) -> Tensor:
            known = batch.condition
            text_BLC = features(batch.captions) if known is None else known[TEXT]
            return family.predict(noisy_BCHW, timesteps_B, text_BLC)

        return Stepper(
            accelerator=accelerator,
            objective=objective,
            predict=predict,
            optimizer=accelerator.prepare(resumable.optimizer),
            scheduler=resumable.schedule,
            max_grad_norm=self.inputs.settings.optimizer.max_grad_norm,
        )

    def _tell_plan(self, adapters: AdapterSet) -> None:
        self.emitter.emit(
            plan_event(
                self.inputs.plan,
                parameters={p: count(adapters.parameters_of(p)) for p in adapters.parts()},
                precision=self.machine.precision,
                device=self.machine.name,
            )
        )

    def _restored(self, resumable: Resumable) -> Position:
        state = self.start.state
        if state is None:
            return Position()
        position = resumable.restore(
            state, total_steps=self.inputs.plan.total_steps, emitter=self.emitter
        )
        self.emitter.emit(Resumed(from_step=position.step, state=state.folder.name))
        return position

    def _saver(self, family: Family, resumable: Resumable) -> Saver:
        kind = type(resumable.optimizer)
        return Saver(
            emitter=self.emitter,
            folder=self.start.folder,
            own=self.start.own,
            adapters=resumable.adapters,
            optimizer=resumable.optimizer,
            facts=run_facts(
                self.inputs,
                self.start,
                family,
                optimizer=f"{kind.__module__}.{kind.__qualname__}",
                precision=self.machine.precision,
            ),
            precision=self.inputs.settings.output.save_precision,
            state_facts=resumable.facts,
            progress=resumable.progress,
        )

    def _save_schedule(self) -> SaveSchedule:
        output, plan = self.inputs.settings.output, self.inputs.plan
        return SaveSchedule(
            output_name=output.output_name,
            last_step=plan.total_steps,
            last_epoch=plan.epochs,
            save_every_n_steps=output.save_every_n_steps,
            save_last_n_steps=output.save_last_n_steps,
            save_last_n_steps_state=output.save_last_n_steps_state,
            save_every_n_epochs=output.save_every_n_epochs,
            save_last_n_epochs=output.save_last_n_epochs,
            save_last_n_epochs_state=output.save_last_n_epochs_state,
            save_state=output.save_state,
            save_state_on_train_end=output.save_state_on_train_end,
        )

    def _sample_drawer(self, family: Family, autocast: Callable[[], Any]) -> SampleDrawer:
        settings = self.inputs.settings
        width_px, height_px = settings.dataset.resolution
        model = PreviewModel(
            unet=family.denoiser,
            vae=family.vae,
            text_encoder=family.text_encoder,
            encode_prompts=family.encode_text,
            scheduler_config=family.scheduler_config,
        )
        defaults = PreviewDefaults(
            sampler=settings.sampling.sample_sampler,
            width_px=width_px,
            height_px=height_px,
            run_seed=self.start.seed,
            notes={
                "Lora": settings.output.output_name,
                "Clip skip": str(settings.model.clip_skip),
            },
        )
        return SampleDrawer(
            preview=Preview(model, defaults, device=self.machine.device, autocast=autocast),
            prompts=self.inputs.prompts,
            folder=self.start.folder.samples,
            emitter=self.emitter,
            is_stopping=lambda: self.control.stop_asked() is not None,
        )


def _encoded(family: Family, device: torch.device, pixels_BCHW: Tensor) -> LatentPosterior:
    """Encode pictures in 32 bit; what comes of them stays on the device."""
    posterior = family.encode_images(pixels_BCHW.to(device))
    return LatentPosterior(*(part.float() for part in posterior))


def open_loop(inputs: RunInputs, start: RunStart, emitter: Emitter, control: Control) -> Loop:
    """Load and build what the run needs, and write down what is really used.

    Raises:
        TrainerError: Something cannot be used; nothing was trained.
        StopRequested: The run was told to stop before its first step.
    """
    hardware = inputs.settings.hardware
    if hardware.num_cpu_threads_per_process is not None:
        torch.set_num_threads(hardware.num_cpu_threads_per_process)
    machine = find_machine(hardware.mixed_precision)
    return Session(inputs, start, machine, emitter, control).open()
