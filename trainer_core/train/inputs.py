"""What a run starts from, once everything was checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from trainer_core.checkpoints.retention import SaveSchedule
from trainer_core.dataset.audit import Audit
from trainer_core.dataset.index import DatasetIndex
from trainer_core.dataset.plan import Plan
from trainer_core.dataset.subsets import SampleKey, SettingsBySubset
from trainer_core.dataset.validation.split import HeldOut
from trainer_core.preflight import Preflight
from trainer_core.prompts.file import SamplePrompt
from trainer_core.protocol.messages import BucketCount
from trainer_core.protocol.messages import Plan as PlanEvent
from trainer_core.settings.schema import TrainSettings


@dataclass(frozen=True, slots=True)
class RunInputs:
    """Checked settings with the pictures, captions, plan and prompts that they name."""

    settings: TrainSettings
    model: Path
    index: DatasetIndex
    audit: Audit
    plan: Plan
    subsets: SettingsBySubset
    prompts: tuple[SamplePrompt, ...]
    held_out: HeldOut | None = None

    @property
    def captions(self) -> Mapping[SampleKey, str]:
        """Of every picture of every subset."""
        return self.audit.captions

    @property
    def caption_extensions(self) -> frozenset[str]:
        """Those of the caption files that were read, with their dots."""
        return frozenset(self.audit.extensions.values())


def run_inputs(found: Preflight) -> RunInputs:
    """Return what the run starts from.

    Raises:
        ModelFileError: The base model cannot be used.
        DatasetError: The pictures cannot be used.
        SettingsError: Something else stands in the way.
            Each is the first problem in its own words.
    """
    if found.errors:
        raise found.errors[0].as_error()
    settings = found.settings
    assert settings is not None  # without an error everything is there
    model = settings.model.pretrained_model_name_or_path
    assert model is not None
    assert found.survey is not None
    assert found.audit is not None
    assert found.plan is not None
    prompts = found.prompts.prompts if found.prompts is not None else ()
    return RunInputs(
        settings,
        model,
        found.survey.index,
        found.audit,
        found.plan,
        found.survey.request.settings,
        prompts,
        found.survey.held_out,
    )


def plan_event(
    plan: Plan,
    *,
    parameters: Mapping[str, int],
    precision: str,
    device: str,
    prediction: str = "",
    zero_terminal_snr: bool = False,
    held_out: HeldOut | None = None,
) -> PlanEvent:
    """Return the plan as the app is told of it."""
    return PlanEvent(
        pictures=plan.pictures,
        showings_per_epoch=plan.samples,
        reg_showings=plan.reg_samples,
        reg_asked=plan.reg_asked,
        buckets=tuple(
            BucketCount(width=b.resolution[0], height=b.resolution[1], count=b.samples)
            for b in plan.buckets
        ),
        batches_per_epoch=plan.batches_per_epoch,
        steps_per_epoch=plan.steps_per_epoch,
        total_steps=plan.total_steps,
        epochs=plan.epochs,
        warmup_steps=plan.warmup_steps,
        trainable_parameters=parameters,
        precision=precision,
        device=device,
        prediction=prediction,
        zero_terminal_snr=zero_terminal_snr,
        held_out=0 if held_out is None else held_out.pictures,
    )


def save_schedule(inputs: RunInputs) -> SaveSchedule:
    """Return when the run saves and what it keeps."""
    output, plan = inputs.settings.output, inputs.plan
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
