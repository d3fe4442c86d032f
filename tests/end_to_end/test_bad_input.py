"""What people get wrong, from the command line: named, with a way out, and nothing lost."""

from __future__ import annotations

import os
import pickle
import shutil
import signal
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from helpers.folder_content import content_of
from helpers.no_permission import GIVE_UP_CAPABILITIES
from helpers.pictures import write_picture
from helpers.tiny_model import TinySD1
from helpers.trainer_process import Ended, TinyProject, TrainerProcess, run_trainer
from safetensors.torch import save_file

from trainer_core.files.run_folder import RunFolder
from trainer_core.protocol.messages import CheckpointSaved, Failed, Finished, Phase, Resumed

COULD_NOT_START, FAILED_WHILE_RUNNING = 2, 1

posix_permissions = pytest.mark.skipif(os.name == "nt", reason="Windows has no mode bits")


def failure(ended: Ended, kind: str, *names: object, code: int = COULD_NOT_START) -> Failed:
    """Return why it failed, once the message names ``names`` and a way out is there."""
    failed = ended.failed
    message = str(failed.message)
    assert (ended.code, failed.kind) == (code, kind), message
    for name in names:
        assert str(name) in message
    assert failed.hint is not None
    assert str(failed.hint).endswith((".", "?"))
    assert message in ended.log, "people who read the log are told the same"
    assert "Traceback" not in ended.log
    return failed


def refusal(project: TinyProject, kind: str, *names: object, **changes: object) -> Failed:
    """Train with ``changes`` (``section__name=value``); return why the run refused to start."""
    values = {key.replace("__", "."): value for key, value in changes.items()}
    failed = failure(run_trainer("train", project.run_file(values)), kind, *names)
    assert not project.output.exists(), "a run that is refused leaves nothing behind"
    return failed


# ------------------------------------------------------------------ base models


def refused_model(project: TinyProject, model: Path, **more: str) -> Failed:
    changes = {"model__pretrained_model_name_or_path": str(model), **more}
    failed = refusal(project, "model_file", model, **changes)
    assert failed.setting == "model.pretrained_model_name_or_path"
    return failed


def test_a_missing_model_is_named(project: TinyProject, tmp_path: Path) -> None:
    failed = refused_model(project, tmp_path / "gone.safetensors")

    assert "does not exist" in str(failed.message)


