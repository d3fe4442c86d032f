import json
from pathlib import Path

import pytest

from desktop_app.models.runs.used_settings import Records
from desktop_app.process.outcome import Ending, Outcome, ProcessEnd, outcome_of
from desktop_app.words.failures import failure_of, setting_of
from desktop_app.workspace import Workspace
from trainer_core import errors
from trainer_core.errors import InternalError, TrainerError
from trainer_core.protocol.codec import decode_event
from trainer_core.protocol.messages import Failed, StepDone
from trainer_core.texts import Text, text


def subclasses(kind: type[TrainerError]) -> list[type[TrainerError]]:
    """Return a kind of error and those below it; the app's own never reach a trainer's event."""
    below = [each for one in kind.__subclasses__() for each in subclasses(one)]
    return [each for each in (kind, *below) if each.__module__.startswith("trainer_core.")]


def failed(
    kind: str,
    message: str,
    hint: str = "",
    *,
    setting: str = "",
    picture: str = "",
    **values: object,
) -> Failed:
    error = TrainerError(message, hint, setting=setting, picture=picture, **values)
    return Failed.of(error).model_copy(update={"kind": kind})


KINDS = sorted({each.kind for each in subclasses(errors.TrainerError)})


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_headline_a_reason_and_an_advice(workspace: Workspace, kind: str):
    event = failed(kind, "{path} broke.", path="x")
    workspace.run.event_received.emit(event)
    outcome = outcome_of(ProcessEnd(1), event)
    failure = failure_of(outcome, workspace.record, None)
    assert failure.reason == "x broke."
    assert failure.advice
    assert (failure.headline == "The run failed") == (kind == "trainer")


@pytest.mark.parametrize(
    ("kind", "told", "setting"),
    [
        ("settings", "hardware.mixed_precision", "hardware.mixed_precision"),
        ("numeric", "output.save_precision", "output.save_precision"),
        ("model_file", "adapter.network_weights", "adapter.network_weights"),
        ("internal", "model.clip_skip", "model.clip_skip"),
        # Trainers of before name none.
        ("out_of_memory", "", "dataset.train_batch_size"),
        ("model_file", "", "model.pretrained_model_name_or_path"),
        ("settings", "", ""),
        ("internal", "", ""),
    ],
)
def test_the_setting_to_look_at_is_the_one_that_the_trainer_names(
    kind: str, told: str, setting: str
):
    assert setting_of(failed(kind, "It broke.", setting=told)) == setting


@pytest.mark.parametrize(
    ("own_rate", "setting"),
    [(1e-4, "optimizer.unet_lr"), ("unset", "optimizer.learning_rate")],
)
def test_the_rate_that_acts_is_the_one_to_look_at(
    workspace: Workspace, own_rate: object, setting: str
):
    workspace.record.used.records = Records({"optimizer.unet_lr": own_rate})
    event = failed("numeric", "Not finite.", "Lower the learning rate.")
    workspace.run.event_received.emit(event)
    assert failure_of(outcome_of(ProcessEnd(1), event), workspace.record, None).setting == setting


def test_the_setting_in_a_failure_is_called_by_its_label_and_paths_stay(workspace: Workspace):
    event = failed(
        "model_file",
        "{path} is cut short.",
        "Turn on {param}.",
        path="/home/output_dir/a.safetensors",
        param="dim_from_weights",
    )
    workspace.run.event_received.emit(event)
    failure = failure_of(outcome_of(ProcessEnd(1), event), workspace.record, None)
    assert failure.reason == "/home/output_dir/a.safetensors is cut short."
    assert failure.advice.startswith("Turn on “Rank from weights”.")


def test_the_picture_that_the_trainer_names_can_be_shown(workspace: Workspace, tmp_path: Path):
    picture = tmp_path / "a.png"
    event = failed("numeric", "Not finite.", picture=str(picture))
    workspace.run.event_received.emit(event)
    failure = failure_of(outcome_of(ProcessEnd(1), event), workspace.record, None)
    assert failure.picture == picture


def test_an_event_of_an_older_trainer_opens_without_a_picture(workspace: Workspace):
    line = b'{"event": "failed", "kind": "dataset", "message": {"template": "It broke."}}'
    event = decode_event(line)
    assert isinstance(event, Failed)
    workspace.run.event_received.emit(event)
    failure = failure_of(outcome_of(ProcessEnd(1), event), workspace.record, None)
    assert failure.picture is None
    assert failure.setting == "dataset.train_data_dir"


def test_a_run_that_fails_at_its_beginning_trained_nothing(workspace: Workspace):
    event = failed("model_file", "It is empty.")
    failure = failure_of(outcome_of(ProcessEnd(1), event), workspace.record, None)
    assert failure.when == "Before the first step; nothing was trained."
    assert failure.saved == ""


def test_what_is_left_is_said(workspace: Workspace, tmp_path: Path):
    state = tmp_path / "cat-step00000120-state"
    state.mkdir()
    (state / "manifest.json").write_text(json.dumps({"step": 120}), encoding="utf-8")
    step = StepDone(time=1.0, step=130, epoch=1, loss=1.0, learning_rates={})
    workspace.run.event_received.emit(step)
    outcome = Outcome(Ending.CRASHED, text("The trainer crashed."))
    failure = failure_of(outcome, workspace.record, state)
    assert failure.saved == "A state of step 120 is saved: cat-step00000120-state."
    assert failure.when.startswith("After step 130, ")
    assert failure_of(outcome, workspace.record, None).saved == "Nothing of this run was saved."


@pytest.mark.parametrize(
    ("is_own", "told"),
    [(True, "Press Start to go on from step 120."), (False, "open those of this run")],
)
def test_a_crash_says_how_to_go_on(workspace: Workspace, tmp_path: Path, is_own: bool, told: str):
    (tmp_path / "manifest.json").write_text(json.dumps({"step": 120}), encoding="utf-8")
    outcome = outcome_of(ProcessEnd(9, has_crashed=True), None, state=tmp_path, step=130)
    failure = failure_of(outcome, workspace.record, tmp_path, is_own=is_own)
    assert "memory runs out" in failure.advice
    assert told in failure.advice


def test_a_failure_of_other_settings_leads_to_none_of_the_document(workspace: Workspace):
    event = failed("numeric", "Not finite.", "Lower the learning rate.")
    workspace.run.event_received.emit(event)
    outcome = outcome_of(ProcessEnd(1), event)
    assert failure_of(outcome, workspace.record, None).setting
    assert not failure_of(outcome, workspace.record, None, is_own=False).setting


def test_an_unexpected_error_leads_to_the_log(workspace: Workspace):
    event = Failed.of(InternalError.of(ValueError("x")))
    workspace.run.event_received.emit(event)
    outcome = outcome_of(ProcessEnd(1), event)
    failure = failure_of(outcome, workspace.record, None)
    assert failure.headline == "An unexpected error"
    assert isinstance(outcome.hint, Text)
    assert failure.advice == str(outcome.hint)
