"""Metadata files of fine-tuning name pictures, captions and tags."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from helpers.pictures import write_dataset

from trainer_core.dataset.description.metadata_file import Described, read_metadata
from trainer_core.dataset.survey import Survey, SurveyRequest, take_survey
from trainer_core.errors import DatasetError
from trainer_core.settings.schema import TRAIN


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pictures = {"a.png": None, "b.jpg": None, "c.png": None, "a.txt": "not read"}
    return write_dataset(tmp_path / "set", {".": pictures, "sub": {"d.png": None}}, (128, 128))


def write(path: Path, content: object) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


@pytest.mark.parametrize(
    ("caption", "tags", "has_lines", "joined"),
    [
        ("a cat", "red, big", False, "a cat;red, big"),
        ("a cat", "", False, "a cat"),
        ("", "red", False, "red"),
        ("", "", False, ""),
        # With wildcards every line is one caption, and each gets the tags.
        ("a cat\n\na dog", "red\nbig", True, "a cat;red;big\na dog;red;big"),
    ],
)
def test_caption_and_tags_are_joined(caption: str, tags: str, has_lines: bool, joined: str) -> None:
    assert Described(caption, tags).joined(";", has_lines=has_lines) == joined


def test_pictures_are_named_by_path_or_by_stem(folder: Path, tmp_path: Path) -> None:
    file = write(
        tmp_path / "meta.json",
        {
            str(folder / "a.png"): {"caption": "one"},
            "b": {"tags": "two", "image_size": [128, 128]},
            "sub/d.png": {"caption": "three", "tags": ["x", "y"]},
            "gone": {"caption": "four"},
        },
    )
    found = read_metadata(file, folder)
    assert found.pictures == {
        folder / "a.png": Described("one", ""),
        folder / "b.jpg": Described("", "two"),
        folder / "sub" / "d.png": Described("three", "x, y"),
    }
    assert found.unfound == ("gone",)
    assert found.unnamed == (folder / "c.png",)


@pytest.mark.parametrize("name", ["a\0.png", "x/\0/y", "\ud800", "", ".", "..", "n" * 5000])
def test_what_can_be_no_name_is_not_found(folder: Path, name: str) -> None:
    file = write(folder / "meta.json", {name: {"caption": "one"}})
    assert read_metadata(file, folder).unfound == (name,)


def test_lines_of_json_name_their_picture(folder: Path) -> None:
    lines = [{"image_path": "a.png", "caption": "one"}, {"image_path": "b.jpg", "tags": "two"}]
    file = write(folder / "meta.jsonl", "\n".join(map(json.dumps, lines)) + "\n\n")
    assert read_metadata(file, None).pictures == {
        folder / "a.png": Described("one", ""),
        folder / "b.jpg": Described("", "two"),
    }


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("m.json", "{", "line 1 is not valid JSON"),
        ("m.json", "[1]", "it does not name pictures"),
        ("m.json", '{"a": "cat"}', "what it says of a is no caption"),
        ("m.json", '{"a": {"caption": 3}}', "what it says of a is no caption"),
        ("m.jsonl", '{"image_path": "a"}\n{"caption": "x"}', "line 2 has no image_path"),
        ("m.jsonl", '{"image_path": "a"}\n{', "line 2 is not valid JSON"),
    ],
)
def test_what_is_no_metadata_is_refused_by_name(
    folder: Path, name: str, content: str, reason: str
) -> None:
    with pytest.raises(DatasetError, match=rf"{name} cannot be used: {reason}\."):
        read_metadata(write(folder / name, content), folder)


def survey_of(**dataset: object) -> Survey:
    settings, problems = TRAIN.parse({"dataset": dataset, "buckets": {"resolution": 128}})
    assert settings is not None, problems
    request = SurveyRequest.of(settings)
    assert request is not None
    return take_survey(request)


def test_a_run_trains_what_its_metadata_file_names(folder: Path, tmp_path: Path) -> None:
    said = {"a": {"caption": "one", "tags": "red"}, "b": {"caption": ""}, "x": {"caption": "y"}}
    file = write(tmp_path / "meta.json", said)
    found = survey_of(train_data_dir=str(folder), in_json=str(file), dataset_repeats=3)
    assert found.plan is not None
    assert found.audit is not None
    assert found.plan.samples == 2 * 3
    assert {key.path.name: words for key, words in found.audit.captions.items()} == {
        "a.png": "one,red",
        "b.jpg": "",
    }
    assert {(p.path, str(p.message)) for p in found.problems} == {
        ("dataset.train_data_dir", f"meta.json has no words for {folder / 'b.jpg'}."),
        ("dataset.in_json", f"{file} names 1 picture not found, such as x."),
        (
            "dataset.train_data_dir",
            f"1 picture of {folder} is not in {file} and not used, such as c.png.",
        ),
    }


def test_a_metadata_file_may_be_a_subset_s(folder: Path, tmp_path: Path) -> None:
    file = write(tmp_path / "meta.json", {"a": {"caption": "one"}})
    row = {"image_dir": str(folder), "metadata_file": str(file), "num_repeats": 4}
    found = survey_of(subsets=[row])
    assert [(p.path.name, p.repeats) for p in found.index.pictures] == [("a.png", 4)]


def test_a_metadata_file_that_cannot_be_read_is_told_of_its_setting(
    folder: Path, tmp_path: Path
) -> None:
    found = survey_of(train_data_dir=str(folder), in_json=str(tmp_path / "gone.json"))
    (problem,) = found.problems
    assert problem.path == "dataset.in_json"
