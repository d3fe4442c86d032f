"""The demo project that ships with the program, copied to where it may write."""

from __future__ import annotations

import shutil
from pathlib import Path

from trainer_core.files.own_folders import data_folder
from trainer_core.files.resources import resource_path
from trainer_core.files.writing import output_error

DEMO_RUN_FILE = "demo.toml"
# Another name whenever base or pictures change: an earlier copy stays whole, with its results.
DEMO_FOLDER = "demo-2"


def copy_demo(folder: Path | None = None) -> Path:
    """Copy what is missing of the demo to ``folder`` and return its run file.

    What is there already, such as a run file that somebody changed, stays as it is.

    Raises:
        OutputError: The folder cannot be written to.
    """
    target = folder or data_folder() / DEMO_FOLDER
    try:
        _copy_missing(resource_path("demo"), target)
    except OSError as error:
        raise output_error(error, target) from error
    return target / DEMO_RUN_FILE


def _copy_missing(source: Path, target: Path) -> None:
    for path in sorted(source.rglob("*")):
        copy = target / path.relative_to(source)
        if copy.exists() or _is_for_makers(path):
            continue
        if path.is_dir():
            copy.mkdir(parents=True)
        else:
            copy.parent.mkdir(parents=True, exist_ok=True)
            part = copy.with_name(f".{copy.name}.part")
            shutil.copyfile(path, part)
            part.replace(copy)


def _is_for_makers(path: Path) -> bool:
    """Tell whether a file belongs to the scripts that made the demo."""
    return path.suffix in (".py", ".pyc") or path.name in ("__pycache__", "making")
