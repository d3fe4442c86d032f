"""Real runs whose place is taken from them, or that end before they have replaced anything."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from helpers.pictures import write_picture
from helpers.tiny_model import TinySD1
from helpers.trainer_process import Ended, TinyProject, TrainerProcess, run_trainer

from trainer_core.checkpoints.state import read_state
from trainer_core.protocol.messages import StepDone, Stop, Warned

pytestmark = pytest.mark.slow
LONG: Mapping[str, object] = {"optimizer.max_train_steps": 10_000}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, tiny_model: TinySD1) -> TinyProject:
    """A run that has completed."""
    folder = tmp_path_factory.mktemp("finished")
    for name in "ab":
        write_picture(folder / "pictures" / "1_robot" / f"{name}.png", (64, 64))
    project = TinyProject(folder, tiny_model.folder, folder / "pictures")
    project.values["output.save_state"] = True
    assert run_trainer("train", project.run_file()).code == 0
    return project


@pytest.fixture
def finished(made: TinyProject, tmp_path: Path) -> TinyProject:
    shutil.copytree(made.output, tmp_path / "output")
    return TinyProject(tmp_path, made.model, made.pictures)


def contents(folder: Path) -> dict[str, str]:
    """Return the hash of every file but the log, which goes on, and the lock."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.name not in ("trainer.log", "lock")
    }


def warnings_of(ended: Ended) -> str:
    return "\n".join(str(warning.message) for warning in ended.of(Warned))


def test_a_run_that_is_killed_before_its_first_save_has_replaced_nothing(
    finished: TinyProject,
) -> None:
    before = contents(finished.output)
    with TrainerProcess("train", finished.run_file(LONG), "--overwrite") as trainer:
        trainer.wait_for(StepDone)
        trainer.popen.kill()
    aside = finished.output / "tiny.replaced"
    assert (aside / "tiny.safetensors").is_file(), "it was killed while something was aside"

    ended = run_trainer("train", finished.run_file())
    assert ended.code == 2
    assert "already holds a run" in str(ended.failed.message)
    assert "tiny is put back" in warnings_of(ended)
    assert contents(finished.output) == before


def test_a_run_that_is_stopped_before_its_first_save_puts_back_what_was_there(
    finished: TinyProject,
) -> None:
    before = contents(finished.output)
    with TrainerProcess("train", finished.run_file(LONG), "--overwrite") as trainer:
        trainer.wait_for(StepDone)
        trainer.send(Stop(save=False))
        ended = trainer.end()

    assert ended.code == 0
    assert "was not saved: what it was to replace is put back" in warnings_of(ended)
    assert contents(finished.output) == before
    log = (finished.output / "tiny.run" / "trainer.log").read_text(encoding="utf-8")
    assert "is put back" in log, "the log of the attempt is kept"


@pytest.mark.parametrize("way", ["removed", "renamed"])
def test_a_run_whose_output_folder_is_gone_saves_beside_it_and_fails_in_words(
    made: TinyProject, tmp_path: Path, way: str
) -> None:
    project = TinyProject(tmp_path, made.model, made.pictures)
    with TrainerProcess("train", project.run_file(LONG)) as trainer:
        trainer.wait_for(StepDone)
        if way == "removed":
            shutil.rmtree(project.output)
        else:
            project.output.rename(tmp_path / "elsewhere")
        trainer.send(Stop(save=True))
        ended = trainer.end()

    assert ended.code == 1
    assert "tiny.run is gone" in str(ended.failed.message)
    assert not project.output.exists(), "no second folder came into being"
    [kept] = tmp_path.glob("tiny.kept-*")
    assert str(kept) in str(ended.failed.hint)
    assert ended.failed.state is not None
    state = read_state(Path(ended.failed.state))
    assert state.folder.parent == kept
    assert state.facts.position.step == ended.failed.step
    assert (kept / f"tiny-step{ended.failed.step:08d}.safetensors").is_file()


def test_a_link_in_the_run_folder_is_refused_by_check_and_train_alike(
    finished: TinyProject, tmp_path: Path
) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "00000001_00_5.png").write_bytes(b"mine")
    samples = finished.output / "tiny.run" / "samples"
    samples.rmdir()
    samples.symlink_to(mine)
    before = contents(finished.output)

    checked = run_trainer("check", finished.run_file())
    trained = run_trainer("train", finished.run_file(), "--overwrite")
    assert (checked.code, trained.code) == (2, 2)
    for words in (checked.out, trained.failed.message):
        assert "samples is a link, and nothing is written through one" in str(words)
    assert contents(finished.output) == before
    assert [path.name for path in mine.iterdir()] == ["00000001_00_5.png"]
