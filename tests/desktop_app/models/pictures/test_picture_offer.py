from pathlib import Path

import pytest
from helpers.pictures import write_dataset

from desktop_app.models.pictures.picture_offer import Offer, entries_of, left_out


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {"a.png": None, "b.PNG": None, "c.jpg": None, "a.txt": "a cat", "notes.txt": "mine"}
    return write_dataset(tmp_path / "cats", {".": files})


def entries(*paths: Path) -> tuple[Path, ...]:
    return entries_of(Offer.of(paths))


def test_folders_pictures_and_the_rest_are_told_apart(folder: Path):
    offer = Offer.of([folder / "b.PNG", folder, folder / "notes.txt"])
    assert offer == Offer((folder,), (folder / "b.PNG",), (folder / "notes.txt",))


def test_the_captions_of_pictures_come_along_silently(folder: Path):
    assert Offer.of([folder / "a.txt", folder / "a.png"]).others == ()
    assert Offer.of([folder / "a.txt", folder / "b.PNG"]).others == (folder / "a.txt",)


def test_some_pictures_of_a_folder_are_just_those(folder: Path):
    assert entries(folder / "c.jpg", folder / "a.png") == (folder / "a.png", folder / "c.jpg")


def test_all_pictures_of_a_folder_are_the_folder(folder: Path):
    assert entries(*(folder / name for name in ("c.jpg", "a.png", "b.PNG"))) == (folder,)


def test_a_folder_that_would_bring_others_along_is_not_taken(folder: Path):
    write_dataset(folder, {"5_dog": {"d.png": None}})
    names = ("a.png", "b.PNG", "c.jpg")
    assert entries(*(folder / name for name in names)) == tuple(folder / name for name in names)


def test_pictures_of_a_folder_that_is_dropped_too_are_not_named_again(folder: Path):
    assert entries(folder / "a.png", folder) == (folder,)


def test_folders_come_before_pictures(folder: Path, tmp_path: Path):
    dogs = write_dataset(tmp_path / "dogs", {".": {"d.png": None}})
    assert entries(folder / "a.png", dogs) == (dogs, folder / "a.png")


def test_only_a_single_run_file_is_one(tmp_path: Path):
    run_file = tmp_path / "RUN.TOML"
    assert Offer.of([run_file]).is_run_file
    assert not Offer.of([run_file, tmp_path]).is_run_file
    assert not Offer.of([run_file, tmp_path / "b.toml"]).is_run_file


def test_what_is_left_out_is_named(tmp_path: Path):
    few = Offer.of([tmp_path, tmp_path / "a.gif", tmp_path / "b.psd"])
    assert left_out(few).startswith("Left out: a.gif, b.psd. ")
    many = Offer.of(tmp_path / f"{number}.gif" for number in range(12))
    assert left_out(many).startswith("12 files are left out, such as 0.gif, 1.gif, 2.gif. ")
    assert left_out(Offer.of([tmp_path])) == ""
