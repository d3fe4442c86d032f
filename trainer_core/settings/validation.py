"""Settings of validation: which pictures are never trained on, and when their loss is measured."""

from __future__ import annotations

from pathlib import Path

from trainer_core.settings.param import Section, acts_if_any, param
from trainer_core.texts import T

_IF_PICTURES_ARE_HELD_OUT = acts_if_any("validation_split", "validation_data_dir")


class ValidationSettings(Section):
    """What the loss is measured on beside training."""

    validation_split: float | None = param(
        None,
        T("Settings", "Held-out share"),
        T(
            "Settings",
            "Holds out this share of the pictures: they are never trained on, and their loss shows "
            "whether what is learnt holds for new pictures too. 0.1 is usual.",
        ),
        minimum=0.0,
        maximum=0.9,
        step=0.05,
        unset_label=T("Settings", "none"),
    )
    validation_data_dir: Path | None = param(
        None,
        T("Settings", "Validation folder"),
        T(
            "Settings",
            "A folder of pictures for validation alone. Those of them that lie in the picture "
            "folder too are not trained.",
        ),
        path_kind="folder",
    )
    validation_seed: int | None = param(
        None,
        T("Settings", "Validation seed"),
        T(
            "Settings",
            "Decides which pictures are held out, and the noise that their loss is measured "
            "with. The same for every run unless it is set.",
        ),
        minimum=0,
        maximum=2**32 - 1,
        step=1,
        unset_label=T("Settings", "always the same"),
        when=(_IF_PICTURES_ARE_HELD_OUT,),
        advanced=True,
    )
    validate_every_n_steps: int | None = param(
        None,
        T("Settings", "Every N steps"),
        T("Settings", "Measures the validation loss after every N optimizer steps."),
        unit=T("Settings", "[value:step|steps]"),
        minimum=1,
        maximum=100000000,
        step=50,
        unset_label=T("Settings", "off"),
        when=(_IF_PICTURES_ARE_HELD_OUT,),
    )
    validate_every_n_epochs: int | None = param(
        None,
        T("Settings", "Every N epochs"),
        T(
            "Settings",
            "Measures the validation loss after every N epochs. Unset, it is measured after each, "
            "unless steps are set.",
        ),
        unit=T("Settings", "[value:epoch|epochs]"),
        minimum=1,
        maximum=1000000,
        step=1,
        unset_label=T("Settings", "automatic"),
        when=(_IF_PICTURES_ARE_HELD_OUT,),
    )
    max_validation_steps: int | None = param(
        None,
        T("Settings", "Most batches"),
        T("Settings", "Measures the loss of no more batches than this; always the same ones."),
        unit=T("Settings", "[value:batch|batches]"),
        minimum=1,
        maximum=1000000,
        step=1,
        unset_label=T("Settings", "all"),
        when=(_IF_PICTURES_ARE_HELD_OUT,),
        advanced=True,
    )

    @property
    def holds_out(self) -> bool:
        """Whether there is validation at all."""
        return bool(self.validation_split) or self.validation_data_dir is not None

    @property
    def seed(self) -> int:
        """What decides the split, and the noise."""
        return self.validation_seed or 0
