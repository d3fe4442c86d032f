"""The demo project that ships with the program, copied to where it may write."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from trainer_core.resource_files import resource_path

DEMO_RUN_FILE = "demo.toml"


def data_folder() -> Path:
    """Return the folder for this program's own data; ``LORA_LOOM_HOME`` overrides it."""
    override = os.environ.get("LORA_LOOM_HOME")
    if override:
        return Path(override)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local" / "share"))
    return base / "lora-loom"


def copy_demo(folder: Path | None = None) -> Path:
    """Copy what is missing of the demo to ``folder`` and return its run file.

    What is there already, such as a run file that somebody changed, stays as it is.
    """
    target = folder or data_folder() / "demo"
    source = resource_path("demo")
    for path in sorted(source.rglob("*")):
        copy = target / path.relative_to(source)
        if path.suffix == ".py" or copy.exists():
            continue
        if path.is_dir():
            copy.mkdir(parents=True)
        else:
            copy.parent.mkdir(parents=True, exist_ok=True)
            part = copy.with_name(f".{copy.name}.part")
            shutil.copyfile(path, part)
            part.replace(copy)
    return target / DEMO_RUN_FILE
