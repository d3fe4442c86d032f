"""Names of tensors in single files of Stable Diffusion's original layout, from diffusers' names.

The original names are those of the CompVis latent-diffusion code, which numbers the U-Net's layers
from end to end; diffusers counts blocks and the layers in them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from trainer_core.errors import OutputError
from trainer_core.texts import T

_UNET_ENDS = {
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
}
_UNET_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
_VAE_ATTENTION = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v"}


class UNetNames:
    """The U-Net's names; its depth decides how layers are numbered.

    Args:
        layers_per_block: ResNet layers of a downward block; upward blocks have one more.
        up_block_types: diffusers' classes of the upward blocks, from the middle outwards.
        further: Original names of layers, or of single tensors, that not every family has.
    """

    def __init__(
        self,
        layers_per_block: int,
        up_block_types: Sequence[str],
        further: Mapping[str, str] | None = None,
    ) -> None:
        self._ends = {**_UNET_ENDS, **(further or {})}
        self._layers = layers_per_block + 1
        self._up_has_attention = ["Attn" in block_type for block_type in up_block_types]

    def original(self, name: str) -> str:
        """Return the original name of a tensor, without the file's prefix.

        Raises:
            OutputError: It is of a layer that the original layout does not have.
        """
        match name.split("."):
            case ["down_blocks", block, "downsamplers", _, "conv", leaf]:
                return f"input_blocks.{self._layers * (int(block) + 1)}.0.op.{leaf}"
            case ["down_blocks", block, kind, layer, *rest]:
                number = self._layers * int(block) + int(layer) + 1
                return f"input_blocks.{number}.{_layer(kind, rest)}"
            case ["mid_block", "attentions", _, *rest]:
                return ".".join(["middle_block.1", *rest])
            case ["mid_block", "resnets", layer, part, leaf]:
                return f"middle_block.{2 * int(layer)}.{_UNET_RESNET[part]}.{leaf}"
            case ["up_blocks", block, "upsamplers", _, "conv", leaf]:
                number = self._layers * (int(block) + 1) - 1
                place = 2 if self._up_has_attention[int(block)] else 1
                return f"output_blocks.{number}.{place}.conv.{leaf}"
            case ["up_blocks", block, kind, layer, *rest]:
                number = self._layers * int(block) + int(layer)
                return f"output_blocks.{number}.{_layer(kind, rest)}"
        if name in self._ends:  # a tensor that belongs to no layer
            return self._ends[name]
        module, _, leaf = name.rpartition(".")
        if module not in self._ends:
            raise OutputError(
                T("Errors", "The U-Net's layer {name} has no place in a single file."),
                T("Errors", "Write the model as a diffusers folder."),
                name=name,
            )
        return f"{self._ends[module]}.{leaf}"


def _layer(kind: str, rest: list[str]) -> str:
    """Return the name inside a numbered layer: ``0`` is its ResNet, ``1`` its attention."""
    if kind == "attentions":
        return ".".join(["1", *rest])
    part, leaf = rest
    return f"0.{_UNET_RESNET[part]}.{leaf}"


def vae_original(name: str, num_blocks: int) -> str:
    """Return the original name of a tensor of the VAE, without the file's prefix.

    Args:
        name: diffusers' name.
        num_blocks: Resolutions of the VAE; the decoder's are counted from the other end.
    """
    side, _, inner = name.partition(".")
    match inner.split("."):
        case ["down_blocks", block, *rest]:
            return f"{side}.down.{block}.{_vae_layer(rest)}"
        case ["up_blocks", block, *rest]:
            return f"{side}.up.{num_blocks - 1 - int(block)}.{_vae_layer(rest)}"
        case ["mid_block", "resnets", layer, part, leaf]:
            return f"{side}.mid.block_{int(layer) + 1}.{part}.{leaf}"
        case ["mid_block", "attentions", _, part, *rest]:
            return f"{side}.mid.attn_1.{_VAE_ATTENTION.get(part, 'proj_out')}.{rest[-1]}"
    return name.replace("conv_norm_out", "norm_out")


def _vae_layer(rest: list[str]) -> str:
    match rest:
        case ["resnets", layer, part, leaf]:
            return f"block.{layer}.{part.replace('conv_shortcut', 'nin_shortcut')}.{leaf}"
        case [kind, _, "conv", leaf]:
            return f"{kind.removesuffix('rs')}.conv.{leaf}"
    raise ValueError(".".join(rest))
