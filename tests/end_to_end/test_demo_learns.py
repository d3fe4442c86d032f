"""The demo teaches its base something: a few steps of the real training, judged by diffusers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import tomlkit
from helpers.held_out_loss import held_out_loss, load_pipeline
from helpers.trainer_process import run_trainer
from PIL import Image

from trainer_core.files.resources import resource_path

sys.path.insert(0, str(resource_path("demo")))

from lantern import Pose, draw_lantern
from making.pictures import Composition, compose

DEMO = resource_path("demo")
STEPS = 40
# Poses and backgrounds that the demo's pictures do not have together.
UNSEEN = (
    (Pose(80, 40, "winking"), "green"),
    (Pose(30, 70, "happy"), "blue"),
    (Pose(110, 20, "surprised"), "grey"),
)


def held_out() -> list[tuple[Image.Image, str]]:
    pictures = []
    for pose, colour in UNSEEN:
        lantern = draw_lantern(pose, 0.8).image
        plan = Composition(colour, 110, (0, 0), 0.0, "{subject} on a {colour} background")
        picture = compose(lantern.crop(lantern.getbbox()), plan)
        pictures.append((picture, plan.caption_for("zxq lantern")))
    return pictures


def few_steps(folder: Path) -> Path:
    """Write the demo's run file for a few steps without samples; return it."""
    run_file: Any = tomlkit.parse((DEMO / "demo.toml").read_text(encoding="utf-8"))
    run_file["model"]["pretrained_model_name_or_path"] = str(DEMO / "base")
    run_file["dataset"]["train_data_dir"] = str(DEMO / "pictures")
    run_file["optimizer"]["max_train_steps"] = STEPS
    run_file["output"]["output_dir"] = str(folder)
    del run_file["optimizer"]["epoch"], run_file["sampling"]
    path = folder / "few.toml"
    path.write_text(tomlkit.dumps(run_file), encoding="utf-8")
    return path


@pytest.mark.slow
def test_a_few_steps_of_the_demo_lower_the_loss_on_pictures_it_does_not_have(
    tmp_path: Path,
) -> None:
    pipeline = load_pipeline(DEMO / "base")
    before = held_out_loss(pipeline, held_out())

    ended = run_trainer("train", few_steps(tmp_path))
    assert ended.code == 0, ended.log
    pipeline.load_lora_weights(tmp_path, weight_name="lantern.safetensors")

    assert held_out_loss(pipeline, held_out()) < 0.75 * before
