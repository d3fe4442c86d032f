"""Machines to set up on: only the commands that a test puts there, and a small checkout."""

import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


class Machine:
    """A folder that is all of PATH; its commands log their arguments."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._log = folder / "log.txt"

    def has(self, command: str, script: str = "") -> None:
        """Put ``command`` on PATH; ``script`` is what it does (sh)."""
        path = self.folder / command
        path.write_text(f'#!/bin/sh\necho "{command} $*" >> {self._log}\n{script}\n')
        path.chmod(0o755)

    @property
    def calls(self) -> list[str]:
        return self._log.read_text().splitlines() if self._log.exists() else []


@pytest.fixture
def machine(tmp_path, monkeypatch) -> Machine:
    """A machine with no commands at all."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return Machine(folder)


@pytest.fixture
def checkout(tmp_path) -> Path:
    """A checkout with what decides the packages, and the setup itself."""
    folder = tmp_path / "loom"
    (folder / "trainer_core").mkdir(parents=True)
    for name in ("pyproject.toml", "trainer_core/version.py"):
        shutil.copy(ROOT / name, folder / name)
    skipped = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "installers", folder / "installers", ignore=skipped)
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
