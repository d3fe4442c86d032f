import pytest

from desktop_app.words.events import words_of
from trainer_core.protocol.messages import (
    CheckpointRemoved,
    CheckpointSaved,
    Hello,
    Phase,
    Resumed,
    SampleReady,
    StepDone,
    TextData,
    Warned,
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
    ],
)
def test_milestones_are_told(event, words):
    assert str(words_of(event)) == words


@pytest.mark.parametrize(
    "event",
    [
        Phase(phase="saving"),
        StepDone(step=1, epoch=1, loss=0.1, learning_rates={}),
        Hello(version="1", pid=1, run_id="", run_folder=""),
    ],
)
def test_what_is_shown_elsewhere_is_not(event):
    assert words_of(event) is None
