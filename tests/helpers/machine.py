"""A machine that has only the commands which a test puts there."""

from __future__ import annotations

from pathlib import Path

import pytest


class Machine:
    """A folder that is all of PATH; its commands log their arguments."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._log = folder / "log.txt"

    @classmethod
    def alone_on_path(cls, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
        """Make ``folder`` and let PATH name it alone."""
        folder.mkdir()
        monkeypatch.setenv("PATH", str(folder))
        return cls(folder)

    def has(self, command: str, script: str = "") -> None:
        """Put ``command`` on PATH; ``script`` is what it does (sh)."""
        path = self.folder / command
        path.write_text(f'#!/bin/sh\necho "{command} $*" >> {self._log}\n{script}\n')
        path.chmod(0o755)

    @property
    def calls(self) -> list[str]:
        return self._log.read_text().splitlines() if self._log.exists() else []
