"""What a run starts from, once everything was checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from trainer_core.dataset.index import DatasetIndex
from trainer_core.dataset.plan import Plan
from trainer_core.preflight import Preflight
from trainer_core.prompts.file import SamplePrompt
from trainer_core.protocol.messages import BucketCount
from trainer_core.protocol.messages import Plan as PlanEvent
from trainer_core.settings.schema import TrainSettings


@dataclass(frozen=True, slots=True)
class RunInputs:
    """Checked settings with the pictures, captions, plan and prompts that they name.

    ``caption_extensions`` are those of the caption files that were read, with their dots.
    """

    settings: TrainSettings
    model: Path
    index: DatasetIndex
    captions: Mapping[Path, str]
    plan: Plan
    prompts: tuple[SamplePrompt, ...]
    caption_extensions: frozenset[str] = frozenset()


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
    assert found.index is not None
    assert found.audit is not None
    assert found.plan is not None
    prompts = found.prompts.prompts if found.prompts is not None else ()
    return RunInputs(
        settings,
        model,
        found.index,
        found.audit.captions,
        found.plan,
        prompts,
        frozenset(found.audit.extensions.values()),
    )


def plan_event(
    plan: Plan, *, parameters: Mapping[str, int], precision: str, device: str
) -> PlanEvent:
    """Return the plan as the app is told of it."""
    return PlanEvent(
        pictures=plan.pictures,
        showings_per_epoch=plan.samples,
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
    )
