"""What the trainer asks of a base model, whichever family it is of.

Shape suffixes: B batch, C channels, H and W latent or pixel rows and columns, T steps.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple, Protocol, Self

import torch
from torch import Tensor, nn

from trainer_core.catalogue.families import FamilyEntry
from trainer_core.families.condition import Condition, SampleFacts
from trainer_core.families.noise_schedule import NoiseSchedule
from trainer_core.runtime.device import free_cache
from trainer_core.tokens.clip import CHUNK_TOKENS

LayerKind = Literal["linear", "conv", "norm"]


class Layout(StrEnum):
    """How a whole model is written."""

    DIFFUSERS = "diffusers"
    ORIGINAL = "safetensors"


class LatentPosterior(NamedTuple):
    """What the image encoder knows of a picture, scaled to what the denoiser sees.

    A latent is ``mean + std * noise`` with standard normal noise. Both are float32, on one device.
    """

    mean_BCHW: Tensor
    std_BCHW: Tensor


@dataclass(frozen=True, slots=True)
class Target:
    """A layer that something can be trained on.

    Attributes:
        name: Of the layer in adapter files (``lora_unet_...``); unique in a model.
        part: The part of the model that it belongs to.
        layer: The layer itself, on whichever device it is.
        kind: What it is.
        is_standard: Whether it gets an adapter if nothing else is asked for: linear layers and
            convolutions of attention and feed-forward.
    """

    name: str
    part: str
    layer: nn.Module
    kind: LayerKind
    is_standard: bool


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """How other programs name the base model; the hash is None for a folder."""

    name: str
    legacy_hash: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyOptions:
    """What is said of a base model beside its files.

    Attributes:
        clip_skip: The text encoder's layer from the end whose output is used, from 1.
        max_token_length: How many tokens of a caption are read: a multiple of what the text
            encoders read at once.
        prediction: What the denoiser predicts; None is for its files to say.
        zero_terminal_snr: Whether its last timestep is noise alone; None likewise.
        vae: The file or folder of a VAE that is used instead of its own.
        weighted_captions: Whether weights are read in captions and prompts: ``(word:1.3)``.
    """

    clip_skip: int = 1
    max_token_length: int = CHUNK_TOKENS
    prediction: str | None = None
    zero_terminal_snr: bool | None = None
    vae: Path | None = None
    weighted_captions: bool = False

    @property
    def num_chunks(self) -> int:
        """How often the text encoders read for one caption."""
        return self.max_token_length // CHUNK_TOKENS


PLAIN = FamilyOptions()

# Every other option is taken to be one of text encoders: better encoded once too often.
_NOT_OF_TEXT = frozenset({"prediction", "zero_terminal_snr", "vae"})


def text_options(options: FamilyOptions) -> dict[str, object]:
    """Return the options that may decide what text encoders make of a caption."""
    named = {each.name: getattr(options, each.name) for each in fields(options)}
    return {name: value for name, value in named.items() if name not in _NOT_OF_TEXT}


class Family(Protocol):
    """A base model: opened on its headers, each part loaded when it is needed.

    Until a part is loaded, and after it is released, its module is there without weights (on the
    meta device), so that layers can be counted, named and hooked. Callers choose device and
    autocast; tensors that a part is given must be on its device, and its results are there.

    Attributes:
        entry: What the catalogue says of the family: its parts that can be trained, its names.
        image_part: The part that makes latents of pictures, and pictures of latents.
        path: The file or folder that was opened.
        scheduler_config: Settings from which any diffusers scheduler can be built.
        noise_schedule: The noise that it was trained with.
    """

    entry: ClassVar[FamilyEntry]
    image_part: ClassVar[str]
    path: Path
    noise_schedule: NoiseSchedule
    scheduler_config: Mapping[str, Any]

    @classmethod
    def open(cls, path: Path, options: FamilyOptions = PLAIN) -> Self:
        """Open a single file or a diffusers folder; reads configs and headers, no weights.

        Raises:
            ModelFileError: It is missing, damaged, incomplete or of another kind.
            SettingsError: It cannot do what the options ask for.
        """
        ...

    def module(self, part: str) -> nn.Module:
        """Return a part's module: the same object, whether it is loaded or not."""
        ...

    def is_loaded(self, part: str) -> bool:
        """Tell whether a part has its weights."""
        ...

    def load(
        self,
        part: str,
        *,
        dtype: torch.dtype,
        device: torch.device,
        memory_format: torch.memory_format = torch.contiguous_format,
    ) -> nn.Module:
        """Read a part's weights from the file, one by one, straight to ``device``.

        Args:
            part: One of the family's.
            dtype: Of the weights, whatever the file has.
            device: Where they go.
            memory_format: Of convolutions' weights; they are put in order before they are moved.

        Returns:
            The part's module, frozen and in evaluation mode.

        Raises:
            ModelFileError: The file is missing, or damaged, or not the one that was opened.
        """
        ...

    def release(self, part: str) -> None:
        """Give a part's memory back; hooks and adapters on its layers stay for the next `load`."""
        ...

    def checkpoint_gradients(self, part: str, enabled: bool) -> None:
        """Choose between less memory and more speed in a part's backward pass, loaded or not."""
        ...

    def compile(self, part: str) -> None:
        """Compile a loaded part, adapters included: slow at first, then faster."""
        ...

    def targets(self, part: str, kinds: frozenset[LayerKind]) -> Iterator[Target]:
        """Yield a part's layers of some kinds, in the order of the network, loaded or not."""
        ...

    def encode_text(self, captions: Sequence[str]) -> Condition:
        """Return what captions tell the denoiser, on the text encoder's device.

        Gradients flow if anything in the encoder trains. The tensors have the encoder's type;
        under autocast, which its layers then compute in, the type that comes of that.
        """
        ...

    def with_sizes(self, condition: Condition, facts: Sequence[SampleFacts]) -> Condition:
        """Return the condition with what the denoiser is told of each picture's size and crop.

        It is returned as it is where the denoiser is told nothing of that. What is added is on
        the condition's device; ``facts`` has an entry for each sample of its batch.
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

    def encode_images(self, pixels_BCHW: Tensor) -> LatentPosterior:
        """Encode float32 pictures with values in [-1, 1], without gradients.

        Computed in the image encoder's type; call it outside of autocast, which would compute it
        in 16 bit.

        Returns:
            Mean and deviation, float32; a latent has a cell for `pixels_per_latent` rows and
            columns of the picture.
        """
        ...

    def decode_latents(self, latents_BCHW: Tensor) -> Tensor:
        """Return the pictures BCHW of latents as the denoiser sees them, without gradients.

        Latents may be of any type; the pictures are float32, about in [-1, 1]. Call it outside of
        autocast, like `encode_images`.
        """
        ...

    def predict(self, noisy_BCHW: Tensor, timesteps_B: Tensor, condition: Condition) -> Tensor:
        """Return the denoiser's prediction BCHW, shaped like the noisy latents.

        Latents and condition may be of any type and are cast to the denoiser's, which the
        prediction has; under autocast, which its layers then compute in, what comes of that.
        Timesteps are integers. Gradients flow to whatever trains.
        """
        ...

    @property
    def sampler_config(self) -> Mapping[str, Any]:
        """Settings from which the scheduler of a pipeline is built."""
        ...

    def pipeline(self, scheduler: Any) -> Any:
        """Return the diffusers pipeline from conditions to latents, over the denoiser that is here.

        Its latents are float32 whatever the denoiser's type.
        """
        ...

    def pipeline_inputs(self, positive: Condition, negative: Condition) -> Mapping[str, object]:
        """Return the pipeline's arguments for what should and what should not be there.

        Tensors are those of the conditions: their type and device.
        """
        ...

    def vae_hash(self) -> str:
        """Return a hash of all that decides what a picture is encoded to.

        The VAE is loaded, on any device; its weights' type is part of the hash.
        """
        ...

    def text_hash(self) -> str:
        """Return a hash of all that decides what a caption is encoded to, autocast excepted.

        The text encoders are loaded, on any device; their weights' type is part of the hash.
        """
        ...

    def identity(self) -> ModelIdentity:
        """Return the base model's name and hash; reads a little of the file."""
        ...

    def vae_identity(self) -> ModelIdentity | None:
        """Return name and hash of the VAE that is used instead of the base model's, if one is."""
        ...

    def weight_files(self) -> Sequence[Path]:
        """Return the base model's files, part by part; none without files."""
        ...

    def write(
        self,
        target: Path,
        layout: Layout,
        *,
        dtype: torch.dtype,
        metadata: Mapping[str, str],
        replace: bool = False,
    ) -> None:
        """Write the whole model; parts that are not loaded are read for it and released again.

        Args:
            target: The folder or file; appears only when it is complete.
            layout: A diffusers folder that older libraries read too, or one ``.safetensors`` file
                in the family's original layout.
            dtype: Of all weights.
            metadata: What a single file says of itself.
            replace: Whether what has that name may be replaced.

        Raises:
            OutputError: It cannot be written.
            ModelFileError: A part that is not loaded cannot be read.
        """
        ...


@contextlib.contextmanager
def lent(family: Family, part: str, *, dtype: torch.dtype, device: torch.device) -> Iterator[None]:
    """Have a part for a while: loaded now and released afterwards, unless it was there before.

    Raises:
        ModelFileError: It cannot be read.
    """
    if family.is_loaded(part):
        yield
        return
    try:
        family.load(part, dtype=dtype, device=device)
        yield
    finally:
        family.release(part)
        free_cache(device)
