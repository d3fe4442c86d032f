"""Settings of a subset: pictures with settings of their own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from pydantic import Field, create_model

from trainer_core.settings.augmentation import AugmentationSettings
from trainer_core.settings.buckets import BucketSettings
from trainer_core.settings.captions import CaptionSettings
from trainer_core.settings.folder_repeats import MAX_REPEATS
from trainer_core.settings.param import Param, Section, param, section_params
from trainer_core.texts import T

# Of these sections a subset may have every setting of its own, but for what is the whole run's.
OWN_SECTIONS: dict[str, type[Section]] = {
    "buckets": BucketSettings,
    "captions": CaptionSettings,
    "augmentation": AugmentationSettings,
}
OF_THE_WHOLE_RUN = frozenset({"max_token_length", "weighted_captions"})


class SubsetSettings(Section):
    """Which pictures are a subset, and what is other with them than in the rest of the run.

    Beside what is declared here stands every setting that a subset may have of its own, unset
    where it is the run's; see `SUBSET`.
    """

    image_dir: Path | None = param(
        None,
        T("Settings", "Folder"),
        T(
            "Settings",
            "The pictures of the subset. Without repeats and class prompt of its own the folder "
            "is read as the picture folder is; with them, the pictures directly in it are taken.",
        ),
        path_kind="folder",
    )
    pictures: tuple[Path, ...] = param(
        (),
        T("Settings", "Pictures"),
        T("Settings", "Single pictures and further folders of the subset."),
        path_kind="file_or_folder",
    )
    metadata_file: Path | None = param(
        None,
        T("Settings", "Metadata file"),
        T("Settings", "A JSON or JSONL file that names pictures and their captions and tags."),
        path_kind="file",
        file_filter="*.json *.jsonl",
    )
    num_repeats: int | None = param(
        None,
        T("Settings", "Repeats"),
        T("Settings", "How often an epoch shows each picture of the subset."),
        minimum=1,
        maximum=MAX_REPEATS,
        step=1,
        unset_label=T("Settings", "as the folder says"),
    )
    class_tokens: str | None = param(
        None,
        T("Settings", "Class prompt"),
        T("Settings", "The words of pictures that have no caption."),
        unset_label=T("Settings", "as the folder says"),
    )
    is_reg: bool = param(
        False,
        T("Settings", "Regularisation"),
        T("Settings", "Whether the subset holds regularisation pictures."),
    )
    train_batch_size: int | None = param(
        None,
        T("Settings", "Batch size"),
        T("Settings", "Pictures of the subset per forward pass."),
        minimum=1,
        maximum=512,
        step=1,
        unset_label=T("Settings", "as in the run"),
    )

    @property
    def has_pictures(self) -> bool:
        """Whether the subset names any pictures."""
        return bool(self.image_dir or self.pictures or self.metadata_file)

    @property
    def own(self) -> dict[str, object]:
        """The settings that the subset has of its own, by their names.

        None stands among them only for what the run may have unset too.
        """
        values = {name: getattr(self, name) for name in OWN if name in self.model_fields_set}
        return {n: value for n, value in values.items() if value is not None or OWN[n].is_optional}


OWN: dict[str, Param] = {
    each.name: each
    for section, model in OWN_SECTIONS.items()
    for each in section_params(section, model)
    if each.name not in OF_THE_WHOLE_RUN
}
"""The settings of the run that a subset may have of its own, by name."""


def _own_fields() -> Iterator[tuple[str, Any]]:
    """Yield the fields for them: unset at first."""
    for name, own in OWN.items():
        spec = replace(own.spec, when=(), shown_before="")
        extra = {"param": cast(Any, spec)}
        field = Field(None, ge=spec.minimum, le=spec.maximum, json_schema_extra=extra)
        annotation: Any = OWN_SECTIONS[own.section].model_fields[name].annotation
        yield name, (annotation | None, field)


SUBSET: type[SubsetSettings] = create_model(
    "Subset", __base__=SubsetSettings, **dict(_own_fields())
)
"""What a table of ``dataset.subsets`` may hold."""
