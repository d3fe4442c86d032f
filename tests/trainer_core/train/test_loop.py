"""The loop does each thing in its order, as often as was recorded, and ends as it was told."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import vectors
from helpers.stubs import Happened, StubEmitter, StubLoader, StubSaver, StubStepper

from trainer_core.checkpoints.retention import SaveSchedule
from trainer_core.checkpoints.state import Position
from trainer_core.dataset.buckets import BucketRules
from trainer_core.errors import NumericError
from trainer_core.pipeline.latent_store import Posterior
from trainer_core.pipeline.prepare import BatchLoader, Source
from trainer_core.protocol.messages import Continue, Pause, SampleNow, SaveNow, Stop
from trainer_core.train.control import Control, StopRequested
from trainer_core.train.loop import Loop, SampleSchedule

NEVER = SampleSchedule(every_n_steps=None, every_n_epochs=None, at_first=False)


@dataclass
class Parts:
    """A loop of stand-ins: 3 batches an epoch, 7 steps, nothing saved but the end."""

    happened: Happened = field(default_factory=list)

    def __post_init__(self) -> None:
        self.emitter = StubEmitter(self.happened)
        self.stepper = StubStepper(self.happened)
        self.saver = StubSaver(self.happened)
        self.loader: Any = StubLoader(3)
        self.control = Control(warn=lambda words: None, detached=lambda: None)
        self.save: dict[str, Any] = {}
        self.samples = NEVER
        self.total_steps = 7
        self.position = Position()

    def loop(self) -> Loop:
        accumulation, batches = self.loader.accumulation, self.loader.batches_per_epoch
        steps_per_epoch = -(-batches // accumulation)
        parts: Any = {
            "emitter": self.emitter,
            "control": self.control,
            "loader": self.loader,
            "stepper": self.stepper,
            "saver": self.saver,
        }
        return Loop(
            **parts,
            save_schedule=SaveSchedule(
                output_name="cat",
                last_step=self.total_steps,
                last_epoch=-(-self.total_steps // steps_per_epoch),
                **self.save,
            ),
            sample_schedule=self.samples,
            draw_samples=lambda position: self.happened.append(f"sample {position.step}"),
            memory_mib=lambda: 12.5,
            total_steps=self.total_steps,
            batches_per_epoch=batches,
            position=self.position,
        )

    def after_step(self, number: int, do: Callable[[], object]) -> None:
        """Do something during one step, as a command that arrives meanwhile would."""
        self.stepper.during = lambda step: do() if step == number else None


@pytest.fixture
def parts() -> Parts:
    return Parts()


def not_finite() -> None:
    raise NumericError("The loss is not finite.")


def only(happened: Happened, *kinds: str) -> Happened:
    return [event for event in happened if event.split(" ")[0] in kinds]


# ------------------------------------------------------------------ the course of a run


def test_a_run_does_its_steps_and_saves_at_the_end(parts: Parts) -> None:
    loop = parts.loop()

    assert loop.run() is None
    steps = [f"{what} {number}" for number in range(1, 8) for what in ("step", "report")]
    assert parts.happened == [*steps, "save cat.safetensors"]
    assert loop.position == Position(step=7, epoch=2, batch=1)


def test_epochs_are_gone_through_one_after_the_other(parts: Parts) -> None:
    parts.loop().run()

    assert parts.loader.asked == [(0, 0), (1, 0), (2, 0)]
    assert [step.epoch for step in parts.emitter.steps] == [1, 1, 1, 2, 2, 2, 3]


def test_a_step_is_reported_with_what_it_came_to(parts: Parts) -> None:
    parts.loop().run()

    first = parts.emitter.steps[0]
    assert (first.step, first.loss, first.grad_norm) == (1, 1.0, 0.5)
    assert (first.learning_rates, first.batch_hash) == ({"unet": 1e-4}, "hash 1")
    assert first.memory_mib == 12.5


def test_the_time_of_a_step_includes_waiting_for_its_data(parts: Parts) -> None:
    parts.loop().run()

    first = parts.emitter.steps[0]
    assert first.data_wait_s == 0.25
    assert first.seconds >= 0.25
    assert first.images_per_second == pytest.approx(2 / first.seconds)


def test_after_a_step_comes_report_then_saves_then_samples(parts: Parts) -> None:
    parts.save = {"save_every_n_steps": 3, "save_every_n_epochs": 1, "save_state": True}
    parts.samples = SampleSchedule(every_n_steps=3, every_n_epochs=1, at_first=False)
    parts.total_steps = 4
    parts.loop().run()

    assert parts.happened[4:] == [
        "step 3",
        "report 3",
        "save cat-step00000003.safetensors",
        "save cat-step00000003-state",
        "save cat-000001.safetensors",
        "save cat-000001-state",
        "sample 3",
        "step 4",
        "report 4",
        "save cat-state",
        "save cat.safetensors",
    ]


def test_what_is_removed_is_only_what_the_run_wrote(parts: Parts) -> None:
    parts.save = {"save_every_n_epochs": 1, "save_last_n_epochs": 1}
    parts.total_steps = 12
    parts.position = Position(step=3, epoch=1)  # the file of epoch 1 is not this run's
    parts.loop().run()

    assert only(parts.happened, "remove") == ["remove cat-000002.safetensors"]


@pytest.mark.parametrize(("steps", "epochs"), [(6, 2), (7, 3)])
def test_the_end_counts_an_unfinished_epoch_as_begun(parts: Parts, steps: int, epochs: int) -> None:
    parts.total_steps = steps
    parts.loop().run()

    (last,) = parts.saver.saves
    assert (last.step, last.epoch) == (steps, epochs)


def test_phases_are_told_where_they_change(parts: Parts) -> None:
    parts.save = {"save_every_n_epochs": 1}
    parts.total_steps = 4
    parts.loop().run()

    # At the start, after the save at the end of the first epoch, and with the second.
    assert parts.emitter.phases == ["training", "training", "training"]


def test_a_step_that_fails_keeps_the_last_good_weights(parts: Parts) -> None:
    parts.after_step(3, not_finite)
    loop = parts.loop()

    with pytest.raises(NumericError):
        loop.run()
    assert parts.happened[-2:] == ["step 3", "save at 2"]
    assert loop.position == Position(step=2, epoch=0, batch=2)


def test_a_first_step_that_fails_has_nothing_to_keep(parts: Parts) -> None:
    parts.after_step(1, not_finite)

    with pytest.raises(NumericError):
        parts.loop().run()
    assert parts.happened == ["step 1"]


# ------------------------------------------------------------------ going on


def test_a_run_goes_on_inside_an_epoch(parts: Parts) -> None:
    parts.position = Position(step=4, epoch=1, batch=1)
    parts.loop().run()

    assert parts.loader.asked == [(1, 1), (2, 0)]
    assert only(parts.happened, "step") == ["step 5", "step 6", "step 7"]
    assert [step.epoch for step in parts.emitter.steps] == [2, 2, 3]


def test_a_stopped_and_resumed_run_does_what_an_uninterrupted_one_does(parts: Parts) -> None:
    parts.loader = StubLoader(5, accumulation=2)
    parts.save = {"save_every_n_epochs": 1, "save_every_n_steps": 2}
    whole = Parts()
    whole.loader, whole.save = StubLoader(5, accumulation=2), parts.save
    whole.loop().run()

    parts.after_step(4, lambda: parts.control.obey(Stop()))
    first = parts.loop()
    first.run()
    rest = Parts()
    rest.loader, rest.save, rest.position = parts.loader, parts.save, first.position
    rest.loop().run()
    together = [*parts.happened, *rest.happened]
    assert [event for event in together if event != "save at 4"] == whole.happened


# ------------------------------------------------------------------ samples


def test_samples_are_due_by_step_and_by_epoch() -> None:
    schedule = SampleSchedule(every_n_steps=3, every_n_epochs=2, at_first=False)

    assert [step for step in range(1, 10) if schedule.is_due_after_step(step)] == [3, 6, 9]
    assert [epoch for epoch in range(1, 6) if schedule.is_due_after_epoch(epoch)] == [2, 4]


def test_samples_that_nobody_asked_for_are_never_due() -> None:
    assert not any(NEVER.is_due_after_step(step) for step in range(1, 50))
    assert not any(NEVER.is_due_after_epoch(epoch) for epoch in range(1, 50))


def test_samples_are_drawn_once_where_step_and_epoch_coincide(parts: Parts) -> None:
    parts.samples = SampleSchedule(every_n_steps=2, every_n_epochs=1, at_first=False)
    parts.loop().run()

    assert only(parts.happened, "sample") == ["sample 2", "sample 3", "sample 4", "sample 6"]


def test_samples_before_training_come_before_the_first_step(parts: Parts) -> None:
    parts.samples = SampleSchedule(every_n_steps=None, every_n_epochs=None, at_first=True)
    parts.loop().run()

    assert parts.happened[:2] == ["sample 0", "step 1"]
    assert only(parts.happened, "sample") == ["sample 0"]


def test_a_resumed_run_draws_no_samples_before_its_first_step(parts: Parts) -> None:
    parts.samples = SampleSchedule(every_n_steps=None, every_n_epochs=None, at_first=True)
    parts.position = Position(step=4, epoch=1, batch=1)
    parts.loop().run()

    assert only(parts.happened, "sample") == []


# ------------------------------------------------------------------ commands


def test_stop_saves_after_the_step_at_hand(parts: Parts) -> None:
    parts.after_step(2, lambda: parts.control.obey(Stop()))
    loop = parts.loop()

    assert loop.run() == Stop(save=True)
    assert parts.happened[-3:] == ["step 2", "report 2", "save at 2"]
    assert loop.position == Position(step=2, epoch=0, batch=2)


def test_stop_without_saving_leaves_at_once(parts: Parts) -> None:
    parts.after_step(2, lambda: parts.control.obey(Stop(save=False)))

    assert parts.loop().run() == Stop(save=False)
    assert parts.happened[-2:] == ["step 2", "report 2"]


def test_a_save_that_is_due_comes_before_a_stop(parts: Parts) -> None:
    parts.save = {"save_every_n_steps": 2}
    parts.after_step(2, lambda: parts.control.obey(Stop()))
    parts.loop().run()

    assert only(parts.happened, "save") == ["save cat-step00000002.safetensors", "save at 2"]


def test_a_stop_before_the_first_step_leaves_before_it(parts: Parts) -> None:
    parts.control.obey(Stop())

    with pytest.raises(StopRequested):
        parts.loop().run()
    assert parts.happened == []


@pytest.mark.parametrize("save", [True, False])
def test_a_stop_at_the_last_step_counts_as_completed(parts: Parts, save: bool) -> None:
    parts.after_step(7, lambda: parts.control.obey(Stop(save=save)))

    assert parts.loop().run() is None
    assert only(parts.happened, "save") == ["save cat.safetensors"]


def test_save_now_saves_once_and_goes_on(parts: Parts) -> None:
    parts.after_step(2, lambda: parts.control.obey(SaveNow()))

    assert parts.loop().run() is None
    assert only(parts.happened, "save") == ["save at 2", "save cat.safetensors"]


def test_sample_now_draws_once_and_goes_on(parts: Parts) -> None:
    parts.after_step(2, lambda: parts.control.obey(SampleNow()))

    assert parts.loop().run() is None
    assert only(parts.happened, "sample") == ["sample 2"]


def test_a_pause_holds_between_two_steps(parts: Parts) -> None:
    def go_on_when_paused(phase: str) -> None:
        if phase == "paused":
            parts.happened.append("paused")
            parts.control.obey(Continue())

    parts.emitter.on_phase = go_on_when_paused
    parts.after_step(2, lambda: parts.control.obey(Pause()))
    parts.loop().run()

    place = parts.happened.index("paused")
    assert parts.happened[place - 1 : place + 2] == ["report 2", "paused", "step 3"]
    assert parts.emitter.phases[:3] == ["training", "paused", "training"]


def test_a_stop_during_a_pause_stops(parts: Parts) -> None:
    def stop_when_paused(phase: str) -> None:
        if phase == "paused":
            parts.control.obey(Stop())

    parts.emitter.on_phase = stop_when_paused
    parts.after_step(2, lambda: parts.control.obey(Pause()))

    assert parts.loop().run() == Stop()
    assert parts.happened[-1] == "save at 2"


def test_a_save_can_be_asked_for_during_a_pause(parts: Parts) -> None:
    asked = iter([SaveNow(), Continue()])

    def ask_when_paused(phase: str) -> None:
        if phase == "paused":
            parts.control.obey(next(asked))

    parts.emitter.on_phase = ask_when_paused
    parts.after_step(2, lambda: parts.control.obey(Pause()))
    parts.loop().run()

    assert parts.happened[3:6] == ["report 2", "save at 2", "step 3"]


# ------------------------------------------------------------------ the recorded runs

FILE = "steps.json"
CASES = vectors.load(FILE)["cases"]
# Left to later issues: regularisation pictures and dataset configuration files.
RECORDED = [case for case in CASES if case["reg_folders"] is None and case["config"] is None]


class Nothing:
    """A store in which every latent is 0."""

    def get(self, key: str) -> Posterior:
        return torch.zeros(4, 1, 1), torch.zeros(4, 1, 1)


def options_of(case: dict[str, Any]) -> dict[str, int]:
    """Return the options of a case's command line; a switch is 1."""
    options: dict[str, int] = {}
    for word in shlex.split(case["command_line"]):
        if word.startswith("--"):
            name = word.removeprefix("--")
            options[name] = 1
        else:
            options[name] = int(word)
    return options


