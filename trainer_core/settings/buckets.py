"""Settings of the size that pictures are trained at."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from trainer_core.catalogue.interpolations import INTERPOLATIONS
from trainer_core.settings.param import Section, acts_if, param
from trainer_core.texts import T

Side = Annotated[int, Field(ge=64, le=8192)]
SkippedSide = Annotated[int, Field(ge=1, le=8192)]


class BucketSettings(Section):
    """How pictures are scaled and cut."""

    resolution: tuple[Side, Side] = param(
        (512, 512),
        T("Settings", "Max resolution"),
        T(
            "Settings",
            "Training size as width, height. With buckets it limits the area, not each side. "
            "512, 512 suits Stable Diffusion 1.x, 1024, 1024 Stable Diffusion XL.",
        ),
        unit="px",
        step=64,
        foreign=("max_resolution",),
    )
    enable_bucket: bool = param(
        True,
        T("Settings", "Enable buckets"),
        T(
            "Settings",
            "Sorts pictures into buckets of similar shape, so that little is cut away. Off: every "
            "picture is scaled to cover the resolution and cropped at the centre.",
        ),
    )
    bucket_no_upscale: bool = param(
        True,
        T("Settings", "No upscaling"),
        T(
            "Settings",
            "Never enlarges a picture: the bucket comes from the picture itself. The two limits "
            "below are then not used.",
        ),
        when=(acts_if("enable_bucket", True),),
        old_labels=("Don't upscale bucket resolution",),
    )
    min_bucket_reso: int = param(
        256,
        T("Settings", "Smallest bucket side"),
        T("Settings", "No side of a bucket is shorter than this; rounded down to the bucket step."),
        unit="px",
        minimum=64,
        maximum=4096,
        step=64,
        when=(acts_if("enable_bucket", True), acts_if("bucket_no_upscale", False)),
        advanced=True,
        old_labels=("Minimum bucket resolution",),
    )
    max_bucket_reso: int = param(
        2048,
        T("Settings", "Largest bucket side"),
        T("Settings", "No side of a bucket is longer than this; rounded up to the bucket step."),
        unit="px",
        minimum=64,
        maximum=8192,
        step=64,
        when=(acts_if("enable_bucket", True), acts_if("bucket_no_upscale", False)),
        advanced=True,
        old_labels=("Maximum bucket resolution",),
    )
    bucket_reso_steps: int = param(
        64,
        T("Settings", "Bucket step"),
        T(
            "Settings",
            "Bucket sides are multiples of this. Stable Diffusion XL needs multiples of 32, the "
            "others of 64.",
        ),
        unit="px",
        minimum=8,
        maximum=512,
        step=32,
        when=(acts_if("enable_bucket", True),),
        advanced=True,
        old_labels=("Bucket resolution steps",),
    )
    resize_interpolation: str = param(
        "auto",
        T("Settings", "Resampling"),
        T(
            "Settings",
            "How pictures are scaled to their training size. Automatic averages where they "
            "shrink, which suits all but pixel art.",
        ),
        choices=INTERPOLATIONS,
        advanced=True,
    )
    skip_image_resolution: tuple[SkippedSide, SkippedSide] | None = param(
        None,
        T("Settings", "Skip up to"),
        T(
            "Settings",
            "Pictures with no more pixels than this width times height are not trained. For "
            "the larger of several resolutions, so that small pictures are in the smaller only.",
        ),
        unit="px",
        step=64,
        unset_label=T("Settings", "none"),
        advanced=True,
        source="sd-scripts, pull request 2273",
    )
