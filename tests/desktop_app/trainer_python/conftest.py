from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from helpers.package_index import PackageIndex, repack, write_torch, write_wheel
from pytestqt.qtbot import QtBot

from desktop_app.preferences import Preferences
from desktop_app.trainer_python.requirements import wanted_packages
from desktop_app.trainer_python.trainer_python import TrainerPython


@pytest.fixture(scope="session")
def pip_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pip of these tests, which tells its progress; a Python may bring an older one."""
    return repack(tmp_path_factory.mktemp("pip"), "pip")


@pytest.fixture(scope="session")
def environment_model(tmp_path_factory: pytest.TempPathFactory, pip_wheel: Path) -> Path:
    """A real environment with pip, to be copied."""
    folder = tmp_path_factory.mktemp("model") / "venv"
    base = [sys.executable, "-I", "-m"]
    subprocess.run([*base, "venv", "--without-pip", str(folder)], check=True)
    pip = [*base, "pip", "--python", str(folder / "bin" / "python"), "install", "-q", "--no-index"]
    subprocess.run([*pip, str(pip_wheel)], check=True)
    return folder


@pytest.fixture
def environment(environment_model: Path, tmp_path: Path) -> Path:
    """An environment of one's own, with pip and nothing else."""
    folder = tmp_path / "env with blank"
    shutil.copytree(environment_model, folder, symlinks=True)
    return folder


@pytest.fixture
def fake_python(tmp_path: Path) -> Callable[..., Path]:
    """Make a program that does as a shell script says."""

    def make(script: str, name: str = "python") -> Path:
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)
        return path

    return make


@pytest.fixture
def python(preferences: Preferences, tmp_path: Path, qtbot: QtBot) -> Iterator[TrainerPython]:
    made = TrainerPython(preferences, tmp_path / "data")
    yield made
    made.close()


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PackageIndex]:
    """A package index that pip asks, and no other."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    made = PackageIndex(folder)
    monkeypatch.setenv("PIP_INDEX_URL", made.url)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_RETRIES", "1")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX"):
        monkeypatch.delenv(name, raising=False)
    yield made
    made.close()


@pytest.fixture
def full_index(index: PackageIndex, pip_wheel: Path) -> PackageIndex:
    """An index with a made-up package for everything that the trainer needs, and pip."""
    (index.folder / pip_wheel.name).hardlink_to(pip_wheel)
    write_torch(index.folder)
    for requirement in wanted_packages():
        if requirement.key == "torch":
            continue
        lowest = requirement.bounds.split(",")[0].removeprefix(">=")
        large = 700_000 if requirement.key == "diffusers" else 0
        write_wheel(index.folder, requirement.name, lowest, padding_bytes=large)
    return index


@pytest.fixture
def without_cards(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which no graphics card is found, whatever it has."""
    monkeypatch.setattr("trainer_core.environment.torch_choice.shutil.which", lambda *_, **__: None)
    monkeypatch.setattr("trainer_core.environment.torch_choice.has_amd_card", lambda: False)
