"""What pip is doing, in one line of the terminal; in a log, one line for each large download."""

from __future__ import annotations

import sys
from typing import TextIO

from setup_steps.console import WIDTH
from trainer_core.environment.pip_output import (
    Bytes,
    Collecting,
    Downloading,
    Installing,
    Retrying,
    read_line,
)


class PipProgress:
    """Follows pip's output, read with ``--progress-bar raw``, line by line."""

    def __init__(self, terminal: TextIO = sys.stdout) -> None:
        self._terminal = terminal
        self._is_live = terminal.isatty()
        self._download = ""
        self._percent = -1

    def follow(self, line: str) -> None:
        """Show what ``line`` tells, if it tells something."""
        match read_line(line):
            case Bytes(done, total):
                self._on_bytes(done, total)
            case Downloading(package, size):
                self._download = f"{package} ({size})"
                is_large = size.endswith(("MB", "GB"))
                self._show(f"Downloading {self._download}", is_kept=is_large)
            case Collecting(package):
                self._show(f"Looking for {package}")
            case Installing(packages):
                count = len(packages)
                self._show(f"Installing {count} package{'s' * (count > 1)}", is_kept=True)
            case Retrying():
                self._show("The package index does not answer; trying again", is_kept=True)

    def close(self) -> None:
        """Leave the terminal's line empty."""
        if self._is_live:
            self._terminal.write("\r" + " " * WIDTH + "\r")
            self._terminal.flush()

    def _on_bytes(self, done: int, total: int) -> None:
        percent = 100 * done // total if total else 0
        if self._is_live and percent != self._percent:
            self._percent = percent
            self._show(f"Downloading {self._download}: {percent} %")

    def _show(self, text: str, *, is_kept: bool = False) -> None:
        """Replace the terminal's line; a log gets only what is to be kept."""
        if self._is_live:
            self._terminal.write("\r" + f"  {text} ..."[:WIDTH].ljust(WIDTH))
        elif is_kept:
            self._terminal.write(f"  {text}.\n")
        self._terminal.flush()
