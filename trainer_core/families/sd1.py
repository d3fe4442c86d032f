"""Stable Diffusion 1.x: how it encodes, what it predicts, where adapters go.

Shape suffixes: B batch, C channels, H and W latent or pixel rows and columns, L tokens.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from diffusers import AutoencoderKL, DDPMScheduler, UNet2DConditionModel
from diffusers.models.transformers.transformer_2d import Transformer2DModel
from torch import Tensor, nn
from transformers import CLIPTextModel

from trainer_core.catalogue.families import FAMILIES, ModelKind
from trainer_core.errors import SettingsError
from trainer_core.families.base import (
    AdapterTarget,
    LatentPosterior,
    ModelIdentity,
    NoiseSchedule,
    Part,
)
from trainer_core.families.clip import encode_ids, set_gradient_checkpointing, text_targets
from trainer_core.families.layouts.sd1_files import (
    Networks,
    Precision,
    outline_networks,
    read_file,
    read_folder,
    write_folder,
)
from trainer_core.model_files.recognise import inspect_model, require_base_model
from trainer_core.model_files.weights_file import legacy_hash, sha256
from trainer_core.texts import T


class SD1:
    """A loaded Stable Diffusion 1.x model; see `trainer_core.families.base.Family`."""

    kind: ClassVar[ModelKind] = ModelKind.SD1
    architecture: ClassVar[str] = FAMILIES[kind].architecture
    base_model_version: ClassVar[str] = FAMILIES[kind].version

    def __init__(self, path: Path, networks: Networks, clip_skip: int = 1) -> None:
        num_layers = networks.text_encoder.config.num_hidden_layers
        if clip_skip > num_layers:
            raise SettingsError(
                T("Errors", "Clip skip is {clip_skip}; the text encoder has {layers} layers."),
                T("Errors", "Use a smaller clip skip: 1 or 2."),
                setting="model.clip_skip",
                clip_skip=clip_skip,
                layers=num_layers,
            )
        self.path = path
        self.denoiser: UNet2DConditionModel = networks.unet
        self.vae: AutoencoderKL = networks.vae
        self.text_encoder: CLIPTextModel = networks.text_encoder
        self.tokenizer = networks.tokenizer
        self._networks = networks
        self._clip_skip = clip_skip
        self.scheduler_config: Mapping[str, Any] = networks.scheduler
        scheduler = DDPMScheduler.from_config(networks.scheduler)
        self.noise_schedule = NoiseSchedule(scheduler.betas, scheduler.config.prediction_type)

    @classmethod
    def load(
        cls,
        path: Path,
        *,
        dtype: torch.dtype = torch.float32,
        vae_dtype: torch.dtype | None = None,
        clip_skip: int = 1,
    ) -> Self:
        """Load a file in the original layout or a diffusers folder; see the protocol.

        Raises:
            ModelFileError: It is damaged, incomplete, or another kind of model.
        """
        require_base_model(inspect_model(path), [cls.kind])
        read = read_folder if path.is_dir() else read_file
        return cls(path, read(path, Precision(dtype, vae_dtype or dtype)), clip_skip)

    @classmethod
    def outline(cls, path: Path, *, clip_skip: int = 1) -> Self:
        """Build the networks without memory for their weights; see the protocol."""
        require_base_model(inspect_model(path), [cls.kind])
        return cls(path, outline_networks(path), clip_skip)

    @property
    def pixels_per_latent(self) -> int:
        """Picture rows and columns that one latent cell stands for."""
        halvings = len(self.vae.config.block_out_channels) - 1
        return 1 << halvings

    @property
    def latent_channels(self) -> int:
        """Channels of a latent."""
        return int(self.vae.config.latent_channels)

    @property
    def max_tokens(self) -> int:
        """How many tokens of a caption are read."""
        return self.tokenizer.max_tokens

    def count_tokens(self, captions: Sequence[str]) -> list[int]:
        """Return how many tokens each caption has, beyond `max_tokens` too."""
        return self.tokenizer.count(captions)

    def encode_text(self, captions: Sequence[str]) -> Tensor:
        """Return the text features BLC; gradients flow if anything in the encoder trains."""
        ids_BL = self.tokenizer.encode(captions).to(self.text_encoder.device)
        return encode_ids(self.text_encoder, ids_BL, self._clip_skip)

    @torch.no_grad()
    def encode_images(self, pixels_BCHW: Tensor) -> LatentPosterior:
        """Encode pictures with values in [-1, 1]; mean and deviation are scaled, float32."""
        posterior = self.vae.encode(pixels_BCHW.to(self.vae.dtype)).latent_dist
        scale = self.vae.config.scaling_factor
        return LatentPosterior(posterior.mean.float() * scale, posterior.std.float() * scale)

    def predict(self, noisy_BCHW: Tensor, timesteps_B: Tensor, text_BLC: Tensor) -> Tensor:
        """Return the denoiser's prediction, shaped like the noisy latents."""
        prediction_BCHW: Tensor = self.denoiser(
            noisy_BCHW, timesteps_B, text_BLC, return_dict=False
        )[0]
        return prediction_BCHW

    def adapter_targets(self, part: Part) -> Iterator[AdapterTarget]:
        """Yield every linear layer and convolution of the attention blocks of one part."""
        entry = FAMILIES[self.kind].part(part)
        if entry.is_text_encoder:
            return text_targets(self.text_encoder, entry.prefix)
        return _unet_targets(self.denoiser, entry.prefix)

    def set_gradient_checkpointing(self, enabled: bool) -> None:
        """Choose between less memory and more speed for denoiser and text encoder."""
        if enabled:
            self.denoiser.enable_gradient_checkpointing()
        else:
            self.denoiser.disable_gradient_checkpointing()
        set_gradient_checkpointing(self.text_encoder, enabled)

    def vae_hash(self) -> str:
        """Return a hash of the image encoder's weights and of the scale of its latents."""
        digest = hashlib.sha256(repr(self.vae.config.scaling_factor).encode())
        for name, tensor in sorted(self.vae.state_dict().items()):
            content = tensor.cpu().contiguous().view(-1).view(torch.uint8)
            digest.update(f"{name}:{tensor.dtype}:{tuple(tensor.shape)}".encode())
            digest.update(content.numpy().data)
        return digest.hexdigest()

    def identity(self) -> ModelIdentity:
        """Return the base model's name and hashes; reads the whole file."""
        if self.path.is_dir():
            return ModelIdentity(self.path.name, None, None)
        with self.path.open("rb") as file:
            return ModelIdentity(self.path.name, legacy_hash(file), sha256(self.path))

    def save_folder(self, folder: Path) -> None:
        """Write the model as a diffusers folder that older libraries read as well."""
        write_folder(self._networks, folder)


def _unet_targets(unet: nn.Module, prefix: str) -> Iterator[AdapterTarget]:
    blocks = {name: m for name, m in unet.named_modules() if isinstance(m, Transformer2DModel)}
    for block_path, block in blocks.items():
        for path, layer in block.named_modules():
            if isinstance(layer, nn.Linear | nn.Conv2d):
                yield AdapterTarget(f"{prefix}.{block_path}.{path}".replace(".", "_"), layer)
