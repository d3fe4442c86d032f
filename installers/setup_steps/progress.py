"""What pip is doing, in one line of the terminal; in a log, one line for each large download."""

from __future__ import annotations

import re
import sys
from typing import TextIO

from setup_steps.console import WIDTH

_DOWNLOAD = re.compile(r"\s+Downloading (?P<file>\S+) \((?P<size>[\d.]+ [kMG]?B)")
_BYTES = re.compile(r"Progress (?P<done>\d+) of (?P<total>\d+)")
_PACKAGES = re.compile(r"Installing collected packages: (?P<names>.*)")


class PipProgress:
    """Follows pip's output, read with ``--progress-bar raw``, line by line."""

    def __init__(self, terminal: TextIO = sys.stdout) -> None:
        self._terminal = terminal
        self._is_live = terminal.isatty()
        self._download = ""
        self._percent = -1

    def follow(self, line: str) -> None:
        """Show what ``line`` tells, if it tells something."""
        if found := _BYTES.match(line):
            self._on_bytes(int(found["done"]), int(found["total"]))
        elif found := _DOWNLOAD.match(line):
            self._download = f"{_package(found['file'])} ({found['size']})"
            self._show(f"Downloading {self._download}", is_kept="MB" in line or "GB" in line)
        elif line.startswith("Collecting "):
            self._show(f"Looking for {re.split('[^A-Za-z0-9._-]', line[11:])[0]}")
        elif found := _PACKAGES.match(line):
            count = found["names"].count(",") + 1
            self._show(f"Installing {count} package{'s' * (count > 1)}", is_kept=True)
        elif "Retrying" in line:
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


def _package(file: str) -> str:
    """Return name and version from a wheel's file name."""
    return "-".join(file.rsplit("/", 1)[-1].split("-")[:2])
