"""Settings of precision, memory and repeatability."""

from __future__ import annotations

from trainer_core.catalogue.memory_formats import AUTOMATIC, MEMORY_FORMATS
from trainer_core.catalogue.precisions import MIXED_PRECISIONS, below_32_bit
from trainer_core.settings.param import Section, acts_if, param
from trainer_core.texts import T


class HardwareSettings(Section):
    """How the machine is used."""

    mixed_precision: str = param(
        "auto",
        T("Settings", "Mixed precision"),
        T("Settings", "Number format of the calculations: 16 bit is faster and needs less memory."),
        choices=MIXED_PRECISIONS,
    )
    autocast: bool = param(
        False,
        T("Settings", "Autocast"),
        T(
            "Settings",
            "With 16 bit, lets PyTorch choose the format layer by layer, as kohya's scripts do: "
            "nearly their numbers, but slower. Off: the base model's own format throughout.",
        ),
        when=(acts_if("mixed_precision", *below_32_bit()),),
        advanced=True,
    )
    allow_tf32: bool = param(
        False,
        T("Settings", "Allow TF32"),
        T(
            "Settings",
            "Lets NVIDIA cards from the RTX 30 series on round inside 32-bit calculations: faster, "
            "and slightly other results.",
        ),
        advanced=True,
    )
    memory_format: str = param(
        AUTOMATIC,
        T("Settings", "Memory format"),
        T(
            "Settings",
            "Order of the numbers in the U-Net's convolutions. Channels last is mostly faster; "
            "results differ in their last bits.",
        ),
        choices=MEMORY_FORMATS,
        advanced=True,
    )
    torch_compile: bool = param(
        False,
        T("Settings", "Compile"),
        T(
            "Settings",
            "Compiles the blocks of the U-Net at the first steps, which takes a minute or more; "
            "after that each step is faster. Needs a C compiler.",
        ),
        advanced=True,
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
        unit=T("Settings", "[value:thread|threads]"),
        minimum=1,
        maximum=1024,
        step=1,
        unset_label=T("Settings", "automatic"),
        advanced=True,
        old_labels=("Number of CPU threads per core",),
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
