"""Reads a model part by part, from one file in the original layout or from a diffusers folder."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Protocol

import torch

from trainer_core.errors import about
from trainer_core.families.layouts.family_layout import (
    Architecture,
    FamilyLayout,
    Names,
    folder_architecture,
)
from trainer_core.families.layouts.networks import Networks, build_networks, original_names
from trainer_core.families.layouts.separate_vae import separate_vae_config, separate_vae_names
from trainer_core.families.layouts.tensor_file import TensorFile, fill_module, found_places
from trainer_core.model_files.diffusers_folder import DiffusersFolder
from trainer_core.model_files.separate_vae import VAE_SETTING, SeparateVae, open_separate_vae
from trainer_core.model_files.tensor_index import TensorIndex
from trainer_core.model_files.weights_file import read_index

VAE = "vae"


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
        own: Where the base model's weights are.
        replaced: Where those of parts are that come from elsewhere.
    """

    def __init__(
        self, networks: Networks, own: Places, replaced: Mapping[str, Places] | None = None
    ) -> None:
        self.networks = networks
        self._own = own
        self._replaced = replaced or {}

    def _places(self, part: str) -> Places:
        return self._replaced.get(part, self._own)

    def _about(self, part: str) -> AbstractContextManager[None]:
        """Give errors of a part from elsewhere the setting that names its files."""
        return about(setting=VAE_SETTING if part in self._replaced else "")

    def verify(self) -> None:
        """Look into the headers for every tensor of every part.

        Raises:
            ModelFileError: A file or tensor is missing, or a tensor has another shape.
        """
        for part, module in self.networks.modules.items():
            places = self._places(part)
            with self._about(part):
                found_places(module, places.index(part), places.names(part))

    def files(self) -> list[Path]:
        """Return every file of the base model, once, in the order of the parts.

        Raises:
            ModelFileError: One is missing, or damaged.
        """
        indexes = map(self._own.index, self.networks.modules)
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
        module, places = self.networks.modules[part], self._places(part)
        with self._about(part), closing(TensorFile(places.index(part))) as file:
            names = places.names(part)
            fill_module(module, file, names, dtype, device=device, memory_format=memory_format)
        complete = self.networks.layout.parts[part].complete
        if complete is not None:
            complete(module)


def open_reader(path: Path, layout: FamilyLayout, vae: Path | None = None) -> ModelReader:
    """Build the networks of a file or folder on the meta device, reading headers only.

    Args:
        path: The file or folder.
        layout: Of the family that it was recognised as.
        vae: The file or folder of a VAE that is used instead of its own.

    Raises:
        ModelFileError: It is damaged, hostile or incomplete.
    """
    is_folder = path.is_dir()
    architecture = (
        folder_architecture(path, layout.parts)
        if is_folder
        else layout.file_architecture(read_index(path))
    )
    if vae is None:
        networks = build_networks(path, layout, architecture)
        replaced = {}
    else:
        with about(setting=VAE_SETTING):
            separate = open_separate_vae(vae)
            config = separate_vae_config(separate, architecture.parts[VAE], layout.parts[VAE])
        parts = {**architecture.parts, VAE: config}
        networks = build_networks(path, layout, Architecture(parts, architecture.scheduler))
        replaced = {VAE: _SeparateVaePlaces(separate, networks)}
    places = _FolderPlaces(path, layout) if is_folder else _FilePlaces(path, networks)
    reader = ModelReader(networks, places, replaced)
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


class _SeparateVaePlaces:
    """A VAE in files of its own."""

    def __init__(self, vae: SeparateVae, networks: Networks) -> None:
        self._path = vae.path
        self._names = separate_vae_names(vae, networks.modules[VAE].config)

    def index(self, part: str) -> TensorIndex:
        del part  # there is no other
        return open_separate_vae(self._path).index

    def names(self, part: str) -> Names:
        del part
        return self._names
