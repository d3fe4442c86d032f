"""Settings of pictures, captions, buckets, batches and the latent cache."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from trainer_core.catalogue.interpolations import INTERPOLATIONS
from trainer_core.settings.param import Section, acts_if, param
from trainer_core.texts import T

Side = Annotated[int, Field(ge=64, le=8192)]


class DatasetSettings(Section):
    """Which pictures are trained, how they are cut, captioned and batched."""

    train_data_dir: Path | None = param(
        None,
        T("Settings", "Picture folder"),
        T(
            "Settings",
            "A folder with sub-folders named <repeats>_<concept>, such as 10_zxq cat, or simply "
            "a folder of pictures.",
        ),
        path_kind="folder",
        old_labels=("Image folder",),
    )
    more_pictures: tuple[Path, ...] = param(
        (),
        T("Settings", "More pictures"),
        T(
            "Settings",
            "Further folders, or single picture files, that are trained too. Each folder is read "
            "as the picture folder is; single pictures take repeats and words from the name of "
            "the folder that they lie in.",
        ),
        path_kind="file_or_folder",
        file_filter="*.png *.jpg *.jpeg *.webp *.bmp",
    )
    left_out: tuple[Path, ...] = param(
        (),
        T("Settings", "Left out"),
        T(
            "Settings",
            "Pictures that are not trained in this run, though they lie in the folders above. "
            "Their files stay as they are; take one off the list to train it again.",
        ),
        path_kind="file",
        file_filter="*.png *.jpg *.jpeg *.webp *.bmp",
        advanced=True,
    )
    dataset_repeats: int = param(
        1,
        T("Settings", "Repeats"),
        T(
            "Settings",
            "How often each picture is shown per epoch, for pictures that lie directly in a "
            "folder. Folders named <repeats>_<concept> keep their own number.",
        ),
        minimum=1,
        maximum=1_000_000,
        step=1,
        old_labels=("Dataset repeats",),
    )
    folder_repeats: tuple[str, ...] = param(
        (),
        T("Settings", "Folder repeats"),
        T(
            "Settings",
            "Repeats of single folders in this run, instead of the number in their name: "
            '"10_zxq cat=5" shows the pictures of that folder 5 times per epoch. The list of '
            "folders beside the pictures writes them.",
        ),
        advanced=True,
    )
    caption_extension: str = param(
        "auto",
        T("Settings", "Caption extension"),
        T(
            "Settings",
            "Ending of the caption files beside the pictures, such as .txt or .caption. "
            "auto takes the one that is there.",
        ),
    )
    resolution: tuple[Side, Side] = param(
        (512, 512),
        T("Settings", "Max resolution"),
        T(
            "Settings",
            "Training size as width, height. With buckets it limits the area, not each side. "
            "512, 512 suits Stable Diffusion 1.x.",
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
        T("Settings", "Bucket sides are multiples of this. Stable Diffusion 1.x needs 64."),
        unit="px",
        minimum=8,
        maximum=512,
        step=8,
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
    train_batch_size: int = param(
        1,
        T("Settings", "Batch size"),
        T(
            "Settings",
            "Pictures per forward pass. More is faster per picture and needs more memory. "
            "Pictures of one batch come from one bucket.",
        ),
        unit=T("Settings", "[value:picture|pictures]"),
        minimum=1,
        maximum=512,
        step=1,
        old_labels=("Train batch size",),
        shown_before="gradient_accumulation_steps",
    )
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
    shuffle_caption: bool = param(
        False,
        T("Settings", "Shuffle caption"),
        T("Settings", "Puts the comma-separated tags in a new order each time a picture is used."),
    )
    keep_tokens: int = param(
        0,
        T("Settings", "Keep tokens"),
        T(
            "Settings",
            "The first N tags stay in front when tags are shuffled. 1 for a trigger word.",
        ),
        unit=T("Settings", "[value:tag|tags]"),
        minimum=0,
        maximum=255,
        step=1,
        when=(acts_if("shuffle_caption", True),),
        old_labels=("Keep n tokens",),
    )
    cache_latents: bool = param(
        True,
        T("Settings", "Cache latents"),
        T(
            "Settings",
            "Encodes every picture once before training and keeps the result in system memory "
            "(not on the GPU). Much faster.",
        ),
    )
    cache_latents_to_disk: bool = param(
        False,
        T("Settings", "Cache on disk"),
        T(
            "Settings",
            "Keeps the encoded pictures on disk too, so that the next run starts at once.",
        ),
        when=(acts_if("cache_latents", True),),
        old_labels=("Cache latents to disk",),
    )
    vae_batch_size: int | None = param(
        None,
        T("Settings", "Encoding batch"),
        T("Settings", "Pictures encoded at once while the latent cache is filled."),
        unit=T("Settings", "[value:picture|pictures]"),
        minimum=1,
        maximum=512,
        step=1,
        unset_label=T("Settings", "as batch size"),
        when=(acts_if("cache_latents", True),),
        advanced=True,
        old_labels=("VAE batch size",),
    )
    max_data_loader_n_workers: int = param(
        2,
        T("Settings", "Loader threads"),
        T(
            "Settings",
            "Threads that read and decode pictures ahead of training. 0 reads in the training "
            "thread. The result is the same for every number.",
        ),
        unit=T("Settings", "[value:thread|threads]"),
        minimum=0,
        maximum=64,
        step=1,
        advanced=True,
        old_labels=("Max num workers for DataLoader",),
    )
