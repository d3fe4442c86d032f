import json
from pathlib import Path

import pytest

from desktop_app.process.outcome import Ending, ProcessEnd, outcome_of
from trainer_core.files.state_manifest import MANIFEST_NAME
from trainer_core.protocol.messages import Failed, Finished, TextData
from trainer_core.texts import text


def finished(reason: str, state: str | None = None) -> Finished:
    return Finished(reason=reason, step=7, total_steps=20, seconds=1.0, state=state)


def state_of(step: int, folder: Path) -> str:
    (folder / MANIFEST_NAME).write_text(json.dumps({"step": step}), encoding="utf-8")
    return str(folder)


def test_a_saved_stop_says_how_to_go_on(tmp_path):
    outcome = outcome_of(ProcessEnd(0), finished("stopped", state_of(7, tmp_path)))
    assert outcome.stopped
    assert str(outcome.sentence) == "Stopped and saved after step 7 of 20."
    assert str(outcome.way_on) == "Press Start to go on from there."
    assert outcome.state == tmp_path


def test_a_stop_without_saving_says_so():
    outcome = outcome_of(ProcessEnd(0), finished("stopped"))
    assert outcome.ok
    assert str(outcome.sentence) == "Stopped after step 7 of 20, not saved."
    assert outcome.way_on is None


def test_a_stop_without_saving_names_the_step_of_an_earlier_state(tmp_path):
    outcome = outcome_of(ProcessEnd(0), finished("stopped", state_of(4, tmp_path)))
    assert str(outcome.sentence) == "Stopped after step 7 of 20, not saved."
    assert str(outcome.way_on) == "Press Start to go on from step 4."


def test_a_failure_speaks_in_the_trainers_words():
    failed = Failed(
        kind="dataset",
        message=TextData(template="{path} is empty.", values={"path": "a.png"}),
        log_file="/out/a.run/trainer.log",
    )
    outcome = outcome_of(ProcessEnd(1), failed, Path("/elsewhere"))
    assert outcome.ending is Ending.FAILED
    assert str(outcome.sentence) == "a.png is empty."
    assert outcome.log_file == Path("/out/a.run/trainer.log")


def test_a_refusal_counts_more_than_what_was_heard():
    end = ProcessEnd(9, has_crashed=True, refusal=text("No."), was_killed=True)
    assert outcome_of(end, finished("completed")).ending is Ending.NOT_STARTED


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (ProcessEnd(9, has_crashed=True), "killed from outside"),
        (ProcessEnd(11, has_crashed=True), "crashed (code 11)"),
        (ProcessEnd(3), "exit code 3"),
        (ProcessEnd(0), "exit code 0"),
    ],
)
def test_an_end_without_a_last_word_is_a_crash(end, words):
    outcome = outcome_of(end, None, Path("trainer.log"))
    assert outcome.crashed
    assert words in str(outcome.sentence)
    assert outcome.log_file == Path("trainer.log")


def test_an_end_by_our_own_hand_is_no_crash():
    outcome = outcome_of(ProcessEnd(9, has_crashed=True, was_killed=True), None)
    assert outcome.stopped


@pytest.mark.parametrize("exit_code", [None, 9, 3])
def test_a_crash_names_the_state_to_go_on_from(exit_code, tmp_path):
    end = ProcessEnd(exit_code, has_crashed=exit_code != 3)
    state_of(40, tmp_path)
    outcome = outcome_of(end, None, state=tmp_path, step=47)
    assert outcome.state == tmp_path
    assert outcome.step == 47
    assert str(outcome.way_on) == "Press Start to go on from step 40."


def test_a_crash_that_left_no_state_says_so():
    assert "No state" in str(outcome_of(ProcessEnd(None, True), None, step=3).hint)


def test_a_crash_before_the_first_step_has_nothing_to_go_on_from():
    outcome = outcome_of(ProcessEnd(1), None)
    assert outcome.hint is outcome.way_on is None
