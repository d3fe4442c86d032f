"""Settings that vary pictures from one showing to the next."""

from __future__ import annotations

from trainer_core.settings.param import Section, param
from trainer_core.texts import T


class AugmentationSettings(Section):
    """How a picture differs each time it is shown."""

    flip_aug: bool = param(
        False,
        T("Settings", "Flip"),
        T(
            "Settings",
            "Mirrors each picture left to right half of the time. Not for subjects that are "
            "not symmetric, or with lettering.",
        ),
        old_labels=("Flip augmentation",),
    )
