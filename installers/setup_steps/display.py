"""Whether a window can be opened here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_NAMES = ("WAYLAND_DISPLAY", "DISPLAY")
_PATIENCE_S = 20  # a display behind a slow network may take a while
_UNREACHABLE = 75

# Qt ends the program when it reaches no display; so another one tries, and ends without a crash.
_TRY = f"""
import os
from PySide6.QtCore import QtMsgType, qInstallMessageHandler
from PySide6.QtGui import QGuiApplication

def listen(kind, context, words):
    if kind == QtMsgType.QtFatalMsg:
        os._exit({_UNREACHABLE})

qInstallMessageHandler(listen)
QGuiApplication([])
"""


def is_expected() -> bool:
    """Tell whether this system has a display, or says where one is."""
    return _is_always_there() or bool(names())


def names() -> str:
    """Return the variables that say where a display is, as ``DISPLAY=:0``."""
    return ", ".join(f"{name}={os.environ[name]}" for name in _NAMES if os.environ.get(name))


def is_reachable(python: Path) -> bool:
    """Tell whether Qt, in the environment of ``python``, reaches the display it would use.

    Only a display that fails counts: of anything else that is wrong, the app itself tells.
    """
    if _is_always_there():
        return True
    try:
        tried = subprocess.run(
            [str(python), "-I", "-c", _TRY], capture_output=True, timeout=_PATIENCE_S
        )
    except subprocess.TimeoutExpired:
        return False
    return tried.returncode != _UNREACHABLE


def _is_always_there() -> bool:
    return sys.platform in ("win32", "darwin")
