"""A run starts under its own name and identity, and replaces only what it may."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import save_file

from trainer_core.checkpoints.state import Position, SavedState, StateFacts
from trainer_core.errors import OutputError, StateError
from trainer_core.files.run_folder import RunFolder
from trainer_core.protocol.codec import encode
from trainer_core.protocol.messages import StepDone
from trainer_core.settings import files
from trainer_core.settings.document import replaced
from trainer_core.settings.schema import TRAIN, TrainSettings
from trainer_core.train.earlier.own_files import OwnFiles
from trainer_core.train.run_start import (
    RunStart,
    changed_settings,
    decide_start,
    remove_leftovers_of,
)

RUN_ID = "0123456789abcdef"


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path, "cat")


def state_of(run_id: str = RUN_ID, step: int = 10) -> SavedState:
    facts = StateFacts(run_id, "cat", 7, Position(step=step), "fingerprint", {})
    unread: Any = {}
    return SavedState(Path("cat-state"), facts, {}, {}, {}, unread)


def start_of(folder: RunFolder, **options: Any) -> RunStart:
    return decide_start(folder, **({"seed": None, "state": None, "overwrite": False} | options))


def begun(folder: RunFolder, run_id: str = RUN_ID) -> RunFolder:
    """Make the folder as a run leaves it: its record, and one trained step."""
    start = RunStart(folder, run_id, 7, None, replaces=False, own=OwnFiles())
    start.make_folders()
    start.record({"model": {"clip_skip": 2}})
    folder.event_file.write_bytes(encode(StepDone(step=1, epoch=1, loss=0.5, learning_rates={})))
    return folder


# ------------------------------------------------------------------ a new run


def test_a_new_run_gets_an_identity_and_a_seed_of_its_own(folder: RunFolder) -> None:
    first, second = start_of(folder), start_of(folder)

    assert first.run_id != second.run_id
    assert len(first.run_id) == 16
    assert 0 <= first.seed < 2**32
    assert first.seed != second.seed
    assert (first.state, first.replaces, first.own) == (None, False, OwnFiles())


@pytest.mark.parametrize("seed", [0, 7, 2**32 - 1])
def test_a_seed_that_is_set_is_taken(folder: RunFolder, seed: int) -> None:
    assert start_of(folder, seed=seed).seed == seed


@pytest.mark.parametrize("left", ["weights", "state", "events"])
def test_a_name_that_is_taken_is_refused_with_the_ways_out(folder: RunFolder, left: str) -> None:
    if left == "weights":
        (folder.output_dir / "cat-000002.safetensors").touch()
    elif left == "state":
        (folder.output_dir / "cat-state").mkdir()
    else:
        begun(folder)

    with pytest.raises(OutputError, match="named cat") as caught:
        start_of(folder)
    assert "--continue" in str(caught.value.hint)
    assert "--overwrite" in str(caught.value.hint)


def test_a_name_that_is_taken_may_be_replaced_when_told(folder: RunFolder) -> None:
    start = start_of(begun(folder), overwrite=True)

    assert start.replaces
    assert start.run_id != RUN_ID
    assert start.own == OwnFiles()


def test_other_names_beside_it_do_not_matter(folder: RunFolder) -> None:
    (folder.output_dir / "cat-dog.safetensors").touch()
    begun(RunFolder(folder.output_dir, "dog"))

    assert not start_of(folder).replaces


# ------------------------------------------------------------------ going on


def test_a_run_that_goes_on_keeps_identity_seed_and_folder(folder: RunFolder) -> None:
    state = state_of()
    start = start_of(begun(folder), state=state, seed=99)

    assert (start.run_id, start.seed, start.state) == (RUN_ID, 7, state)
    assert not start.replaces


def test_a_run_that_goes_on_knows_its_files(folder: RunFolder) -> None:
    begun(folder)
    metadata = {"loom_run_id": RUN_ID, "ss_steps": "12", "ss_epoch": "1"}
    save_file({}, folder.output_dir / "cat-000001.safetensors", metadata)

    own = start_of(folder, state=state_of(step=10)).own
    assert own.may_replace("cat-000001.safetensors")


def test_the_state_of_another_run_is_refused(folder: RunFolder) -> None:
    begun(folder, run_id="f" * 16)

    with pytest.raises(StateError, match="belongs to another run") as caught:
        start_of(folder, state=state_of())
    assert "network_weights" in str(caught.value.hint)


def test_a_state_goes_on_where_nothing_is(folder: RunFolder) -> None:
    assert start_of(folder, state=state_of()).run_id == RUN_ID


def test_a_state_that_alone_was_rescued_of_its_run_goes_on(folder: RunFolder) -> None:
    (folder.output_dir / "cat-state").mkdir()

    assert start_of(folder, state=state_of()).own == OwnFiles({}, from_step=10)


def test_a_state_goes_on_in_place_of_a_start_that_never_trained(folder: RunFolder) -> None:
    begun(folder, run_id="f" * 16)
    folder.event_file.unlink()

    assert start_of(folder, state=state_of()).run_id == RUN_ID


def test_a_state_of_another_name_is_refused_beside_what_nobody_knows(folder: RunFolder) -> None:
    (folder.output_dir / "dog.safetensors").touch()

    with pytest.raises(StateError, match=r"belongs to the run cat, and .* holds something else"):
        start_of(RunFolder(folder.output_dir, "dog"), state=state_of())


# ------------------------------------------------------------------ the folder


def test_the_folders_of_a_run_are_made(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "new" / "output", "cat")
    start = start_of(folder)
    start.make_folders()
    start.make_folders()

    assert folder.samples.is_dir()
    assert folder.control.is_dir()


def test_an_output_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    folder = RunFolder(tmp_path / "file" / "output", "cat")

    with pytest.raises(OutputError, match="is a file, not a folder"):
        start_of(folder).make_folders()


def test_the_record_holds_settings_identity_and_seed(folder: RunFolder) -> None:
    start = start_of(folder, seed=7)
    start.make_folders()
    start.record(TRAIN.as_raw(TrainSettings()))

    written = files.load(folder.run_file)
    assert TRAIN.parse(written.raw) == (TrainSettings(), [])
    assert dict(written.run) == {"id": start.run_id, "seed": 7}


def test_the_record_can_be_written_again(folder: RunFolder) -> None:
    start = start_of(folder)
    start.make_folders()
    start.record({"model": {"clip_skip": 1}})
    start.record({"model": {"clip_skip": 2}})

    assert files.load(folder.run_file).raw["model"]["clip_skip"] == 2


def test_overwriting_sets_everything_of_the_name_aside_and_nothing_else(folder: RunFolder) -> None:
    begun(folder)
    (folder.output_dir / "cat-000001.safetensors").touch()
    others = [folder.output_dir / "cat-dog.safetensors", folder.output_dir / "cat.txt"]
    for other in others:
        other.touch()

    start_of(folder, overwrite=True).clear()
    aside = folder.output_dir / "cat.replaced"
    assert sorted(folder.output_dir.iterdir()) == sorted([*others, folder.path, aside])
    assert not folder.exists()


def test_a_plain_start_removes_records_of_our_own_naming_alone(folder: RunFolder) -> None:
    begun(folder)
    folder.event_file.write_bytes(b"no step was done\n")
    (folder.samples / "00000000_00_5.png").touch()
    mine = [folder.samples / "holiday.png", folder.samples / "1.png", folder.path / "notes.md"]
    (folder.samples / "album").mkdir()
    for path in mine:
        path.touch()

    start_of(folder).clear()
    assert sorted(folder.samples.iterdir()) == sorted([*mine[:2], folder.samples / "album"])
    assert sorted(folder.path.iterdir()) == sorted([folder.control, folder.samples, mine[2]])


@pytest.mark.parametrize("name", ["", "samples", "control", "lock", "events.jsonl", "trainer.log"])
def test_a_link_in_the_place_of_a_record_is_refused_and_not_followed(
    folder: RunFolder, tmp_path: Path, name: str
) -> None:
    target = tmp_path / "mine"
    (target if name in ("", "samples", "control") else target / "file").mkdir(parents=True)
    if name:
        folder.path.mkdir()
    (folder.path / name).symlink_to(target)

    with pytest.raises(OutputError, match=f"{name or 'cat.run'} is a link") as caught:
        start_of(folder).make_folders()
    assert "Remove the link" in str(caught.value.hint)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in folders here")
@pytest.mark.parametrize("name", ["lock", "events.jsonl", "trainer.log"])
def test_a_pipe_in_the_place_of_a_record_is_refused_before_it_is_opened(
    folder: RunFolder, name: str
) -> None:
    folder.path.mkdir(parents=True)
    os.mkfifo(folder.path / name)
    with pytest.raises(OutputError, match=rf"{name} is no file\."):
        folder.refuse_obstacles()


def test_what_a_killed_process_left_half_written_is_cleared_away(folder: RunFolder) -> None:
    begun(folder)
    (folder.output_dir / ".cat.safetensors.0a1b2c3d.part").touch()
    (folder.output_dir / ".cat-state.0a1b2c3d.part").mkdir()
    (folder.path / ".run.toml.0a1b2c3d.part").touch()
    (folder.samples / ".00000002_00_7.png.0a1b2c3d.part").touch()
    (folder.output_dir / ".cat.replaced.0a1b2c3d.part").mkdir()
    others = [
        folder.path / ".mine.txt.0a1b2c3d.part",
        folder.samples / ".mine.png.0a1b2c3d.part",
        folder.output_dir / ".dog.safetensors.0a1b2c3d.part",
        folder.output_dir / ".cat.txt.0a1b2c3d.part",
    ]
    for other in others:
        other.touch()

    remove_leftovers_of(folder)
    assert set(folder.output_dir.iterdir()) == {*others[2:], folder.path}
    assert folder.run_file.is_file()
    assert sorted(folder.path.rglob("*.part")) == sorted(others[:2])


def test_a_state_that_was_about_to_be_replaced_comes_back(folder: RunFolder) -> None:
    begun(folder)
    (folder.output_dir / ".cat-state.0a1b2c3d.old").mkdir()

    remove_leftovers_of(folder)
    assert (folder.output_dir / "cat-state").is_dir()


# ------------------------------------------------------------------ changed settings

RAW = TRAIN.as_raw(TrainSettings())


def test_equal_settings_have_no_change() -> None:
    assert changed_settings(RAW, RAW) == []


def test_changed_settings_are_named_in_order() -> None:
    now = replaced(RAW, {"optimizer.unet_lr": 5e-5, "model.clip_skip": 2})

    assert changed_settings(RAW, now) == ["clip_skip", "unet_lr"]


def test_a_setting_that_the_state_does_not_know_had_its_default() -> None:
    before = replaced(RAW, {"model.clip_skip": None, "hardware": None})
    now = replaced(RAW, {"model.clip_skip": 2, "hardware.mixed_precision": "bf16"})

    assert changed_settings(before, RAW) == []
    assert changed_settings(before, now) == ["clip_skip", "mixed_precision"]


@pytest.mark.parametrize("path", ["output.resume", "output.output_dir", "output.logging_dir"])
def test_what_is_told_at_every_start_is_no_change(path: str) -> None:
    assert changed_settings(RAW, replaced(RAW, {path: "/somewhere/else"})) == []


def test_a_state_stored_as_json_compares_with_settings_of_now() -> None:
    now = replaced(RAW, {"optimizer.optimizer_args": ["weight_decay=0.1"]})

    assert changed_settings(json.loads(json.dumps(now)), now) == []
