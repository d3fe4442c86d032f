"""Settings of the tool that says what a LoRA file holds."""

from __future__ import annotations

from pathlib import Path

from trainer_core.settings.param import Section, param
from trainer_core.texts import T


class VerifySettings(Section):
    """Which file is looked at, and where the whole table goes."""

    file: Path | None = param(
        None,
        T("Settings", "LoRA file"),
        T(
            "Settings",
            "The file that is looked at. It is only read, and nothing in it is ever run.",
        ),
        path_kind="file",
        file_filter="*.safetensors *.ckpt *.pt *.bin",
        required=True,
        source="sd-scripts networks/check_lora_weights.py",
    )
    report: Path | None = param(
        None,
        T("Settings", "Text file"),
        T(
            "Settings",
            "A new text file for the whole table: shape, mean and largest weight of every matrix, "
            "and all metadata. The result shows a summary either way.",
        ),
        path_kind="new_file",
        file_filter="*.txt",
        unset_label=T("Settings", "none"),
    )
