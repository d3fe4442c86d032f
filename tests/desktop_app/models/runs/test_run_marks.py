import pytest

from desktop_app.models.runs.run_marks import MarkKind, RunMarks
from trainer_core.protocol.messages import CheckpointSaved, Phase, SampleReady, StepDone


def step(number: int, epoch: int) -> StepDone:
    return StepDone(step=number, epoch=epoch, loss=0.5, learning_rates={})


def saved(number: int, name: str) -> CheckpointSaved:
    return CheckpointSaved(kind="weights", step=number, epoch=1, path=f"/out/{name}", size_bytes=1)


def sample(number: int, index: int) -> SampleReady:
    return SampleReady(
        step=number, epoch=1, prompt_index=index, prompt="a cat", path="/out/a.png", seed=1
    )


@pytest.fixture
def marks() -> RunMarks:
    """Three epochs of two steps, files at step 4, samples at steps 2 and 4."""
    marks = RunMarks()
    for number in range(1, 7):
        marks.feed(step(number, 1 + (number - 1) // 2))
        if number == 2:
            marks.feed(sample(2, 0))
        if number == 4:
            marks.feed(saved(4, "a.safetensors"))
            marks.feed(saved(4, "a-state"))
            marks.feed(sample(4, 0))
            marks.feed(sample(4, 1))
    return marks


def test_epochs_are_marked_where_they_begin_except_the_first(marks):
    assert marks.steps(MarkKind.EPOCH) == [3, 5]


def test_saves_and_samples_are_marked_once_a_step(marks):
    assert marks.steps(MarkKind.SAVE) == [4]
    assert marks.steps(MarkKind.SAMPLE) == [2, 4]


def test_a_stretch_of_steps_is_told_in_words(marks):
    assert marks.words(2.5, 4.2) == [
        "Step 3: epoch 2 begins",
        "Step 4: a.safetensors saved",
        "Step 4: a-state saved",
        "Step 4: sample pictures: 2",
    ]
    assert marks.words(0, 1.5) == []


def test_other_events_mark_nothing(marks):
    before = marks.words(0, 10)
    marks.feed(Phase(phase="saving"))
    assert marks.words(0, 10) == before


def test_what_came_after_a_step_can_be_forgotten(marks):
    marks.drop_beyond(3)
    assert marks.steps(MarkKind.EPOCH) == [3]
    assert marks.steps(MarkKind.SAVE) == []
    assert marks.steps(MarkKind.SAMPLE) == [2]
    marks.feed(step(4, 2))
    marks.feed(step(5, 3))
    assert marks.steps(MarkKind.EPOCH) == [3, 5]


def test_clear_forgets_everything(marks):
    marks.clear()
    assert marks.words(0, 10) == []
    marks.feed(step(1, 1))
    assert marks.steps(MarkKind.EPOCH) == []