def test_a_truncated_model_is_told_from_a_whole_one(
    project: TinyProject, tiny_model: TinySD1, tmp_path: Path
) -> None:
    half = tmp_path / "half.safetensors"
    whole = tiny_model.safetensors.read_bytes()
    half.write_bytes(whole[: len(whole) // 2])

    failed = refused_model(project, half)

    assert "cut short" in str(failed.message)


def test_a_lora_is_no_base_model(project: TinyProject, tmp_path: Path) -> None:
    lora = tmp_path / "lora.safetensors"
    save_file({"lora_unet_mid_block.lora_down.weight": torch.zeros(1, 4)}, lora)

    failed = refused_model(project, lora)

    assert "is a LoRA" in str(failed.message)


def test_an_sdxl_model_is_no_sd1_model(project: TinyProject, tmp_path: Path) -> None:
    sdxl = tmp_path / "sdxl.safetensors"
    names = (
        "conditioner.embedders.0.transformer.text_model.embeddings.position_ids",
        "model.diffusion_model.input_blocks.0.0.weight",
    )
    save_file({name: torch.zeros(4, 4) for name in names}, sdxl)

    failed = refused_model(project, sdxl, model__family="sd1")

    assert "Stable Diffusion XL" in str(failed.message)
    assert "Stable Diffusion 1.x" in str(failed.hint)


def test_an_empty_folder_is_no_model(project: TinyProject, tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()

    refused_model(project, folder)


class Hostile:
    """Unpickled, it would write a file."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.marker),)


def test_a_hostile_checkpoint_is_refused_and_not_run(project: TinyProject, tmp_path: Path) -> None:
    hostile, marker = tmp_path / "hostile.ckpt", tmp_path / "it-was-run"
    with zipfile.ZipFile(hostile, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(Hostile(marker), protocol=2))
        archive.writestr("archive/version", "3\n")

    failed = refused_model(project, hostile)

    assert "mkdir" in str(failed.message)
    assert not marker.exists()
    pickle.loads(pickle.dumps(Hostile(marker)))
    assert marker.exists(), "it is as hostile as it should be"


# ------------------------------------------------------------------ pictures and captions


def test_an_empty_picture_folder_is_named(project: TinyProject, tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()

    refusal(project, "dataset", folder, dataset__train_data_dir=str(folder))


def test_a_folder_without_pictures_is_named(project: TinyProject, tmp_path: Path) -> None:
    folder = tmp_path / "texts" / "1_robot"
    folder.mkdir(parents=True)
    (folder / "a.txt").write_text("a robot", encoding="utf-8")

    refusal(project, "dataset", folder.parent, dataset__train_data_dir=str(folder.parent))


def test_a_truncated_picture_is_named(project: TinyProject) -> None:
    picture = project.pictures / "1_robot" / "b.png"
    data = picture.read_bytes()
    picture.write_bytes(data[: len(data) // 2])

    failed = refusal(project, "dataset", picture)

    assert failed.picture == str(picture)


@pytest.mark.slow
def test_a_picture_damaged_inside_is_named_and_can_be_replaced(project: TinyProject) -> None:
    picture = project.pictures / "1_robot" / "d.png"
    data = bytearray(picture.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 16] = bytes(16)
    picture.write_bytes(data)

    failed = failure(run_trainer("train", project.run_file()), "dataset", picture)
    assert failed.picture == str(picture)

    write_picture(picture, (128, 64))
    again = run_trainer("train", project.run_file())
    assert again.code == 0, "a run that never began does not take the name"


def test_a_caption_in_another_encoding_is_named(project: TinyProject) -> None:
    caption = project.pictures / "1_robot" / "b.txt"
    caption.write_bytes("ein roter Würfel".encode("latin-1"))

    failed = refusal(project, "dataset", caption, "UTF-8")

    assert "save" in str(failed.hint)
    assert failed.picture == str(caption.with_suffix(".png"))


def test_a_missing_prompt_file_is_named(project: TinyProject, tmp_path: Path) -> None:
    prompts = tmp_path / "prompts.txt"

    refusal(project, "settings", prompts, sampling__sample_prompts=str(prompts))


# ------------------------------------------------------------------ settings


def test_an_unknown_key_is_named_with_the_one_that_was_meant(project: TinyProject) -> None:
    failed = refusal(project, "settings", "lerning_rate", optimizer__lerning_rate=1e-4)

    assert "learning_rate" in str(failed.hint)


def test_a_value_of_the_wrong_type_is_named(project: TinyProject) -> None:
    refusal(project, "settings", "network_dim", '"eight"', adapter__network_dim="eight")


def test_a_value_out_of_range_is_named_with_its_limit(project: TinyProject) -> None:
    refusal(project, "settings", "train_batch_size", "at least 1", dataset__train_batch_size=0)


@pytest.mark.parametrize("name", ["loras/robot", "..\\robot", "CON", "aux.v2"])
def test_an_output_name_that_is_no_file_name_everywhere_is_refused(
    project: TinyProject, name: str
) -> None:
    refusal(project, "settings", name, output__output_name=name)


# ------------------------------------------------------------------ places to write


def test_an_output_folder_below_a_file_is_refused(project: TinyProject, tmp_path: Path) -> None:
    obstacle = tmp_path / "notes.txt"
    obstacle.write_text("mine", encoding="utf-8")
    run_file = project.run_file({"output.output_dir": str(obstacle / "loras")})

    failure(run_trainer("train", run_file), "output", obstacle)

    assert obstacle.read_text(encoding="utf-8") == "mine"


@posix_permissions
def test_an_output_folder_of_somebody_else_is_refused(project: TinyProject) -> None:
    project.output.mkdir()
    (project.output / "theirs.safetensors").write_bytes(b"theirs")
    project.output.chmod(0o555)

    ended = run_trainer("train", project.run_file(), before=GIVE_UP_CAPABILITIES)

    failed = failure(ended, "output", project.output)
    assert "permission" in str(failed.message)
    assert content_of(project.output) == {"theirs.safetensors": b"theirs"}


@pytest.mark.slow
def test_a_logging_folder_below_a_file_is_refused(project: TinyProject, tmp_path: Path) -> None:
    obstacle = tmp_path / "notes.txt"
    obstacle.write_text("mine", encoding="utf-8")
    run_file = project.run_file({"output.logging_dir": str(obstacle / "logs")})

    failure(run_trainer("train", run_file), "output", obstacle)


# Where no file system may be mounted, the one function that all results are written by fails as
# a full disk makes it fail: after the first part of a file.
FAIL_LIKE_A_FULL_DISK = """
import errno, os
from trainer_core.files import writing as file_writing
fill = file_writing._fill
def fill_a_part(part, write):
    fill(part, write)
    if part.stat().st_size > 100_000:
        os.truncate(part, 100_000)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
file_writing._fill = fill_a_part
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder with room for some 200 kB, and the code that must run first to make it so."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    command = [mount, "-t", "tmpfs", "-o", "size=200k", "tmpfs", folder]
    if mount is None or subprocess.run(command, capture_output=True, check=False).returncode:
        yield folder, FAIL_LIKE_A_FULL_DISK
        return
    try:
        yield folder, ""
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.mark.slow
def test_a_full_disk_leaves_earlier_files_whole_and_no_half_ones(
    project: TinyProject, small_disk: tuple[Path, str]
) -> None:
    disk, before = small_disk
    (disk / "earlier.safetensors").write_bytes(b"earlier")
    changes = {"output.output_dir": str(disk), "adapter.network_dim": 64}

    before += "from trainer_core.train.full_disk import waiting\nwaiting.UNATTENDED_S = 0.5\n"
    with TrainerProcess("train", project.run_file(changes), before=before) as process:
        process.popen.stdin.close()  # nobody is there to be asked
        ended = process.end()

    failed = failure(ended, "disk_full", disk / "tiny.safetensors", code=FAILED_WHILE_RUNNING)
    assert "full" in str(failed.message)
    assert failed.setting == "output.output_dir"
    assert {path.name for path in disk.iterdir()} == {"earlier.safetensors", "tiny.run"}
    assert (disk / "earlier.safetensors").read_bytes() == b"earlier"


# ------------------------------------------------------------------ states


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, tiny_model: TinySD1) -> TinyProject:
    """A project that was trained once and wrote a state."""
    folder = tmp_path_factory.mktemp("finished")
    write_picture(folder / "pictures" / "a.png")
    values = {"optimizer.max_train_steps": 2, "output.save_state": True}
    project = TinyProject(folder, tiny_model.folder, folder / "pictures", values)
    assert run_trainer("train", project.run_file()).code == 0
    return project


@pytest.fixture
def resumable(finished: TinyProject, tmp_path: Path) -> TinyProject:
    """A copy of `finished` with one more step to do."""
    shutil.copytree(finished.folder, tmp_path / "copy")
    values = {"optimizer.max_train_steps": 3, "output.save_state": True}
    return TinyProject(tmp_path / "copy", finished.model, finished.pictures, values)


def refused_resume(project: TinyProject, state: Path, *names: object) -> Failed:
    lock = RunFolder(project.output, "tiny").lock_file
    lock.unlink(missing_ok=True)
    before = content_of(project.output)
    run_file = project.run_file({"output.resume": str(state)})

    failed = failure(run_trainer("train", run_file), "state", *names)

    lock.unlink(missing_ok=True)  # it tells of the process that held it last
    assert content_of(project.output) == before
    return failed


@pytest.mark.slow
def test_a_damaged_state_is_not_resumed(resumable: TinyProject) -> None:
    state = resumable.output / "tiny-state"
    tensors = state / "optimizer.safetensors"
    data = bytearray(tensors.read_bytes())
    data[-1] ^= 1
    tensors.write_bytes(data)

    refused_resume(resumable, state, state, "optimizer.safetensors")


@pytest.mark.slow
def test_a_state_without_its_manifest_is_not_resumed(resumable: TinyProject) -> None:
    state = resumable.output / "tiny-state"
    (state / "manifest.json").unlink()

    refused_resume(resumable, state, state)


@pytest.mark.slow
def test_a_state_of_another_run_is_not_resumed(resumable: TinyProject) -> None:
    state = resumable.output / "tiny-state"
    theirs = state.rename(resumable.folder / "tiny-state")
    shutil.rmtree(resumable.output)
    ours = RunFolder(resumable.output, "tiny")
    ours.path.mkdir(parents=True)
    ours.run_file.write_text('format = "loom/2"\n[run]\nid = "another"\n', encoding="utf-8")

    ours.final_weights.touch()

    failed = refused_resume(resumable, theirs, ours.path)

    assert "network_weights" in str(failed.hint)


def test_a_run_that_ends_before_its_state_is_refused_before_anything_is_loaded(
    resumable: TinyProject,
) -> None:
    state = resumable.output / "tiny-state"
    values = {"output.resume": str(state), "optimizer.max_train_steps": 1}

    ended = run_trainer("train", resumable.run_file(values))

    failed = failure(ended, "settings", "The state is at step 2, but the run ends at step 1.")
    assert failed.setting == "optimizer.max_train_steps"
    assert "caching" not in {phase.phase for phase in ended.of(Phase)}


def test_a_missing_state_is_named(resumable: TinyProject) -> None:
    state = resumable.output / "gone-state"
    run_file = resumable.run_file({"output.resume": str(state)})

    failure(run_trainer("train", run_file), "state", state)


# ------------------------------------------------------------------ kill -9

# Writes half of the file named by HANG_IN, says so on stderr, and waits to be killed.
HANG_IN_A_SAVE = """
import os, time
from trainer_core.files import writing as file_writing
fill = file_writing._fill
def hang(part, write):
    if os.environ["HANG_IN"] not in str(part):
        return fill(part, write)
    fill(part, write)
    os.truncate(part, part.stat().st_size // 2)
    os.mkdir(os.environ["HANGS"])
    time.sleep(600)
file_writing._fill = hang
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "interrupted", ["tiny-step00000004.safetensors", "tiny-step00000004-state"]
)
def test_a_trainer_killed_in_a_save_goes_on_from_the_save_before(
    project: TinyProject, tmp_path: Path, interrupted: str
) -> None:
    project.values |= {"output.save_every_n_steps": 2, "output.save_state": True}
    project.values["optimizer.max_train_steps"] = 5
    hangs = tmp_path / "hangs"
    env = {"HANG_IN": interrupted, "HANGS": str(hangs)}
    with TrainerProcess("train", project.run_file(), before=HANG_IN_A_SAVE, env=env) as process:
        process.wait_until(hangs.exists)
        saved = [Path(event.path) for event in process.events if isinstance(event, CheckpointSaved)]
        process.signal(signal.SIGKILL)
        process.popen.wait()
    earlier = {path: content_of(path) or path.read_bytes() for path in saved[:2]}
    assert {path.name for path in earlier} == {
        "tiny-step00000002.safetensors",
        "tiny-step00000002-state",
    }
    assert list(project.output.glob(".tiny*.part")), "it was killed in the midst of a save"

    ended = run_trainer("train", project.run_file(), "--continue")

    assert (ended.code, ended.of(Resumed)[0].from_step) == (0, 2)
    assert ended.of(Finished)[0].step == 5
    assert {path: content_of(path) or path.read_bytes() for path in earlier} == earlier
    assert not list(project.output.glob(".*")), "what the killed one left is cleared away"


# ------------------------------------------------------------------ our own mistakes

BREAK = """
from trainer_core.train import run
def broken(*arguments):
    raise ZeroDivisionError("as an example")
run.RunStart.record = broken
"""


def test_an_unexpected_error_is_told_with_the_file_that_has_its_details(
    project: TinyProject,
) -> None:
    ended = run_trainer("train", project.run_file(), before=BREAK)

    assert (ended.code, ended.failed.kind) == (FAILED_WHILE_RUNNING, "internal")
    assert "as an example" in str(ended.failed.message)
    assert ended.failed.log_file is not None
    details = Path(ended.failed.log_file).read_text(encoding="utf-8")
    assert "Traceback" in details
    assert ended.log in details
