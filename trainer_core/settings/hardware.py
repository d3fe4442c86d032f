"""Settings of precision, memory and repeatability."""

from __future__ import annotations

from typing import Literal

from trainer_core.settings.param import Choice, Section, param
from trainer_core.texts import T

MixedPrecision = Literal["auto", "no", "fp16", "bf16"]

MIXED_PRECISIONS: dict[str, Choice] = {
    "auto": Choice(
        T("Settings", "Automatic"),
        T("Settings", "bf16 where the GPU has it, fp16 on older GPUs, 32 bit on a CPU."),
    ),
    "no": Choice(T("Settings", "32 bit")),
    "fp16": Choice("fp16"),
    "bf16": Choice("bf16"),
}


class HardwareSettings(Section):
    """How the machine is used."""

    mixed_precision: MixedPrecision = param(
        "auto",
        T("Settings", "Mixed precision"),
        T("Settings", "Number format of the calculations: 16 bit is faster and needs less memory."),
        choices=MIXED_PRECISIONS,
    )
    gradient_checkpointing: bool = param(
        False,
        T("Settings", "Gradient checkpointing"),
        T("Settings", "Less memory, about a third slower, the same result."),
    )
    num_cpu_threads_per_process: int | None = param(
        None,
        T("Settings", "CPU threads"),
        T(
            "Settings",
            "Threads for calculations on the CPU. 1 makes a CPU run repeatable to the bit.",
        ),
        unit=T("Settings", "threads"),
        minimum=1,
        maximum=1024,
        step=1,
        unset_label=T("Settings", "automatic"),
        advanced=True,
    )
    seed: int | None = param(
        None,
        T("Settings", "Seed"),
        T("Settings", "Start of all random draws; the same seed and data give the same run."),
        minimum=0,
        maximum=2**32 - 1,
        step=1,
        unset_label=T("Settings", "drawn at the start"),
    )
