"""Reads a model part by part, from one file in the original layout or from a diffusers folder."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Protocol

import torch

from trainer_core.families.layouts.family_layout import FamilyLayout, Names, folder_architecture
from trainer_core.families.layouts.networks import Networks, build_networks, original_names
from trainer_core.families.layouts.tensor_file import TensorFile, fill_module, found_places
from trainer_core.model_files.diffusers_folder import DiffusersFolder
from trainer_core.model_files.tensor_index import TensorIndex
from trainer_core.model_files.weights_file import read_index


class Places(Protocol):
    """Where the weights of a model's parts are, and what they are called there."""

    def index(self, part: str) -> TensorIndex:
        """Read the headers of what holds a part.

        Raises:
            ModelFileError: There is nothing, or it is damaged.
        """
        ...

    def names(self, part: str) -> Names:
        """Return the way from a network's names to where its tensors may be in the file."""
        ...


class ModelReader:
    """Reads the weights of one part at a time into networks that hold none yet.

    The file is opened anew for each part and its header read again: weeks may lie between.

    Args:
        networks: Built on the meta device; `read` brings a part where it is wanted.
        places: Where their weights are.
    """

    def __init__(self, networks: Networks, places: Places) -> None:
        self.networks = networks
        self._places = places

    def verify(self) -> None:
        """Look into the headers for every tensor of every part.

        Raises:
            ModelFileError: A file or tensor is missing, or a tensor has another shape.
        """
        for part, module in self.networks.modules.items():
            found_places(module, self._places.index(part), self._places.names(part))

    def files(self) -> list[Path]:
        """Return every file that holds something of a part, once, in the order of the parts.

        Raises:
            ModelFileError: One is missing, or damaged.
        """
        indexes = map(self._places.index, self.networks.modules)
        files = (index.file(entry) for index in indexes for entry in index.entries.values())
        return list(dict.fromkeys(files))

    def read(
        self,
        part: str,
        *,
        dtype: torch.dtype,
        device: torch.device,
        memory_format: torch.memory_format,
    ) -> None:
        """Give a part its weights; see `trainer_core.families.base.Family.load`."""
        module = self.networks.modules[part]
        with closing(TensorFile(self._places.index(part))) as file:
            names = self._places.names(part)
            fill_module(module, file, names, dtype, device=device, memory_format=memory_format)
        complete = self.networks.layout.parts[part].complete
        if complete is not None:
            complete(module)


def open_reader(path: Path, layout: FamilyLayout) -> ModelReader:
    """Build the networks of a file or folder on the meta device, reading headers only.

    Args:
        path: The file or folder.
        layout: Of the family that it was recognised as.

    Raises:
        ModelFileError: It is damaged, hostile or incomplete.
    """
    places: Places
    if path.is_dir():
        architecture = folder_architecture(path, layout.parts)
        networks = build_networks(path, layout, architecture)
        places = _FolderPlaces(path, layout)
    else:
        networks = build_networks(path, layout, layout.file_architecture(read_index(path)))
        places = _FilePlaces(path, networks)
    reader = ModelReader(networks, places)
    reader.verify()
    return reader


class _FolderPlaces:
    """A diffusers folder: a file for each part, or several."""

    def __init__(self, path: Path, layout: FamilyLayout) -> None:
        self._folder = DiffusersFolder(path)
        self._parts = layout.parts

    def index(self, part: str) -> TensorIndex:
        return self._folder.index(part)

    def names(self, part: str) -> Names:
        return self._parts[part].folder_names


class _FilePlaces:
    """A single file in the original layout."""

    def __init__(self, path: Path, networks: Networks) -> None:
        self._path = path
        self._original = original_names(networks)

    def index(self, part: str) -> TensorIndex:
        del part  # they are all in one
        return read_index(self._path)

    def names(self, part: str) -> Names:
        return self._original[part]
