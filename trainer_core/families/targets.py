"""The layers of a network that something can be trained on, under their names in adapter files."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from diffusers.models.transformers.transformer_2d import Transformer2DModel
from torch import nn
from transformers import CLIPTextModel

from trainer_core.families.base import LayerKind, Target
from trainer_core.families.clip import TEXT_MODEL, published_name

_KINDS: dict[LayerKind, tuple[type[nn.Module], ...]] = {
    "linear": (nn.Linear,),
    "conv": (nn.Conv2d,),
    "norm": (nn.LayerNorm, nn.GroupNorm),
}


def unet_targets(
    unet: nn.Module,
    part: str,
    prefix: str,
    kinds: frozenset[LayerKind],
    name_in_files: Callable[[str], str] = str,
) -> Iterator[Target]:
    """Yield the layers of a U-Net; standard are those that compute inside attention blocks.

    Args:
        unet: The network, on any device.
        part: Its name in the family.
        prefix: Of the names in adapter files ("lora_unet").
        kinds: The kinds of layers that are wanted.
        name_in_files: From a layer's path in the network to its path in adapter files.
    """
    attention = [n for n, module in unet.named_modules() if isinstance(module, Transformer2DModel)]
    inside = tuple(f"{name}." for name in attention)
    for path, layer, kind in _layers(unet, kinds):
        is_standard = kind != "norm" and path.startswith(inside)
        name = _name(prefix, name_in_files(path))
        yield Target(name, part, layer, kind, is_standard)


def text_targets(
    text_encoder: CLIPTextModel, part: str, prefix: str, kinds: frozenset[LayerKind]
) -> Iterator[Target]:
    """Yield the layers of a text encoder; standard are attention's and feed-forward's linear ones.

    Args:
        text_encoder: The network, on any device.
        part: Its name in the family.
        prefix: Of the names in adapter files ("lora_te").
        kinds: The kinds of layers that are wanted.
    """
    has_projection = hasattr(text_encoder, "text_model")  # its names are whole
    for path, layer, kind in _layers(text_encoder, kinds):
        published = path if has_projection else published_name(path)
        is_standard = isinstance(layer, nn.Linear) and published.startswith(f"{TEXT_MODEL}encoder.")
        yield Target(_name(prefix, published), part, layer, kind, is_standard)


def _layers(
    network: nn.Module, kinds: frozenset[LayerKind]
) -> Iterator[tuple[str, nn.Module, LayerKind]]:
    for path, layer in network.named_modules():
        for kind in kinds:
            if isinstance(layer, _KINDS[kind]):
                yield path, layer, kind


def _name(prefix: str, path: str) -> str:
    return f"{prefix}.{path}".replace(".", "_")
