"""Runs on pictures of every kind, cut at random and masked, from the command line."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path

import pytest
from helpers.pictures import gradient
from helpers.trainer_process import Ended, TinyProject, run_trainer
from PIL import Image
from safetensors.torch import load_file

from trainer_core.protocol.messages import StepDone
from trainer_core.settings.picture_kinds import FORMAT_OF_EXTENSION

UNCACHED = {"cache.cache_latents": False}
VARIED = {**UNCACHED, "augmentation.random_crop": True, "augmentation.color_aug": True}
SIZE = (96, 80)


@pytest.fixture
def kinds(pictures: Path) -> Path:
    """A picture of every kind, and of every odd mode, instead of the usual ones."""
    for file in (pictures / "1_robot").iterdir():
        file.unlink()
    folder = pictures / "1_robot"
    for number, extension in enumerate(FORMAT_OF_EXTENSION):
        if extension != ".jxl" or importlib.util.find_spec("pillow_jxl") is not None:
            gradient(SIZE).save(folder / f"kind{number}{extension}")
    gradient(SIZE, "CMYK").save(folder / "cmyk.jpg")
    gradient(SIZE, "P").save(folder / "palette.png")
    gradient(SIZE, "L").convert("I;16").save(folder / "deep.png")
    gradient(SIZE, "RGBA").save(folder / "alpha.png")
    return pictures


def trained(project: TinyProject, changes: Mapping[str, object], name: str) -> Ended:
    values = {**changes, "output.output_name": name, "output.save_precision": "float"}
    ended = run_trainer("train", project.run_file(values, f"{name}.toml"))
    assert ended.code == 0, ended.log
    return ended


def losses(ended: Ended) -> list[float | None]:
    return [event.loss for event in ended.events if isinstance(event, StepDone)]


def weights(project: TinyProject, name: str) -> dict[str, list[float]]:
    tensors = load_file(project.output / f"{name}.safetensors")
    return {key: tensor.flatten().tolist() for key, tensor in tensors.items()}


@pytest.mark.usefixtures("kinds")
def test_every_kind_trains_the_same_with_any_number_of_threads(project: TinyProject) -> None:
    runs = {f"threads-{n}": {**VARIED, "cache.max_data_loader_n_workers": n} for n in (0, 3)}
    for name, changes in runs.items():
        trained(project, changes, name)

    assert weights(project, "threads-0") == weights(project, "threads-3")


def write_masks(folder: Path, pictures: Path, level: int) -> Path:
    folder.mkdir()
    for picture in pictures.rglob("*.png"):
        with Image.open(picture) as image:
            Image.new("L", image.size, level).save(folder / picture.name)
    return folder


@pytest.mark.parametrize("changes", [{}, UNCACHED], ids=["cached", "uncached"])
def test_a_mask_scales_the_loss_by_what_it_shows(
    project: TinyProject, pictures: Path, tmp_path: Path, changes: dict[str, object]
) -> None:
    found = {}
    for name, level in {"white": 255, "grey": 51, "black": 0}.items():  # 51 / 255 = 0.2
        masks = write_masks(tmp_path / name, pictures, level)
        masked = {
            "augmentation.masked_loss": True,
            "augmentation.conditioning_data_dir": str(masks),
            "optimizer.learning_rate": 1e-12,
            "optimizer.unet_lr": "unset",
            "optimizer.text_encoder_lr": "unset",
        }
        found[name] = losses(trained(project, {**changes, **masked}, name))

    assert found["black"] == [0.0] * len(found["white"])
    assert found["grey"] == pytest.approx([0.2 * loss for loss in found["white"] if loss])


def test_a_mask_that_turns_bad_in_mid_run_is_named(
    project: TinyProject, pictures: Path, tmp_path: Path
) -> None:
    masks = write_masks(tmp_path / "masks", pictures, 128)
    for mask in masks.iterdir():
        content = mask.read_bytes()
        at = content.index(b"IDAT") + 4  # the header stays sound
        mask.write_bytes(content[:at] + b"\xff" * 8 + content[at + 8 :])

    changes = {
        "augmentation.masked_loss": True,
        "augmentation.conditioning_data_dir": str(masks),
    }
    ended = run_trainer("train", project.run_file(changes))
    assert (ended.code, ended.failed.kind) == (1, "dataset")
    assert str(masks) in str(ended.failed.message)
    assert Path(ended.failed.picture).parent == masks
    assert ended.failed.hint is not None
