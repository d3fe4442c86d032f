"""Machines to set up on: only the commands that a test puts there, and a small checkout."""

import shutil
import sys
from pathlib import Path

import pytest
from helpers.machine import Machine

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def machine(tmp_path, monkeypatch) -> Machine:
    """A machine with no commands at all."""
    return Machine.alone_on_path(tmp_path / "bin", monkeypatch)


@pytest.fixture
def checkout(tmp_path) -> Path:
    """A checkout with what decides the packages, and the setup itself."""
    folder = tmp_path / "loom"
    (folder / "trainer_core").mkdir(parents=True)
    for name in (
        "pyproject.toml",
        *(f"trainer_core/{m}.py" for m in ("__init__", "version", "texts")),
    ):
        shutil.copy(ROOT / name, folder / name)
    skipped = shutil.ignore_patterns("__pycache__")
    for name in ("trainer_core/environment", "installers"):
        shutil.copytree(ROOT / name, folder / name, ignore=skipped)
    return folder


@pytest.fixture
def fake_python(checkout) -> Path:
    """``.venv/bin/python`` of the checkout: tells its version, logs the rest, ends with 3."""
    python = checkout / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    python.write_text(
        f'#!/bin/sh\nif [ "$2" = -S ]; then echo {version}; exit; fi\necho "started: $*"\nexit 3\n'
    )
    python.chmod(0o755)
    return python
