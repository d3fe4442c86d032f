"""The system libraries that Qt needs on Linux: a window's, or those of the tests."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from setup_steps import apt

# What Qt's X11 plugin is linked against and the wheels do not carry, as Debian packages.
PACKAGES = [
    "libegl1", "libgl1", "libglib2.0-0", "libfontconfig1", "libdbus-1-3", "libxkbcommon-x11-0",
    "libxcb-cursor0", "libxcb-icccm4", "libxcb-image0", "libxcb-keysyms1", "libxcb-randr0",
    "libxcb-render-util0", "libxcb-shape0", "libxcb-xkb1",
]  # fmt: skip


def require(environment: Path, plugin: str, *, is_system_allowed: bool) -> None:
    """Check that Qt can load its platform ``plugin`` (qxcb, qoffscreen).

    Qt itself names the same library whichever is missing, and aborts; so the linker is asked.

    Raises:
        SetupProblem: Libraries are missing.
    """
    missing = missing_libraries(environment, plugin)
    if missing:
        message = f"Qt needs system libraries that are not here: {', '.join(missing)}."
        apt.require(PACKAGES, message, is_system_allowed)


def missing_libraries(environment: Path, plugin: str) -> list[str]:
    """Return the libraries that the linker does not find for a platform plugin of Qt."""
    plugins = "lib/python3*/site-packages/PySide6/Qt/plugins/platforms"
    found = list(environment.glob(f"{plugins}/lib{plugin}.so"))
    if not found or not shutil.which("ldd"):
        return []
    answer = subprocess.run(
        ["ldd", str(found[0])], capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"}
    )
    lines = answer.stdout.splitlines()
    return sorted({line.split()[0] for line in lines if line.endswith("=> not found")})
