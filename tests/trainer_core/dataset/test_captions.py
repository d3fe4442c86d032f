"""Caption files against the recorded ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from helpers import vectors
from helpers.pictures import write_dataset

from trainer_core.dataset.captions import (
    caption_path,
    read_caption,
    resolve_extension,
    tag_frequency,
)
from trainer_core.dataset.index import DatasetIndex, build_index
from trainer_core.dataset.subsets import SampleKey
from trainer_core.errors import DatasetError

FOLDERS = "dataset_folders.json"
LOOKUPS = vectors.load(FOLDERS)["caption_lookup"]


def index_of(root: Path, class_tokens: str = "") -> DatasetIndex:
    return build_index(root / f"1_{class_tokens}", plain_repeats=1)


def write_case(root: Path, case: dict[str, Any]) -> DatasetIndex:
    folder = f"1_{case['class_tokens'] or ''}"
    files = {name: content for name, content in case["files"].items() if "/" not in name}
    write_dataset(root, {folder: files})
    return index_of(root, case["class_tokens"] or "")


def read_all(index: DatasetIndex, asked: str, *, has_lines: bool = False) -> dict[SampleKey, str]:
    extension = resolve_extension(index, asked)
    return {
        picture.key: read_caption(picture, extension, has_lines=has_lines)
        for picture in index.pictures
    }


def caption_of(root: Path, content: str | bytes) -> str:
    write_dataset(root, {"1_cat": {"a.png": None, "a.txt": content}})
    (caption,) = read_all(index_of(root, "cat"), ".txt").values()
    return caption


@pytest.mark.parametrize("case", LOOKUPS, ids=lambda case: case["description"])
def test_caption_is_found_and_read_as_recorded(tmp_path: Path, case: dict[str, Any]) -> None:
    index = write_case(tmp_path, case)
    if "error" in case:
        with pytest.raises(DatasetError, match="empty"):
            read_all(index, case["caption_extension"])
        return
    has_lines = case["enable_wildcard"]
    captions = read_all(index, case["caption_extension"], has_lines=has_lines)
    assert {key.path.name: caption for key, caption in captions.items()} == case["captions"]
    (tags,) = tag_frequency(index, captions).values()
    assert tags == case["tag_frequency"]


def test_a_byte_order_mark_is_no_part_of_the_caption(tmp_path: Path) -> None:
    assert caption_of(tmp_path, "\ufeffa cat".encode()) == "a cat"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_ends_the_first_line(tmp_path: Path, end: str) -> None:
    assert caption_of(tmp_path, f" a cat {end}a dog{end}".encode()) == "a cat"


@pytest.mark.parametrize("content", [b"", b"\n \n", "\ufeff".encode()])
def test_a_caption_without_text_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(DatasetError, match=r"a\.txt is empty") as caught:
        caption_of(tmp_path, content)
    assert caught.value.hint is not None


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("a cat".encode("utf-16"), "line 1, byte 1"),
        ("猫, 犬".encode("cp932"), "line 1, byte 1"),
        (b"a cat\nun caf\xe9", "line 2, byte 13"),
        (b"\xef\xbb\xbfcaf\xe9", "line 1, byte 7"),
    ],
)
def test_a_wrong_encoding_names_file_and_place(tmp_path: Path, content: bytes, place: str) -> None:
    with pytest.raises(DatasetError, match=rf"a\.txt is not UTF-8: {place}") as caught:
        caption_of(tmp_path, content)
    assert "UTF-8" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("files", "extension"),
    [
        ({"a.txt": "x"}, ".txt"),
        ({"a.caption": "x"}, ".caption"),
        ({}, ".caption"),
        ({"readme.txt": "not beside a picture", "a.caption": "x"}, ".caption"),
        ({"a_1_2_3_4.png": None, "b_1_2_3_4.png": None, "b.txt": "a face"}, ".txt"),
    ],
)
def test_auto_takes_the_extension_found_beside_the_pictures(
    tmp_path: Path, files: dict[str, str | None], extension: str
) -> None:
    write_dataset(tmp_path, {"1_": {"a.png": None} | files})
    assert resolve_extension(index_of(tmp_path), "auto") == extension


def test_auto_refuses_captions_of_two_kinds(tmp_path: Path) -> None:
    write_dataset(tmp_path, {"1_": {"a.png": None, "b.png": None, "a.txt": "", "b.caption": ""}})
    with pytest.raises(DatasetError, match=r"two kinds, \.caption and \.txt"):
        resolve_extension(index_of(tmp_path), "auto")


@pytest.mark.parametrize(
    ("asked", "extension"),
    [(".txt", ".txt"), ("txt", ".txt"), ("", ".caption"), (".no-x", ".no-x")],
)
def test_an_extension_may_be_given_without_its_dot(
    tmp_path: Path, asked: str, extension: str
) -> None:
    write_dataset(tmp_path, {"1_": {"a.png": None, "a.txt": "", "a.caption": ""}})
    assert resolve_extension(index_of(tmp_path), asked) == extension


def test_a_folder_named_like_a_caption_is_none(tmp_path: Path) -> None:
    write_dataset(tmp_path, {"a.txt": {}, ".": {"a.png": None}})
    assert caption_path(tmp_path / "a.png", ".txt") is None


def test_tags_count_once_per_picture_whatever_its_repeats(tmp_path: Path) -> None:
    files = {"a.png": None, "a.txt": "a, b", "b.png": None, "b.txt": "A , c,,", "c.png": None}
    write_dataset(tmp_path, {"2_demo cat": files})
    index = build_index(tmp_path, plain_repeats=1)
    assert tag_frequency(index, read_all(index, ".txt")) == {
        "2_demo cat": {"a": 2, "b": 1, "c": 1, "demo cat": 1}
    }


def test_a_caption_file_of_more_than_1_mib_is_refused_with_the_limit(tmp_path: Path) -> None:
    write_dataset(tmp_path, {"1_x": {"a.png": None, "a.txt": "x" * (2**20 + 1)}})
    [picture] = build_index(tmp_path, plain_repeats=1).pictures

    with pytest.raises(DatasetError, match=r"a\.txt cannot be read: it is larger than 1 MiB"):
        read_caption(picture, ".txt")
