"""The one wiring: unpacks the settings, builds every part and hands them to the loop."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from trainer_core.catalogue.entry import implementation
from trainer_core.catalogue.memory_formats import MEMORY_FORMATS
from trainer_core.checkpoints.state import Position, read_state
from trainer_core.events.emitter import Emitter
from trainer_core.families.base import Family
from trainer_core.files.other_places import other_places
from trainer_core.files.run_folder import RunFolder
from trainer_core.methods.base import Method
from trainer_core.model_files.base_hash import BaseHash
from trainer_core.objectives.objective import Objective
from trainer_core.pipeline.batch import Batch
from trainer_core.pipeline.loader import BatchLoader
from trainer_core.pipeline.sources import fingerprint, sources_of
from trainer_core.pipeline.texts import TextStore
from trainer_core.protocol.messages import Phase, Resumed
from trainer_core.runtime.device import Machine, find_machine, memory_mib, pinning
from trainer_core.runtime.draws import seed_globals
from trainer_core.runtime.speed import use_hardware
from trainer_core.runtime.team import Team, leaving_together, open_team
from trainer_core.train.ahead.caching import Caching
from trainer_core.train.building import (
    build_accelerator,
    build_lr_schedule,
    build_method,
    build_objective,
    build_optimizer,
    forward_context,
    load_part,
    open_family,
    used_memory_format,
)
from trainer_core.train.control import Control
from trainer_core.train.earlier.own_files import OwnFiles
from trainer_core.train.effective import write_effective
from trainer_core.train.full_disk.waiting import WaitForRoom, WithRoom
from trainer_core.train.inputs import RunInputs, plan_event, save_schedule
from trainer_core.train.loop import Loop, SampleSchedule
from trainer_core.train.resuming import Resumable, refuse_earlier_end
from trainer_core.train.run_start import RunStart
from trainer_core.train.samples import Autocast, SampleDrawer, sample_drawer
from trainer_core.train.saving import Saver, run_facts
from trainer_core.train.step import Stepper
from trainer_core.train.validation.measuring import (
    Predict,
    Validation,
    validation_schedule,
    validation_sources,
)

RECORD_BYTES = 256 * 1024  # so much room is waited for to write events on


@dataclass(frozen=True, slots=True)
class Session:
    """Everything a run is built from."""

    inputs: RunInputs
    start: RunStart
    machine: Machine
    team: Team
    emitter: Emitter
    control: Control
    base: BaseHash | None = None

    def open(self) -> Loop:
        """Load and build everything, restore a state if there is one, and return the loop.

        Raises:
            TrainerError: Something cannot be used; nothing was trained.
            StopRequested: The run was told to stop before its first step.
        """
        if self.start.state is not None:  # before anything is loaded, which takes long
            refuse_earlier_end(
                self.start.state,
                self.inputs.settings.optimizer,
                total_steps=self.inputs.plan.total_steps,
            )
        seed_globals(self.start.seed)
        with_room = WaitForRoom(self.emitter, self.control)
        accelerator = build_accelerator(self.machine)
        self.emitter.emit(Phase(phase="loading"))
        family = open_family(self.inputs.settings)
        method = build_method(self.inputs.settings)
        autocast = forward_context(accelerator, self.inputs.settings, family, method)
        method.prepare(family, seed=self.start.seed, warn=self.emitter.warn)
        # One part after the other, so that what is needed once is gone before the largest comes.
        caching = Caching(
            family=family,
            machine=self.machine,
            team=self.team,
            emitter=self.emitter,
            stop_if_asked=self.control.stop_if_asked,
            with_room=with_room,
        )
        with leaving_together(self.team):
            texts, are_known = caching.texts(self.inputs, method=method, autocast=autocast)
        objective = build_objective(family, self.inputs.settings.optimizer).to(self.machine.device)
        with leaving_together(self.team):
            loader, measured = self._loaders(caching, objective, texts if are_known else None)
        with leaving_together(self.team):
            used = MEMORY_FORMATS[used_memory_format(self.inputs.settings, self.machine)]
            load_part(
                family,
                family.entry.denoiser,
                self.machine,
                method,
                memory_format=implementation(used.implementation),
            )
            self.control.stop_if_asked()
        base = self.base or BaseHash(family.weight_files())
        method.attach(self.machine.device)
        if self.inputs.settings.hardware.torch_compile:
            family.compile(family.entry.denoiser)
        self._tell_plan(family, method)
        resumable = self._resumable(method, loader, accelerator.scaler, base)
        position = self._restored(resumable)
        if self.team.is_first:
            self._record(family, method, resumable)
        predict = self._predict(family, texts)
        stepper = self._stepper(objective, accelerator, resumable, predict, autocast=autocast)
        draw = sample_drawer(
            self.inputs,
            self.start,
            family,
            texts,
            machine=self.machine,
            autocast=autocast,
            emitter=self.emitter,
            is_stopping=self.control.is_stopping,
            evaluation=resumable.evaluation,
        )
        draw = replace(draw, with_room=with_room)
        saver = self._saver(family, resumable, with_room)
        loop = self._loop(loader, stepper, saver, draw, position, with_room)
        if measured is not None:
            loop.validate = self._validation(
                measured, family, objective, predict, resumable, autocast=autocast
            )
        return loop

    def _record(self, family: Family, method: Method, resumable: Resumable) -> None:
        if self.start.replaces:  # what was there goes only once everything is loaded
            self.start.clear()
        write_effective(
            self.inputs,
            self.start,
            self.machine,
            family=family,
            method=method,
            optimizer=resumable.optimizer,
        )

    def _validation(
        self,
        loader: BatchLoader,
        family: Family,
        objective: Objective,
        predict: Predict,
        resumable: Resumable,
        *,
        autocast: Autocast,
    ) -> Validation:
        parts = (family.entry.denoiser, *family.entry.text_encoders)
        return Validation(
            loader=loader,
            objective=objective,
            predict=predict,
            autocast=autocast,
            evaluation=resumable.evaluation,
            modules=[family.module(part) for part in parts],
            emitter=self.emitter,
            team=self.team,
            max_batches=self.inputs.settings.validation.max_validation_steps,
        )

    def _loop(
        self,
        loader: BatchLoader,
        stepper: Stepper,
        saver: Saver,
        draw: SampleDrawer,
        position: Position,
        with_room: WithRoom,
    ) -> Loop:
        plan, sampling = self.inputs.plan, self.inputs.settings.sampling
        minutes = self.inputs.settings.output.save_state_every_n_minutes
        if minutes is not None and self.team.is_first:
            self.control.keep_every(60 * minutes)
        return Loop(
            emitter=self.emitter,
            control=self.control,
            loader=loader,
            stepper=stepper,
            saver=saver,
            save_schedule=save_schedule(self.inputs),
            validation_schedule=validation_schedule(self.inputs.settings.validation),
            sample_schedule=SampleSchedule(
                every_n_steps=sampling.sample_every_n_steps,
                every_n_epochs=sampling.sample_every_n_epochs,
                at_first=sampling.sample_at_first,
            ),
            draw_samples=draw,
            memory_mib=lambda: memory_mib(self.machine.device),
            total_steps=plan.total_steps,
            batches_per_epoch=plan.batches_per_epoch,
            position=position,
            resumed_at=None if self.start.state is None else self.start.state.facts.position,
            has_samples=lambda at: draw.has_drawn(at, self.start.own.pictures),
            team=self.team,
            keep_records=lambda: with_room(
                self.emitter.require_room, phase="training", num_bytes=lambda: RECORD_BYTES
            ),
        )

    def _loaders(
        self, caching: Caching, objective: Objective, known: TextStore | None
    ) -> tuple[BatchLoader, BatchLoader | None]:
        """Encode the pictures if latents are cached, and return what delivers the batches.

        Returns:
            Those of training, and those of validation if there are any.
        """
        inputs, device = self.inputs, self.machine.device
        sources = sources_of(inputs.index, inputs.audit, inputs.plan, inputs.subsets)
        held_out = validation_sources(inputs)
        store, (keyed, keyed_held_out) = caching.latents(inputs.settings, sources, held_out)
        loader = BatchLoader(
            sources=keyed,
            batch_size=inputs.settings.dataset.train_batch_size * self.team.size,
            accumulation=inputs.settings.optimizer.gradient_accumulation_steps,
            seed=self.start.seed,
            total_steps=inputs.plan.total_steps,
            threads=inputs.settings.cache.loader_threads,
            store=store,
            encode=caching.encode,
            latent_channels=caching.family.latent_channels,
            pixels_per_latent=caching.family.pixels_per_latent,
            draw=objective.draw,
            device=device,
            pin=pinning(device),
            conditions=None if known is None else known.joined,
            part=self.team.part,
        )
        if not held_out:
            return loader, None
        seed = inputs.settings.validation.seed
        return loader, replace(loader, sources=keyed_held_out, accumulation=1, seed=seed)

    def _resumable(
        self, method: Method, loader: BatchLoader, scaler: Any, base: BaseHash
    ) -> Resumable:
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
            base=base,
        )

    def _predict(self, family: Family, texts: TextStore) -> Predict:
        def predict(batch: Batch, noisy_BCHW: Tensor, timesteps_B: Tensor) -> Tensor:
            known = batch.condition
            condition = family.with_sizes(known or texts(batch.captions), batch.facts)
            return family.predict(noisy_BCHW, timesteps_B, condition)

        return predict

    def _stepper(
        self,
        objective: Objective,
        accelerator: Any,
        resumable: Resumable,
        predict: Predict,
        *,
        autocast: Autocast,
    ) -> Stepper:
        return Stepper(
            accelerator=accelerator,
            objective=objective,
            predict=predict,
            # It lies where the weights are; placing it would cast its state to their type.
            optimizer=accelerator.prepare(resumable.optimizer, device_placement=[False]),
            scheduler=resumable.schedule,
            max_grad_norm=self.inputs.settings.optimizer.max_grad_norm,
            autocast=autocast,
            after_step=resumable.method.after_step,
            team=self.team,
        )

    def _tell_plan(self, family: Family, method: Method) -> None:
        self.emitter.emit(
            plan_event(
                self.inputs.plan,
                parameters=method.counts(),
                precision=self.machine.precision,
                device=self.machine.name,
                prediction=family.noise_schedule.prediction_type,
                zero_terminal_snr=family.noise_schedule.has_zero_terminal_snr,
                held_out=self.inputs.held_out,
            )
        )

    def _restored(self, resumable: Resumable) -> Position:
        state = self.start.state
        if state is None:
            return Position()
        plan = self.inputs.plan
        position = resumable.restore(
            state,
            total_steps=plan.total_steps,
            batches_per_epoch=plan.batches_per_epoch,
            emitter=self.emitter,
        )
        self.emitter.emit(Resumed(from_step=position.step, state=state.folder.name))
        return position

    def _saver(self, family: Family, resumable: Resumable, with_room: WithRoom) -> Saver:
        return Saver(
            emitter=self.emitter,
            folder=self.start.folder,
            own=self.start.own,
            method=resumable.method,
            optimizer=resumable.optimizer,
            facts=run_facts(
                self.inputs,
                self.start,
                family,
                resumable,
                precision=self.machine.precision,
                processes=self.team.size,
            ),
            precision=self.inputs.settings.output.save_precision,
            state_facts=resumable.facts,
            progress=resumable.progress,
            evaluation=resumable.evaluation,
            places=other_places(self.start.folder.output_dir),
            with_room=with_room,
        )


def meet(inputs: RunInputs, start: RunStart | None) -> tuple[Team, RunStart]:
    """Meet the other processes of the run, and agree on where it begins.

    Args:
        inputs: The same in all processes.
        start: What the first process decided; None in the others.

    Raises:
        TeamError: They cannot be met.
        StateError: The state that the run goes on from cannot be read here.
    """
    team = open_team(on_cpu=not torch.cuda.is_available())
    decided = None
    if start is not None:
        decided = (start.run_id, start.seed, start.state.folder if start.state else None)
    run_id, seed, state = team.tell(decided)
    if start is not None:
        return team, start
    output = inputs.settings.output
    assert output.output_dir is not None
    folder = RunFolder(output.output_dir, output.output_name)
    saved = None if state is None else read_state(state)
    return team, RunStart(folder, run_id, seed, saved, replaces=False, own=OwnFiles())


def open_loop(
    inputs: RunInputs,
    start: RunStart,
    team: Team,
    emitter: Emitter,
    control: Control,
    base: BaseHash | None,
) -> Loop:
    """Load and build what the run needs, and write down what is really used.

    ``base`` is the base model's hash if it has been begun.

    Raises:
        TrainerError: Something cannot be used; nothing was trained.
        StopRequested: The run was told to stop before its first step.
    """
    hardware = inputs.settings.hardware
    use_hardware(threads=hardware.num_cpu_threads_per_process, allow_tf32=hardware.allow_tf32)
    machine = find_machine(hardware.mixed_precision)
    return Session(inputs, start, machine, team, emitter, control, base).open()
