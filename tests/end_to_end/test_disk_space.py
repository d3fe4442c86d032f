"""The room that a run needs is told before it starts, and is what its files really take."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.tiny_model import TinySD1
from helpers.trainer_process import TinyProject, run_trainer
from PIL import Image

from trainer_core.disk_space.needs import needs
from trainer_core.preflight import examine
from trainer_core.protocol.messages import Warned
from trainer_core.settings import files
from trainer_core.settings.schema import TRAIN

pytestmark = pytest.mark.slow

#: No disk has more than 64 KiB left, as far as anybody asks.
NO_ROOM = """
import shutil
usage = shutil.disk_usage
shutil.disk_usage = lambda path: usage(path)._replace(free=65536)
"""


def project_in(folder: Path, model: TinySD1, **more: object) -> TinyProject:
    concept = folder / "pictures" / "2_robot"
    concept.mkdir(parents=True)
    for number, name in enumerate("abc"):
        Image.new("RGB", (128, 128), (80 * number, 30, 60)).save(concept / f"{name}.png")
        caption = concept / f"{name}.txt"
        caption.write_text(f"robot, {name}, standing", encoding="utf-8")
    values = {name.replace("__", "."): value for name, value in more.items()}
    return TinyProject(folder, model.folder, folder / "pictures", values)


def bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("optimizer", ["AdamW", "AdamW8bit"])
def test_what_is_told_is_what_the_files_take(
    tmp_path: Path, tiny_model: TinySD1, optimizer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LORA_LOOM_CACHE", str(tmp_path / "cache"))
    project = project_in(
        tmp_path,
        tiny_model,
        adapter__network_dim=512,  # so that the numbers outweigh what stands around them
        optimizer__optimizer_type=optimizer,
        optimizer__max_train_steps=6,
        output__save_every_n_steps=2,
        output__save_state=True,
        output__save_state_every_n_minutes="unset",
        cache__cache_latents_to_disk=True,
        augmentation__flip_aug=True,
        sampling__prompt_list=["a robot --s 1", "a cat --s 1 --w 64"],
        sampling__sample_every_n_steps=3,
    )
    run_file = project.run_file()
    found = examine(TRAIN.with_absolute_paths(files.load(run_file).raw, run_file.parent))
    assert found.settings is not None
    assert found.prompts is not None
    output, cache = needs(found.settings, found.facts, found.survey, found.prompts.prompts)

    assert run_trainer("train", run_file).code == 0
    real = bytes_in(project.output)
    assert real <= output.num_bytes <= real * 1.1
    latents = list((tmp_path / "cache" / "latents").rglob("*.safetensors"))
    assert len(latents) == 6, "mirrored ones too"
    on_disk = sum(path.stat().st_size for path in latents)
    assert on_disk <= cache.num_bytes <= on_disk + 9 * 1024 * len(latents)


def test_check_and_train_say_in_the_same_words_that_there_is_too_little_room(
    tmp_path: Path, tiny_model: TinySD1
) -> None:
    project = project_in(tmp_path, tiny_model)

    checked = run_trainer("check", project.run_file(), before=NO_ROOM)
    assert checked.code == 1, "a disk can be emptied meanwhile"
    trained = run_trainer("train", project.run_file(), before=NO_ROOM)
    assert trained.code == 0
    (said,) = [str(w.message) for w in trained.of(Warned) if "are free" in str(w.message)]
    assert f"warning: output.output_dir: {said}" in checked.out
    assert str(project.output) in said
    assert "64 KiB are free" in said


def test_nothing_is_said_where_there_is_room(tmp_path: Path, tiny_model: TinySD1) -> None:
    checked = run_trainer("check", project_in(tmp_path, tiny_model).run_file())

    assert checked.code == 0
    assert "free" not in checked.out
