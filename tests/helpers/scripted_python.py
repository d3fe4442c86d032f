"""A Python that says of itself what a test wants, and whose pip does as a script says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from desktop_app.trainer_python.requirements import wanted_packages
from trainer_core.version import __version__

# The probe is told what stands in a file, so that pip can change it; pip does as a script says.
SCRIPT = """#!/bin/sh
here=$(dirname "$0")
case "$*" in
    *probe.py*) cat "$here/facts.txt" ;;
    *" pip "*) echo "$*" >> "$here/pip.txt"; . "$here/pip.sh" ;;
esac
"""


class ScriptedPython:
    """A Python that says of itself what a test wants."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.path = folder / "python"
        self.path.write_text(SCRIPT)
        self.path.chmod(0o755)
        self.folder = folder
        self.has_all()
        self.pip_does("")

    def has_all(self, **python: object) -> None:
        """Have everything that is wanted, without a card."""
        lowest = [(r.name, r.bounds.split(",")[0].removeprefix(">=")) for r in wanted_packages()]
        self.has(dict(lowest) | {"pip": "26.0"}, **python)

    def has(
        self, packages: Mapping[str, str], trainer: str = __version__, **python: object
    ) -> None:
        """Have these packages and this trainer; ``python`` replaces facts of the Python itself."""
        facts = {
            "version": "3.12.1",
            "bits": 64,
            "implementation": "CPython",
            "prefix": str(self.folder),
            "is_environment": True,
            "is_managed": False,
            "is_writable": True,
            "has_venv": True,
            "has_ensurepip": True,
        }
        told = [
            {"kind": "python", **facts, **python},
            {"kind": "packages", "packages": dict(packages), "trainer": trainer},
        ]
        if "torch" in packages:
            version = packages["torch"]
            torch = {"version": version, "cuda": None, "rocm": None, "cards": []}
            told.append({"kind": "torch", **torch})
        lines = [f"loom-probe {json.dumps(fact)}\n" for fact in told]
        (self.folder / "facts.txt").write_text("".join(lines))

    def pip_does(self, script: str) -> None:
        (self.folder / "pip.sh").write_text(script)

    @property
    def asked_of_pip(self) -> list[str]:
        path = self.folder / "pip.txt"
        return path.read_text().splitlines() if path.exists() else []