def real_loader(case: dict[str, Any], *, threads: int) -> BatchLoader:
    options = options_of(case)
    rules = BucketRules(
        (options["resolution"],) * 2,
        enable_bucket="enable_bucket" in options,
        min_bucket_reso=options.get("min_bucket_reso", 256),
        max_bucket_reso=options.get("max_bucket_reso", 1024),
        bucket_no_upscale=False,
    )
    sources = []
    for folder, sizes in case["train_folders"].items():
        for number, size in enumerate(sizes):
            placement = rules.place(tuple(size))
            assert placement is not None
            path, repeats = Path(folder, f"{number}.png"), int(folder.split("_")[0])
            sources.append(Source(path, str(path), repeats, placement, "", keys=("key",)))
    store: Any = Nothing()
    return BatchLoader(
        sources=sources,
        batch_size=options.get("train_batch_size", 1),
        accumulation=options.get("gradient_accumulation_steps", 1),
        seed=42,
        flip=False,
        shuffle_caption=False,
        keep_tokens=0,
        threads=threads,
        store=store,
        encode=lambda pixels: pytest.fail("nothing is to be encoded"),
    )


@pytest.mark.parametrize("threads", [0, 2])
@pytest.mark.parametrize("case", RECORDED, ids=lambda case: case["description"])
def test_steps_batches_and_epochs_are_the_recorded_ones(
    case: dict[str, Any], threads: int, parts: Parts
) -> None:
    expected = case["expected"]
    parts.total_steps = expected["max_train_steps"]
    loop = parts.loop()
    loop.loader = real_loader(case, threads=threads)
    loop.batches_per_epoch = expected["num_batches_per_epoch"]

    assert loop.run() is None
    actual = {
        "actual_optimizer_steps": len(parts.emitter.steps),
        "forward_batches_run": parts.stepper.batches,
        "final_epoch_metadata": parts.saver.saves[-1].epoch,
    }
    recorded = {name: expected[name] for name in actual}
    vectors.check(FILE, case["description"], actual=actual, recorded=recorded)


def test_recorded_cases_are_left_to_later_issues_only_for_what_is_missing() -> None:
    assert len(RECORDED) == 10
    assert len(CASES) == 14
