"""What the Stable Diffusions share: a U-Net in a VAE's latents, told what CLIP makes of captions.

Shape suffixes: B batch, C channels, H and W latent or pixel rows and columns, L tokens.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from diffusers import AutoencoderKL, DDPMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from torch import Tensor, nn
from transformers import CLIPTextModel

from trainer_core.catalogue.families import FamilyEntry
from trainer_core.errors import ModelFileError, SettingsError
from trainer_core.families.base import (
    PLAIN,
    FamilyOptions,
    LatentPosterior,
    LayerKind,
    Layout,
    ModelIdentity,
    Target,
    lent,
    text_options,
)
from trainer_core.families.clip import Tokens, encode_tokens, set_gradient_checkpointing
from trainer_core.families.condition import TEXT, Condition, SampleFacts
from trainer_core.families.float32 import Float32Denoiser
from trainer_core.families.layouts.family_layout import FamilyLayout
from trainer_core.families.layouts.networks import Networks
from trainer_core.families.layouts.reading import ModelReader, open_reader
from trainer_core.families.layouts.writing import write_model
from trainer_core.families.noise_schedule import (
    ZERO_SNR,
    NoiseSchedule,
    sampler_changes,
    with_zero_terminal_snr,
)
from trainer_core.families.targets import text_targets, unet_targets
from trainer_core.files.resources import resource_path
from trainer_core.model_files.recognise import inspect_model, require_base_model
from trainer_core.model_files.weights_file import legacy_hash
from trainer_core.runtime.speed import compile_repeated_blocks
from trainer_core.texts import T


class StableDiffusion:
    """A Stable Diffusion model; see `trainer_core.families.base.Family`.

    A family names its entry in the catalogue and its layout in files; more only where it differs.

    Args:
        path: Where it is from, or what it is called.
        networks: Its parts: on the meta device if they are to be read.
        options: What is said of it beside its files.
        reader: What gives the parts their weights; None if they have them already.
    """

    entry: ClassVar[FamilyEntry]
    image_part: ClassVar[str] = "vae"
    layout: ClassVar[FamilyLayout]

    def __init__(
        self,
        path: Path,
        networks: Networks,
        options: FamilyOptions = PLAIN,
        reader: ModelReader | None = None,
    ) -> None:
        self.path = path
        self.tokenizer = networks.tokenizers[self.entry.text_encoders[0]]
        self._networks = networks
        self._options = options
        self._reader = reader
        self._checkpointed: set[str] = set()
        networks.scheduler |= _said_of_noise(options)
        self.scheduler_config: Mapping[str, Any] = networks.scheduler
        self.noise_schedule = read_noise_schedule(path, networks.scheduler)
        if self.entry.has_clip_skip:
            self._refuse_too_much_skipping()

    @classmethod
    def open(cls, path: Path, options: FamilyOptions = PLAIN) -> Self:
        """Open a file in the original layout or a diffusers folder; see the protocol.

        Raises:
            ModelFileError: It is damaged, incomplete, or another kind of model.
            SettingsError: A text encoder has fewer layers than are to be skipped.
        """
        require_base_model(inspect_model(path), [cls.entry.kind])
        reader = open_reader(path, cls.layout, options.vae)
        return cls(path, reader.networks, options, reader)

    def _refuse_too_much_skipping(self) -> None:
        num_layers = self._text_encoder.config.num_hidden_layers
        if self._options.clip_skip > num_layers:
            raise SettingsError(
                T(
                    "Errors",
                    "Clip skip is {clip_skip}; the text encoder has {layers} "
                    "[layers:layer|layers].",
                ),
                T("Errors", "Use a smaller clip skip: 1 or 2."),
                setting="model.clip_skip",
                clip_skip=self._options.clip_skip,
                layers=num_layers,
            )

    # ------------------------------------------------------------- parts

    @property
    def _unet(self) -> UNet2DConditionModel:
        unet: UNet2DConditionModel = self._networks.modules[self.entry.denoiser]
        return unet

    @property
    def _vae(self) -> AutoencoderKL:
        vae: AutoencoderKL = self._networks.modules[self.image_part]
        return vae

    @property
    def _text_encoder(self) -> CLIPTextModel:
        text_encoder: CLIPTextModel = self._networks.modules[self.entry.text_encoders[0]]
        return text_encoder

    def module(self, part: str) -> nn.Module:
        """Return a part's module: the same object, whether it is loaded or not."""
        module: nn.Module = self._networks.modules[part]
        return module

    def is_loaded(self, part: str) -> bool:
        """Tell whether a part has its weights."""
        return not any(weight.is_meta for weight in self.module(part).parameters())

    def load(
        self,
        part: str,
        *,
        dtype: torch.dtype,
        device: torch.device,
        memory_format: torch.memory_format = torch.contiguous_format,
    ) -> nn.Module:
        """Read a part's weights from the file; see the protocol.

        Raises:
            ModelFileError: The file is missing, or damaged, or not the one that was opened.
        """
        assert self._reader is not None, "this model was made, not opened"
        self._reader.read(part, dtype=dtype, device=device, memory_format=memory_format)
        if part in self._checkpointed:  # reading leaves everything in evaluation mode
            self.checkpoint_gradients(part, True)
        return self.module(part)

    def release(self, part: str) -> None:
        """Give a part's memory back; hooks and adapters on its layers stay for the next `load`."""
        self.module(part).to_empty(device="meta")

    def checkpoint_gradients(self, part: str, enabled: bool) -> None:
        """Choose between less memory and more speed in a part's backward pass, loaded or not."""
        (self._checkpointed.add if enabled else self._checkpointed.discard)(part)
        module = self._networks.modules[part]
        if part in self.entry.text_encoders:
            set_gradient_checkpointing(module, enabled)
        elif enabled:
            module.enable_gradient_checkpointing()
        else:
            module.disable_gradient_checkpointing()

    def compile(self, part: str) -> None:
        """Compile a loaded part's repeated blocks; see the protocol."""
        compile_repeated_blocks(self.module(part))

    def targets(self, part: str, kinds: frozenset[LayerKind]) -> Iterator[Target]:
        """Yield a part's layers of some kinds, in the order of the network, loaded or not."""
        find = text_targets if part in self.entry.text_encoders else unet_targets
        return find(self._networks.modules[part], part, self.entry.part(part).prefix, kinds)

    # ------------------------------------------------------------- captions

    def encode_text(self, captions: Sequence[str]) -> Condition:
        """Return the text features BTC, in the encoder's type; see the protocol."""
        tokens = self.tokens(self.entry.text_encoders[0], captions)
        features_BTC = encode_tokens(self._text_encoder, tokens, self._options.clip_skip)
        return Condition({TEXT: features_BTC})

    def tokens(self, part: str, captions: Sequence[str]) -> Tokens:
        """Return captions as a text encoder reads them, on its device.

        Raises:
            DatasetError: Weights are read, and one is no number.
        """
        tokenizer, options = self._networks.tokenizers[part], self._options
        tokens = tokenizer.encode(
            captions, options.num_chunks, is_weighted=options.weighted_captions
        )
        return tokens.to(self._networks.modules[part].device)

    def with_sizes(self, condition: Condition, facts: Sequence[SampleFacts]) -> Condition:
        """Return the condition as it is: the denoiser is not told of sizes."""
        del facts
        return condition

    # ------------------------------------------------------------- pictures and latents

    @property
    def pixels_per_latent(self) -> int:
        """Picture rows and columns that one latent cell stands for."""
        halvings = len(self._vae.config.block_out_channels) - 1
        return 1 << halvings

    @property
    def latent_channels(self) -> int:
        """Channels of a latent."""
        return int(self._vae.config.latent_channels)

    @torch.no_grad()
    def encode_images(self, pixels_BCHW: Tensor) -> LatentPosterior:
        """Return the scaled mean and deviation of pictures, float32; see the protocol."""
        posterior = self._vae.encode(pixels_BCHW.to(self._vae.dtype)).latent_dist
        scale = self._vae.config.scaling_factor
        return LatentPosterior(posterior.mean.float() * scale, posterior.std.float() * scale)

    @torch.no_grad()
    def decode_latents(self, latents_BCHW: Tensor) -> Tensor:
        """Return the pictures BCHW of latents, float32; see the protocol."""
        scaled_BCHW = latents_BCHW.to(self._vae.dtype) / self._vae.config.scaling_factor
        pixels_BCHW: Tensor = self._vae.decode(scaled_BCHW).sample
        return pixels_BCHW.float()

    def predict(self, noisy_BCHW: Tensor, timesteps_B: Tensor, condition: Condition) -> Tensor:
        """Return the U-Net's prediction BCHW, in its type or autocast's; see the protocol."""
        dtype = self._unet.dtype
        prediction_BCHW: Tensor = self._unet(
            noisy_BCHW.to(dtype), timesteps_B, condition[TEXT].to(dtype), return_dict=False
        )[0]
        return prediction_BCHW

    # ------------------------------------------------------------- samples

    @property
    def sampler_config(self) -> Mapping[str, Any]:
        """Settings from which the scheduler of a pipeline is built."""
        # The pipeline would set these two itself, with a warning, where an old base lacks them.
        by_pipeline = {"steps_offset": 1, "clip_sample": False}
        return {**self.scheduler_config, **by_pipeline, **sampler_changes(self.noise_schedule)}

    def pipeline(self, scheduler: Any) -> Any:
        """Return the diffusers pipeline from conditions to latents; see the protocol."""
        return StableDiffusionPipeline(
            vae=None,
            text_encoder=None,
            tokenizer=None,
            unet=Float32Denoiser(self._unet),
            scheduler=scheduler,
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )

    def pipeline_inputs(self, positive: Condition, negative: Condition) -> Mapping[str, object]:
        """Return the text features BLC of what should and what should not be there."""
        return {"prompt_embeds": positive[TEXT], "negative_prompt_embeds": negative[TEXT]}

    # ------------------------------------------------------------- files

    def vae_hash(self) -> str:
        """Return a hash of the VAE's weights, on any device, and of the scale of its latents."""
        digest = hashlib.sha256(repr(self._vae.config.scaling_factor).encode())
        _add_weights(digest, self._vae)
        return digest.hexdigest()

    def text_hash(self) -> str:
        """Return a hash of text encoders and tokenizers, and of how they are used.

        See the protocol.
        """
        digest = hashlib.sha256(f"{self.entry.kind}:{text_options(self._options)}".encode())
        for part in self.entry.text_encoders:
            tokenizer = self._networks.tokenizers[part]
            words = sorted(tokenizer.library.get_vocab().items())
            digest.update(f"{tokenizer.length}:{tokenizer.library.pad_token}:{words}".encode())
            digest.update(self._networks.modules[part].config.hidden_act.encode())
            _add_weights(digest, self.module(part))
        return digest.hexdigest()

    def identity(self) -> ModelIdentity:
        """Return the base model's name and hash; reads a little of the file."""
        return _identity(self.path)

    def vae_identity(self) -> ModelIdentity | None:
        """Return name and hash of the VAE that is used instead of its own; see the protocol."""
        return None if self._options.vae is None else _identity(self._options.vae)

    def weight_files(self) -> Sequence[Path]:
        """Return the base model's files, part by part; see the protocol."""
        return [] if self._reader is None else self._reader.files()

    def write(
        self,
        target: Path,
        layout: Layout,
        *,
        dtype: torch.dtype,
        metadata: Mapping[str, str],
        replace: bool = False,
    ) -> None:
        """Write the whole model; see the protocol.

        Raises:
            OutputError: It cannot be written.
            ModelFileError: A part that is not loaded cannot be read.
        """

        def lend(part: str) -> contextlib.AbstractContextManager[None]:
            return lent(self, part, dtype=dtype, device=torch.device("cpu"))

        index = resource_path("model_configs", self.layout.configs, "model_index.json")
        write_model(
            self._networks,
            target,
            layout,
            lend=lend,
            dtype=dtype,
            metadata=metadata,
            index=index,
            replace=replace,
        )


