"""A disk that fills pauses the run and asks; nothing that was trained is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from helpers.full_disk import SmallDisk, small_disk
from helpers.run_results import Result
from helpers.terminal import Terminal
from helpers.tiny_model import TinySD1
from helpers.trainer_process import TinyProject, TrainerProcess, run_trainer, trainer_command
from PIL import Image

from trainer_core.checkpoints.state import read_state
from trainer_core.protocol.messages import (
    CheckpointSaved,
    Continue,
    DiskFilled,
    Finished,
    Pause,
    Phase,
    SampleReady,
    StepDone,
    Stop,
)

pytestmark = pytest.mark.slow

STEPS = 6
#: Nobody is waited for long, and the disk is looked at often.
QUICK = """
from trainer_core.train.full_disk import waiting
waiting.POLL_S, waiting.UNATTENDED_S = 0.2, 2.0
"""
#: The disk is not looked at before the test has ended.
NEVER_LOOKS = """
from trainer_core.train.full_disk import waiting
waiting.POLL_S = waiting.MOST_POLL_S = 1000.0
"""
QUICK_MINUTES = """
from trainer_core.train.control import Control
keep_every = Control.keep_every
Control.keep_every = lambda self, seconds: keep_every(self, seconds / 600)
"""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk") as made:
        yield made


@pytest.fixture
def project(tmp_path: Path, tiny_model: TinySD1, disk: SmallDisk) -> TinyProject:
    """A run with one picture that saves weights and a state after its second step."""
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    Image.new("RGB", (64, 64), (120, 30, 60)).save(pictures / "a.png")
    values = {
        "buckets.resolution": [64, 64],
        "adapter.network_dim": 8,
        "optimizer.max_train_steps": STEPS,
        "output.output_dir": str(disk.folder),
        "output.save_precision": "float",
        "output.save_state": True,
        "output.save_every_n_steps": 2,
        "output.save_state_every_n_minutes": "unset",
    }
    return TinyProject(tmp_path, tiny_model.folder, pictures, values)


def full_at_first_save(project: TinyProject, disk: SmallDisk, **more: str) -> TrainerProcess:
    """Start a run whose disk is full when it comes to its first save."""
    before = disk.before + more.get("before", QUICK)
    process = TrainerProcess("train", project.run_file(), before=before)
    fill_after_first_step(process, disk)
    return process


def fill_after_first_step(process: TrainerProcess, disk: SmallDisk) -> None:
    process.wait_for(Phase, lambda event: event.phase == "loading")
    process.send(Pause())
    process.wait_for(Phase, lambda event: event.phase == "paused")
    disk.fill()
    process.send(Continue())


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return dict(Result.at(folder, "tiny").weights())


@pytest.fixture
def undisturbed(project: TinyProject, tmp_path: Path) -> dict[str, torch.Tensor]:
    """The weights of the same run on a disk with room."""
    output = tmp_path / "straight"
    run_file = project.run_file({"output.output_dir": str(output)}, "straight.toml")
    assert run_trainer("train", run_file).code == 0
    return weights(output)


@pytest.mark.parametrize("way", ["by itself", "when told"])
def test_it_goes_on_once_there_is_room_and_ends_as_if_nothing_had_been(
    project: TinyProject,
    disk: SmallDisk,
    undisturbed: dict[str, torch.Tensor],
    way: str,
) -> None:
    before = QUICK if way == "by itself" else NEVER_LOOKS
    with full_at_first_save(project, disk, before=before) as process:
        told = process.wait_for(DiskFilled)
        assert Path(told.folder).is_relative_to(disk.folder)
        assert told.free_bytes < told.needed_bytes < 16 * 2**20
        process.wait_for(Phase, lambda event: event.phase == "paused")
        disk.empty()
        if way == "when told":
            process.send(Continue())
        ended = process.end()

    assert ended.code == 0
    assert ended.steps == list(range(1, STEPS + 1))
    assert len([s for s in ended.of(CheckpointSaved) if s.kind == "state"]) == 3
    kept = weights(disk.folder)
    assert kept.keys() == undisturbed.keys()
    assert all(torch.equal(kept[name], undisturbed[name]) for name in kept)


def test_told_to_try_again_without_room_it_asks_again(
    project: TinyProject, disk: SmallDisk
) -> None:
    with full_at_first_save(project, disk, before=NEVER_LOOKS) as process:
        for _ in range(3):
            process.wait_for(DiskFilled)
            process.send(Continue())


def test_stop_and_save_elsewhere_puts_all_into_the_chosen_folder(
    project: TinyProject, disk: SmallDisk, tmp_path: Path
) -> None:
    chosen = tmp_path / "chosen"
    with full_at_first_save(project, disk) as process:
        process.wait_for(DiskFilled)
        process.send(Stop(save=True, folder=str(chosen)))
        ended = process.end()

    assert ended.code == 1
    failed = ended.failed
    assert "disk is full" in str(failed.message)
    assert str(chosen) in str(failed.hint)
    assert failed.state is not None
    state = read_state(Path(failed.state))
    assert state.folder.is_relative_to(chosen)
    assert state.facts.position.step == ended.steps[-1]
    assert len(ended.of(DiskFilled)) == 1, "the weights that are due too are not asked about"


def test_stop_without_saving_ends_it_at_once(project: TinyProject, disk: SmallDisk) -> None:
    with full_at_first_save(project, disk) as process:
        process.wait_for(DiskFilled)
        process.send(Stop(save=False))
        ended = process.end()

    assert ended.code == 0
    (finished,) = ended.of(Finished)
    assert (finished.reason, finished.step) == ("stopped", ended.steps[-1])


def test_when_the_app_goes_nobody_is_waited_for_long(project: TinyProject, disk: SmallDisk) -> None:
    with full_at_first_save(project, disk) as process:
        process.wait_for(DiskFilled)
        assert process.popen.stdin is not None
        process.popen.stdin.close()
        ended = process.end()

    assert ended.code == 1
    assert ended.failed.state is not None
    assert read_state(Path(ended.failed.state)).facts.position.step == ended.steps[-1]


def test_a_timed_state_waits_too_and_never_ends_the_run_unasked(
    project: TinyProject, disk: SmallDisk
) -> None:
    changes = {
        "output.save_every_n_steps": "unset",
        "output.save_state": False,
        "output.save_state_every_n_minutes": 1,
        "optimizer.max_train_steps": 10_000,
    }
    before = disk.before + QUICK + QUICK_MINUTES
    run_file = project.run_file(changes)
    with TrainerProcess("train", run_file, before=before) as process:
        fill_after_first_step(process, disk)
        process.wait_for(DiskFilled)
        disk.empty()
        process.wait_for(CheckpointSaved)
        disk.fill(leave=2**16)  # for events, without which the run would end
        process.wait_for(DiskFilled)
        process.popen.stdin.close()  # nobody is there any more
        step = process.wait_for(StepDone)
        disk.empty()
        process.wait_for(CheckpointSaved, lambda event: event.step > step.step)


def test_samples_wait_for_room_and_are_not_drawn_anew(
    project: TinyProject, disk: SmallDisk, tmp_path: Path
) -> None:
    changes = {
        "output.save_every_n_steps": "unset",
        "output.save_state": False,
        "sampling.prompt_list": ["a cat --s 1"],
        "sampling.sample_every_n_steps": 3,
    }
    with TrainerProcess("train", project.run_file(changes), before=disk.before + QUICK) as process:
        fill_after_first_step(process, disk)
        process.wait_for(DiskFilled)
        disk.empty()
        process.wait_for(SampleReady)
        ended = process.end()
    assert ended.code == 0
    assert len(ended.of(SampleReady)) == 2


def test_the_cache_waits_for_room_and_is_whole_afterwards(
    project: TinyProject, disk: SmallDisk, tmp_path: Path
) -> None:
    changes = {
        "cache.cache_latents_to_disk": True,
        "output.output_dir": str(tmp_path / "output"),
        "optimizer.max_train_steps": 1,
    }
    for number in range(3):
        Image.new("RGB", (64, 64), (90 * number, 0, 0)).save(project.pictures / f"{number}.png")
    disk.fill()
    cache = {"LORA_LOOM_CACHE": str(disk.folder / "cache")}
    run_file = project.run_file(changes)
    with TrainerProcess("train", run_file, before=disk.before + QUICK, env=cache) as process:
        process.wait_for(DiskFilled)
        disk.empty()
        ended = process.end()

    assert ended.code == 0
    assert len(list(disk.folder.rglob("*.safetensors"))) == 4


def test_at_a_terminal_it_waits_in_one_line_and_ctrl_c_saves_elsewhere(
    project: TinyProject, disk: SmallDisk, tmp_path: Path
) -> None:
    disk.fill(leave=400_000)  # enough for all but a state
    run_file = project.run_file({"adapter.network_dim": 64})
    command = trainer_command("train", run_file, before=disk.before + QUICK)
    with Terminal(command) as terminal:
        terminal.wait_for("The run waits for room.")
        terminal.press_ctrl_c()
        assert terminal.end() == 1
    assert "Ctrl+C saves elsewhere" in terminal.shown
    (kept,) = tmp_path.glob("tiny.kept-*")
    assert list(kept.glob("*-state"))
