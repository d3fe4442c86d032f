import json
from pathlib import Path

import pytest

from desktop_app.process.outcome import Ending, Outcome, ProcessEnd, outcome_of
from desktop_app.words.endings import can_go_on, has_run_file, next_steps, state_left, story
from desktop_app.workspace import Workspace
from trainer_core.errors import StateError
from trainer_core.files.run_folder import RunFolder
from trainer_core.protocol.messages import Failed, Finished, StepDone
from trainer_core.settings.output import OutputSettings
from trainer_core.settings.schema import TrainSettings
from trainer_core.texts import text


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state of step 120 of a run called cat."""
    path = tmp_path / "cat-step00000120-state"
    path.mkdir()
    (path / "manifest.json").write_text(json.dumps({"step": 120}), encoding="utf-8")
    return path


def settings(folder: Path, name: str) -> TrainSettings:
    return TrainSettings(output=OutputSettings(output_dir=folder, output_name=name))


def finished(reason: str, step: int, state: Path | None = None) -> Outcome:
    facts = {"reason": reason, "step": step, "total_steps": 380, "seconds": 90.0}
    state_path = None if state is None else str(state)
    event = Finished.model_validate(
        facts | {"state": state_path, "weights": "/out/cat.safetensors"}
    )
    return outcome_of(ProcessEnd(0), event)


def test_the_story_holds_time_speed_and_what_became_of_the_loss(workspace: Workspace):
    workspace.metrics.set_smoothing_steps(1)
    for step, loss in ((1, 0.2), (2, 0.1)):
        event = StepDone(
            step=step, epoch=1, loss=loss, learning_rates={}, images_per_second=2.0 * step
        )
        workspace.metrics.feed(event)
        workspace.run.event_received.emit(event)
    end = Finished(reason="completed", step=2, total_steps=2, seconds=90.0)
    workspace.run.event_received.emit(end)
    words = story(outcome_of(ProcessEnd(0), end), workspace.record, workspace.metrics)
    assert words == (
        "Done: 2 steps trained. It took 1 min 30 s. On average 3 images/s. "
        "The smoothed loss went from 0.2 to 0.1."
    )


def test_the_story_tells_of_long_waiting_for_data(workspace: Workspace):
    end = Finished(reason="completed", step=2, total_steps=2, seconds=90.0, data_wait_s=40.0)
    words = story(outcome_of(ProcessEnd(0), end), workspace.record, workspace.metrics)
    assert words == (
        "Done: 2 steps trained. Steps waited 40 s of 90 s for data. "
        "Cached latents or more loader threads may help."
    )


def test_a_file_is_told_how_to_be_used(workspace: Workspace):
    outcome = finished("completed", 380)
    words = [each.words for each in next_steps(outcome, workspace.record, outcome.weights)]
    assert "models/Lora of A1111" in words[0]
    assert "<lora:cat:1>" in words[1]


def test_a_finished_run_without_a_state_is_told_of_the_setting(workspace: Workspace):
    advice = next_steps(finished("completed", 380), workspace.record, None)
    assert [each.setting for each in advice] == ["output.save_state"]


def test_a_finished_run_that_was_saved_in_the_middle_cannot_go_on_from_its_end(
    workspace: Workspace, state: Path
):
    advice = next_steps(finished("completed", 380, state), workspace.record, None)
    assert [each.setting for each in advice] == ["output.save_state"]


def test_a_finished_run_with_a_state_is_told_of_its_length(workspace: Workspace, state: Path):
    advice = next_steps(finished("completed", 120, state), workspace.record, None)
    assert [each.setting for each in advice] == ["optimizer.epoch"]


def test_a_run_of_other_settings_leads_to_its_own(workspace: Workspace, state: Path):
    outcome = finished("stopped", 120, state)
    for is_own, told in ((True, "Press Start"), (False, "open those of this run")):
        [advice] = next_steps(outcome, workspace.record, None, is_own=is_own)
        assert told in advice.words


@pytest.mark.parametrize("has_state", [True, False])
def test_a_finished_run_of_other_settings_leads_to_none_of_the_document(
    workspace: Workspace, state: Path, has_state: bool
):
    outcome = finished("completed", 120, state if has_state else None)
    advice = next_steps(outcome, workspace.record, None, is_own=False)
    assert [each.setting for each in advice] == [""]


def test_a_stopped_run_of_this_document_can_go_on(tmp_path: Path, state: Path):
    outcome, folder = finished("stopped", 120, state), RunFolder(tmp_path, "cat")
    assert can_go_on(outcome, folder, settings(tmp_path, "cat")) == 120
    assert can_go_on(outcome, folder, settings(tmp_path, "dog")) is None
    assert can_go_on(finished("completed", 120, state), folder, settings(tmp_path, "cat")) is None


def test_start_does_not_offer_a_state_that_was_saved_elsewhere(tmp_path: Path, state: Path):
    kept = tmp_path / "cat.kept-0a1b2c3d" / state.name
    kept.parent.mkdir()
    state.rename(kept)

    outcome, folder = finished("stopped", 120, kept), RunFolder(tmp_path, "cat")
    assert can_go_on(outcome, folder, settings(tmp_path, "cat")) is None


def test_a_crashed_run_goes_on_from_what_lies_there(tmp_path: Path, state: Path):
    folder = RunFolder(tmp_path, "cat")
    crashed = outcome_of(ProcessEnd(9, has_crashed=True), None)
    assert crashed.ending is Ending.CRASHED
    assert state_left(crashed, folder) == state
    assert can_go_on(crashed, folder, settings(tmp_path, "cat")) == 120


def test_a_run_that_found_its_newest_state_damaged_goes_on_from_the_sound_one(
    tmp_path: Path, state: Path
):
    error = StateError("The state is damaged.")
    failed = Failed.of(error).model_copy(update={"state": str(state)})
    outcome = outcome_of(ProcessEnd(2), failed)
    assert can_go_on(outcome, None, settings(tmp_path, "cat")) == 120
    assert can_go_on(outcome, None, settings(tmp_path / "other", "cat")) is None


def test_a_failed_run_goes_on_only_from_what_the_trainer_names(tmp_path: Path, state: Path):
    failed = Outcome(Ending.FAILED, text("The old run is about to be replaced."))
    assert state_left(failed, RunFolder(tmp_path, "cat")) is None


def test_a_run_on_a_disk_that_is_away_has_no_settings_to_open(tmp_path: Path):
    assert not has_run_file(RunFolder(tmp_path / ("n" * 300), "cat"))
