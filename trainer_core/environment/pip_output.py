"""What pip tells while it works (with ``--progress-bar raw``), and why it failed.

Shared by the setup script and the app: standard library only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

# The first that tells its progress to other programs.
FIRST_PIP_WITH_PROGRESS = "24.1"

FailureCause = Literal["network", "disk", "permission", "managed", "no_match", "other"]

_DOWNLOAD = re.compile(r"\s+Downloading (?P<file>\S+) \((?P<size>[\d.]+ [kMG]?B)")
_BYTES = re.compile(r"Progress (?P<done>\d+) of (?P<total>\d+)")
_COLLECTING = re.compile(r"Collecting (?P<name>[A-Za-z0-9._-]+)")
_PACKAGES = re.compile(r"Installing collected packages: (?P<names>.*)")
_INSTALLED = re.compile(r"Successfully installed (?P<names>.*)")

# In the order in which they are looked for: a full disk may also end a download.
_SIGNS: tuple[tuple[FailureCause, tuple[str, ...]], ...] = (
    ("disk", ("No space left on device", "Disk quota exceeded", "not enough space on the disk")),
    ("managed", ("externally-managed-environment",)),
    (
        "network",
        (
            "NewConnectionError",
            "Failed to establish a new connection",
            "Connection refused",
            "connection broken",
            "name resolution",
            "Name or service not known",
            "ProxyError",
            "SSLError",
            "timed out",
        ),
    ),
    ("permission", ("Permission denied", "Read-only file system", "Access is denied")),
    ("no_match", ("No matching distribution found", "ResolutionImpossible")),
)


@dataclass(frozen=True, slots=True)
class Collecting:
    """pip looks for a package."""

    package: str


@dataclass(frozen=True, slots=True)
class Downloading:
    """pip begins to download a file of this size, given as pip words it."""

    package: str  # name and version
    size: str


@dataclass(frozen=True, slots=True)
class Bytes:
    """So much of the download at hand is there; a total of 0 is unknown."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Installing:
    """Everything is there and is being put in its place."""

    packages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Installed:
    """pip has done what it was asked for; names with versions, as ``torch-2.13.0``."""

    packages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Retrying:
    """The package index does not answer."""


PipNews = Collecting | Downloading | Bytes | Installing | Installed | Retrying


def read_line(line: str) -> PipNews | None:
    """Return what a line tells, None if it is of no interest."""
    if found := _BYTES.match(line):
        return Bytes(int(found["done"]), int(found["total"]))
    if found := _DOWNLOAD.match(line):
        return Downloading(_package(found["file"]), found["size"])
    if found := _COLLECTING.match(line):
        return Collecting(found["name"])
    if found := _PACKAGES.match(line):
        return Installing(tuple(found["names"].strip().split(", ")))
    if found := _INSTALLED.match(line):
        return Installed(tuple(found["names"].split()))
    return Retrying() if "Retrying" in line else None


def failure_cause(output: str) -> FailureCause:
    """Return what kept pip from its work, from all that it wrote."""
    for cause, signs in _SIGNS:
        if any(sign in output for sign in signs):
            return cause
    return "other"


def last_error(output: str) -> str:
    """Return pip's last error in its own words, "" if it named none."""
    errors = [line for line in output.splitlines() if line.startswith("ERROR:")]
    return errors[-1].removeprefix("ERROR:").strip() if errors else ""


def _package(file: str) -> str:
    """Return name and version from a wheel's file name."""
    return "-".join(file.rsplit("/", 1)[-1].split("-")[:2])
