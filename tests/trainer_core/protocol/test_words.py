import pytest
from helpers.another_method import another_method

from trainer_core.protocol.messages import (
    CheckpointRemoved,
    CheckpointSaved,
    Finished,
    Hello,
    Phase,
    Plan,
    Resumed,
    SampleReady,
    StepDone,
    TextData,
    Validated,
    Warned,
)
from trainer_core.protocol.words import EventLog, in_words, sentences

__all__ = ["another_method"]  # a fixture

PLAN = Plan(
    pictures=3,
    showings_per_epoch=6,
    buckets=(),
    batches_per_epoch=6,
    steps_per_epoch=6,
    total_steps=12,
    epochs=2,
    warmup_steps=0,
)


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (
            CheckpointSaved(
                kind="weights", step=9, epoch=1, path="/o/a.safetensors", size_bytes=3 * 2**19
            ),
            "Saved a.safetensors (1.5 MiB) after step 9.",
        ),
        (CheckpointRemoved(kind="state", path="/o/a-state"), "Removed a-state."),
        (Resumed(from_step=7, state="/o/a-state"), "Going on after step 7."),
        (
            SampleReady(step=3, epoch=1, prompt_index=0, prompt="a {cat}", path="/o/a.png", seed=1),
            "Sample after step 3: a {cat}",
        ),
        (
            SampleReady(step=0, epoch=0, prompt_index=0, prompt="a cat", path="/o/a.png", seed=1),
            "Sample before training: a cat",
        ),
        (Warned(message=TextData(template="Only {n}.", values={"n": 2})), "Only 2."),
        (
            Warned(message=TextData(template="It is hot."), hint=TextData(template="Wait.")),
            "It is hot. Wait.",
        ),
        (
            Hello(version="1", pid=1, run_id="1", run_folder="/o/a.run"),
            "The run's folder is /o/a.run.",
        ),
        (Phase(phase="loading"), "Loading the base model ..."),
        (PLAN, "3 pictures, 6 per epoch, 12 steps in all."),
        (
            PLAN.model_copy(update={"device": "cpu", "precision": "no"}),
            "3 pictures, 6 per epoch, 12 steps in all. Training on cpu in 32 bit.",
        ),
        (
            PLAN.model_copy(update={"device": "cuda:0", "precision": "bf16"}),
            "3 pictures, 6 per epoch, 12 steps in all. Training on cuda:0, precision bf16.",
        ),
        (
            Finished(reason="completed", step=9, total_steps=9, seconds=1, weights="/o/a.ckpt"),
            "Done: 9 steps trained. The LoRA: /o/a.ckpt",
        ),
        (
            Finished(
                reason="completed",
                step=9,
                total_steps=9,
                seconds=1,
                weights="/o/a.ckpt",
                method="of a later version",
            ),
            "Done: 9 steps trained. The LoRA: /o/a.ckpt",
        ),
        (
            PLAN.model_copy(update={"held_out": 2}),
            "3 pictures, 6 per epoch, 12 steps in all. 2 pictures are held out for validation.",
        ),
        (
            Validated(step=4, epoch=1, loss=0.25, pictures=2),
            "Validation loss after step 4: 0.2500",
        ),
        (
            Validated(step=4, epoch=1, loss=None, pictures=2),
            "The validation loss after step 4 is not finite.",
        ),
        (
            Finished(reason="completed", step=9, total_steps=9, seconds=99, data_wait_s=0.9),
            "Done: 9 steps trained.",
        ),
        (
            Finished(reason="completed", step=9, total_steps=9, seconds=99, data_wait_s=4.2),
            "Done: 9 steps trained. Steps waited 4 s of 99 s for data.",
        ),
        (
            Finished(reason="completed", step=9, total_steps=9, seconds=99, data_wait_s=30),
            "Done: 9 steps trained. Steps waited 30 s of 99 s for data. "
            "Cached latents or more loader threads may help.",
        ),
        (
            Finished(reason="stopped", step=7, total_steps=9, seconds=1),
            "Stopped after step 7 of 9, not saved.",
        ),
        (
            Finished(reason="stopped", step=0, total_steps=9, seconds=1),
            "Stopped before the first step; nothing was written.",
        ),
    ],
)
def test_milestones_are_told(event, words):
    assert in_words(event) == words


@pytest.mark.parametrize(
    "event",
    [
        Phase(phase="saving"),
        StepDone(step=1, epoch=1, loss=0.1, learning_rates={}),
        Hello(version="1", pid=1, run_id="", run_folder=""),
    ],
)
def test_what_is_no_milestone_is_not(event):
    assert sentences(event) == ()


def test_the_result_is_called_what_its_method_makes(another_method):
    event = Finished(
        reason="completed", step=9, total_steps=9, seconds=1, weights="/o/a", method=another_method
    )
    assert in_words(event) == "Done: 9 steps trained. The model: /o/a"


def test_the_log_has_the_numbers_that_a_method_measured():
    lines: list[str] = []
    step = StepDone(
        time=100.0,
        step=3,
        epoch=1,
        loss=0.5,
        learning_rates={},
        measures={"norm": 1.25, "gap": None},
    )
    EventLog(lines.append)(step)
    assert lines[0].endswith(" Step 3, epoch 1, loss 0.5000, norm 1.25.\n")
