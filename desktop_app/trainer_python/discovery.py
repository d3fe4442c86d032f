"""Pythons on this machine that might train: their places only, none of them is started."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from desktop_app.trainer_python.requirements import checkout
from trainer_core.environment.torch_choice import NO_WINDOW
from trainer_core.files.presence import is_file

_IS_WINDOWS = os.name == "nt"
_PROGRAM = "Scripts/python.exe" if _IS_WINDOWS else "bin/python"
_CONDA_PROGRAM = "python.exe" if _IS_WINDOWS else "bin/python"
_ON_PATH = re.compile(r"python(3(\.\d+)?)?\.exe" if _IS_WINDOWS else r"python3?(\.\d+)?")
_CONDA_ROOTS = ("miniconda3", "anaconda3", "miniforge3", "mambaforge")
_PY_PATIENCE_S = 10


def find_pythons(data_dir: Path, *, home: Path | None = None) -> list[Path]:
    """Return the Pythons found, environments first, each once; takes no longer than a moment.

    Args:
        data_dir: Where the app keeps environments that it made itself.
        home: The user's folder, where conda keeps a list of its environments.
    """
    home = home or Path.home()
    own = [] if getattr(sys, "frozen", False) else [Path(sys.executable)]
    found = [
        *own,
        *_environments_in(data_dir),
        *_environments_beside_app(),
        *_of_conda(home),
        *sorted(home.glob(".pyenv/versions/*/bin/python3"), reverse=True),
        *_of_launcher(),
        *_on_path(),
    ]
    return list(_unlike(found))


def _environments_beside_app() -> Iterator[Path]:
    source = checkout()
    if source is not None:
        yield from _environments_in(source)
    elif getattr(sys, "frozen", False):
        yield from _environments_in(Path(sys.executable).parent)


def _environments_in(folder: Path) -> Iterator[Path]:
    """Yield the Pythons of the environments that lie in a folder."""
    try:
        inner = sorted(path for path in folder.iterdir() if (path / "pyvenv.cfg").is_file())
    except OSError:
        return
    for environment in inner:
        yield environment / _PROGRAM


def _of_conda(home: Path) -> Iterator[Path]:
    listed = home / ".conda" / "environments.txt"
    try:
        lines = listed.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    yield from (Path(line.strip()) / _CONDA_PROGRAM for line in lines if line.strip())
    for root in _CONDA_ROOTS:
        yield home / root / _CONDA_PROGRAM
        yield from (path / _CONDA_PROGRAM for path in sorted(home.glob(f"{root}/envs/*")))


def _of_launcher() -> Iterator[Path]:
    """Yield what the ``py`` launcher of Windows knows."""
    if not _IS_WINDOWS:
        return
    try:
        answer = subprocess.run(
            ["py", "-0p"],
            capture_output=True,
            text=True,
            timeout=_PY_PATIENCE_S,
            check=True,
            creationflags=NO_WINDOW,
        )
    except (OSError, subprocess.SubprocessError):
        return
    for line in answer.stdout.splitlines():
        if found := re.search(r"[A-Za-z]:\\.*\.exe", line):
            yield Path(found[0])


def _on_path() -> Iterator[Path]:
    for name in os.environ.get("PATH", "").split(os.pathsep):
        folder = Path(name)
        # Version switchers keep scripts there that only pass on.
        if not name or folder.name == "shims" or not folder.is_absolute():
            continue
        try:
            found = sorted(path for path in folder.iterdir() if _ON_PATH.fullmatch(path.name))
        except OSError:
            continue
        yield from reversed(found)


def _unlike(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield those that can be started, of several names for one program in a folder the first."""
    seen = set()
    for path in paths:
        path = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would leave the environment
        # As `Path.is_file`, but False where it may not be looked: a list may name another's.
        if not (is_file(path) and os.access(path, os.X_OK)):
            continue
        # One folder has several names for one Python; an environment's links lead out of it.
        key = (path.parent.resolve(), path.resolve())
        if key not in seen:
            seen.add(key)
            yield path
