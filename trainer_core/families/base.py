"""What the trainer asks of a base model, whichever family it is of.

Shape suffixes: B batch, C channels, H and W latent or pixel rows and columns, L tokens, T steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple, Protocol, Self

import torch
from torch import Tensor, nn

from trainer_core.catalogue.families import ModelKind

Part = str  # the name of one of the family's parts
PredictionType = Literal["epsilon", "v_prediction"]


class LatentPosterior(NamedTuple):
    """What the image encoder knows of a picture, scaled to what the denoiser sees.

    A latent is ``mean + std * noise`` with standard normal noise.
    """

    mean_BCHW: Tensor
    std_BCHW: Tensor


@dataclass(frozen=True, slots=True)
class NoiseSchedule:
    """The noise that a family was trained with.

    Attributes:
        betas_T: Share of noise added at each step, float32.
        prediction_type: What the denoiser predicts.
    """

    betas_T: Tensor
    prediction_type: PredictionType


@dataclass(frozen=True, slots=True)
class AdapterTarget:
    """A layer that an adapter can be put on, and its name in adapter files."""

    name: str
    layer: nn.Module


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """How other programs name the base model; the hashes are None for a folder."""

    name: str
    legacy_hash: str | None
    sha256: str | None


class Family(Protocol):
    """A loaded base model: its networks, and how they are used.

    Everything is loaded frozen and in evaluation mode. Callers choose device and autocast;
    inputs must be on the networks' device.

    Attributes:
        kind: What the family's files are recognised as.
        architecture: Its name in ``modelspec`` metadata.
        base_model_version: Its name in ``ss_`` metadata.
        path: The file or folder that was loaded.
        scheduler_config: Settings from which any diffusers scheduler can be built.
    """

    kind: ClassVar[ModelKind]
    architecture: ClassVar[str]
    base_model_version: ClassVar[str]
    path: Path
    denoiser: nn.Module
    vae: nn.Module
    text_encoder: nn.Module
    noise_schedule: NoiseSchedule
    scheduler_config: Mapping[str, Any]

    @classmethod
    def load(
        cls,
        path: Path,
        *,
        dtype: torch.dtype = torch.float32,
        vae_dtype: torch.dtype | None = None,
        clip_skip: int = 1,
    ) -> Self:
        """Load a single file or a diffusers folder, wholly from disk.

        Args:
            path: The file or folder.
            dtype: Of the weights, whatever the file has.
            vae_dtype: Of the image encoder's weights; None: the same.
            clip_skip: The text encoder's layer from the end whose output is used.

        Raises:
            ModelFileError: The file is missing, damaged or of another kind.
        """
        ...

    @classmethod
    def outline(cls, path: Path, *, clip_skip: int = 1) -> Self:
        """Build the networks on the meta device, to be counted and named but not run.

        Raises:
            ModelFileError: The file is missing, damaged or of another kind.
            SettingsError: The text encoder has fewer layers than ``clip_skip``.
        """
        ...

    @property
    def pixels_per_latent(self) -> int:
        """Picture rows and columns that one latent cell stands for."""
        ...

    @property
    def latent_channels(self) -> int:
        """Channels of a latent."""
        ...

    @property
    def max_tokens(self) -> int:
        """How many tokens of a caption are read."""
        ...

    def count_tokens(self, captions: Sequence[str]) -> list[int]:
        """Return how many tokens each caption has, beyond `max_tokens` too."""
        ...

    def encode_text(self, captions: Sequence[str]) -> Tensor:
        """Return the text features BLC; gradients flow if anything in the encoder trains."""
        ...

    def encode_images(self, pixels_BCHW: Tensor) -> LatentPosterior:
        """Encode pictures with values in [-1, 1], without gradients."""
        ...

    def predict(self, noisy_BCHW: Tensor, timesteps_B: Tensor, text_BLC: Tensor) -> Tensor:
        """Return the denoiser's prediction, shaped like the noisy latents."""
        ...

    def adapter_targets(self, part: Part) -> Iterator[AdapterTarget]:
        """Yield the layers that adapters go on, in the order of the network."""
        ...

    def set_gradient_checkpointing(self, enabled: bool) -> None:
        """Choose between less memory and more speed for denoiser and text encoder."""
        ...

    def vae_hash(self) -> str:
        """Return a hash of all that decides what a picture is encoded to."""
        ...

    def identity(self) -> ModelIdentity:
        """Return the base model's name and hashes; reads the whole file."""
        ...

    def save_folder(self, folder: Path) -> None:
        """Write the model as a diffusers folder that older libraries read as well."""
        ...
