"""How children of another Python are started and killed: arguments, environment, session."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QProcess, QProcessEnvironment

# A frozen app's own libraries and Qt plugins, and what would send another Python to foreign
# packages. (-I makes the trainer deaf to PYTHON*, but not what the trainer starts itself.)
_REMOVED = frozenset(
    {
        "QT_PLUGIN_PATH",
        "QT_QPA_PLATFORM_PLUGIN_PATH",
        "QML_IMPORT_PATH",
        "QML2_IMPORT_PATH",
        "PYTHONHOME",
        "PYTHONPATH",
        "PYTHONUSERBASE",
        "PYTHONEXECUTABLE",
        "PYTHONPLATLIBDIR",
        # These would have pip put packages elsewhere than into the Python that runs it.
        "PIP_PREFIX",
        "PIP_ROOT",
        "PIP_TARGET",
        "PIP_USER",
    }
)
_REMOVED_PREFIXES = ("_PYI_", "_MEI")
_LIBRARY_PATH = "LD_LIBRARY_PATH"
_ORIGINAL_LIBRARY_PATH = "LD_LIBRARY_PATH_ORIG"
_VENV_NAMES = ("VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT")
_CONDA_PREFIX = "CONDA_"


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


def cleaned(variables: Mapping[str, str], program: str = "") -> dict[str, str]:
    """Return ``variables`` for a child of another Python.

    What belongs to a frozen app goes, and so do the marks of an activated environment unless
    ``program`` lies in it: libraries look for CUDA where CONDA_PREFIX points.
    """
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
    if not _lies_in(program, variables.get("VIRTUAL_ENV")):
        kept = {name: value for name, value in kept.items() if name not in _VENV_NAMES}
    if not _lies_in(program, variables.get("CONDA_PREFIX")):
        kept = {name: value for name, value in kept.items() if not name.startswith(_CONDA_PREFIX)}
    return kept


def child_environment(program: str) -> QProcessEnvironment:
    """Return this process's environment, cleaned for a child that ``program`` is started as."""
    environment = QProcessEnvironment()
    for name, value in cleaned(os.environ, program).items():
        environment.insert(name, value)
    return environment


def _lies_in(program: str, folder: str | None) -> bool:
    # As they are spelled: an environment's Python is a link that leads out of it.
    return bool(program and folder) and Path(program).is_relative_to(Path(str(folder)))


def _is_frozen_library_path(variables: Mapping[str, str]) -> bool:
    """Tell whether PyInstaller set the library path where there was none before."""
    return any(name.startswith(_REMOVED_PREFIXES) for name in variables)


def give_own_session(process: QProcess) -> None:
    """Have a process that is about to start lead a session of its own.

    It is out of reach of a terminal then, and can be killed as a whole. Windows knows no such
    thing: there a kill reaches the child alone.
    """
    if os.name == "posix":
        parameters = QProcess.UnixProcessParameters()
        parameters.flags = QProcess.UnixProcessFlag.CreateNewSession
        process.setUnixProcessParameters(parameters)


def kill_session(process: QProcess) -> None:
    """End a process that was given a session, and whatever it started, without any saving."""
    pid = process.processId()
    if os.name == "posix" and pid > 0:
        with contextlib.suppress(ProcessLookupError):  # it has no session of its own yet
            os.killpg(pid, signal.SIGKILL)
    process.kill()
