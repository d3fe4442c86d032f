"""How the trainer is started: which Python, with which arguments, in which environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QProcessEnvironment

# A frozen app's own libraries, Qt plugins and Python settings must not reach another Python.
_REMOVED = frozenset({"QT_PLUGIN_PATH", "QML2_IMPORT_PATH", "PYTHONHOME", "PYTHONPATH"})
_REMOVED_PREFIXES = ("_PYI_", "_MEI")
_LIBRARY_PATH = "LD_LIBRARY_PATH"
_ORIGINAL_LIBRARY_PATH = "LD_LIBRARY_PATH_ORIG"


@dataclass(frozen=True, slots=True)
class TrainerCommand:
    """A program and its arguments; those of the run are added when it starts."""

    program: str
    arguments: Sequence[str] = ()

    @classmethod
    def of_python(cls, python: Path) -> TrainerCommand:
        """Return the command that starts the trainer installed in ``python``."""
        return cls(str(python), ("-I", "-u", "-X", "utf8", "-m", "trainer_core"))


def own_python() -> Path | None:
    """Return the Python that runs this app, None in a frozen app, which is no Python."""
    return None if getattr(sys, "frozen", False) else Path(sys.executable)


def cleaned(variables: Mapping[str, str]) -> dict[str, str]:
    """Return ``variables`` without what belongs to a frozen app, for a child of another Python."""
    kept = {
        name: value
        for name, value in variables.items()
        if name not in _REMOVED and not name.startswith(_REMOVED_PREFIXES)
    }
    original = kept.pop(_ORIGINAL_LIBRARY_PATH, None)
    if original:
        kept[_LIBRARY_PATH] = original
    elif original is not None or _is_frozen_library_path(variables):
        kept.pop(_LIBRARY_PATH, None)
    return kept


def trainer_environment() -> QProcessEnvironment:
    """Return this process's environment, cleaned for the trainer."""
    environment = QProcessEnvironment()
    for name, value in cleaned(os.environ).items():
        environment.insert(name, value)
    return environment


def _is_frozen_library_path(variables: Mapping[str, str]) -> bool:
    """Tell whether PyInstaller set the library path where there was none before."""
    return any(name.startswith(_REMOVED_PREFIXES) for name in variables)
