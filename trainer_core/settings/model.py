"""Settings of the base model and of how captions become text features."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from trainer_core.settings.param import Choice, Section, param
from trainer_core.texts import T

Family = Literal["auto", "sd1"]

FAMILIES: dict[str, Choice] = {
    "auto": Choice(
        T("Settings", "Detect"), T("Settings", "Recognised by the names of the file's tensors.")
    ),
    "sd1": Choice(
        T("Settings", "Stable Diffusion 1.x"),
        T("Settings", "SD 1.4, 1.5 and everything trained from them."),
        "trainer_core.families.sd1:SD1",
    ),
}


class ModelSettings(Section):
    """Which base model is trained on, and how captions reach it."""

    pretrained_model_name_or_path: Path | None = param(
        None,
        T("Settings", "Base model"),
        T(
            "Settings",
            "The model to train on: a .safetensors or .ckpt file, or a diffusers folder. "
            "Nothing is downloaded.",
        ),
        path_kind="file_or_folder",
        file_filter="*.safetensors *.ckpt",
    )
    family: Family = param(
        "auto",
        T("Settings", "Model family"),
        T("Settings", "Which kind of base model it is. Detect is right unless it is told wrong."),
        choices=FAMILIES,
        advanced=True,
    )
    clip_skip: int = param(
        1,
        T("Settings", "Clip skip"),
        T(
            "Settings",
            "Takes the text features from the Nth text-encoder layer from the end. "
            "1 for photo models, 2 for most anime models.",
        ),
        minimum=1,
        maximum=12,
        step=1,
    )
