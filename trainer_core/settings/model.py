"""Settings of the base model and of how captions become text features."""

from __future__ import annotations

from pathlib import Path

from trainer_core.catalogue.entry import LEFT_OPEN, SWITCHES
from trainer_core.catalogue.families import FAMILY_CHOICES, with_clip_skip
from trainer_core.catalogue.methods import METHODS
from trainer_core.catalogue.predictions import PREDICTION_CHOICES
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
        foreign=("v2", "sdxl", "sdxl_checkbox"),
    )
    training_method: str = param(
        "adapter",
        T("Settings", "Training method"),
        T("Settings", "What is trained, and the kind of file that comes of it. LoRA suits most."),
        choices=METHODS,
        advanced=True,
    )
    vae: Path | None = param(
        None,
        T("Settings", "VAE"),
        T(
            "Settings",
            "Encodes the pictures instead of the base model's own VAE: a file, or a diffusers "
            "folder. Rarely needed.",
        ),
        path_kind="file_or_folder",
        file_filter="*.safetensors *.ckpt *.pt *.bin",
        unset_label=T("Settings", "the base model's own"),
        advanced=True,
    )
    no_half_vae: bool = param(
        True,
        T("Settings", "No half VAE"),
        T(
            "Settings",
            "The VAE computes in 32 bit whatever the run does. Off is faster with 16 bit, but "
            "the VAE of SDXL then makes useless numbers of some pictures.",
        ),
        advanced=True,
        foreign=("sdxl_no_half_vae",),
    )
    v_parameterization: str = param(
        LEFT_OPEN,
        T("Settings", "Prediction"),
        T(
            "Settings",
            "What the base model was taught to predict: the noise, or the velocity (v-prediction). "
            "Velocity for the 768 models of SD 2 and for models called v-pred; most others "
            "predict the noise. Trained as the wrong one, the result is useless.",
        ),
        choices=PREDICTION_CHOICES,
        old_labels=("v_parameterization",),
        source="Salimans and Ho 2022, arXiv:2202.00512",
    )
    zero_terminal_snr: str = param(
        LEFT_OPEN,
        T("Settings", "Zero terminal SNR"),
        T(
            "Settings",
            "Rescales the noise so that the last timestep is noise alone. On for models that were "
            "trained so, as many v-pred models are.",
        ),
        choices=SWITCHES,
        advanced=True,
        source="Lin et al. 2023, arXiv:2305.08891",
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
