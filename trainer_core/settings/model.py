"""Settings of the base model and of how captions become text features."""

from __future__ import annotations

from pathlib import Path

from trainer_core.catalogue.families import FAMILY_CHOICES, with_clip_skip
from trainer_core.catalogue.methods import METHODS
from trainer_core.settings.param import Section, acts_if, param
from trainer_core.texts import T


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
        old_labels=("Pretrained model name or path",),
    )
    family: str = param(
        "auto",
        T("Settings", "Model family"),
        T("Settings", "Which kind of base model it is. Detect is right unless it is told wrong."),
        choices=FAMILY_CHOICES,
        advanced=True,
    )
    training_method: str = param(
        "adapter",
        T("Settings", "Training method"),
        T("Settings", "What is trained, and the kind of file that comes of it. LoRA suits most."),
        choices=METHODS,
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
        when=(acts_if("family", *with_clip_skip()),),
    )
