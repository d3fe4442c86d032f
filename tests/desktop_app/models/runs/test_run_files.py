from pathlib import Path

import pytest

from desktop_app.models.runs.run_files import Column, RunFiles
from trainer_core.protocol.messages import (
    CheckpointRemoved,
    CheckpointSaved,
    EventBase,
    Plan,
    Resumed,
    SampleReady,
)


def saved(name: str, step: int, kind: str = "weights", size: int = 1536) -> EventBase:
    facts = {"kind": kind, "step": step, "epoch": 1, "path": f"/out/{name}", "size_bytes": size}
    return CheckpointSaved.model_validate(facts)


def sample(step: int, number: int) -> SampleReady:
    path = f"/out/cat.run/samples/{step}_{number}.png"
    return SampleReady(step=step, epoch=1, prompt_index=number, prompt="a", path=path, seed=1)


def plan(steps_per_epoch: int) -> Plan:
    return Plan(
        pictures=4,
        showings_per_epoch=steps_per_epoch,
        buckets=(),
        batches_per_epoch=steps_per_epoch,
        steps_per_epoch=steps_per_epoch,
        total_steps=10 * steps_per_epoch,
        epochs=10,
        warmup_steps=0,
    )


def names(files: RunFiles) -> list[object]:
    return [files.index(row, Column.NAME).data() for row in range(files.rowCount())]


@pytest.fixture
def files(qapp) -> RunFiles:
    return RunFiles()


def test_the_newest_file_is_on_top_with_size_and_step(files: RunFiles):
    files.feed(saved("cat-000001.safetensors", 38))
    files.feed(saved("cat.safetensors", 76))
    assert names(files) == ["cat.safetensors", "cat-000001.safetensors"]
    assert files.index(0, Column.SIZE).data() == "1.5 KiB"
    assert files.index(0, Column.WHEN).data() == "step 76"


@pytest.mark.parametrize(("step", "epoch"), [(1, 1), (38, 1), (39, 2), (76, 2), (77, 3)])
def test_a_file_tells_the_epoch_that_its_step_lies_in(files: RunFiles, step: int, epoch: int):
    files.feed(plan(steps_per_epoch=38))
    files.feed(saved("cat.safetensors", step))
    assert files.index(0, Column.WHEN).data() == f"step {step}, epoch {epoch}"


def test_a_removed_file_goes(files: RunFiles):
    files.feed(saved("cat-000001.safetensors", 38))
    files.feed(CheckpointRemoved(kind="weights", path="/out/cat-000001.safetensors"))
    assert files.rowCount() == 0


def test_a_file_written_again_is_listed_once(files: RunFiles):
    files.feed(saved("cat.safetensors", 38))
    files.feed(saved("cat.safetensors", 76))
    assert [file.step for file in files.weights] == [76]


def test_the_samples_of_a_step_are_one_row(files: RunFiles):
    for step in (0, 10):
        for number in range(3):
            files.feed(sample(step, number))
    assert names(files) == ["Sample pictures: 3"] * 2
    assert files.index(1, Column.WHEN).data() == "before training"


def test_going_on_from_a_step_drops_later_samples_and_keeps_files(files: RunFiles):
    files.feed(sample(10, 0))
    files.feed(sample(20, 0))
    files.feed(saved("cat-step00000020.safetensors", 20))
    files.feed(Resumed(from_step=15, state="s"))
    assert [(file.kind, file.step) for file in map(files.file, range(2))] == [
        ("weights", 20),
        ("sample", 10),
    ]
    assert files.file(0).path == Path("/out/cat-step00000020.safetensors")
