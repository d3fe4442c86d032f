"""Reads a model part by part, from one file in the original layout or from a diffusers folder."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Protocol

import torch

from trainer_core.families.clip import TEXT_MODEL, fill_position_ids, published_name
from trainer_core.families.layouts.networks import Networks, build_networks, original_names
from trainer_core.families.layouts.sd1_architecture import file_architecture, folder_architecture
from trainer_core.families.layouts.tensor_file import Names, TensorFile, fill_module, found_names
from trainer_core.files.resources import resource_path
from trainer_core.model_files.diffusers_folder import DiffusersFolder
from trainer_core.model_files.weights_file import read_index

#: Names of the VAE's attention in folders written by diffusers before 0.17.
_OLD_VAE_NAMES = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}


class Places(Protocol):
    """Where the weights of a model's parts are, and what they are called there."""

    def file(self, part: str) -> Path:
        """Return the file that holds a part.

        Raises:
            ModelFileError: There is none.
        """
        ...

    def names(self, part: str) -> Names:
        """Return the way from a network's names to those that the file may have."""
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
            path = self._places.file(part)
            found_names(module, path, read_index(path), self._places.names(part))

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
        with closing(TensorFile(self._places.file(part))) as file:
            names = self._places.names(part)
            fill_module(module, file, names, dtype, device=device, memory_format=memory_format)
        if part.startswith("text_encoder"):
            fill_position_ids(module)


def open_reader(path: Path) -> ModelReader:
    """Build the networks of a file or folder on the meta device, reading headers only.

    Raises:
        ModelFileError: It is damaged, hostile or incomplete.
    """
    if path.is_dir():
        own = path / "tokenizer"
        tokenizer = own if own.is_dir() else resource_path("tokenizers", "clip")
        networks = build_networks(path, folder_architecture(path), tokenizer)
        reader = ModelReader(networks, _FolderPlaces(path))
    else:
        architecture = file_architecture(read_index(path))
        networks = build_networks(path, architecture, resource_path("tokenizers", "clip"))
        reader = ModelReader(networks, _FilePlaces(path, networks))
    reader.verify()
    return reader


class _FolderPlaces:
    """A diffusers folder: a file for each part."""

    def __init__(self, path: Path) -> None:
        self._folder = DiffusersFolder(path)

    def file(self, part: str) -> Path:
        return self._folder.weights(part)

    def names(self, part: str) -> Names:
        return {"unet": _unchanged, "vae": _vae_names}.get(part, _text_names)


class _FilePlaces:
    """A single file in the original layout."""

    def __init__(self, path: Path, networks: Networks) -> None:
        self._path = path
        self._original = original_names(networks)

    def file(self, part: str) -> Path:
        del part  # they are all in one
        return self._path

    def names(self, part: str) -> Names:
        original = self._original[part]
        # Some files leave ``text_model.`` out; no other part has it.
        return lambda name: [original(name), original(name).replace(f".{TEXT_MODEL}", ".")]


def _unchanged(name: str) -> list[str]:
    return [name]


def _vae_names(name: str) -> list[str]:
    old = name
    for new_part, old_part in _OLD_VAE_NAMES.items():
        old = old.replace(f".{new_part}.", f".{old_part}.")
    return [name, old]


def _text_names(name: str) -> list[str]:
    published = published_name(name)
    return [published, published.removeprefix(TEXT_MODEL)]
