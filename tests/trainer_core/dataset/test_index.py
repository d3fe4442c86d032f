"""Folders, names and pictures on disk against the recorded ones."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from helpers import vectors
from helpers.pictures import write_dataset

from trainer_core.dataset.audit import quick_audit
from trainer_core.dataset.buckets import BucketRules
from trainer_core.dataset.index import (
    DatasetIndex,
    build_index,
    concepts_in,
    distinct_names,
    parse_folder_name,
)
from trainer_core.dataset.subsets import SampleSettings
from trainer_core.errors import DatasetError

FILE = "dataset_folders.json"
RECORDED = vectors.load(FILE)


def names_of(root: Path) -> list[str]:
    index = build_index(root, plain_repeats=1)
    return [picture.path.name for picture in index.pictures]


@pytest.mark.parametrize("case", RECORDED["folder_names"], ids=lambda case: repr(case["folder"]))
def test_folder_name_gives_repeats_and_class_tokens_as_recorded(case: dict[str, Any]) -> None:
    recorded = (case["num_repeats"], case["class_tokens"]) if case["used"] else None
    vectors.check(
        FILE,
        f"folder_names/{case['folder']}",
        actual=parse_folder_name(case["folder"]),
        recorded=recorded,
    )


@pytest.mark.parametrize("case", RECORDED["folder_names"], ids=lambda case: repr(case["folder"]))
def test_folder_is_used_or_named_as_ignored(tmp_path: Path, case: dict[str, Any]) -> None:
    write_dataset(tmp_path, {case["folder"]: {"a.png": None}})
    index = build_index(tmp_path, plain_repeats=1)
    folder = tmp_path / case["folder"]
    assert [concept.folder for concept in index.concepts] == [folder] * case["used"]
    assert index.ignored_folders == (folder,) * (not case["used"])


@pytest.mark.parametrize("case", RECORDED["image_extensions"], ids=lambda case: case["file"])
def test_file_counts_as_a_picture_as_recorded(tmp_path: Path, case: dict[str, Any]) -> None:
    write_dataset(tmp_path, {"1_x": {case["file"]: "any content"}})
    vectors.check(
        FILE,
        f"image_extensions/{case['file']}",
        actual=names_of(tmp_path) == [case["file"]],
        recorded=case["counted"],
    )


@pytest.mark.parametrize("case", RECORDED["image_order"])
def test_pictures_are_sorted_by_code_points_as_recorded(
    tmp_path: Path, case: dict[str, Any]
) -> None:
    write_dataset(tmp_path, {"1_x": dict.fromkeys(case["files"], "")})
    assert names_of(tmp_path) == case["image_order"]


def test_every_listed_deviation_is_a_recorded_case() -> None:
    keys = {"folder_names": "folder", "image_extensions": "file"}
    names = [f"{group}/{case[key]}" for group, key in keys.items() for case in RECORDED[group]]
    vectors.check_listing(FILE, names)


def test_concepts_are_sorted_by_folder_name(tmp_path: Path) -> None:
    folders = ["2_b", "10_a", "2_B", "1_c"]
    write_dataset(tmp_path, {name: {"a.png": None} for name in folders})
    index = build_index(tmp_path, plain_repeats=1)
    assert [concept.name for concept in index.concepts] == ["10_a", "1_c", "2_B", "2_b"]


def test_pictures_directly_in_the_folder_are_a_concept_with_plain_repeats(tmp_path: Path) -> None:
    write_dataset(tmp_path / "cats", {".": {"a.png": None}})
    (concept,) = build_index(tmp_path / "cats", plain_repeats=7).concepts
    assert (concept.name, concept.repeats, concept.class_tokens) == ("cats", 7, "")
    assert concept.pictures[0].repeats == 7


@pytest.mark.parametrize("relative", [False, True])
def test_a_concept_folder_chosen_itself_keeps_its_number_and_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, relative: bool
) -> None:
    root = write_dataset(tmp_path / "10_zxq cat", {".": {"a.png": None}})
    monkeypatch.chdir(root)
    (concept,) = build_index(Path() if relative else root, plain_repeats=7).concepts
    assert (concept.name, concept.repeats, concept.class_tokens) == ("10_zxq cat", 10, "zxq cat")


def test_pictures_beside_concept_folders_are_used_too(tmp_path: Path) -> None:
    root = write_dataset(tmp_path / "set", {".": {"a.png": None}, "5_cat": {"b.png": None}})
    concepts = build_index(root, plain_repeats=2).concepts
    assert [(concept.name, concept.repeats) for concept in concepts] == [("set", 2), ("5_cat", 5)]


def test_folders_inside_a_concept_are_not_searched_but_named(tmp_path: Path) -> None:
    write_dataset(tmp_path, {"5_cat": {"a.png": None}, "5_cat/more": {"b.png": None}})
    index = build_index(tmp_path, plain_repeats=1)
    assert names_of(tmp_path) == ["a.png"]
    assert index.ignored_folders == (tmp_path / "5_cat" / "more",)


def test_a_concept_folder_without_pictures_is_named_as_ignored(tmp_path: Path) -> None:
    write_dataset(tmp_path, {"5_cat": {"a.txt": "no picture"}})
    index = build_index(tmp_path, plain_repeats=1)
    assert index.concepts == ()
    assert index.ignored_folders == (tmp_path / "5_cat",)


def test_pictures_of_other_kinds_are_named_as_ignored(tmp_path: Path) -> None:
    write_dataset(tmp_path, {".": {"a.HEIC": ""}, "1_x": {"b.gif": "", "c.png": None}})
    index = build_index(tmp_path, plain_repeats=1)
    assert index.ignored_files == (tmp_path / "a.HEIC", tmp_path / "1_x" / "b.gif")


def test_hidden_files_and_folders_are_passed_over_silently(tmp_path: Path) -> None:
    write_dataset(tmp_path, {"1_x": {"._a.png": "", "a.png": None}, ".thumbs": {"b.png": None}})
    index = build_index(tmp_path, plain_repeats=1)
    assert names_of(tmp_path) == ["a.png"]
    assert index.ignored_folders == ()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_pipe_named_like_a_picture_is_passed_over(tmp_path: Path) -> None:
    write_dataset(tmp_path, {"1_x": {"a.png": None}})
    os.mkfifo(tmp_path / "1_x" / "b.png")
    (tmp_path / "1_x" / "c.png").symlink_to("b.png")
    assert names_of(tmp_path) == ["a.png"]


def test_a_picture_behind_a_broken_link_is_kept_so_that_it_is_named(tmp_path: Path) -> None:
    write_dataset(tmp_path, {"1_x": {}})
    (tmp_path / "1_x" / "a.png").symlink_to(tmp_path / "gone.png")
    assert names_of(tmp_path) == ["a.png"]


def test_an_index_can_leave_pictures_out(tmp_path: Path) -> None:
    write_dataset(tmp_path, {"1_x": {"a.png": None, "b.png": None}, "1_y": {"c.png": None}})
    index = build_index(tmp_path, plain_repeats=1)
    rest = index.without({(0, tmp_path / "1_x" / "a.png"), (0, tmp_path / "1_y" / "c.png")})
    assert [(c.name, [p.path.name for p in c.pictures]) for c in rest.concepts] == [
        ("1_x", ["b.png"])
    ]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="gone does not exist") as caught:
        build_index(tmp_path / "gone", plain_repeats=1)
    assert caught.value.hint is not None


def test_a_file_is_no_picture_folder(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    with pytest.raises(DatasetError, match=r"a\.png is a file"):
        build_index(tmp_path / "a.png", plain_repeats=1)


def test_a_folder_that_may_not_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(folder: Path) -> None:
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(DatasetError, match=f"{tmp_path.name} cannot be read: Permission denied"):
        build_index(tmp_path, plain_repeats=1)


@pytest.mark.skipif(os.name == "nt", reason="Windows' names are always text")
def test_a_name_that_is_no_text_is_refused_and_shown_readably(tmp_path: Path) -> None:
    write_dataset(tmp_path, {"1_x": {}})
    name = "猫".encode("cp932") + b".png"  # as unzip leaves names packed on Japanese Windows
    Path(os.fsdecode(os.fsencode(tmp_path / "1_x") + b"/" + name)).touch()
    with pytest.raises(DatasetError, match=r"1_x.*png is not valid text") as caught:
        build_index(tmp_path, plain_repeats=1)
    assert str(caught.value).encode()


def test_concepts_in_a_folder_that_cannot_be_read_are_none(tmp_path: Path) -> None:
    assert concepts_in(tmp_path / "gone") == ()


# ------------------------------------------------------------------ several places


@pytest.fixture
def places(tmp_path: Path) -> Path:
    """Two sets with a concept of the same name, and a folder of plain pictures."""
    folders = {
        "a/10_cat": {"1.png": None, "2.png": None},
        "b/10_cat": {"1.png": None},
        "b/3_dog": {"3.png": None},
        "plain": {"4.png": None, "5.png": None},
        "7_bird": {"6.png": None, "7.png": None},
    }
    return write_dataset(tmp_path, folders)


def trained(index: DatasetIndex) -> list[tuple[str, int, list[str]]]:
    return [(c.name, c.repeats, [p.path.name for p in c.pictures]) for c in index.concepts]


def test_each_further_folder_is_read_as_the_picture_folder_is(places: Path) -> None:
    index = build_index(places / "b", [places / "plain", places / "7_bird"], plain_repeats=4)
    assert trained(index) == [
        ("10_cat", 10, ["1.png"]),
        ("3_dog", 3, ["3.png"]),
        ("plain", 4, ["4.png", "5.png"]),
        ("7_bird", 7, ["6.png", "7.png"]),
    ]
    assert [root.path for root in index.roots] == [places / n for n in ("b", "plain", "7_bird")]


def test_single_pictures_are_gathered_by_folder_with_its_number_and_words(places: Path) -> None:
    names = ["7_bird/7.png", "plain/5.png", "7_bird/6.png"]
    index = build_index(None, [places / name for name in names], plain_repeats=4)
    assert trained(index) == [("7_bird", 7, ["6.png", "7.png"]), ("plain", 4, ["5.png"])]
    assert [concept.class_tokens for concept in index.concepts] == ["bird", ""]
    assert not any(root.is_whole for root in index.roots)


def test_concepts_of_one_name_are_told_apart_by_their_parents(places: Path) -> None:
    index = build_index(places / "a", [places / "b"], plain_repeats=1)
    assert [concept.name for concept in index.concepts] == ["a/10_cat", "b/10_cat", "3_dog"]


def test_names_grow_until_they_differ() -> None:
    folders = [Path("/x/1/set/cat"), Path("/x/2/set/cat"), Path("/x/set/dog"), Path("/x/1/set/cat")]
    assert distinct_names(folders) == ["1/set/cat", "2/set/cat", "dog", "1/set/cat"]


def test_a_picture_that_two_entries_lead_to_belongs_to_the_first(places: Path) -> None:
    more = [places / "a" / "10_cat", places / "plain", places / "plain" / "4.png"]
    index = build_index(places / "a", more, plain_repeats=1)
    assert trained(index) == [
        ("10_cat", 10, ["1.png", "2.png"]),
        ("plain", 1, ["4.png", "5.png"]),
    ]
    repeated = [[path.name for path in root.repeated] for root in index.roots]
    assert repeated == [[], ["1.png", "2.png"], [], ["4.png"]]


def test_a_single_picture_named_twice_is_told(places: Path) -> None:
    picture = places / "plain" / "4.png"
    index = build_index(None, [picture, picture], plain_repeats=1)
    assert trained(index) == [("plain", 1, ["4.png"])]
    assert index.roots[0].repeated == (picture,)


def test_the_same_folder_by_a_link_is_the_same_pictures(places: Path) -> None:
    (places / "link").symlink_to(places / "plain", target_is_directory=True)
    index = build_index(places / "plain", [places / "link"], plain_repeats=1)
    assert [p.path for p in index.pictures] == [places / "plain" / f"{n}.png" for n in (4, 5)]


def test_a_folder_that_is_asked_for_itself_is_not_called_ignored(places: Path) -> None:
    assert places / "plain" in build_index(places, plain_repeats=1).ignored_folders
    index = build_index(places, [places / "plain"], plain_repeats=1)
    assert places / "plain" not in index.ignored_folders


def test_a_missing_place_does_not_hide_the_others(places: Path) -> None:
    index = build_index(places / "gone", [places / "plain"], plain_repeats=1)
    assert trained(index) == [("plain", 1, ["4.png", "5.png"])]
    assert "gone does not exist" in str(index.roots[0].failure)


def test_an_entry_that_is_no_picture_is_named(places: Path) -> None:
    (places / "notes.txt").touch()
    index = build_index(places / "plain", [places / "notes.txt"], plain_repeats=1)
    assert "notes.txt is no picture" in str(index.roots[1].failure)


@pytest.mark.parametrize("name", ["folder", "a.png"])
def test_an_entry_that_cannot_be_looked_for_hides_nothing_else(places: Path, name: str) -> None:
    # Like a folder that may not be entered: the system refuses to tell what is there.
    unreachable = places / ("n" * 300) / name
    index = build_index(places / "plain", [unreachable], plain_repeats=1)
    rules = BucketRules((512, 512), enable_bucket=False)
    audit = quick_audit(index, {0: SampleSettings(rules=rules)})
    told = [root.failure for root in index.roots if root.failure] or audit.errors
    assert len(told) == 1
    assert index.roots[0].pictures


def test_nothing_that_can_be_read_is_an_error(places: Path) -> None:
    with pytest.raises(DatasetError, match="gone does not exist"):
        build_index(places / "gone", [places / "lost"], plain_repeats=1)


def test_one_place_is_the_same_by_either_setting(places: Path) -> None:
    by_folder = build_index(places / "b", plain_repeats=1)
    assert build_index(None, [places / "b"], plain_repeats=1) == by_folder


@pytest.mark.skipif("os.name == 'nt'")
def test_a_pipe_with_the_name_of_a_picture_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(DatasetError, match="is no picture"):
        build_index(None, [tmp_path / "a.png"], plain_repeats=1)
