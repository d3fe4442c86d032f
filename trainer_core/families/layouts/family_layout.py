"""What a family says of its files: the parts, how each is built, and what its tensors are called.

A family hands in one `FamilyLayout`; reading and writing ask it and know no part by its name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from trainer_core.catalogue.entry import position_asked
from trainer_core.families.clip import Padding
from trainer_core.families.noise_schedule import ZERO_SNR
from trainer_core.model_files.diffusers_folder import DiffusersFolder
from trainer_core.model_files.part_configs import ConfigKeys, checked_config
from trainer_core.model_files.stated_noise import noise_of_file
from trainer_core.model_files.tensor_index import TensorIndex

Config = dict[str, Any]


class Place(NamedTuple):
    """Where a tensor of a network is in a file.

    Attributes:
        name: Of the stored tensor.
        share: Which of how many equal shares of its rows: (1, 3) is the second third.
        is_transposed: A matrix is stored with rows and columns exchanged.
        is_convolution: A matrix is written as a convolution with a 1x1 kernel.
    """

    name: str
    share: tuple[int, int] = (0, 1)
    is_transposed: bool = False
    is_convolution: bool = False

    def stored_shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        """Return the shape of the stored tensor; sides of 1 do not count."""
        turned = tuple(reversed(shape)) if self.is_transposed else tuple(shape)
        _, count = self.share
        return (turned[0] * count, *turned[1:]) if count > 1 else turned

    def taken_from(self, stored: Tensor) -> Tensor:
        """Return the network's tensor, contiguous: ``stored`` itself, or a copy of its share.

        ``stored`` has the shape of `stored_shape`, the result the network's.
        """
        index, count = self.share
        if count > 1:
            stored = stored.chunk(count)[index].clone()  # so that the rest of it can go
        return stored.t().contiguous() if self.is_transposed else stored

    def stored(self, tensor: Tensor) -> Tensor:
        """Return a view of the network's tensor in the shape that it, or its share, has there."""
        if self.is_convolution and tensor.dim() == 2:
            return tensor[:, :, None, None]
        return tensor.t() if self.is_transposed else tensor


#: From a name in a network's state dict to where it may be in a file, the usual place first.
Names = Callable[[str], Sequence[Place]]


def same_name(name: str) -> list[Place]:
    """Return the place of a tensor that files call like the network does."""
    return [Place(name)]


class TokenizerPlace(NamedTuple):
    """Where a tokenizer is: its folder in a diffusers folder, and the one that is shipped."""

    folder: str
    shipped: str
    padding: Padding = Padding.END


@dataclass(frozen=True, slots=True, kw_only=True)
class PartLayout:
    """How one part is built, and where its tensors are.

    Attributes:
        build: Makes the network from its config, on the device that is the default then.
        keys: What its config may set.
        file_names: From the network's config to the places of its tensors in a single file.
        folder_names: Their places in the part's file in a diffusers folder.
        weights: What that file is called.
        save_config: Writes the network's config into a folder.
        complete: Makes the buffers that no file holds, once the weights are there.
        tokenizer: Where its tokenizer is; None if it reads no captions.
    """

    build: Callable[[Config], Any]
    keys: ConfigKeys
    file_names: Callable[[Any], Names]
    folder_names: Names = same_name
    weights: str = "diffusion_pytorch_model.safetensors"
    save_config: Callable[[Any, Path], object] = lambda network, folder: network.save_config(folder)
    complete: Callable[[Any], object] | None = None
    tokenizer: TokenizerPlace | None = None


@dataclass(frozen=True, slots=True)
class Architecture:
    """The configs of the parts, in the words of diffusers and transformers, and the schedule's."""

    parts: Mapping[str, Config]
    scheduler: Config


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyLayout:
    """What a family says of its files.

    Attributes:
        configs: The folder of its published configs, below ``model_configs``.
        parts: Its parts by their names, which are those of a diffusers folder; in the order in
            which a single file has them.
        file_architecture: Works out the configs of a single file in the original layout.
    """

    configs: str
    parts: Mapping[str, PartLayout]
    file_architecture: Callable[[TensorIndex], Architecture]


def filled_in(
    published: Architecture,
    index: TensorIndex,
    sizes: Mapping[str, Config],
    parts: Mapping[str, PartLayout],
) -> Architecture:
    """Return a family's published architecture with what one file says otherwise.

    Args:
        published: What holds where the file is silent.
        index: Of the file.
        sizes: What its tensors' shapes say, by part.
        parts: Of the family.

    Raises:
        ModelFileError: A size cannot be.
    """
    configs = {
        name: published.parts[name] | checked_config(index.path, sizes[name], part.keys)
        for name, part in parts.items()
    }
    return Architecture(configs, published.scheduler | _stated_scheduler(index))


def _stated_scheduler(index: TensorIndex) -> Config:
    stated, said = noise_of_file(index), Config()
    if stated.prediction is not None:
        said["prediction_type"] = stated.prediction.value
    if stated.zero_snr is not None:
        said[ZERO_SNR] = position_asked(stated.zero_snr.value)
    return said


def folder_architecture(path: Path, parts: Mapping[str, PartLayout]) -> Architecture:
    """Read and check the configs of a diffusers folder.

    Raises:
        ModelFileError: One is missing, cannot be read, or says what cannot be.
    """
    folder = DiffusersFolder(path)
    configs = {
        name: checked_config(folder.config_path(name), folder.config(name), part.keys)
        for name, part in parts.items()
    }
    return Architecture(configs, folder.scheduler())
