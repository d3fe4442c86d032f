"""The one wiring: unpacks the settings, builds every part and hands them to the loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor

from trainer_core.adapters.set import AdapterSet, count
from trainer_core.checkpoints.retention import SaveSchedule
from trainer_core.checkpoints.state import Position
from trainer_core.events.emitter import Emitter
from trainer_core.families.base import Family, lent
from trainer_core.pipeline.loader import BatchLoader, Prepared
from trainer_core.pipeline.texts import TextStore
from trainer_core.protocol.messages import Phase, Resumed
from trainer_core.runtime.device import Machine, free_cache, memory_mib
from trainer_core.runtime.draws import seed_globals
from trainer_core.sampling.pictures import PreviewDefaults
from trainer_core.sampling.preview import Preview, PreviewModel
from trainer_core.train.building import (
    build_lr_schedule,
    build_objective,
    build_optimizer,
    captions_ahead,
    fresh_adapters,
    load_part,
    open_family,
)
from trainer_core.train.control import Control
from trainer_core.train.effective import write_effective
from trainer_core.train.facts import run_facts
from trainer_core.train.inputs import RunInputs, plan_event
from trainer_core.train.loading import PictureLoading
from trainer_core.train.loop import Loop, SampleSchedule
from trainer_core.train.resuming import Resumable
from trainer_core.train.run_start import RunStart
from trainer_core.train.samples import SampleDrawer
from trainer_core.train.saving import Saver
from trainer_core.train.sources import fingerprint, sources_of
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
        family = open_family(settings)
        adapters = fresh_adapters(family, settings, seed=self.start.seed, emitter=self.emitter)
        # One part after the other, so that what is needed once is gone before the largest comes.
        texts = self._texts(family, adapters, accelerator.autocast)
        loader = self._loader(family)
        load_part(family, family.denoiser_part, self.machine)
        self.control.stop_if_asked()
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
            stepper=self._stepper(family, accelerator, resumable, texts),
            saver=self._saver(family, resumable),
            save_schedule=self._save_schedule(),
            sample_schedule=SampleSchedule(
                every_n_steps=sampling.sample_every_n_steps,
                every_n_epochs=sampling.sample_every_n_epochs,
                at_first=sampling.sample_at_first,
            ),
            draw_samples=self._sample_drawer(family, accelerator.autocast, texts),
            memory_mib=lambda: memory_mib(self.machine.device),
            total_steps=plan.total_steps,
            batches_per_epoch=plan.batches_per_epoch,
            position=position,
        )

    def _texts(
        self, family: Family, adapters: AdapterSet, autocast: Callable[[], Any]
    ) -> TextStore:
        """Return what gives the captions' conditions, the text encoders with it if they train."""
        is_trained = not set(family.text_parts).isdisjoint(adapters.parts())
        texts = TextStore(family.encode_text, is_trained=is_trained, device=self.machine.device)
        for part in family.text_parts:
            load_part(family, part, self.machine)
        self.control.stop_if_asked()
        captions = None if is_trained else captions_ahead(self.inputs)
        if captions is not None:
            with autocast():
                texts.encode_ahead(captions, progress=self._progress)
            for part in family.text_parts:
                family.release(part)
            free_cache(self.machine.device)
        return texts

    def _progress(self, done: int, total: int) -> None:
        self.emitter.progress("loading", done, total)
        self.control.stop_if_asked()

    def _loader(self, family: Family) -> BatchLoader:
        pictures = PictureLoading(
            family=family,
            device=self.machine.device,
            emitter=self.emitter,
            stop_if_asked=self.control.stop_if_asked,
        )
        return pictures.loader(
            sources_of(self.inputs),
            self.inputs.settings.dataset,
            accumulation=self.inputs.settings.optimizer.gradient_accumulation_steps,
            seed=self.start.seed,
        )

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
        self, family: Family, accelerator: Any, resumable: Resumable, texts: TextStore
    ) -> Stepper:
        def predict(prepared: Prepared, noisy_BCHW: Tensor, timesteps_B: Tensor) -> Tensor:
            return family.predict(noisy_BCHW, timesteps_B, texts(prepared.captions))

        return Stepper(
            accelerator=accelerator,
            objective=build_objective(family),
            predict=predict,
            optimizer=accelerator.prepare(resumable.optimizer),
            scheduler=resumable.schedule,
            max_grad_norm=self.inputs.settings.optimizer.max_grad_norm,
            seed=self.start.seed,
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

    def _sample_drawer(
        self, family: Family, autocast: Callable[[], Any], texts: TextStore
    ) -> SampleDrawer:
        settings = self.inputs.settings
        width_px, height_px = settings.dataset.resolution
        parts = (family.denoiser_part, family.image_part, *family.text_parts)
        model = PreviewModel(
            family=family,
            modules=[family.module(part) for part in parts],
            conditions=texts,
            lend_decoder=lambda: lent(
                family, family.image_part, dtype=torch.float32, device=self.machine.device
            ),
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
