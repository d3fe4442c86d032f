"""A run on pictures of several places, from the run file to the metadata."""

import json
from pathlib import Path

import pytest
from helpers.pictures import write_picture
from helpers.trainer_process import TinyProject, run_trainer
from safetensors import safe_open

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def scattered(project: TinyProject) -> TinyProject:
    """Two folders of one name, and one picture of three in another folder; paths are relative."""
    for place, name in (("more/1_robot", "f"), ("picked/3_duck", "g"), ("picked/3_duck", "h")):
        picture = write_picture(project.folder / place / f"{name}.png", (64, 64))
        picture.with_suffix(".txt").write_text(f"{name}, toy", encoding="utf-8")
    project.values["dataset.train_data_dir"] = "pictures"
    project.values["dataset.more_pictures"] = ["more", "picked/3_duck/g.png"]
    return project


def metadata_of(path: Path) -> dict[str, str]:
    with safe_open(path, framework="pt") as file:
        return dict(file.metadata())


@pytest.mark.slow
def test_a_run_trains_all_places_and_says_so(scattered: TinyProject) -> None:
    ended = run_trainer("train", scattered.run_file())
    assert ended.code == 0, ended.log

    metadata = metadata_of(scattered.output / "tiny.safetensors")
    assert json.loads(metadata["ss_dataset_dirs"]) == {
        "pictures/1_robot": {"n_repeats": 1, "img_count": 5},
        "more/1_robot": {"n_repeats": 1, "img_count": 1},
        "3_duck": {"n_repeats": 3, "img_count": 1},
    }
    tags = json.loads(metadata["ss_tag_frequency"])
    assert tags["more/1_robot"] == {"f": 1, "toy": 1}
    assert tags["3_duck"] == {"g": 1, "toy": 1}
    assert metadata["ss_num_train_images"] == str(5 + 1 + 3)
    effective = json.loads((scattered.output / "tiny.run" / "effective.json").read_text())
    more = effective["settings"]["dataset"]["more_pictures"]
    assert [Path(path).relative_to(scattered.folder).as_posix() for path in more] == [
        "more",
        "picked/3_duck/g.png",
    ]


@pytest.mark.slow
def test_places_may_have_a_kind_of_captions_each(scattered: TinyProject) -> None:
    caption = scattered.folder / "more" / "1_robot" / "f.txt"
    caption.rename(caption.with_suffix(".caption"))

    ended = run_trainer("train", scattered.run_file())

    assert ended.code == 0, ended.log
    tags = json.loads(metadata_of(scattered.output / "tiny.safetensors")["ss_tag_frequency"])
    assert tags["more/1_robot"] == {"f": 1, "toy": 1}
    effective = json.loads((scattered.output / "tiny.run" / "effective.json").read_text())
    assert "captions.caption_extension" not in effective["used"]


@pytest.mark.slow
def test_check_tells_the_plan_of_all_places(scattered: TinyProject) -> None:
    ended = run_trainer("check", scattered.run_file())

    assert ended.code == 0, ended.out
    assert "pictures/1_robot: 5 pictures x 1 = 5 per epoch" in ended.out
    assert "3_duck: 1 picture x 3 = 3 per epoch" in ended.out


def test_flags_name_places_from_the_working_folder(scattered: TinyProject) -> None:
    flags = ["--more_pictures", "more", "--more_pictures", "gone", "--train_data_dir", "unset"]
    ended = run_trainer("check", scattered.run_file(), *flags, cwd=scattered.folder)

    assert ended.code == 2
    gone = scattered.folder / "gone"
    assert f"error: dataset.more_pictures: {gone} does not exist.\n    Remove it" in ended.out
