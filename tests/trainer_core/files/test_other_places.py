"""What the output folder cannot take goes to the nearest folder on the same disks as before."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from trainer_core.files import other_places as module
from trainer_core.files.other_places import other_places


@pytest.fixture
def output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LORA_LOOM_HOME", str(tmp_path / "home"))
    (tmp_path / "disk" / "runs" / "output").mkdir(parents=True)
    return tmp_path / "disk" / "runs" / "output"


def test_places_are_the_output_folder_those_above_it_and_two_of_our_own(output: Path) -> None:
    assert list(other_places(output)()) == [
        output,
        output.parent,
        output.parent.parent,
        Path(os.environ["LORA_LOOM_HOME"]) / "rescued",
        Path(tempfile.gettempdir()),
    ]


def test_folders_that_are_gone_are_no_places(output: Path, tmp_path: Path) -> None:
    places = other_places(output)
    output.rmdir()

    assert list(places())[:3] == [output.parent, output.parent.parent, tmp_path]


def test_a_folder_whose_disk_was_taken_away_is_no_place(
    output: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = tmp_path / "disk"
    on_the_disk = {disk: 7, output.parent: 7, output: 7}
    monkeypatch.setattr(module, "_disk", lambda place: on_the_disk.get(place, 1))
    places = other_places(output)
    on_the_disk.clear()  # what is below the mount point now belongs to the disk around it

    assert next(iter(places())) == tmp_path
