"""Files and folders that somebody offers as pictures, as plain data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from desktop_app.translation import shown
from trainer_core.dataset.captions import KNOWN_EXTENSIONS
from trainer_core.dataset.index import concepts_in
from trainer_core.dataset.listing import is_picture_name
from trainer_core.model_files.diffusers_folder import DiffusersFolder
from trainer_core.texts import T

_RUN_FILES = (".toml", ".json")  # or what can be imported into one
_MODEL_ENDINGS = (".safetensors", ".ckpt")
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Offer:
    """What was dropped or chosen, told apart.

    Attributes:
        folders: Folders; what is in them is not looked at yet.
        pictures: Picture files of kinds that are trained.
        others: What cannot be trained. Captions of the pictures are not among it: they are found
            beside the pictures.
    """

    folders: tuple[Path, ...] = ()
    pictures: tuple[Path, ...] = ()
    others: tuple[Path, ...] = ()

    @classmethod
    def of(cls, paths: Iterable[Path]) -> Offer:
        """Tell paths apart, by their names as far as that goes."""
        folders, pictures, others = [], [], []
        for path in dict.fromkeys(paths):
            if is_picture_name(path.name):
                pictures.append(path)
            elif path.is_dir():
                folders.append(path)
            else:
                others.append(path)
        stems = {picture.with_suffix("") for picture in pictures}
        others = [path for path in others if not _is_caption_of(path, stems)]
        return cls(tuple(folders), tuple(pictures), tuple(others))

    @property
    def is_usable(self) -> bool:
        """True if there is something to train."""
        return bool(self.folders or self.pictures)

    @property
    def is_run_file(self) -> bool:
        """True if it is no offer of pictures but a single run file."""
        return self._are_run_files and len(self.others) == 1

    @property
    def has_too_many_run_files(self) -> bool:
        """True if it is several run files, of which only one can be open."""
        return self._are_run_files and len(self.others) > 1

    @property
    def _are_run_files(self) -> bool:
        return not self.is_usable and all(path.suffix.lower() in _RUN_FILES for path in self.others)


def entries_of(offer: Offer) -> tuple[Path, ...]:
    """Return what the settings should name, folders first; reads the folders of the pictures.

    All pictures of a folder stand for the folder, if reading it would train nothing else.
    """
    by_folder: dict[Path, list[Path]] = {}
    for picture in offer.pictures:
        by_folder.setdefault(picture.parent, []).append(picture)
    folders, pictures = list(offer.folders), []
    for folder, paths in by_folder.items():
        if folder in offer.folders:
            continue
        if set(paths) == {p.path for concept in concepts_in(folder) for p in concept.pictures}:
            folders.append(folder)
        else:
            pictures += sorted(paths)
    return (*folders, *pictures)


def left_out(offer: Offer) -> str:
    """Return what is not taken, and why; "" if everything is."""
    if not offer.others:
        return ""
    names = ", ".join(path.name for path in offer.others[:_NAMED])
    count = len(offer.others)
    if count > _NAMED:
        words = T("App", "{count} [count:file is|files are] left out, such as {names}.")
        head = shown(words, count=count, names=names)
    else:
        head = shown(T("App", "Left out: {names}."), names=names)
    kinds = shown(T("App", "Only PNG, JPEG, WebP, BMP, TIFF, AVIF and JPEG XL are trained."))
    return shown(T("App", "{first} {second}"), first=head, second=kinds)


def is_model(path: Path) -> bool:
    """Tell by names whether a path is a model, which is no picture and no folder of them."""
    return path.suffix.lower() in _MODEL_ENDINGS or DiffusersFolder(path).is_model


def _is_caption_of(path: Path, stems: set[Path]) -> bool:
    return path.suffix.lower() in KNOWN_EXTENSIONS and path.with_suffix("") in stems
