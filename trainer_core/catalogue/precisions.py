"""The number formats of calculations and of saved weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from trainer_core.catalogue.entry import Entry
from trainer_core.texts import T


@dataclass(frozen=True, slots=True, kw_only=True)
class SavePrecisionEntry(Entry):
    """A number format of saved weights; ``implementation`` is torch's data type.

    Attributes:
        item_bytes: Bytes of one number.
    """

    item_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MixedPrecisionEntry(Entry):
    """A number format of the calculations; ``implementation`` is torch's data type.

    Attributes:
        on_cpu: A CPU calculates in it.
        tried: For a choice that depends on the machine: the formats that it tries, in order, by
            the type of the device; the last one is always there.
        reason: Why such a choice came to this format.
    """

    on_cpu: bool = True
    tried: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reason: str = ""


SAVE_PRECISIONS: Mapping[str, SavePrecisionEntry] = {
    "float": SavePrecisionEntry(
        label=T("Settings", "float (32 bit)"), implementation="torch:float32", item_bytes=4
    ),
    "fp16": SavePrecisionEntry(
        label=T("Settings", "fp16 (16 bit)"), implementation="torch:float16", item_bytes=2
    ),
    "bf16": SavePrecisionEntry(
        label=T("Settings", "bf16 (16 bit)"), implementation="torch:bfloat16", item_bytes=2
    ),
}

MIXED_PRECISIONS: Mapping[str, MixedPrecisionEntry] = {
    "auto": MixedPrecisionEntry(
        label=T("Settings", "Automatic"),
        help=T("Settings", "bf16 where the GPU has it, fp16 on older GPUs, 32 bit on a CPU."),
        tried={"cuda": ("bf16", "fp16"), "cpu": ("no",)},
    ),
    "no": MixedPrecisionEntry(
        label=T("Settings", "32 bit"),
        implementation="torch:float32",
        reason=T("Settings", "no GPU was found"),
    ),
    "fp16": MixedPrecisionEntry(
        label="fp16",
        implementation="torch:float16",
        on_cpu=False,  # torch would silently calculate in 32 bit
        reason=T("Settings", "the GPU has no bf16"),
    ),
    "bf16": MixedPrecisionEntry(
        label="bf16",
        implementation="torch:bfloat16",
        reason=T("Settings", "the GPU calculates in it"),
    ),
}


def below_32_bit() -> tuple[str, ...]:
    """Return the names of the formats of calculations that are, or may come to, 16 bit."""
    whole = "torch:float32"
    return tuple(n for n, entry in MIXED_PRECISIONS.items() if entry.implementation != whole)
