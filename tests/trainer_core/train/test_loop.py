"""The loop does each thing in its order, and ends as it was told."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.stubs import NO_SAMPLES, Happened, LoopParts, StubLoader

from trainer_core.checkpoints.state import Position
from trainer_core.errors import DatasetError, DiskFull, NumericError, OutputError, StopRequested
from trainer_core.protocol.messages import (
    Continue,
    EventBase,
    Pause,
    SampleNow,
    SaveNow,
    StepDone,
    Stop,
)
from trainer_core.train.loop import SampleSchedule


def not_finite() -> None:
    raise NumericError("The loss is not finite.")


def only(happened: Happened, *kinds: str) -> Happened:
    return [event for event in happened if event.split(" ")[0] in kinds]


# ------------------------------------------------------------------ the course of a run


def test_a_run_does_its_steps_and_saves_at_the_end(parts: LoopParts) -> None:
    loop = parts.loop()

    assert loop.run() is None
    steps = [f"{what} {number}" for number in range(1, 8) for what in ("step", "report")]
    assert parts.happened == [*steps, "save cat.safetensors"]
    assert loop.position == Position(step=7, epoch=2, batch=1)


def test_epochs_are_gone_through_one_after_the_other(parts: LoopParts) -> None:
    parts.loop().run()

    assert parts.loader.asked == [(0, 0, 1), (1, 0, 4), (2, 0, 7)]
    assert [step.epoch for step in parts.emitter.steps] == [1, 1, 1, 2, 2, 2, 3]


def test_a_step_is_reported_with_what_it_came_to(parts: LoopParts) -> None:
    parts.loop().run()

    first = parts.emitter.steps[0]
    assert (first.step, first.loss, first.grad_norm) == (1, 1.0, 0.5)
    assert (first.learning_rates, first.batch_hash) == ({"unet": 1e-4}, "hash 1")
    assert first.memory_mib == 12.5


def test_the_time_of_a_step_includes_waiting_for_its_data(parts: LoopParts) -> None:
    loop = parts.loop()
    loop.run()

    first = parts.emitter.steps[0]
    assert first.data_wait_s == 0.25
    assert loop.data_wait_s == 0.25 * loop.position.step
    assert first.seconds >= 0.25
    assert first.images_per_second == pytest.approx(2 / first.seconds)


def test_after_a_step_comes_report_then_saves_then_samples(parts: LoopParts) -> None:
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


def test_what_is_removed_is_only_what_the_run_wrote(parts: LoopParts) -> None:
    parts.save = {"save_every_n_epochs": 1, "save_last_n_epochs": 1}
    parts.total_steps = 12
    parts.position = Position(step=3, epoch=1)  # the file of epoch 1 is not this run's
    parts.loop().run()

    assert only(parts.happened, "remove") == ["remove cat-000002.safetensors"]


@pytest.mark.parametrize(("steps", "epochs"), [(6, 2), (7, 3)])
def test_the_end_counts_an_unfinished_epoch_as_begun(
    parts: LoopParts, steps: int, epochs: int
) -> None:
    parts.total_steps = steps
    parts.loop().run()

    (last,) = parts.saver.saves
    assert (last.step, last.epoch) == (steps, epochs)


def test_what_was_due_at_the_state_and_is_missing_is_done_first(parts: LoopParts) -> None:
    parts.save = {
        "save_every_n_steps": 1,
        "save_every_n_epochs": 1,
        "save_state": True,
        "save_last_n_steps": 1,
    }
    parts.samples = SampleSchedule(every_n_steps=3, every_n_epochs=None, at_first=False)
    parts.total_steps = 4
    parts.saver.own.steps |= {
        "cat-step00000001.safetensors": 1,
        "cat-step00000003.safetensors": 3,
        "cat-step00000003-state": 3,
    }
    loop = parts.loop()
    loop.position = loop.resumed_at = Position(step=3, epoch=1, batch=0)
    loop.has_samples = lambda position: False
    loop.run()

    assert parts.happened == [
        "tell of what is there",
        "remove cat-step00000001.safetensors",
        "save cat-000001.safetensors",
        "save cat-000001-state",
        "sample 3",
        "step 4",
        "report 4",
        "save cat-state",
        "save cat.safetensors",
    ]


def test_at_the_end_only_what_is_missing_is_written(parts: LoopParts) -> None:
    parts.save = {"save_state": True}
    parts.saver.own.steps["cat-state"] = 7
    loop = parts.loop()
    loop.position = loop.resumed_at = Position(step=7, epoch=2, batch=1)
    assert loop.run() is None

    assert parts.happened == ["tell of what is there", "save cat.safetensors"]
    assert parts.saver.saves[0].epoch == 3


def test_phases_are_told_where_they_change(parts: LoopParts) -> None:
    parts.save = {"save_every_n_epochs": 1}
    parts.total_steps = 4
    parts.loop().run()

    # At the start, after the save at the end of the first epoch, and with the second.
    assert parts.emitter.phases == ["training", "training", "training"]


def test_the_phase_is_training_again_after_samples(parts: LoopParts) -> None:
    parts.samples = SampleSchedule(every_n_steps=2, every_n_epochs=None, at_first=False)
    parts.total_steps = 2
    parts.loop().run()

    assert parts.emitter.phases == ["training", "training"]


def test_a_step_that_fails_keeps_the_last_good_weights(parts: LoopParts) -> None:
    parts.during_step(3, not_finite)
    loop = parts.loop()

    with pytest.raises(NumericError):
        loop.run()
    assert parts.happened[-2:] == ["step 3", "save at 2"]
    assert loop.position == Position(step=2, epoch=0, batch=2)


@pytest.mark.parametrize("error", [DatasetError("a picture is gone"), RuntimeError("no memory")])
def test_whatever_ends_the_run_what_was_trained_is_kept(parts: LoopParts, error: Exception) -> None:
    def fail() -> None:
        raise error

    parts.during_step(3, fail)

    with pytest.raises(type(error)):
        parts.loop().run()
    assert parts.happened[-1] == "save at 2"


def test_what_the_output_folder_does_not_take_is_saved_elsewhere(parts: LoopParts) -> None:
    loop, report = parts.loop(), parts.emitter.emit

    def refused(event: EventBase) -> None:
        report(event)
        if isinstance(event, StepDone) and event.step == 3:
            raise OutputError("The disk is full.")

    parts.emitter.emit = refused  # type: ignore[method-assign]
    with pytest.raises(OutputError, match="full"):
        loop.run()
    assert parts.happened[-1] == "save elsewhere at 3"
    assert loop.rescued == Path("elsewhere")


def test_it_is_saved_where_who_stopped_it_on_a_full_disk_said(parts: LoopParts) -> None:
    def fill() -> None:
        parts.control.obey(Stop(save=True, folder="/chosen"))
        raise DiskFull("The disk is full.")

    parts.during_step(3, fill)
    loop = parts.loop()
    with pytest.raises(DiskFull):
        loop.run()
    assert loop.rescued == Path("/chosen")


def test_after_another_failure_too_it_is_saved_elsewhere(
    parts: LoopParts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OutputError("The disk is full.")

    monkeypatch.setattr(parts.saver, "save_here", refuse)
    parts.during_step(3, not_finite)

    with pytest.raises(NumericError):
        parts.loop().run()
    assert parts.happened[-1] == "save elsewhere at 2"


def test_the_events_of_a_step_are_kept_before_the_next(parts: LoopParts) -> None:
    loop = parts.loop()
    loop.keep_records = lambda: parts.happened.append("keep records")
    loop.run()

    assert parts.happened[:4] == ["step 1", "report 1", "keep records", "step 2"]


def test_a_save_that_fails_too_does_not_hide_the_first_failure(
    parts: LoopParts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the device is gone")

    monkeypatch.setattr(parts.saver, "save_here", fail)
    parts.during_step(3, not_finite)

    with pytest.raises(NumericError):
        parts.loop().run()


def test_an_update_that_breaks_off_is_undone_and_the_weights_before_it_are_kept(
    parts: LoopParts,
) -> None:
    def break_off() -> None:
        parts.stepper.is_updating = True
        raise RuntimeError

    parts.during_step(3, break_off)

    with pytest.raises(RuntimeError):
        parts.loop().run()
    assert parts.happened[-3:] == ["step 3", "put back", "save weights at 2"]


def spoiled_by_step(parts: LoopParts, number: int) -> None:
    """Let the update of a step make weights that are not finite."""

    def spoil() -> None:
        parts.stepper.is_spoiled = True

    parts.during_step(number, spoil)


@pytest.mark.parametrize("save", [{"save_every_n_steps": 4}, {"save_every_n_epochs": 2}, {}])
def test_weights_that_an_update_spoiled_are_noticed_before_they_are_saved(
    parts: LoopParts, save: dict[str, int]
) -> None:
    parts.save, parts.total_steps = save, 4 if save == {"save_every_n_steps": 4} else 6
    spoiled_by_step(parts, parts.total_steps)

    with pytest.raises(NumericError, match=f"update of step {parts.total_steps} made weights"):
        parts.loop().run()
    last = parts.total_steps
    assert parts.happened[-3:] == [
        f"save state at {last}",  # which refuses it; see the tests of states
        "put back",
        f"save weights at {last - 1}",
    ]
    assert not any(save.step == parts.total_steps for save in parts.saver.saves)


def test_a_step_that_fails_on_spoiled_weights_keeps_those_before_them(parts: LoopParts) -> None:
    def fail_later(number: int) -> None:
        if number == 3:
            parts.stepper.is_spoiled = True
        if number == 4:
            not_finite()

    parts.stepper.during = fail_later
    with pytest.raises(NumericError):
        parts.loop().run()
    assert parts.happened[-2:] == ["put back", "save weights at 2"]


@pytest.mark.parametrize("has_kept", [True, False])
def test_a_first_update_that_spoils_the_weights_leaves_nothing_to_save(
    parts: LoopParts, has_kept: bool
) -> None:
    parts.stepper.has_kept = has_kept
    spoiled_by_step(parts, 1)
    parts.total_steps = 1
    with pytest.raises(NumericError):
        parts.loop().run()
    assert not any("save weights" in happened for happened in parts.happened)


def test_weights_that_were_not_kept_are_not_saved(parts: LoopParts) -> None:
    parts.stepper.has_kept = False
    spoiled_by_step(parts, 7)
    with pytest.raises(NumericError):
        parts.loop().run()
    assert parts.happened[-1] == "put back"


def test_a_state_that_is_not_finite_does_not_cost_the_weights(
    parts: LoopParts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts.saver, "save_here", lambda position: not_finite())
    parts.during_step(3, not_finite)
    with pytest.raises(NumericError):
        parts.loop().run()
    assert parts.happened[-1] == "save weights at 2"


def test_a_first_step_that_fails_has_nothing_to_keep(parts: LoopParts) -> None:
    parts.during_step(1, not_finite)

    with pytest.raises(NumericError):
        parts.loop().run()
    assert parts.happened == ["step 1"]


# ------------------------------------------------------------------ going on


def test_a_run_goes_on_inside_an_epoch(parts: LoopParts) -> None:
    parts.position = Position(step=4, epoch=1, batch=1)
    parts.loop().run()

    assert parts.loader.asked == [(1, 1, 5), (2, 0, 7)]
    assert only(parts.happened, "step") == ["step 5", "step 6", "step 7"]
    assert [step.epoch for step in parts.emitter.steps] == [2, 2, 3]


def test_a_stopped_and_resumed_run_does_what_an_uninterrupted_one_does(parts: LoopParts) -> None:
    parts.loader = StubLoader(5, accumulation=2)
    parts.save = {"save_every_n_epochs": 1, "save_every_n_steps": 2}
    whole = LoopParts()
    whole.loader, whole.save = StubLoader(5, accumulation=2), parts.save
    whole.loop().run()

    parts.during_step(4, lambda: parts.control.obey(Stop()))
    first = parts.loop()
    first.run()
    rest = LoopParts()
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
    assert not any(NO_SAMPLES.is_due_after_step(step) for step in range(1, 50))
    assert not any(NO_SAMPLES.is_due_after_epoch(epoch) for epoch in range(1, 50))


def test_samples_are_drawn_once_where_step_and_epoch_coincide(parts: LoopParts) -> None:
    parts.samples = SampleSchedule(every_n_steps=2, every_n_epochs=1, at_first=False)
    parts.loop().run()

    assert only(parts.happened, "sample") == ["sample 2", "sample 3", "sample 4", "sample 6"]


def test_samples_before_training_come_before_the_first_step(parts: LoopParts) -> None:
    parts.samples = SampleSchedule(every_n_steps=None, every_n_epochs=None, at_first=True)
    parts.loop().run()

    assert parts.happened[:2] == ["sample 0", "step 1"]
    assert only(parts.happened, "sample") == ["sample 0"]


def test_a_resumed_run_draws_no_samples_before_its_first_step(parts: LoopParts) -> None:
    parts.samples = SampleSchedule(every_n_steps=None, every_n_epochs=None, at_first=True)
    parts.position = Position(step=4, epoch=1, batch=1)
    parts.loop().run()

    assert only(parts.happened, "sample") == []


# ------------------------------------------------------------------ commands


def test_stop_saves_after_the_step_at_hand(parts: LoopParts) -> None:
    parts.during_step(2, lambda: parts.control.obey(Stop()))
    loop = parts.loop()

    assert loop.run() == Stop(save=True)
    assert parts.happened[-3:] == ["step 2", "report 2", "save at 2"]
    assert loop.position == Position(step=2, epoch=0, batch=2)


def test_stop_without_saving_leaves_at_once(parts: LoopParts) -> None:
    parts.during_step(2, lambda: parts.control.obey(Stop(save=False)))

    assert parts.loop().run() == Stop(save=False)
    assert parts.happened[-2:] == ["step 2", "report 2"]


def test_a_save_that_is_due_comes_before_a_stop(parts: LoopParts) -> None:
    parts.save = {"save_every_n_steps": 2}
    parts.during_step(2, lambda: parts.control.obey(Stop()))
    parts.loop().run()

    assert only(parts.happened, "save") == ["save cat-step00000002.safetensors", "save at 2"]


def test_a_stop_before_the_first_step_leaves_before_it(parts: LoopParts) -> None:
    parts.control.obey(Stop())

    with pytest.raises(StopRequested):
        parts.loop().run()
    assert parts.happened == []


@pytest.mark.parametrize("save", [True, False])
def test_a_stop_at_the_last_step_counts_as_completed(parts: LoopParts, save: bool) -> None:
    parts.during_step(7, lambda: parts.control.obey(Stop(save=save)))

    assert parts.loop().run() is None
    assert only(parts.happened, "save") == ["save cat.safetensors"]


def test_save_now_saves_once_and_goes_on(parts: LoopParts) -> None:
    parts.during_step(2, lambda: parts.control.obey(SaveNow()))

    assert parts.loop().run() is None
    assert only(parts.happened, "save") == ["save at 2", "save cat.safetensors"]


def test_sample_now_draws_once_and_goes_on(parts: LoopParts) -> None:
    parts.during_step(2, lambda: parts.control.obey(SampleNow()))

    assert parts.loop().run() is None
    assert only(parts.happened, "sample") == ["sample 2"]


def test_a_pause_holds_between_two_steps(parts: LoopParts) -> None:
    def go_on_when_paused(phase: str) -> None:
        if phase == "paused":
            parts.happened.append("paused")
            parts.control.obey(Continue())

    parts.emitter.on_phase = go_on_when_paused
    parts.during_step(2, lambda: parts.control.obey(Pause()))
    parts.loop().run()

    place = parts.happened.index("paused")
    assert parts.happened[place - 1 : place + 2] == ["report 2", "paused", "step 3"]
    assert parts.emitter.phases[:3] == ["training", "paused", "training"]


def test_a_stop_during_a_pause_stops(parts: LoopParts) -> None:
    def stop_when_paused(phase: str) -> None:
        if phase == "paused":
            parts.control.obey(Stop())

    parts.emitter.on_phase = stop_when_paused
    parts.during_step(2, lambda: parts.control.obey(Pause()))

    assert parts.loop().run() == Stop()
    assert parts.happened[-1] == "save at 2"


def test_a_save_can_be_asked_for_during_a_pause(parts: LoopParts) -> None:
    asked = iter([SaveNow(), Continue()])

    def ask_when_paused(phase: str) -> None:
        if phase == "paused":
            parts.control.obey(next(asked))

    parts.emitter.on_phase = ask_when_paused
    parts.during_step(2, lambda: parts.control.obey(Pause()))
    parts.loop().run()

    assert parts.happened[3:6] == ["report 2", "save at 2", "step 3"]


# ------------------------------------------------------------- as time passes


def test_a_state_is_kept_between_two_steps_when_it_is_time(parts: LoopParts) -> None:
    parts.stepper.during = lambda step: parts.control.keep_every(0.0 if step == 2 else None)

    assert parts.loop().run() is None
    assert only(parts.happened, "keep") == ["keep at 2"]
    assert parts.happened.index("keep at 2") == parts.happened.index("report 2") + 1
