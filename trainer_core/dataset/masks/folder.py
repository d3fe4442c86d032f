"""The masks of a folder, found by the names of the pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from trainer_core.dataset.index import Picture
from trainer_core.dataset.listing import Reading, list_folder
from trainer_core.dataset.pictures import Size


@dataclass(frozen=True, slots=True)
class Mask:
    """A mask file and its upright size, in pixels."""

    path: Path
    size: Size


class MaskFolder:
    """What lies in a folder of masks, and in its sub-folders named as those of the pictures."""

    def __init__(self, path: Path, reading: Reading) -> None:
        """List the folder.

        Raises:
            DatasetError: It is missing, is no folder, or cannot be read.
        """
        self.path = path
        self._reading = reading
        self._by_folder = {"": self._listed(path)}
        self._folders = {folder.name: folder for folder in list_folder(path).folders}

    def of(self, picture: Picture) -> Sequence[Path]:
        """Return the masks of a picture, those in a sub-folder named as its own one first."""
        name = picture.path.parent.name
        if name in self._folders and name not in self._by_folder:
            self._by_folder[name] = self._listed(self._folders[name])
        nearest = self._by_folder.get(name, {}).get(picture.path.stem, [])
        return nearest or self._by_folder[""].get(picture.path.stem, [])

    def count_strangers(self, known: set[str]) -> int:
        """Return how many masks bear none of the known names, in the folders looked into."""
        return sum(
            len(masks)
            for by_name in self._by_folder.values()
            for name, masks in by_name.items()
            if name not in known
        )

    def _listed(self, folder: Path) -> dict[str, list[Path]]:
        self._reading(folder)
        masks: dict[str, list[Path]] = {}
        for path in list_folder(folder).pictures:
            masks.setdefault(path.stem, []).append(path)
        return masks
