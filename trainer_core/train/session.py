"""The one wiring: unpacks the settings, builds every part and hands them to the loop."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from accelerate import Accelerator
from torch import Tensor

from trainer_core.catalogue.families import FAMILIES
from trainer_core.checkpoints.metadata import ModelFacts, RunFacts, plan_facts
from trainer_core.checkpoints.retention import SaveSchedule
from trainer_core.checkpoints.state import Position
from trainer_core.events.emitter import Emitter
from trainer_core.families.base import Family
from trainer_core.methods.base import Method
from trainer_core.optim.build import display_name
from trainer_core.pipeline.loader import BatchLoader, Prepared
from trainer_core.pipeline.texts import TextFeatures
from trainer_core.protocol.messages import Phase, Resumed
from trainer_core.runtime.device import Machine, memory_mib
from trainer_core.runtime.draws import seed_globals
from trainer_core.sampling.preview import Preview, PreviewDefaults, PreviewModel
from trainer_core.settings.arguments import parse_arguments
from trainer_core.train.building import (
    build_lr_schedule,
    build_method,
    build_objective,
    build_optimizer,
    load_family,
)
from trainer_core.train.control import Control
from trainer_core.train.effective import write_effective
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
        family = load_family(settings, self.machine)
        self.control.stop_if_asked()
        method = build_method(settings)
        method.prepare(family, seed=self.start.seed, warn=self.emitter.warn)
        loader = self._loader(family)
        method.attach(self.machine.device)
        self._tell_plan(method)
        resumable = self._resumable(method, loader, accelerator.scaler)
        position = self._restored(resumable)
        write_effective(
            self.inputs,
            self.start,
            self.machine,
            family=family,
            method=method,
            optimizer=resumable.optimizer,
        )
        plan, sampling = self.inputs.plan, settings.sampling
        return Loop(
            emitter=self.emitter,
            control=self.control,
            loader=loader,
            stepper=self._stepper(family, accelerator, resumable, loader),
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

    def _resumable(self, method: Method, loader: BatchLoader, scaler: Any) -> Resumable:
        settings = self.inputs.settings
        optimizer = build_optimizer(method, settings.optimizer)
        return Resumable(
            start=self.start,
            settings=settings,
            method=method,
            optimizer=optimizer,
            schedule=build_lr_schedule(optimizer, settings.optimizer, self.inputs.plan),
            scaler=scaler,
            pictures=fingerprint(
                loader.sources, batch_size=loader.batch_size, accumulation=loader.accumulation
            ),
        )

    def _stepper(
        self, family: Family, accelerator: Any, resumable: Resumable, loader: BatchLoader
    ) -> Stepper:
        text_encoders = FAMILIES[family.kind].text_encoders
        features = TextFeatures(
            family.encode_text,
            is_trained=any(map(resumable.method.trains, text_encoders)),
            device=self.machine.device,
        )

        def predict(prepared: Prepared, noisy_BCHW: Tensor, timesteps_B: Tensor) -> Tensor:
            return family.predict(noisy_BCHW, timesteps_B, features(prepared.captions))

        paths = {source.name: str(source.path) for source in loader.sources}
        return Stepper(
            accelerator=accelerator,
            objective=build_objective(family),
            predict=predict,
            # It lies where the weights are; placing it would cast its state to their type.
            optimizer=accelerator.prepare(resumable.optimizer, device_placement=[False]),
            scheduler=resumable.schedule,
            max_grad_norm=self.inputs.settings.optimizer.max_grad_norm,
            seed=self.start.seed,
            picture_of=lambda name: paths[name],
        )

    def _tell_plan(self, method: Method) -> None:
        self.emitter.emit(
            plan_event(
                self.inputs.plan,
                parameters=method.counts(),
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
        return Saver(
            emitter=self.emitter,
            folder=self.start.folder,
            own=self.start.own,
            method=resumable.method,
            optimizer=resumable.optimizer,
            facts=self._facts(family, resumable),
            precision=self.inputs.settings.output.save_precision,
            state_facts=resumable.facts,
            progress=resumable.progress,
        )

    def _facts(self, family: Family, resumable: Resumable) -> RunFacts:
        """Return what every weight file says of the run."""
        inputs, settings = self.inputs, self.inputs.settings
        identity = family.identity()
        arguments = parse_arguments(settings.optimizer.optimizer_args)
        return RunFacts(
            settings=settings,
            model=ModelFacts(
                architecture=family.architecture,
                version=family.base_model_version,
                name=identity.name,
                short_hash=identity.legacy_hash,
                sha256=identity.sha256,
            ),
            network=resumable.method.facts(),
            plan=plan_facts(inputs.plan, inputs.index, inputs.captions),
            optimizer=display_name(resumable.optimizer, arguments),
            precision=self.machine.precision,
            seed=self.start.seed,
            run_id=self.start.run_id,
            started_at=time.time(),
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
