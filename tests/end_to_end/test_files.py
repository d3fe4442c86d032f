"""What a run may write, replace and remove: its own files, and others only when it was told."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from helpers.pictures import write_picture
from helpers.run_results import Result, train_one_after_another
from helpers.stories import EPOCH_STATE, STEPS_PER_EPOCH, Told
from helpers.tiny_model import TinySD1
from helpers.trainer_process import TinyProject

from trainer_core.checkpoints.state import read_state
from trainer_core.protocol.messages import (
    CheckpointRemoved,
    CheckpointSaved,
    Hello,
    Resumed,
    Warned,
)
from trainer_core.settings import files

MINE = b"what the user put here"
ENDS = (".safetensors", "-state")
BYSTANDERS = ("toy2.safetensors", "toy-merged.safetensors", "toy-step8.safetensors", "notes.txt")


pytestmark = pytest.mark.timeout(600)


@dataclass(frozen=True)
class Sequel:
    """The exit code of one more start of a run, and the output folder before and after it."""

    code: int
    before: Path
    after: Path

    @property
    def result(self) -> Result:
        return Result.at(self.after, "toy")


@pytest.fixture(scope="module")
def sequels(tmp_path_factory: pytest.TempPathFactory, tiny_model: TinySD1) -> Mapping[str, Sequel]:
    """A run of 5 steps, then started again in different ways among files of the user's own."""
    folder = tmp_path_factory.mktemp("files")
    settings = {
        "output.output_name": "toy",
        "output.save_state": True,
        "optimizer.max_train_steps": 5,
    }
    write_picture(folder / "pictures" / "a.png", (128, 128))
    project = TinyProject(folder, tiny_model.folder, folder / "pictures", settings)
    run_file = project.run_file()
    assert train_one_after_another(folder / "codes", [[run_file]]) == [0]
    for name in ("toy-step00000004.safetensors", "toy-step00000012.safetensors", *BYSTANDERS):
        (project.output / name).write_bytes(MINE)
    (project.output / "toy-step00000004-state").mkdir()
    copies = folder / "copies"
    shutil.copytree(project.output, copies / "0")

    going_on = [run_file, "--continue", "--save_every_n_steps=2"]
    starts = {
        "extended": [*going_on, "--max_train_steps=10", "--save_last_n_steps=2"],
        "in the way": [*going_on, "--max_train_steps=13"],
        "overwrite, failing": [run_file, "--overwrite", "--clip_skip=12"],
        "overwritten": [run_file, "--overwrite", "--max_train_steps=3"],
    }
    codes = train_one_after_another(
        folder / "codes", starts.values(), copied=(project.output, copies)
    )
    return {
        name: Sequel(code, copies / str(number), copies / str(number + 1))
        for number, (name, code) in enumerate(zip(starts, codes, strict=True))
    }


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file below ``folder`` by its path in it, but for the lock's."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.name != "lock")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def results(folder: Path) -> set[str]:
    """Return the names of weights and states."""
    names = {path.name for path in folder.iterdir()}
    return {name for name in names if name.endswith(ENDS)} - set(BYSTANDERS)


def test_keeping_the_last_removes_own_files_only(sequels: Mapping[str, Sequel]) -> None:
    sequel = sequels["extended"]
    assert sequel.code == 0
    removed = {Path(event.path).name for event in sequel.result.of(CheckpointRemoved)}
    assert removed == {f"toy-step00000006{end}" for end in ENDS}
    assert not removed & results(sequel.after)
    assert (sequel.after / "toy-step00000004.safetensors").read_bytes() == MINE
    assert (sequel.after / "toy-step00000004-state").is_dir()


def test_a_run_that_goes_on_past_its_end_keeps_what_it_ended_with(
    sequels: Mapping[str, Sequel],
) -> None:
    before, after = (
        contents(folder) for folder in (sequels["extended"].before, sequels["extended"].after)
    )
    assert after["toy-step00000005.safetensors"] == before["toy.safetensors"]
    assert sequels["extended"].result.metadata()["ss_steps"] == "10"
    assert read_state(sequels["extended"].result.state()).facts.position.step == 10
    assert read_state(sequels["extended"].result.state("-step00000005")).facts.position.step == 5


