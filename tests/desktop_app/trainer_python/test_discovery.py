import os
import sys
from pathlib import Path

import pytest

from desktop_app.trainer_python import discovery
from desktop_app.trainer_python.discovery import find_pythons


@pytest.fixture
def program(tmp_path):
    """Put a program that is never started somewhere below a folder of its own."""

    def make(place: str, mode: int = 0o755) -> Path:
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/sh\nexit 1\n")
        path.chmod(mode)
        return path

    return make


@pytest.fixture
def found(tmp_path, monkeypatch):
    """Look around on a machine that has nothing but what the test put there."""

    def look() -> list[Path]:
        monkeypatch.setattr(discovery, "checkout", lambda: tmp_path / "checkout")
        path = [tmp_path / "bin", tmp_path / "shims", Path("relative"), tmp_path / "not there"]
        monkeypatch.setenv("PATH", os.pathsep.join(map(str, path)))
        return find_pythons(tmp_path / "data", home=tmp_path / "home")

    return look


def test_the_apps_own_comes_first(found):
    assert found() == [Path(sys.executable)]


def test_a_frozen_app_offers_not_itself(found, monkeypatch):
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert found() == []


def test_environments_beside_the_app_are_found(found, program, tmp_path):
    hidden = program("checkout/.venv/bin/python")
    made = program("data/trainer/bin/python")
    for environment in (tmp_path / "checkout" / ".venv", tmp_path / "data" / "trainer"):
        (environment / "pyvenv.cfg").write_text("home = /usr/bin\n")
    program("checkout/tools/bin/python")  # no environment
    assert found()[1:] == [made, hidden]


def test_conda_and_pyenv_are_found_in_the_users_folder(found, program, tmp_path):
    listed = program("elsewhere/sd/bin/python")
    program("home/.conda/environments.txt").write_text(f"{listed.parents[1]}\n/gone\n\n")
    others = [
        program("home/miniforge3/bin/python"),
        program("home/miniforge3/envs/a/bin/python"),
        program("home/.pyenv/versions/3.12.1/bin/python3"),
    ]
    assert set(found()[1:]) == {listed, *others}


def test_pythons_on_path_are_found_once_under_their_plainest_file(found, program):
    real = program("bin/python3.11")
    for name in ("python", "python3"):
        (real.parent / name).symlink_to(real)
    other = program("bin/python3.12")
    program("bin/python3-config")
    program("bin/python3.13", mode=0o644)
    program("shims/python3")
    assert sorted(path.resolve() for path in found()[1:]) == sorted([real, other])


def test_a_place_that_the_system_refuses_hides_no_other(found, program, tmp_path):
    listed = program("elsewhere/sd/bin/python")
    refused = tmp_path / ("x" * 300)  # too long a name, as no permission would
    program("home/.conda/environments.txt").write_text(f"{refused}\n{listed.parents[1]}\n")
    assert found()[1:] == [listed]
