"""What of a run lies where, told by names and manifests alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from trainer_core.files.run_folder import RunFolder, free_name, is_run_folder
from trainer_core.files.state_manifest import MANIFEST_NAME, state_step


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path, "cat")


def write_state(output_dir: Path, name: str, step: int) -> Path:
    state = output_dir / name
    state.mkdir()
    (state / MANIFEST_NAME).write_text(json.dumps({"step": step}))
    return state


def test_everything_of_a_run_is_below_its_folder(folder: RunFolder) -> None:
    places = (
        folder.run_file,
        folder.effective_file,
        folder.event_file,
        folder.log_file,
        folder.samples,
        folder.control,
        folder.lock_file,
    )

    assert folder.path == folder.output_dir / "cat.run"
    assert {place.parent for place in places} == {folder.path}
    assert len({place.name for place in places}) == len(places)


# ------------------------------------------------------------------ weights


def test_a_folder_that_the_system_refuses_holds_nothing(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / ("x" * 300), "cat")  # too long a name, as no permission would

    assert not folder.exists()
    assert folder.newest_state() is None


def test_weights_are_those_of_the_name_in_order(folder: RunFolder) -> None:
    own = [
        "cat-000001.safetensors",
        "cat-000012.safetensors",
        "cat-1234567.safetensors",
        "cat-step00000200.safetensors",
        "cat.safetensors",
    ]
    others = [
        "cat-2.safetensors",
        "cat-dog.safetensors",
        "cats.safetensors",
        "cat-000001.safetensors.part",
        "cat-step200.safetensors",
        "cat-000001.txt",
        "my cat.safetensors",
    ]
    for name in (*own, *others):
        (folder.output_dir / name).touch()

    assert [path.name for path in folder.weights()] == own


def test_a_name_is_no_pattern(tmp_path: Path) -> None:
    (tmp_path / "cat.safetensors").touch()

    assert RunFolder(tmp_path, "c.t").weights() == []
    assert RunFolder(tmp_path, "c*").weights() == []


def test_an_output_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "gone", "cat")

    assert (folder.weights(), folder.states(), folder.newest_state()) == ([], [], None)
    assert not folder.exists()


# ------------------------------------------------------------------ states


def test_states_are_ordered_by_their_step_not_their_name(folder: RunFolder) -> None:
    for name, step in (("cat-state", 30), ("cat-step00000020-state", 20), ("cat-000003-state", 9)):
        write_state(folder.output_dir, name, step)

    assert [path.name for path in folder.states()] == [
        "cat-000003-state",
        "cat-step00000020-state",
        "cat-state",
    ]
    assert folder.newest_state() == folder.output_dir / "cat-state"


def test_an_incomplete_state_is_passed_over(folder: RunFolder) -> None:
    complete = write_state(folder.output_dir, "cat-000001-state", 5)
    (folder.output_dir / "cat-000002-state").mkdir()

    assert folder.newest_state() == complete


def test_states_of_other_names_are_passed_over(folder: RunFolder) -> None:
    for name in ("dog-state", "cat-dog-state", "cat-2-state", ".cat-state.0a1b2c3d.part"):
        write_state(folder.output_dir, name, 5)

    assert folder.states() == []


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"step": null}', '{"step": "many"}'])
def test_a_damaged_manifest_has_no_step(tmp_path: Path, content: str) -> None:
    (tmp_path / MANIFEST_NAME).write_text(content)

    assert state_step(tmp_path) == -1


def test_a_folder_without_a_manifest_has_no_step(tmp_path: Path) -> None:
    assert state_step(tmp_path) == -1


# ------------------------------------------------------------------ is there something to lose


@pytest.mark.parametrize("name", ["cat.safetensors", "cat-000001.safetensors"])
def test_weights_are_something_to_lose(folder: RunFolder, name: str) -> None:
    (folder.output_dir / name).touch()

    assert folder.exists()


def test_a_state_is_something_to_lose_even_if_incomplete(folder: RunFolder) -> None:
    (folder.output_dir / "cat-state").mkdir()

    assert folder.exists()


@pytest.mark.parametrize(("event", "is_something"), [("step_done", True), ("hello", False)])
def test_a_trained_step_is_something_to_lose(
    folder: RunFolder, event: str, is_something: bool
) -> None:
    folder.path.mkdir()
    folder.event_file.write_text(f'{{"event": "{event}"}}\n')

    assert folder.exists() is is_something


def test_a_start_that_came_to_nothing_is_nothing_to_lose(folder: RunFolder) -> None:
    folder.samples.mkdir(parents=True)
    folder.run_file.touch()

    assert not folder.exists()


def test_a_free_name_is_the_first_that_no_run_uses(tmp_path: Path) -> None:
    assert free_name(tmp_path, "cat") == "cat"

    (tmp_path / "cat.safetensors").touch()
    (tmp_path / "cat-2-state").mkdir()
    assert free_name(tmp_path, "cat") == "cat-3"


def test_a_run_that_is_called_like_an_epoch_keeps_its_files_to_itself(folder: RunFolder) -> None:
    (folder.output_dir / "cat-000003.run").mkdir()
    (folder.output_dir / "cat-000003.safetensors").touch()
    write_state(folder.output_dir, "cat-000003-state", 3)
    assert not folder.exists()

    other = RunFolder(folder.output_dir, "cat-000003")
    assert [path.name for path in other.weights()] == ["cat-000003.safetensors"]
    assert [path.name for path in other.states()] == ["cat-000003-state"]


@pytest.mark.parametrize("name", ["cat", "cat.2", "cat.run"])
def test_a_run_is_known_by_its_folder(tmp_path: Path, name: str) -> None:
    folder = RunFolder(tmp_path, name)
    assert RunFolder.at(folder.path) == folder


def test_a_run_folder_holds_events_and_ends_in_run(folder: RunFolder, tmp_path: Path) -> None:
    for path in (folder.path, tmp_path / "other"):
        path.mkdir()
    assert not is_run_folder(folder.path)
    for path in (folder.path, tmp_path / "other"):
        (path / "events.jsonl").touch()
    assert is_run_folder(folder.path)
    assert not is_run_folder(tmp_path / "other")


@pytest.mark.parametrize(
    ("last", "step"),
    [
        ({"event": "finished", "reason": "completed", "step": 380}, 380),
        ({"event": "finished", "reason": "stopped", "step": 120}, None),
        ({"event": "step_done", "step": 120}, None),
    ],
)
def test_the_last_event_tells_whether_the_run_came_to_its_end(
    folder: RunFolder, last: dict[str, object], step: int | None
) -> None:
    assert folder.completed_step() is None
    folder.path.mkdir()
    before = json.dumps({"event": "finished", "reason": "completed", "step": 9}) + "\n"
    many = before * (2 * 64 * 1024 // len(before))  # longer than the longest line
    folder.event_file.write_text(many + json.dumps(last) + "\n", encoding="utf-8")
    assert folder.completed_step() == step


def test_an_event_file_that_ends_in_a_torn_line_tells_of_no_end(folder: RunFolder) -> None:
    folder.path.mkdir()
    folder.event_file.write_text('{"event": "finis', encoding="utf-8")
    assert folder.completed_step() is None
