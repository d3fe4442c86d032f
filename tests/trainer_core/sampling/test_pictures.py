"""What is written: names, and the settings inside."""

import dataclasses
from pathlib import Path

import pytest
from PIL import Image

from trainer_core.errors import OutputError
from trainer_core.files.run_folder import is_sample_name
from trainer_core.prompts.file import SamplePrompt
from trainer_core.sampling.pictures import (
    PreviewDefaults,
    describe,
    planned,
    write_picture,
)

DEFAULTS = PreviewDefaults("ddim", width_px=64, height_px=64, run_seed=7)
PROMPT = SamplePrompt("ein schöner 猫", "a dog", seed=5, steps=2)
BLACK = Image.new("RGB", (64, 64))


def test_the_settings_stand_in_the_picture(tmp_path: Path) -> None:
    picture = planned(3, PROMPT, DEFAULTS, folder=tmp_path, step=12)
    write_picture(BLACK, picture, {"Clip skip": "2"}, replace=False)

    with Image.open(tmp_path / "00000012_03_5.png") as image:
        assert image.info["parameters"] == (
            "ein schöner 猫\n"
            "Negative prompt: a dog\n"
            "Steps: 2, Sampler: ddim, CFG scale: 7.5, Seed: 5, Size: 64x64, Clip skip: 2"
        )


def test_no_negative_prompt_makes_no_line(tmp_path: Path) -> None:
    prompt = dataclasses.replace(PROMPT, negative_prompt="")
    picture = planned(0, prompt, DEFAULTS, folder=tmp_path, step=0)

    assert describe(picture, {}).splitlines()[1].startswith("Steps: 2")


def test_a_picture_that_is_there_is_kept_unless_told(tmp_path: Path) -> None:
    picture = planned(0, PROMPT, DEFAULTS, folder=tmp_path, step=0)
    picture.path.write_bytes(b"mine")

    with pytest.raises(OutputError):
        write_picture(BLACK, picture, {}, replace=False)
    assert picture.path.read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("limit_px", "asked_px", "drawn_px"), [(4096, 9000, 4096), (9000, 9000, 9000), (512, None, 768)]
)
def test_a_prompt_s_sides_are_limited_and_those_of_training_are_not(
    limit_px: int, asked_px: int | None, drawn_px: int, tmp_path: Path
) -> None:
    defaults = PreviewDefaults("ddim", 768, 768, run_seed=7, max_side_px=limit_px)
    prompt = SamplePrompt("a cat", width_px=asked_px, height_px=asked_px)

    picture = planned(0, prompt, defaults, folder=tmp_path, step=0)

    assert (picture.width_px, picture.height_px) == (drawn_px, drawn_px)


@pytest.mark.parametrize(("step", "index", "seed"), [(0, 0, 0), (10**8, 100, 2**32 - 1)])
def test_a_run_knows_its_pictures_by_their_names(
    step: int, index: int, seed: int, tmp_path: Path
) -> None:
    prompt = SamplePrompt("a cat", seed=seed)

    assert is_sample_name(planned(index, prompt, DEFAULTS, folder=tmp_path, step=step).path.name)
