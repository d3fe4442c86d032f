"""What is wrong with the names that tell where faces are."""

from __future__ import annotations

from collections.abc import Iterator

from trainer_core.dataset.augmentation.crops import face_in_name
from trainer_core.dataset.findings import Finding
from trainer_core.dataset.index import DatasetIndex
from trainer_core.dataset.subsets import SettingsBySubset
from trainer_core.settings.problems import Severity
from trainer_core.texts import T, text


def face_findings(index: DatasetIndex, settings: SettingsBySubset) -> Iterator[Finding]:
    """Tell of places whose pictures are to be cut around faces that no name tells of."""
    for root in index.roots:
        if settings[root.subset].face_range is None or not root.pictures:
            continue
        without = sum(face_in_name(picture.path) is None for picture in root.pictures)
        if not without:
            continue
        hint = text(
            T("Problems", "End the names in the face's centre and size: name_x_y_width_height.")
        )
        if without == len(root.pictures):
            message = text(T("Problems", "No name in {path} tells of a face."), path=root.path)
            yield Finding(root.path, Severity.ERROR, message, hint)
            continue
        template = T(
            "Problems",
            "The names of {count} [count:picture|pictures] in {path} tell of no face; "
            "[count:it is|they are] cut without one.",
        )
        message = text(template, count=without, path=root.path)
        yield Finding(root.path, Severity.WARNING, message, hint)
