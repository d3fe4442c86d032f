"""Which build of torch suits the graphics card that is found.

Shared by the setup script and the app: standard library only.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from trainer_core.texts import T, Text, text

Backend = Literal["cpu", "cuda", "rocm"]

TESTED = "torch==2.13.0"
# PyTorch's index for an older card or driver may end at an older release.
UP_TO_TESTED = "torch>=2.6,<=2.13.0"
INDEX = "https://download.pytorch.org/whl/"

# On Windows a program of the terminal would open one over the app.
NO_WINDOW: int = getattr(subprocess, "CREATE_NO_WINDOW", 0)

_WSL_DRIVER = "/usr/lib/wsl/lib"  # Windows puts the driver's tools there, not on PATH
_QUERY = "--query-gpu=name,driver_version,compute_cap"


# Free space that an environment with this build takes, downloads included; from the sizes of
# PyTorch's wheels, the CPU figure measured.
SPACE_GB: dict[Backend, int] = {"cpu": 3, "cuda": 10, "rocm": 24}


@dataclass(frozen=True, slots=True)
class TorchBuild:
    """A build of torch and, for people, the reason why it is taken (part of a sentence)."""

    backend: Backend
    reason: Text
    requirement: str = TESTED
    index_url: str | None = None  # None: the package index that pip is set up for
    misses_card: bool = False  # there is a card that cannot be used as things are


@dataclass(frozen=True, slots=True)
class NvidiaCard:
    """What the NVIDIA driver says of the first card."""

    name: str
    driver: int  # major version
    capability: float  # compute capability: 8.6 for an RTX 30xx


def choose_build(*, is_cpu_forced: bool = False) -> TorchBuild:
    """Look for a graphics card and return the build that uses it; may take seconds."""
    if is_cpu_forced:
        return TorchBuild("cpu", text(T("App", "the CPU build was asked for")))
    tool = shutil.which("nvidia-smi", path=f"{os.environ.get('PATH', '')}{os.pathsep}{_WSL_DRIVER}")
    if tool:
        return _build_for_nvidia(ask_nvidia(tool))
    if sys.platform == "linux" and has_amd_card():
        return _build_for_amd()
    return TorchBuild("cpu", text(T("App", "no NVIDIA or AMD graphics card was found")))


def ask_nvidia(tool: str) -> NvidiaCard | None:
    """Return the first card that ``nvidia-smi`` lists, None if the driver does not answer."""
    command = [tool, _QUERY, "--format=csv,noheader"]
    try:
        answer = subprocess.run(
            command, capture_output=True, text=True, timeout=30, check=True, creationflags=NO_WINDOW
        )
        name, driver, capability = answer.stdout.splitlines()[0].split(", ")
        return NvidiaCard(name, int(driver.split(".")[0]), float(capability))
    except (OSError, subprocess.SubprocessError, LookupError, ValueError):
        return None


def _build_for_nvidia(card: NvidiaCard | None) -> TorchBuild:
    """Return the CUDA build for a card and its driver.

    Source: NVIDIA, CUDA Toolkit release notes, table of minimum driver versions (12.x: 525, 12.8:
    570, 13.x: 580); PyTorch's builds for CUDA 12.8 and later leave out cards before 7.5.
    """
    if card is None or card.driver < 525:
        reason = T("App", "an NVIDIA driver is installed, but it is older than 525 or sees no card")
        return TorchBuild("cpu", text(reason), misses_card=True)
    found = T("App", "the driver, {driver}, sees an {card}")
    driver_words = text(found, driver=card.driver, card=_named(card.name))
    if card.capability < 7.5 or card.driver < 570:
        return TorchBuild("cuda", driver_words, UP_TO_TESTED, f"{INDEX}cu126")
    if card.driver < 580 or sys.platform == "win32":
        # On Windows the plain package index has CPU builds only.
        return TorchBuild("cuda", driver_words, UP_TO_TESTED, f"{INDEX}cu128")
    return TorchBuild("cuda", driver_words)


def _named(name: str) -> str:
    return name if name.startswith("NVIDIA") else f"NVIDIA {name}"


def has_amd_card(devices: Path = Path("/sys/class/drm")) -> bool:
    """Tell whether the kernel lists a graphics card made by AMD (vendor 0x1002)."""
    vendors = devices.glob("card*/device/vendor")
    return any(vendor.read_text().strip() == "0x1002" for vendor in vendors)


def _build_for_amd() -> TorchBuild:
    """Return the ROCm build if ROCm is there: without it the build would not find the card."""
    if shutil.which("rocm_agent_enumerator") or shutil.which("rocminfo"):
        reason = text(T("App", "an AMD card with ROCm was found"))
        return TorchBuild("rocm", reason, UP_TO_TESTED, f"{INDEX}rocm6.4")
    reason = text(T("App", "an AMD card was found, but ROCm is not installed"))
    return TorchBuild("cpu", reason, misses_card=True)