def _add_weights(digest: hashlib._Hash, module: nn.Module) -> None:
    """Add names, types, shapes and numbers of a module's weights, on any device."""
    for name, tensor in sorted(module.state_dict().items()):
        content = tensor.cpu().contiguous().view(-1).view(torch.uint8)
        digest.update(f"{name}:{tensor.dtype}:{tuple(tensor.shape)}".encode())
        digest.update(content.numpy().data)


def _said_of_noise(options: FamilyOptions) -> dict[str, object]:
    """Return the settings of the noise schedule that are not left to the model's files."""
    said = {"prediction_type": options.prediction, ZERO_SNR: options.zero_terminal_snr}
    return {key: value for key, value in said.items() if value is not None}


def _identity(path: Path) -> ModelIdentity:
    if path.is_dir():
        return ModelIdentity(path.name, None)
    with path.open("rb") as file:
        return ModelIdentity(path.name, legacy_hash(file))


def read_noise_schedule(path: Path, config: Mapping[str, Any]) -> NoiseSchedule:
    """Return the noise that a model was trained with.

    Raises:
        ModelFileError: Its config describes none.
    """
    try:
        scheduler = DDPMScheduler.from_config({**config, ZERO_SNR: False})
        betas_T = scheduler.betas
        if len(betas_T) != scheduler.config.num_train_timesteps or not betas_T.isfinite().all():
            raise ValueError(f"{len(betas_T)} steps")
    except Exception as error:  # the library raises whatever comes of values that do not fit
        raise ModelFileError(
            T("Errors", "The noise schedule of {path} cannot be used: {reason}"),
            T("Errors", "Copy the model again, or choose another one."),
            path=path,
            reason=error,
        ) from error
    prediction = scheduler.config.prediction_type
    if not config.get(ZERO_SNR):
        return NoiseSchedule(betas_T, prediction)
    return NoiseSchedule(with_zero_terminal_snr(betas_T), prediction, betas_T)
