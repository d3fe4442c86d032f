"""The orders in memory of the numbers that convolutions work on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trainer_core.catalogue.entry import Entry
from trainer_core.texts import T


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryFormatEntry(Entry):
    """An order of a picture's numbers; ``implementation`` is torch's memory format."""


#: The choice that depends on the machine: see `memory_format`.
AUTOMATIC = "auto"

MEMORY_FORMATS: Mapping[str, MemoryFormatEntry] = {
    AUTOMATIC: MemoryFormatEntry(
        label=T("Settings", "Automatic"),
        help=T("Settings", "Channels last on a GPU, and in 16 bit on a CPU."),
    ),
    "channels_last": MemoryFormatEntry(
        label=T("Settings", "Channels last"), implementation="torch:channels_last"
    ),
    "contiguous": MemoryFormatEntry(
        label=T("Settings", "Contiguous"), implementation="torch:contiguous_format"
    ),
}


def memory_format(choice: str, *, device: str, precision: str) -> str:
    """Return the name of the format that is really used.

    Args:
        choice: One of `MEMORY_FORMATS`.
        device: The type of the device: ``cpu`` or ``cuda``.
        precision: The number format of the calculations, by its name there.
    """
    if choice != AUTOMATIC:
        return choice
    # In 32 bit a CPU's results are to be the same to the bit wherever nothing else is asked for.
    return "contiguous" if device == "cpu" and precision == "no" else "channels_last"
