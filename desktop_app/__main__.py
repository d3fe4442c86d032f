"""``python -m desktop_app [RUN.toml] [--demo]``: open the window."""

from __future__ import annotations

import argparse
import builtins
import gc
import sys
from collections.abc import Sequence
from pathlib import Path

import PySide6

from trainer_core.catalogue.entry import implementation
from trainer_core.version import __version__

_START = "desktop_app.window.start:run"  # by name: what is said below holds for its imports


def main(arguments: Sequence[str] | None = None) -> int:
    """Open the window and run until it is closed; return the exit code."""
    options = _parser().parse_args(arguments)
    import_plainly()
    gc.disable()  # hardly anything made by a start is garbage; it is enabled once that is over
    code: int = implementation(_START)(options.run_file, demo=options.demo)
    return code


def import_plainly() -> None:
    """Give Python its own import back, which PySide replaces by one that takes longer.

    PySide's reads the source of every module that is imported, to see whether ``from __feature__
    import`` may concern it (PYSIDE-2029). Nothing here uses that.
    """
    assert PySide6.__version__, "it is imported before its import is taken back"
    builtins.__import__ = getattr(builtins, "__orig_import__", builtins.__import__)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lora-loom", description="Train LoRA adapters.")
    parser.add_argument("run_file", nargs="?", type=Path, help="a run file (.toml) to open")
    parser.add_argument("--demo", action="store_true", help="open the demo project")
    parser.add_argument("--version", action="version", version=__version__)
    return parser


if __name__ == "__main__":
    sys.exit(main())
