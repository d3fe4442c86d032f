"""Settings that vary pictures from one showing to the next, and that mask their loss."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from trainer_core.settings.param import Section, acts_if, param
from trainer_core.texts import T

FaceSize = Annotated[float, Field(ge=1.0, le=100.0)]


class AugmentationSettings(Section):
    """How a picture differs each time it is shown, and which parts of it are learnt."""

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
    color_aug: bool = param(
        False,
        T("Settings", "Vary colours"),
        T(
            "Settings",
            "Changes hue or brightness slightly in a third of the showings. Needs latents that "
            "are not cached, so training is slower.",
        ),
        old_labels=("Color augmentation",),
    )
    random_crop: bool = param(
        False,
        T("Settings", "Random crop"),
        T(
            "Settings",
            "Cuts each picture at another place each time, instead of at the centre. Needs "
            "latents that are not cached, so training is slower.",
        ),
        old_labels=("Random crop instead of center crop",),
    )
    face_crop_aug_range: tuple[FaceSize, FaceSize] | None = param(
        None,
        T("Settings", "Face crop"),
        T(
            "Settings",
            "Cuts pictures around a face, so that their shorter side is so many times as long as "
            "the face: 2, 4 gives portraits. The names of the files must end in the face's "
            "centre and size in pixels: name_x_y_width_height. Without buckets only.",
        ),
        unset_label=T("Settings", "off"),
        when=(acts_if("enable_bucket", False),),
        step=0.5,
        advanced=True,
    )
    masked_loss: bool = param(
        False,
        T("Settings", "Masked loss"),
        T(
            "Settings",
            "Learns only what masks show: white counts in full, black not at all. Needs a mask "
            "folder or alpha masks.",
        ),
    )
    conditioning_data_dir: Path | None = param(
        None,
        T("Settings", "Mask folder"),
        T(
            "Settings",
            "Masks with the names of the pictures, of any picture kind, and of their size. "
            "Those of 10_cat may lie in a folder 10_cat there. Only their red channel counts.",
        ),
        path_kind="folder",
        when=(acts_if("masked_loss", True),),
    )
    alpha_mask: bool = param(
        False,
        T("Settings", "Alpha masks"),
        T(
            "Settings",
            "Takes the transparency of a picture as its mask: what is transparent is not learnt. "
            "It then keeps its colours instead of becoming white.",
        ),
    )
