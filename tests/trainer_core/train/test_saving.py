"""What is due is saved as far as it can be."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from helpers.stubs import StubEmitter

from trainer_core.checkpoints.retention import Action, Remove, Save, SaveSchedule
from trainer_core.checkpoints.state import Position
from trainer_core.errors import DiskFull, OutputError
from trainer_core.files.run_folder import RunFolder
from trainer_core.files.writing import publish_bytes
from trainer_core.train import saving
from trainer_core.train.earlier.own_files import OwnFiles
from trainer_core.train.saving import Saver

POSITION = Position(step=3, epoch=1)
END = SaveSchedule(output_name="cat", last_step=3, last_epoch=1, save_state=True)


class Weights:
    """A method whose result is a file of one byte."""

    def state(self) -> Mapping[str, Any]:
        return {}

    def write(self, target: Path, **_: Any) -> None:
        publish_bytes(target, b"w")


class NoRoom(Weights):
    """One with which the weights do not fit on the disk either."""

    def write(self, target: Path, **_: Any) -> None:
        raise OutputError("no space for weights")


@pytest.fixture(autouse=True)
def _states_do_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    def write_state(*_: Any, **__: Any) -> int:
        raise OutputError("no space for a state")

    monkeypatch.setattr(saving, "write_state", write_state)
    monkeypatch.setattr(saving, "build_metadata", lambda *_, **__: {})


def saver(folder: Path, method: Any) -> Saver:
    (folder / "cat.run").mkdir(parents=True)
    emitter: Any = StubEmitter([])
    not_asked: Any = None
    return Saver(
        emitter=emitter,
        folder=RunFolder(folder, "cat"),
        own=OwnFiles(),
        method=method,
        optimizer=not_asked,
        facts=not_asked,
        precision="float",
        state_facts=lambda _: not_asked,
        progress=dict,
    )


def test_weights_at_the_end_are_written_though_the_state_does_not_fit(tmp_path: Path) -> None:
    actions = END.at_end(3, epoch=1)
    assert [action.kind for action in actions] == ["state", "weights"]

    with pytest.raises(OutputError, match="no space for a state"):
        saver(tmp_path, Weights()).carry_out(actions, POSITION)
    assert (tmp_path / "cat.safetensors").read_bytes() == b"w"


def test_weights_of_a_step_are_written_though_the_state_does_not_fit(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="no space for a state"):
        saver(tmp_path, Weights()).save_here(POSITION)
    assert (tmp_path / "cat-step00000003.safetensors").read_bytes() == b"w"


def test_the_first_failure_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="no space for a state"):
        saver(tmp_path, NoRoom()).save_here(POSITION)


def test_nothing_is_removed_after_a_failure(tmp_path: Path) -> None:
    older = tmp_path / "cat-000001-state"
    older.mkdir()
    actions: list[Action] = [Save("state", "cat-000002-state", 3, 2), Remove("state", older.name)]

    with pytest.raises(OutputError):
        saver(tmp_path, Weights()).carry_out(actions, POSITION)
    assert older.is_dir()


@pytest.fixture
def _states_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write states of one byte each."""

    def write_state(path: Path, *_: Any, **__: Any) -> int:
        path.mkdir()
        return 1

    monkeypatch.setattr(saving, "write_state", write_state)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != "cat.run")


@pytest.mark.usefixtures("_states_fit")
def test_a_state_that_is_kept_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    keeper = saver(tmp_path, Weights())
    keeper.keep_state(Position(step=3, epoch=1))
    keeper.keep_state(Position(step=3, epoch=1))
    assert names_in(tmp_path) == ["cat-kept00000003-state"]
    keeper.keep_state(Position(step=9, epoch=1))
    assert names_in(tmp_path) == ["cat-kept00000009-state"]


@pytest.mark.usefixtures("_states_fit")
def test_a_stop_leaves_its_own_state_in_place_of_the_kept_one(tmp_path: Path) -> None:
    keeper = saver(tmp_path, Weights())
    keeper.keep_state(Position(step=3, epoch=1))
    keeper.save_here(Position(step=4, epoch=1))
    assert names_in(tmp_path) == ["cat-step00000004-state", "cat-step00000004.safetensors"]


