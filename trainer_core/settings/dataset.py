"""Settings of pictures: where they are, and how often each is shown."""

from __future__ import annotations

from pathlib import Path

from trainer_core.settings.param import Section, acts_if_any, param
from trainer_core.settings.picture_kinds import PICTURE_FILTER
from trainer_core.settings.subsets import SUBSET, SubsetSettings
from trainer_core.texts import T


class DatasetSettings(Section):
    """Which pictures are trained, how often, and how many at once."""

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
        file_filter=PICTURE_FILTER,
    )
    in_json: Path | None = param(
        None,
        T("Settings", "Metadata file"),
        T(
            "Settings",
            "A JSON or JSONL file that names pictures and their captions and tags, as the "
            "preparation scripts of sd-scripts write it. Only these pictures of the picture "
            "folder are trained then, and caption files are not read.",
        ),
        path_kind="file",
        file_filter="*.json *.jsonl",
        advanced=True,
    )
    reg_data_dir: Path | None = param(
        None,
        T("Settings", "Regularisation folder"),
        T(
            "Settings",
            "Pictures of the class at large, such as any cats beside your cat, that keep the "
            "model from forgetting it. Folders are read as in the picture folder. They are shown "
            "as often as the training pictures, so an epoch takes twice as long. Rarely needed.",
        ),
        path_kind="folder",
        old_labels=("Regularisation folder", "Regularization directory"),
    )
    prior_loss_weight: float = param(
        1.0,
        T("Settings", "Prior loss weight"),
        T(
            "Settings",
            "How much regularisation pictures count in training. 1 counts them like training "
            "pictures; lower values learn more of yours.",
        ),
        minimum=0.0,
        maximum=100.0,
        step=0.05,
        when=(acts_if_any("reg_data_dir", "subsets"),),
        old_labels=("Prior loss weight",),
    )
    subsets: tuple[SubsetSettings, ...] = param(
        (),
        T("Settings", "Subsets"),
        T(
            "Settings",
            "Further pictures with settings of their own, such as another resolution, batch size "
            "or other captions; each stands in a table [[dataset.subsets]]. One folder may stand "
            "in several. They are made in the list of folders beside the pictures.",
        ),
        table=SUBSET,
        advanced=True,
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
        file_filter=PICTURE_FILTER,
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
