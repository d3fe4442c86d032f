"""What is a run's own: the files say, and its events where they cannot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import save_file

from trainer_core.files.run_folder import RunFolder
from trainer_core.files.state_manifest import MANIFEST_NAME, sealed
from trainer_core.protocol.codec import encode
from trainer_core.protocol.messages import (
    CheckpointRemoved,
    CheckpointSaved,
    EventBase,
    SampleReady,
    StepDone,
)
from trainer_core.train.earlier.own_files import OwnFiles

RUN_ID, OTHER_ID = "0123456789abcdef", "f" * 16


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    made = RunFolder(tmp_path, "cat")
    made.path.mkdir()
    return made


def write_weights(folder: RunFolder, name: str, step: int, run_id: str = RUN_ID) -> None:
    metadata = {"loom_run_id": run_id, "ss_steps": str(step), "ss_epoch": "3"}
    save_file({}, folder.output_dir / name, metadata)


def write_state(folder: RunFolder, name: str, step: int, run_id: str = RUN_ID) -> Path:
    state = folder.output_dir / name
    state.mkdir()
    content = {"run_id": run_id, "step": step, "epoch": 2, "batch": 1}
    (state / MANIFEST_NAME).write_bytes(sealed(content))
    return state


def saved(name: str, step: int) -> CheckpointSaved:
    kind: Any = "state" if name.endswith("-state") else "weights"
    return CheckpointSaved(kind=kind, step=step, epoch=1, path=f"/output/{name}", size_bytes=1)


def removed(name: str) -> CheckpointRemoved:
    return CheckpointRemoved(kind="weights", path=f"/output/{name}")


def write_events(folder: RunFolder, *events: EventBase | bytes) -> None:
    lines = [event if isinstance(event, bytes) else encode(event) for event in events]
    folder.event_file.write_bytes(b"".join(lines))


def own_of(folder: RunFolder, from_step: int = 0) -> OwnFiles:
    return OwnFiles.of(folder, RUN_ID, from_step)


def test_own_files_are_those_that_bear_the_runs_id(folder: RunFolder) -> None:
    write_weights(folder, "cat-000001.safetensors", 5)
    write_weights(folder, "cat-000002.safetensors", 9, OTHER_ID)
    save_file({}, folder.output_dir / "cat-000003.safetensors")
    (folder.output_dir / "cat-000004.safetensors").write_bytes(b"mine")
    write_state(folder, "cat-state", 7)
    write_state(folder, "cat-000002-state", 7, OTHER_ID)

    assert own_of(folder).steps == {"cat-000001.safetensors": 5, "cat-state": 7}


def test_what_stands_beside_a_taken_name_is_own_by_its_event(folder: RunFolder) -> None:
    write_weights(folder, "cat.safetensors", 5, OTHER_ID)
    write_weights(folder, "cat-step00000005.2.safetensors", 5)
    write_weights(folder, "cat.3.safetensors", 7)
    write_events(folder, saved("cat-step00000005.2.safetensors", 5))
    own = own_of(folder)

    assert own.steps == {"cat-step00000005.2.safetensors": 5}
    assert own.has("cat-step00000005.safetensors", 5)
    assert not own.has("cat-step00000005.safetensors", 7)
    assert not own.has("cat.safetensors", 5)


def test_a_copy_under_the_name_of_another_step_is_the_users(folder: RunFolder) -> None:
    write_weights(folder, "cat-step00000004.safetensors", 4)
    write_weights(folder, "cat-step00000002.safetensors", 4)

    assert own_of(folder).steps == {"cat-step00000004.safetensors": 4}


def test_what_the_events_tell_of_and_is_gone_is_not_there(folder: RunFolder) -> None:
    write_events(folder, saved("cat.safetensors", 5), saved("cat-state", 5))

    assert own_of(folder).steps == {}


def test_what_the_user_put_in_place_of_an_own_file_is_the_users(folder: RunFolder) -> None:
    write_events(folder, saved("cat.safetensors", 5))
    write_weights(folder, "cat.safetensors", 5, OTHER_ID)

    assert own_of(folder).steps == {}


def test_a_state_that_was_damaged_since_is_still_own(folder: RunFolder) -> None:
    write_events(folder, saved("cat-state", 5), saved("cat-000001-state", 3))
    (write_state(folder, "cat-state", 5) / MANIFEST_NAME).write_bytes(b"{")

    assert own_of(folder).steps == {"cat-state": 5}


def test_only_what_was_written_past_the_state_may_be_replaced(folder: RunFolder) -> None:
    for number, step in enumerate((5, 7, 8), start=1):
        write_weights(folder, f"cat-{number:06d}.safetensors", step)
    own = own_of(folder, from_step=7)

    assert [name for name in own.steps if own.may_replace(name)] == ["cat-000003.safetensors"]
    assert not own.may_replace("of-somebody-else.safetensors")


@pytest.mark.parametrize(
    ("until", "newest"),
    [(3, None), (5, "a-5.safetensors"), (8, "a-8.safetensors"), (20, "a.safetensors")],
)
def test_the_newest_weights_are_not_from_beyond_the_end(until: int, newest: str | None) -> None:
    steps = {"a.safetensors": 20, "a-5.safetensors": 5, "a-8.safetensors": 8, "a-8-state": 8}
    assert OwnFiles(steps).newest_weights(until=until) == newest


def test_what_no_event_tells_of_is_told(folder: RunFolder) -> None:
    write_weights(folder, "cat-000001.safetensors", 5)
    write_weights(folder, "cat-000002.safetensors", 9)
    write_state(folder, "cat-state", 7)
    write_weights(folder, "cat.safetensors", 11)  # past the state: it will be written again
    write_events(folder, saved("cat-000001.safetensors", 5), saved("cat-000002.safetensors", 8))
    own = own_of(folder, from_step=10)

    told: list[CheckpointSaved] = []
    own.tell_untold(folder.output_dir, told.append)
    assert [(e.kind, Path(e.path).name, e.step, e.epoch) for e in told] == [
        ("weights", "cat-000002.safetensors", 9, 3),
        ("state", "cat-state", 7, 3),
    ]
    assert told[0].size_bytes == (folder.output_dir / "cat-000002.safetensors").stat().st_size
    assert len(told[0].sha256) == 64
    own.tell_untold(folder.output_dir, told.append)
    assert len(told) == 2


def test_pictures_are_known_by_their_events_up_to_the_state(folder: RunFolder) -> None:
    samples = [
        SampleReady(step=step, epoch=1, prompt_index=0, prompt="", path=f"/o/{step}.png", seed=1)
        for step in (5, 7, 8)
    ]
    write_events(folder, *samples)

    assert own_of(folder, from_step=7).pictures == {"5.png", "7.png"}


@pytest.mark.parametrize(
    "line",
    [
        encode(saved("half-state", 9))[:60],
        encode(saved("half-state", 9))[:60] + encode(saved("glued-state", 9)),
        b'"checkpoint_saved"\n',
        b'{"event": "checkpoint_lost", "path": "x"}\n',
        b"\xff\xfe checkpoint_saved\n",
    ],
)
def test_lines_that_are_no_events_are_passed_over(folder: RunFolder, line: bytes) -> None:
    step = StepDone(step=2, epoch=1, loss=0.5, learning_rates={})
    write_weights(folder, "cat.safetensors", 5)
    write_events(folder, step, saved("cat.safetensors", 5), removed("never-saved"), line)

    assert own_of(folder).untold == {}
