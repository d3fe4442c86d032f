"""A tiny model, a few pictures in two buckets, and a project that trains on them in seconds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from helpers.pictures import write_picture
from helpers.stories import Teller, Told
from helpers.tiny_model import TinySD1, make_tiny_sd1
from helpers.trainer_process import TinyProject


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> TinySD1:
    return make_tiny_sd1(tmp_path_factory.mktemp("tiny-model"))


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Three pictures of 64 x 64 and two of 128 x 64, with captions."""
    folder = tmp_path / "pictures" / "1_robot"
    for name, size in {"a": 64, "b": 64, "c": 64, "d": 128, "e": 128}.items():
        write_picture(folder / f"{name}.png", (size, 64))
        (folder / f"{name}.txt").write_text(f"robot, picture {name}, a, toy", encoding="utf-8")
    return folder.parent


@pytest.fixture
def project(tmp_path: Path, tiny_model: TinySD1, pictures: Path) -> TinyProject:
    return TinyProject(tmp_path, tiny_model.folder, pictures)


@pytest.fixture(scope="session")
def stories(tmp_path_factory: pytest.TempPathFactory, tiny_model: TinySD1) -> Mapping[str, Told]:
    """Runs that went through, and the same runs interrupted and resumed in new processes."""
    return Teller.on(tmp_path_factory.mktemp("stories"), tiny_model.folder).tell()