def test_a_file_of_the_user_in_the_way_stays_and_the_run_goes_on(
    sequels: Mapping[str, Sequel],
) -> None:
    sequel = sequels["in the way"]
    assert sequel.code == 0
    assert (sequel.after / "toy-step00000012.safetensors").read_bytes() == MINE
    assert sequel.result.metadata("-step00000012.2")["ss_steps"] == "12"
    warnings = [str(warning.message) for warning in sequel.result.of(Warned)]
    assert any("toy-step00000012.2.safetensors" in warning for warning in warnings)


def test_an_overwriting_run_that_fails_to_load_removes_nothing(
    sequels: Mapping[str, Sequel],
) -> None:
    sequel = sequels["overwrite, failing"]
    assert sequel.code == 2
    assert contents(sequel.after) == contents(sequel.before)


def test_overwriting_replaces_everything_of_the_name(sequels: Mapping[str, Sequel]) -> None:
    sequel = sequels["overwritten"]
    assert sequel.code == 0
    beside_mine = "toy-step00000012.2.safetensors"
    assert results(sequel.after) - {beside_mine} == {"toy.safetensors", "toy-state"}
    assert not list(sequel.after.glob("toy.replaced*"))
    assert list(sequel.result.steps) == [1, 2, 3]
    assert not sequel.result.of(Resumed)


def test_overwriting_touches_no_other_names(sequels: Mapping[str, Sequel]) -> None:
    for name in BYSTANDERS:
        assert (sequels["overwritten"].after / name).read_bytes() == MINE


@pytest.fixture
def resumed(stories: Mapping[str, Told]) -> Told:
    """A finished run that was resumed from the end of its first epoch."""
    return stories["disk-cache"]


def saves(result: Result, *, past: bool) -> set[Path]:
    """Return what ``result`` saved before or past the state that it was resumed from."""
    return {
        result.folder.output_dir / Path(event.path).name
        for event in result.of(CheckpointSaved)
        if (event.step > STEPS_PER_EPOCH) == past
    }


def changed(told: Told, path: Path) -> bool:
    """Tell whether ``path`` was written anew since the copy of the folder was made."""
    old = told.before.folder.output_dir / path.name
    inner = "manifest.json" if path.is_dir() else ""
    return (path / inner).stat().st_mtime_ns != (old / inner).stat().st_mtime_ns


def test_a_resumed_run_keeps_its_id(resumed: Told) -> None:
    ids = {
        files.load(result.folder.run_file).run["id"] for result in (resumed.before, resumed.resumed)
    }
    ids |= {read_state(resumed.resumed.state(suffix)).facts.run_id for suffix in ("", EPOCH_STATE)}
    ids |= {resumed.resumed.metadata(suffix)["loom_run_id"] for suffix in ("", EPOCH_STATE)}
    ids |= {hello.run_id for hello in resumed.resumed.of(Hello) if hello.run_id}
    assert len(ids) == 1


def test_a_resumed_run_appends_to_its_events(resumed: Told) -> None:
    before = resumed.before.folder.event_file.read_bytes()
    after = resumed.resumed.folder.event_file.read_bytes()
    assert after.startswith(before)
    (event,) = resumed.resumed.of(Resumed)
    assert (event.from_step, event.state) == (STEPS_PER_EPOCH, f"toy{EPOCH_STATE}-state")
    assert b'"resumed"' not in before


def test_a_resumed_run_replaces_its_files_past_the_state(resumed: Told) -> None:
    past = saves(resumed.resumed, past=True)
    assert past
    assert all(changed(resumed, path) for path in past)


def test_a_resumed_run_leaves_its_earlier_files_alone(resumed: Told) -> None:
    earlier = saves(resumed.resumed, past=False)
    assert {path.name for path in earlier} == {f"toy{EPOCH_STATE}{end}" for end in ENDS}
    assert not any(changed(resumed, path) for path in earlier)
