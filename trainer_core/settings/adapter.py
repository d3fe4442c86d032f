"""Settings of the adapter: its kind, rank, alpha and starting weights."""

from __future__ import annotations

from pathlib import Path

from trainer_core.catalogue.adapters import ADAPTERS, with_rank
from trainer_core.settings.param import Section, acts_if, param
from trainer_core.texts import T

# A condition that every kind meets is none.
_IF_IT_HAS_A_RANK = (
    (acts_if("LoRA_type", *with_rank()),) if len(with_rank()) < len(ADAPTERS) else ()
)


class AdapterSettings(Section):
    """What is trained: the low-rank weights added to the base model."""

    LoRA_type: str = param(
        "Standard",
        T("Settings", "LoRA type"),
        T(
            "Settings",
            "The kind of adapter. Standard loads everywhere; on Stable Diffusion 1.x it has 192 "
            "modules on the U-Net and 72 on the text encoder.",
        ),
        choices=ADAPTERS,
    )
    network_dim: int = param(
        8,
        T("Settings", "Network rank"),
        T(
            "Settings",
            "Rank of the adapter's matrices. A higher rank learns more detail, wanted or not, and "
            "makes a larger file. Start with 8, 16 or 32.",
        ),
        minimum=1,
        maximum=1024,
        step=1,
        when=(acts_if("dim_from_weights", False), *_IF_IT_HAS_A_RANK),
        old_labels=("Network Rank (Dimension)",),
    )
    network_alpha: float | None = param(
        1.0,
        T("Settings", "Network alpha"),
        T(
            "Settings",
            "The adapter's effect is multiplied by alpha / rank. Common: 1, or half of the rank. "
            "Unset means equal to the rank.",
        ),
        minimum=0.001,
        maximum=1024,
        step=1,
        unset_label=T("Settings", "equal to rank"),
        when=(acts_if("dim_from_weights", False), *_IF_IT_HAS_A_RANK),
    )
    network_weights: Path | None = param(
        None,
        T("Settings", "Starting weights"),
        T(
            "Settings",
            "An existing LoRA whose weights the new one starts from; they keep their alpha. This "
            "is a new training; only a saved state continues one.",
        ),
        path_kind="file",
        file_filter="*.safetensors",
        foreign=("lora_network_weights",),
        old_labels=("LoRA network weights",),
    )
    dim_from_weights: bool = param(
        False,
        T("Settings", "Rank from weights"),
        T("Settings", "Takes rank and alpha of every module from the starting weights."),
        when=(acts_if("network_weights"), *_IF_IT_HAS_A_RANK),
        old_labels=("DIM from weights",),
    )
    network_train_unet_only: bool = param(
        False,
        T("Settings", "U-Net only"),
        T("Settings", "Trains no adapter on the text encoder."),
        when=(acts_if("network_train_text_encoder_only", False),),
    )
    network_train_text_encoder_only: bool = param(
        False,
        T("Settings", "Text encoder only"),
        T("Settings", "Trains no adapter on the U-Net."),
        when=(acts_if("network_train_unet_only", False),),
        advanced=True,
    )
