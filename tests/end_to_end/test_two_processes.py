"""Two processes that train one run: one result, one voice, and one end."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from subprocess import Popen

import pytest
import torch
from helpers.run_results import Result
from helpers.team_processes import start_team
from helpers.trainer_process import PATIENCE_S, PYTHON, TinyProject, tiny_values

from trainer_core.files.run_folder import RunFolder
from trainer_core.protocol.command_file import next_command_name, write_command
from trainer_core.protocol.messages import CheckpointSaved, Failed, Finished, Pause, Stop
from trainer_core.settings import files
from trainer_core.settings.document import replaced

BATCH = "dataset.train_batch_size"


def run_file(project: TinyProject, name: str, changes: dict[str, object]) -> Path:
    """Write a run whose pictures are flipped and accumulated, so that more can go wrong."""
    values = {
        **tiny_values(project.model, project.pictures, project.folder / "output"),
        "output.output_name": name,
        "optimizer.gradient_accumulation_steps": 2,
        "augmentation.flip_aug": True,
        "output.save_precision": "float",
        **changes,
    }
    path = project.folder / f"{name}.toml"
    files.save(path, files.RunFile(replaced({}, values)), replace=True)
    return path


@pytest.fixture
def started() -> Iterator[list[Popen[str]]]:
    """Every process that a test starts; none is left behind."""
    processes: list[Popen[str]] = []
    yield processes
    for process in processes:
        process.kill()
        process.communicate()


def team(started: list[Popen[str]], run: Path, *words: str) -> Sequence[Popen[str]]:
    started += start_team([*PYTHON, "-m", "trainer_core", "train", str(run), *words], 2)
    return started[-2:]


def wait_for_step(folder: RunFolder, step: int) -> None:
    wait_for_event(folder, f'"event":"step_done","step":{step},')


def wait_for_event(folder: RunFolder, words: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        lines = folder.event_file.read_bytes() if folder.event_file.exists() else b""
        if words.encode() in lines:
            return
        time.sleep(0.05)
    raise AssertionError(f"no {words} after {PATIENCE_S} s")


def test_two_processes_end_in_the_weights_of_one_with_twice_the_batch(
    project: TinyProject, started: list[Popen[str]]
) -> None:
    one = run_file(project, "one", {BATCH: 2})
    two = run_file(project, "two", {BATCH: 1})
    alone = start_team([*PYTHON, "-m", "trainer_core", "train", str(one)], 1)
    started += alone
    ends = [process.communicate(timeout=PATIENCE_S) for process in (*alone, *team(started, two))]
    assert [process.returncode for process in started] == [0, 0, 0], ends

    output = project.folder / "output"
    single, shared = Result.at(output, "one"), Result.at(output, "two")
    assert shared.hashes == single.hashes
    torch.testing.assert_close(shared.losses, single.losses, rtol=1e-5, atol=1e-6)
    expected, found = single.weights(), shared.weights()
    assert expected.keys() == found.keys()
    for key, tensor in expected.items():
        torch.testing.assert_close(found[key], tensor, rtol=0, atol=1e-6)
    # Batch 1 x 2 processes x accumulation 2, as sd-scripts counts it.
    assert shared.metadata()["ss_total_batch_size"] == "4"
    first, second = (out for out, _ in ends[1:])
    assert json.loads(first.splitlines()[-1])["event"] == "finished"
    assert second == ""  # one process speaks, and logs what it says
    assert "[event]" not in ends[2][1]


def test_a_stop_reaches_both_and_saves_once(
    project: TinyProject, started: list[Popen[str]]
) -> None:
    run = run_file(project, "two", {BATCH: 1, "optimizer.max_train_steps": 10_000})
    processes = team(started, run)
    folder = RunFolder(project.folder / "output", "two")
    wait_for_step(folder, 3)

    write_command(folder.control, Stop(), next_command_name())
    ends = [process.communicate(timeout=PATIENCE_S) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], ends
    result = Result.at(project.folder / "output", "two")
    assert result.of(Finished)[-1].reason == "stopped"
    assert sorted(saved.kind for saved in result.of(CheckpointSaved)) == ["state", "weights"]


def test_a_stop_of_one_reaches_the_other_while_both_are_paused(
    project: TinyProject, started: list[Popen[str]]
) -> None:
    run = run_file(project, "two", {BATCH: 1, "optimizer.max_train_steps": 10_000})
    _, second = processes = team(started, run)
    folder = RunFolder(project.folder / "output", "two")
    wait_for_step(folder, 3)

    write_command(folder.control, Pause(), next_command_name())
    wait_for_event(folder, '"phase":"paused"')
    second.send_signal(signal.SIGINT)
    ends = [process.communicate(timeout=PATIENCE_S) for process in processes]
    # As shells tell a process that was interrupted.
    assert [process.returncode for process in processes] == [0, 128 + signal.SIGINT], ends
    assert Result.at(project.folder / "output", "two").of(Finished)[-1].reason == "stopped"


def test_a_stop_of_one_before_the_first_step_ends_both(
    project: TinyProject, started: list[Popen[str]]
) -> None:
    run = run_file(project, "two", {BATCH: 1, "optimizer.max_train_steps": 10_000})
    processes = team(started, run)
    folder = RunFolder(project.folder / "output", "two")
    wait_for_event(folder, '"phase":"loading"')

    write_command(folder.control, Stop(), next_command_name())
    ends = [process.communicate(timeout=PATIENCE_S) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], ends


def test_a_process_that_is_killed_ends_the_run_in_words(
    project: TinyProject, started: list[Popen[str]]
) -> None:
    run = run_file(project, "two", {BATCH: 1, "optimizer.max_train_steps": 10_000})
    first, second = team(started, run)
    wait_for_step(RunFolder(project.folder / "output", "two"), 3)

    os.kill(second.pid, signal.SIGKILL)
    first.communicate(timeout=PATIENCE_S)
    assert first.returncode == 1
    result = Result.at(project.folder / "output", "two")
    failed = result.of(Failed)[-1]
    assert failed.kind == "team"
    assert str(failed.message).startswith("This process has lost the others of its run")
    assert failed.state is not None  # what was trained is kept


def test_a_picture_that_one_process_cannot_read_ends_both_in_words(
    project: TinyProject, started: list[Popen[str]]
) -> None:
    changes: dict[str, object] = {
        BATCH: 1,
        "cache.cache_latents": False,
        "optimizer.max_train_steps": 10_000,
    }
    processes = team(started, run_file(project, "two", changes))
    wait_for_step(RunFolder(project.folder / "output", "two"), 3)

    next(project.pictures.rglob("a.png")).write_bytes(b"no picture any more")
    for process in processes:
        process.communicate(timeout=PATIENCE_S)
    assert [process.returncode for process in processes] == [1, 1]
    failed = Result.at(project.folder / "output", "two").of(Failed)[-1]
    assert "a.png" in str(failed.message)
    assert Path(failed.picture).name == "a.png"