def test_a_state_that_cannot_be_kept_is_warned_of_and_costs_nothing(tmp_path: Path) -> None:
    keeper = saver(tmp_path, Weights())
    (tmp_path / "cat-kept00000002-state").mkdir()
    keeper.own.steps["cat-kept00000002-state"] = 2
    keeper.keep_state(POSITION)
    assert names_in(tmp_path) == ["cat-kept00000002-state"]
    assert keeper.emitter.warnings == ["no space for a state"]


def test_what_is_there_is_not_due_again_whatever_it_is_called(tmp_path: Path) -> None:
    save = saver(tmp_path, Weights())
    save.own.steps |= {"cat.safetensors": 3, "cat-step00000002-state": 2}
    due: list[Action] = [
        Save("weights", "cat-step00000003.safetensors", 3, 1),  # the end's are the same
        Save("state", "cat-step00000002-state", 2, 1),
        Save("state", "cat-000001-state", 2, 1),
        Remove("weights", "cat-step00000001.safetensors"),
    ]

    assert save.missing(due) == due[2:]


# ------------------------------------------------------------------ elsewhere


def test_nothing_is_written_where_the_run_s_folder_is_gone(tmp_path: Path) -> None:
    saving_here = saver(tmp_path / "output", Weights())
    shutil.rmtree(tmp_path / "output")

    with pytest.raises(OutputError, match=r"cat\.run is gone"):
        saving_here.save_here(POSITION)
    assert not (tmp_path / "output").exists()


def test_what_the_output_folder_cannot_take_is_saved_in_the_first_place_that_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_state(folder: Path, *_: Any, **__: Any) -> int:
        if tmp_path / "small" in folder.parents:
            raise OutputError("no space for a state")
        folder.mkdir(parents=True)
        return 1

    monkeypatch.setattr(saving, "write_state", write_state)
    places = [tmp_path / "small", tmp_path / "large", tmp_path / "larger"]
    failing = replace(saver(tmp_path / "output", Weights()), places=lambda: places)

    kept = failing.save_elsewhere(POSITION)
    assert kept is not None
    assert kept.parent == tmp_path / "large"
    names = {"cat-step00000003-state", "cat-step00000003.safetensors"}
    assert {path.name for path in kept.iterdir()} == names
    assert list((tmp_path / "small").iterdir()) == []
    assert not failing.own.steps


def test_weights_alone_are_kept_where_no_state_fits(tmp_path: Path) -> None:
    places = [tmp_path / "small", tmp_path / "smaller"]
    failing = replace(saver(tmp_path / "output", Weights()), places=lambda: places)

    kept = failing.save_elsewhere(POSITION)
    assert kept is not None
    assert [path.name for path in kept.iterdir()] == ["cat-step00000003.safetensors"]


def test_what_a_state_of_the_step_holds_already_is_not_saved_elsewhere(tmp_path: Path) -> None:
    saved = replace(saver(tmp_path / "output", Weights()), places=lambda: [tmp_path / "other"])
    saved.own.steps["cat-000001-state"] = POSITION.step
    (tmp_path / "output" / "cat-000001-state").mkdir()

    assert saved.save_elsewhere(POSITION) is None
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("is_decided", [False, True])
def test_a_timed_state_ends_the_run_only_if_somebody_decided_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_decided: bool
) -> None:
    def write_state(*_: Any, **__: Any) -> int:
        error = DiskFull("no space for a state")
        error.is_decided = is_decided
        raise error

    monkeypatch.setattr(saving, "write_state", write_state)
    made = saver(tmp_path, Weights())
    if is_decided:
        with pytest.raises(DiskFull):
            made.keep_state(POSITION)
        return
    made.keep_state(POSITION)
    emitter: Any = made.emitter
    assert emitter.warnings == ["no space for a state"]
